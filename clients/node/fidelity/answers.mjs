// Whole answers.

import * as bedrock from "./bedrock.mjs";
import {
  BLOCKED,
  CLAUDE,
  CLAUDE_CACHED,
  CONVERSE,
  GUARDRAIL,
  NOVA,
  PROFILE,
  TITAN_EMBED,
} from "./bedrock.mjs";
import { check, ensure } from "./report.mjs";

// Long enough for a cache point to count on the model that caches.
const LONG_PROMPT = "The style guide asks for short sentences and plain words. ".repeat(400);
const CACHED = {
  ...CONVERSE,
  system: [{ text: LONG_PROMPT }, { cachePoint: { type: "default" } }],
};

export async function answerChecks() {
  for (const model of [CLAUDE, NOVA]) {
    await check(1, `Converse of ${model} by the default client`, async (evidence) => {
      const { answer, call } = await bedrock.converse(model, CONVERSE);
      evidence.calls.push(call);
      evidence.detail = bedrock.client.config.requestHandler.metadata.handlerProtocol;
      ensure(answer.output.message.content[0].text.length > 0, answer.output);
      ensure(evidence.detail === "h2", `the client speaks ${evidence.detail}`);
    });
    await check(14, `maxTokens of ${model}`, async (evidence) => {
      const { answer, call } = await bedrock.converse(model, {
        ...CONVERSE,
        inferenceConfig: { maxTokens: 5 },
      });
      evidence.calls.push(call);
      ensure(answer.usage.outputTokens <= 5 && answer.stopReason === "max_tokens", answer);
    });
  }
  for (const model of [`us.${NOVA}`, CLAUDE_CACHED, PROFILE]) {
    await check(12, `Converse of ${model}`, async (evidence) => {
      evidence.calls.push((await bedrock.converse(model, CONVERSE)).call);
    });
  }
  await check(13, "a second cachePoint call reads what the first wrote", async (evidence) => {
    const first = await bedrock.converse(CLAUDE_CACHED, CACHED);
    const second = await bedrock.converse(CLAUDE_CACHED, CACHED);
    evidence.calls.push(first.call, second.call);
    const [written, read] = [first.call.usage, second.call.usage];
    ensure(written.cache_write_input_tokens > 0 && written.cache_read_input_tokens === 0, written);
    ensure(read.cache_read_input_tokens === written.cache_write_input_tokens, read);
    ensure(read.cache_write_input_tokens === 0, read);
    for (const { answer, call } of [first, second]) {
      const total = Object.values(call.usage).reduce((sum, count) => sum + count);
      ensure(answer.usage.totalTokens === total, answer.usage);
    }
  });
  await check(15, "no token headers on Converse", async (evidence) => {
    const seen = {};
    evidence.calls.push((await bedrock.converse(CLAUDE, CONVERSE, { seen })).call);
    ensure(tokenHeaders(seen).length === 0, seen);
  });
  for (const model of [CLAUDE, NOVA, TITAN_EMBED]) {
    await check(15, `token headers of ${model}`, async (evidence) => {
      const seen = {};
      const { call } = await bedrock.invokeModel(model, { seen });
      evidence.calls.push(call);
      const output = model === TITAN_EMBED ? undefined : String(call.usage.output_tokens);
      ensure(seen["x-amzn-bedrock-input-token-count"] === String(call.usage.input_tokens), seen);
      ensure(seen["x-amzn-bedrock-output-token-count"] === output, seen);
      ensure(seen["x-amzn-bedrock-invocation-latency"] !== undefined, seen);
    });
  }
}

export async function guardrailChecks() {
  await check(19, "Converse", async (evidence) => {
    const { answer, call } = await bedrock.converse(CLAUDE, {
      messages: [{ role: "user", content: [{ text: BLOCKED }] }],
      guardrailConfig: { ...GUARDRAIL, trace: "enabled" },
    });
    evidence.calls.push(call);
    ensure(answer.stopReason === "guardrail_intervened", answer);
    const [assessment] = Object.values(answer.trace.guardrail.inputAssessment);
    const { usage } = assessment.invocationMetrics;
    ensure(usage.sensitiveInformationPolicyUnits === 1, usage);
  });
  await check(19, "InvokeModel, by names of its own", async (evidence) => {
    const { fields, call } = await bedrock.invokeModel(
      CLAUDE,
      {},
      { body: { messages: [{ role: "user", content: BLOCKED }] }, ...GUARDRAIL, trace: "ENABLED" },
    );
    evidence.exchanges = [call.request_id];
    ensure(fields["amazon-bedrock-guardrailAction"] === "INTERVENED", fields);
    ensure(Object.keys(fields["amazon-bedrock-trace"].guardrail.input).length === 1, fields);
  });
}

/** The names of the service's own headers beside the content type. */
export function tokenHeaders(seen) {
  return Object.keys(seen).filter(
    (name) => name.startsWith("x-amzn-bedrock-") && name !== "x-amzn-bedrock-content-type",
  );
}
