// The mock Bedrock, as one test sees it.
import { writeFile } from "node:fs/promises";
import { Server } from "./program.mjs";

// How many records the mock shows at once, and keeps, unless told otherwise.
const KEPT_RECORDS = 10_000;

// The mock that all tests of this process share, started with the first.
let shared;
let tests = 0;

// A mock of Amazon Bedrock that no other test sees anything of: its faults, quotas, prompt cache and
// ledger belong to a name that stands in the path of `endpoint`.
export class Bedrock {
  static async start() {
    shared ??= Server.start(["mock", "--speed", "max", "--listen", "127.0.0.1:0"], 1);
    const [server] = (await shared).said;
    tests += 1;
    return new Bedrock(`${server}/_spanproof/tests/${tests}`);
  }

  constructor(endpoint) {
    this.endpoint = endpoint;
  }

  // What the clients of the AWS SDK take: `new BedrockRuntimeClient(bedrock.clientConfig)`.
  get clientConfig() {
    const credentials = { accessKeyId: "spanproof", secretAccessKey: "spanproof" };
    return { endpoint: this.endpoint, region: "us-east-1", credentials };
  }

  // From now on strikes the requests that `rules` describe, and no others. A rule is the name of a
  // fault, such as "ThrottlingException@1" or "cut", which strikes every request that it fits, or an
  // object as plans of faults have it.
  async setFaults(...rules) {
    const plan = rules.map((rule) => (typeof rule === "string" ? { fault: rule } : rule));
    const answer = await fetch(`${this.endpoint}/_spanproof/faults`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ rules: plan }),
    });
    if (!answer.ok) throw new TypeError((await answer.json()).error);
  }

  // What the mock served to this test, oldest first: model, usage, stop reason, fault.
  async exchanges() {
    const page = await fetch(`${this.endpoint}/_spanproof/ledger?last=${KEPT_RECORDS}`);
    return (await page.json()).exchanges;
  }

  // Writes the ledger of this test, as `spanproof check --ledger` reads it.
  async writeLedger(path) {
    const lines = 1 + (await this.exchanges()).length;
    const stop = new AbortController();
    const url = `${this.endpoint}/_spanproof/ledger?follow=true`;
    const { body } = await fetch(url, { signal: stop.signal });
    let text = "";
    const decoder = new TextDecoder();
    for await (const bytes of body) {
      text += decoder.decode(bytes, { stream: true });
      const complete = text.split("\n").slice(0, -1);
      if (complete.length >= lines) {
        await writeFile(path, `${complete.slice(0, lines).join("\n")}\n`);
        break;
      }
    }
    // The stream goes on with what is served next.
    stop.abort();
  }
}
