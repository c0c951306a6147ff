// An application must notice a stream that breaks: it must not take half an answer for a whole one.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import {
  BedrockRuntimeClient,
  ConverseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";

let mock;
let endpoint;
let bedrock;

before(async () => {
  const stdio = ["ignore", "pipe", "inherit"];
  mock = spawn("spanproof", ["mock", "--speed", "max"], { stdio });
  endpoint = await new Promise((resolve, reject) => {
    createInterface(mock.stdout).once("line", resolve);
    mock.once("error", reject);
    mock.once("exit", (code) => reject(new Error(`the mock ended with exit code ${code}`)));
  });
  bedrock = new BedrockRuntimeClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "any", secretAccessKey: "any" },
  });
});

after(() => {
  bedrock?.destroy();
  mock.kill();
});

async function ask(more = {}) {
  const response = await bedrock.send(
    new ConverseStreamCommand({
      modelId: "anthropic.claude-3-5-sonnet-20240620-v1:0",
      messages: [{ role: "user", content: [{ text: "How deep is the harbour?" }] }],
      ...more,
    }),
  );
  let text = "";
  for await (const event of response.stream) {
    text += event.contentBlockDelta?.delta.text ?? "";
  }
  return text;
}

// What the mock served last, from its ledger.
async function served() {
  const page = await fetch(`${endpoint}/_spanproof/ledger?last=1`);
  return (await page.json()).exchanges[0];
}

test("a whole answer arrives", async () => {
  assert.match(await ask(), /\.$/);
  const exchange = await served();
  assert.ok(exchange.delivered);
  assert.equal(exchange.stop_reason, "end_turn");
});

test("a stream that breaks is an error", async () => {
  const fault = { requestMetadata: { "spanproof-fault": "stream:throttlingException" } };
  await assert.rejects(ask(fault), { name: "ThrottlingException" });
  const exchange = await served();
  assert.equal(exchange.exception, "throttlingException");
  assert.ok(!exchange.delivered);
});
