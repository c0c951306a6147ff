// One cell of the matrix: a Bedrock operation in a situation, as an application would write it.
//
//     node --expose-gc --require ../node/instrument.cjs node/matrix.cjs SITUATION OPERATION
//
// It knows nothing of spanproof but how to ask the mock for a fault. Telemetry comes from the
// library that instrument.cjs registers; the spans around the calls are the application's own.
"use strict";

const {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} = require("@aws-sdk/client-bedrock-runtime");
const { trace } = require("@opentelemetry/api");

const MODEL = "us.anthropic.claude-3-7-sonnet-20250219-v1:0";
const QUESTION = "Name three rivers in France.";
// Long enough for the prompt cache of the model, which begins at 1,024 tokens.
const BRIEFING = "You are a guide to rivers. Answer in one sentence and name no sources. ".repeat(120);
const WEATHER = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

const bedrock = new BedrockRuntimeClient({});
const tracer = trace.getTracer("application");

function converseRequest(situation) {
  const request = {
    modelId: MODEL,
    messages: [{ role: "user", content: [{ text: QUESTION }] }],
    inferenceConfig: { maxTokens: 256, temperature: 0.5 },
  };
  if (situation === "tools") {
    const toolSpec = { name: "weather", description: "The weather.", inputSchema: { json: WEATHER } };
    request.toolConfig = { tools: [{ toolSpec }], toolChoice: { any: {} } };
  }
  if (situation === "cached") {
    request.system = [{ text: BRIEFING }, { cachePoint: { type: "default" } }];
  }
  return request;
}

function invokeRequest(situation) {
  const body = {
    anthropic_version: "bedrock-2023-05-31",
    max_tokens: 256,
    temperature: 0.5,
    messages: [{ role: "user", content: QUESTION }],
  };
  if (situation === "tools") {
    body.tools = [{ name: "weather", description: "The weather.", input_schema: WEATHER }];
    body.tool_choice = { type: "any" };
  }
  if (situation === "cached") {
    body.system = [{ type: "text", text: BRIEFING, cache_control: { type: "ephemeral" } }];
  }
  return { modelId: MODEL, contentType: "application/json", body: JSON.stringify(body) };
}

const BUFFERED = {
  Converse: (situation) => bedrock.send(new ConverseCommand(converseRequest(situation))),
  InvokeModel: async (situation) => {
    const response = await bedrock.send(new InvokeModelCommand(invokeRequest(situation)));
    JSON.parse(new TextDecoder().decode(response.body));
  },
};
const STREAMED = {
  ConverseStream: async (situation) =>
    (await bedrock.send(new ConverseStreamCommand(converseRequest(situation)))).stream,
  InvokeModelWithResponseStream: async (situation) =>
    (await bedrock.send(new InvokeModelWithResponseStreamCommand(invokeRequest(situation)))).body,
};
const FAULTS = {
  error: ["AccessDeniedException", "AccessDeniedException"],
  exception: [undefined, "stream:throttlingException"],
  cut: ["cut", "cut"],
};

function askFor(fault) {
  bedrock.middlewareStack.add(
    (next) => (args) => {
      args.request.headers["x-spanproof-fault"] = fault;
      return next(args);
    },
    { step: "build", name: "fault" },
  );
}

async function leave(stream, situation) {
  if (situation === "never") {
    return;
  }
  if (situation === "abandoned") {
    // Read by hand, so that nothing closes it.
    const events = stream[Symbol.asyncIterator]();
    await events.next();
    await events.next();
    return;
  }
  let seen = 0;
  for await (const _ of stream) {
    seen += 1;
    if (situation === "closed" && seen === 2) {
      break;
    }
  }
}

async function called(name, ask, situation, streamed) {
  await tracer.startActiveSpan(name, async (span) => {
    try {
      const answer = await ask(situation);
      if (streamed) {
        await leave(answer, situation);
      }
      tracer.startSpan("after the call").end();
    } finally {
      span.end();
    }
  });
}

async function main(situation, operation) {
  const streamed = operation in STREAMED;
  const ask = (streamed ? STREAMED : BUFFERED)[operation];
  const fault = FAULTS[situation]?.[streamed ? 1 : 0];
  if (fault !== undefined) {
    askFor(fault);
  }
  try {
    if (situation === "interleaved") {
      // Both are under way at once, each within its own caller's span.
      await Promise.all([0, 1].map((n) => called(`caller ${n}`, ask, situation, streamed)));
      return;
    }
    for (let times = situation === "cached" ? 2 : 1; times > 0; times -= 1) {
      await called("caller", ask, situation, streamed);
    }
  } catch (error) {
    if (fault === undefined) {
      throw error;
    }
  }
  // An abandoned stream goes when nothing refers to it any more.
  global.gc?.();
}

main(...process.argv.slice(2)).finally(() => bedrock.destroy());
