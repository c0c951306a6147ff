// An application must notice a stream that breaks: it must not take half an answer for a whole one.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BedrockRuntimeClient,
  ConverseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";
import { Bedrock } from "spanproof";

async function ask(bedrock) {
  const client = new BedrockRuntimeClient(bedrock.clientConfig);
  try {
    const response = await client.send(
      new ConverseStreamCommand({
        modelId: "anthropic.claude-3-5-sonnet-20240620-v1:0",
        messages: [{ role: "user", content: [{ text: "How deep is the harbour?" }] }],
      }),
    );
    let text = "";
    for await (const event of response.stream) {
      text += event.contentBlockDelta?.delta.text ?? "";
    }
    return text;
  } finally {
    client.destroy();
  }
}

test("a whole answer arrives", async () => {
  const bedrock = await Bedrock.start();
  assert.match(await ask(bedrock), /\.$/);
  const [exchange] = await bedrock.exchanges();
  assert.ok(exchange.delivered);
  assert.equal(exchange.stop_reason, "end_turn");
});

test("a stream that breaks is an error", async () => {
  const bedrock = await Bedrock.start();
  await bedrock.setFaults("stream:throttlingException");
  await assert.rejects(ask(bedrock), { name: "ThrottlingException" });
  const [exchange] = await bedrock.exchanges();
  assert.equal(exchange.exception, "throttlingException");
  assert.ok(!exchange.delivered);
});
