// What the instrumentation of the AWS SDK says of Bedrock, judged against what was served.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { AwsInstrumentation } from "@opentelemetry/instrumentation-aws-sdk";
import { NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { judged } from "spanproof";

const instrumentation = new AwsInstrumentation();
// By `require`, which instrumentations see without a loader.
const require = createRequire(import.meta.url);
const { BedrockRuntimeClient, ConverseCommand } = require("@aws-sdk/client-bedrock-runtime");

// One call, and all its telemetry sent.
async function call({ bedrock, telemetry }, more = {}) {
  const exporter = new OTLPTraceExporter({ url: `${telemetry.endpoint}/v1/traces` });
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  instrumentation.setTracerProvider(provider);
  const client = new BedrockRuntimeClient(bedrock.clientConfig);
  try {
    const messages = [{ role: "user", content: [{ text: "How deep is the harbour?" }] }];
    const modelId = "anthropic.claude-3-5-sonnet-20240620-v1:0";
    return await client.send(new ConverseCommand({ modelId, messages, ...more }));
  } finally {
    await provider.shutdown();
    client.destroy();
  }
}

test("a call is told as it was", judged(async (given) => {
  await call(given);
}));

test("a call that was throttled twice is one span", judged(async (given) => {
  await given.bedrock.setFaults("ThrottlingException@1-2");
  await call(given);
  assert.equal((await given.bedrock.exchanges()).length, 3);
}));

test("a failure has its error type", judged(async (given) => {
  await given.bedrock.setFaults("AccessDeniedException");
  await assert.rejects(call(given), { name: "AccessDeniedException" });
}));
