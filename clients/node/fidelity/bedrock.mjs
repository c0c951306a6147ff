// The client as it comes, and what the checks ask of it.

import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithBidirectionalStreamCommand,
  InvokeModelWithResponseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";

import { camel, counts, invoke, parsed } from "../usage.cjs";

export const CLAUDE = "anthropic.claude-3-5-sonnet-20240620-v1:0";
export const CLAUDE_CACHED = "us.anthropic.claude-3-7-sonnet-20250219-v1:0";
export const NOVA = "amazon.nova-lite-v1:0";
export const TITAN_EMBED = "amazon.titan-embed-text-v2:0";
export const PROFILE = `arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/${NOVA}`;

export const QUESTION = "Why is the sky blue? Answer in a sentence.";
export const MESSAGES = [{ role: "user", content: [{ text: QUESTION }] }];
export const CONVERSE = { messages: MESSAGES, inferenceConfig: { maxTokens: 200 } };

export const THINKING = {
  messages: MESSAGES,
  additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 1024 } },
  inferenceConfig: { maxTokens: 2000 },
};
// Anthropic documents this text, with which Claude encrypts what it thinks.
export const REDACTED =
  "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_" +
  "46C9A13E193C177646C7398A98432ECCCE4C1253D5E2D82641AC0E52CC2876CB";
// The guardrail that every id names when none is configured blocks US social security numbers.
export const GUARDRAIL = { guardrailIdentifier: "gr0000000000", guardrailVersion: "1" };
export const BLOCKED = "My social security number is 536-90-4399.";

export const BODIES = {
  [CLAUDE]: {
    anthropic_version: "bedrock-2023-05-31",
    max_tokens: 200,
    messages: [{ role: "user", content: QUESTION }],
  },
  [NOVA]: CONVERSE,
  [TITAN_EMBED]: { inputText: QUESTION },
};

export const client = new BedrockRuntimeClient({});

/** Sends `command`, with a fault if one is named; `seen` gets the answer's headers. */
async function send(command, { fault, seen, to = client } = {}) {
  if (fault !== undefined) {
    const ask = (next) => (args) => {
      args.request.headers["x-spanproof-fault"] = fault;
      return next(args);
    };
    command.middlewareStack.add(ask, { step: "build" });
  }
  const look = (next) => async (args) => {
    const result = await next(args);
    Object.assign(seen ?? {}, result.response.headers);
    return result;
  };
  command.middlewareStack.add(look, { step: "deserialize", priority: "low" });
  return to.send(command);
}

export async function converse(modelId, request, options) {
  const answer = await send(new ConverseCommand({ modelId, ...request }), options);
  const usage = camel(answer.usage);
  return { answer, call: call(modelId, answer, usage, answer.stopReason) };
}

/** A ConverseStream to its end: the names of its events in order, its text, its tool use. */
export async function converseStream(modelId, request, options) {
  const answer = await send(new ConverseStreamCommand({ modelId, ...request }), options);
  const told = { order: [], deltas: [], text: "", input: "", call: call(modelId, answer) };
  try {
    for await (const event of answer.stream) {
      const [name] = Object.keys(event);
      told.order.push(name);
      told.tool = event.contentBlockStart?.start?.toolUse ?? told.tool;
      if (event.contentBlockDelta) told.deltas.push(event.contentBlockDelta.delta);
      told.text += event.contentBlockDelta?.delta?.text ?? "";
      told.input += event.contentBlockDelta?.delta?.toolUse?.input ?? "";
      if (event.messageStop) told.call.stop_reason = event.messageStop.stopReason;
      if (event.metadata) told.call.usage = camel(event.metadata.usage);
    }
  } catch (error) {
    error.told = told;
    throw error;
  }
  return told;
}

export async function invokeModel(modelId, options, request) {
  const body = JSON.stringify({ ...BODIES[modelId], ...request?.body });
  const answer = await send(new InvokeModelCommand({ modelId, ...request, body }), options);
  const { usage, stopReason } = invoke(answer.body);
  return { fields: parsed(answer.body), call: call(modelId, answer, usage, stopReason) };
}

/** A native stream to its end: its last chunk, usage from the service's own metrics. */
export async function invokeModelStream(modelId, options) {
  const body = JSON.stringify(BODIES[modelId]);
  const answer = await send(new InvokeModelWithResponseStreamCommand({ modelId, body }), options);
  const told = { chunks: [], call: call(modelId, answer) };
  for await (const event of answer.body) {
    const chunk = parsed(event.chunk.bytes);
    told.chunks.push(chunk);
    told.call.stop_reason =
      chunk.delta?.stop_reason ?? chunk.messageStop?.stopReason ?? told.call.stop_reason;
    const metrics = chunk["amazon-bedrock-invocationMetrics"];
    if (metrics) {
      told.call.usage = counts(
        metrics.inputTokenCount,
        metrics.outputTokenCount,
        metrics.cacheReadInputTokenCount,
        metrics.cacheWriteInputTokenCount,
      );
    }
  }
  return told;
}

/** One turn of a conversation by Nova Sonic, in which the request goes on while the answer comes. */
export async function talk(modelId, text) {
  const content = { promptName: "prompt", contentName: "content" };
  let answered;
  const whenAnswered = new Promise((resolve) => (answered = resolve));
  async function* said() {
    const event = (event) => ({
      chunk: { bytes: new TextEncoder().encode(JSON.stringify({ event })) },
    });
    yield event({ sessionStart: { inferenceConfiguration: { maxTokens: 100 } } });
    yield event({ promptStart: { promptName: "prompt" } });
    yield event({ contentStart: { ...content, type: "TEXT", role: "USER" } });
    yield event({ textInput: { ...content, content: text } });
    yield event({ contentEnd: content });
    await whenAnswered;
    yield event({ promptEnd: { promptName: "prompt" } });
    yield event({ sessionEnd: {} });
  }
  const command = new InvokeModelWithBidirectionalStreamCommand({ modelId, body: said() });
  const answer = await client.send(command);
  const told = { order: [], text: "", call: call(modelId, answer) };
  for await (const heard of answer.body) {
    const { event } = parsed(heard.chunk.bytes);
    const [name] = Object.keys(event);
    told.order.push(name);
    told.text += event.textOutput?.content ?? "";
    if (event.usageEvent) {
      const { totalInputTokens, totalOutputTokens } = event.usageEvent;
      told.call.usage = counts(totalInputTokens, totalOutputTokens);
      answered();
    }
    told.call.stop_reason = event.completionEnd?.stopReason;
  }
  return told;
}

function call(modelId, answer, usage, stopReason) {
  return {
    model_id: modelId,
    request_id: answer.$metadata.requestId,
    usage,
    stop_reason: stopReason,
  };
}
