// The OTLP receiver of one test, and the verdict about what it received.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { Bedrock } from "./bedrock.mjs";
import { binary, Server } from "./program.mjs";

// The verdicts of `spanproof check` that come with a report: it conforms, findings, nothing was
// captured. Others are failures to judge.
const CONFORMS = 0;
const REPORTED = [CONFORMS, 1, 4];

// Reports are as long as they are; telemetry of a test is not endless.
const LONGEST_REPORT_BYTES = 64 * 1024 * 1024;

// What a test emitted does not conform. The message is the report for people.
export class TelemetryError extends Error {
  constructor(report) {
    super(report.text);
    this.name = "TelemetryError";
    this.report = report;
  }
}

// A test for any runner: `test("…", judged(async ({ bedrock, telemetry }) => { … }))`. What `body`
// emits is judged when it has ended well, and the test fails when it does not conform. `options` are
// those of `spanproof check`, such as `{ semconv: "1.41.1", failOn: "improvement" }`.
export function judged(options, body) {
  if (body === undefined) return judged({}, options);
  return async () => {
    const bedrock = await Bedrock.start();
    const telemetry = await Telemetry.receive(bedrock, options);
    try {
      await body({ bedrock, telemetry });
      if (telemetry.isJudged) return;
      const report = await telemetry.judge();
      if (!report.conforms) throw new TelemetryError(report);
    } finally {
      await telemetry.close();
    }
  };
}

// Receives over OTLP, and judges against what `bedrock` served.
export class Telemetry {
  #bedrock;
  #folder;
  #options;
  #server;

  static async receive(bedrock, options = {}) {
    const telemetry = new Telemetry();
    telemetry.#bedrock = bedrock;
    telemetry.#options = options;
    telemetry.#folder = await mkdtemp(path.join(os.tmpdir(), "spanproof-"));
    const loopback = "127.0.0.1:0";
    const listen = ["--listen-grpc", loopback, "--listen-http", loopback];
    const out = ["--out", telemetry.#file("capture.otlp")];
    telemetry.#server = await Server.start(["receive", ...listen, ...out], 2);
    const where = Object.fromEntries(telemetry.#server.said.map((line) => line.split(" ")));
    // Where OTLP over HTTP goes: `${endpoint}/v1/traces`, `/v1/metrics`, `/v1/logs`.
    telemetry.endpoint = where.http;
    // Where OTLP over gRPC goes.
    telemetry.grpcEndpoint = where.grpc;
    // Whether the test has asked for the verdict itself.
    telemetry.isJudged = false;
    return telemetry;
  }

  // Ends the reception, and judges what came: flush the providers first. A test that asks is not
  // judged again at its end: what to make of the report is up to it.
  async judge(options = {}) {
    this.isJudged = true;
    await this.#server.stop();
    const [capture, ledger, json] = ["capture.otlp", "ledger.jsonl", "report.json"].map((name) =>
      this.#file(name),
    );
    await this.#bedrock.writeLedger(ledger);
    const reports = ["--report", "human", "--report", `json=${json}`];
    const more = Object.entries({ ...this.#options, ...options }).flatMap(([name, value]) => [
      `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
      String(value),
    ]);
    const { code, stdout, stderr } = await run([
      ...["check", capture, "--ledger", ledger],
      ...reports,
      ...more,
    ]);
    if (!REPORTED.includes(code)) throw new Error(`spanproof could not judge:\n${stderr.trim()}`);
    const report = JSON.parse(await readFile(json, "utf8"));
    const rules = [...new Set(report.findings.map((group) => group.rule))].sort();
    return { code, conforms: code === CONFORMS, rules, text: stdout, json: report };
  }

  // Ends the reception, and forgets what was received.
  async close() {
    await this.#server.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #file(name) {
    return path.join(this.#folder, name);
  }
}

function run(args) {
  return new Promise((resolve, reject) => {
    const settings = { maxBuffer: LONGEST_REPORT_BYTES };
    execFile(binary(), args, settings, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== "number") reject(error);
      else resolve({ code: error === null ? 0 : error.code, stdout, stderr });
    });
  });
}
