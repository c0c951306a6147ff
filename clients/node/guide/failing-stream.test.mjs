// An application must notice a stream that breaks: it must not take half an answer for a whole one.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import {
  BedrockRuntimeClient,
  ConverseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";

let mock;
let bedrock;

before(async () => {
  mock = spawn("spanproof", ["mock", "--speed", "max", "--ledger", "ledger.jsonl"]);
  const [line] = await once(mock.stdout, "data");
  bedrock = new BedrockRuntimeClient({
    endpoint: line.toString().trim(),
    region: "us-east-1",
    credentials: { accessKeyId: "any", secretAccessKey: "any" },
  });
});

after(() => {
  bedrock.destroy();
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

test("a whole answer arrives", async () => {
  assert.match(await ask(), /\.$/);
});

test("a stream that breaks is an error", async () => {
  const fault = { requestMetadata: { "spanproof-fault": "stream:throttlingException" } };
  await assert.rejects(ask(fault), { name: "ThrottlingException" });
});
