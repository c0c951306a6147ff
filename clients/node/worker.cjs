// The AWS SDK for JavaScript as a worker, for every client that differs in nothing but what is
// loaded before it. The protocol is described in clients/README.md.
//
//     node --require WHAT_INSTRUMENTS ../worker.cjs PACKAGE SCOPE
//
// PACKAGE is the instrumentation, by its name on npm, and SCOPE the instrumentation scope of its
// spans. The telemetry is the library's own, made without a line of code here.
"use strict";

const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { createInterface } = require("node:readline");

const say = process.stdout.write.bind(process.stdout);
// A stray line of anyone else goes to standard error.
process.stdout.write = process.stderr.write.bind(process.stderr);

const {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} = require("@aws-sdk/client-bedrock-runtime");
const { context, propagation, trace } = require("@opentelemetry/api");
const usage = require("./usage.cjs");

const [PACKAGE, SCOPE] = process.argv.slice(2);
const SDK = "@aws-sdk/client-bedrock-runtime";

// Region, keys, endpoint and retries come from the environment, as in any program.
const bedrock = new BedrockRuntimeClient({});

async function converse(call) {
  const response = await send(ConverseCommand, call, call.request);
  return usage.converse(response);
}

async function converseStream(call, chunkArrived) {
  const response = await send(ConverseStreamCommand, call, call.request);
  const answer = {};
  for await (const event of response.stream) {
    chunkArrived();
    usage.converseEvent(answer, event);
  }
  return answer;
}

async function invokeModel(call) {
  const response = await send(InvokeModelCommand, call, native(call));
  return usage.invoke(response.body);
}

async function invokeModelWithResponseStream(call, chunkArrived) {
  const response = await send(InvokeModelWithResponseStreamCommand, call, native(call));
  const answer = {};
  for await (const event of response.body) {
    if (event.chunk !== undefined) {
      chunkArrived();
      usage.invokeChunk(answer, event.chunk.bytes);
    }
  }
  return answer;
}

const OPERATIONS = {
  Converse: converse,
  ConverseStream: converseStream,
  InvokeModel: invokeModel,
  InvokeModelWithResponseStream: invokeModelWithResponseStream,
};

function native(call) {
  return { contentType: "application/json", body: JSON.stringify(call.request) };
}

function send(Command, call, input) {
  const command = new Command({ modelId: call.model_id, ...input });
  tagRequests(command, call.headers ?? []);
  return bedrock.send(command);
}

// Makes the requests of a command say which span they belong to: every attempt carries the call's
// headers and the current span as `traceparent`, and the span gets the SDK's invocation id, but only
// when it is of the instrumentation under test: no other may pose as the GenAI span. These are the
// SDK's own middlewares; nothing of the library is patched.
function tagRequests(command, headers) {
  const addHeaders = (next) => (args) => {
    propagation.inject(context.active(), args.request.headers);
    Object.assign(args.request.headers, Object.fromEntries(headers));
    return next(args);
  };
  const tagSpan = (next) => (args) => {
    const span = trace.getActiveSpan();
    const id = args.request.headers["amz-sdk-invocation-id"];
    if (id !== undefined && span?.isRecording() && span.instrumentationScope?.name === SCOPE) {
      span.setAttribute("spanproof.invocation_id", id);
    }
    return next(args);
  };
  command.middlewareStack.add(addHeaders, { step: "build", name: "spanproofHeaders" });
  command.middlewareStack.add(tagSpan, {
    step: "finalizeRequest",
    priority: "low",
    name: "spanproofInvocation",
  });
}

// The application's clock in nanoseconds since 1970, monotonic from the program's start.
const EPOCH = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();

async function make(call) {
  const times = { started: now() };
  let answer = {};
  let error;
  try {
    answer = await OPERATIONS[call.operation](call, () => {
      times.first ??= now();
    });
  } catch (raised) {
    error = raised?.name ?? typeof raised;
  }
  times.finished = now();
  reply(call.call, times, error, answer);
}

function now() {
  return EPOCH + process.hrtime.bigint();
}

// The times are written by hand: a double cannot hold their digits.
function reply(call, times, error, answer) {
  const rest = { error, usage: answer.usage, stop_reason: answer.stopReason };
  const members = [
    `"type":"done","call":${call},"started_unix_nanos":${times.started}`,
    `"finished_unix_nanos":${times.finished}`,
  ];
  if (times.first !== undefined) {
    members.push(`"first_chunk_unix_nanos":${times.first}`);
  }
  for (const [name, value] of Object.entries(rest)) {
    if (value !== undefined) {
      members.push(`${JSON.stringify(name)}:${JSON.stringify(value)}`);
    }
  }
  say(`{${members.join(",")}}\n`);
}

function concurrency() {
  const text = process.env.SPANPROOF_CONCURRENCY ?? "16";
  if (!/^[1-9][0-9]*$/.test(text)) {
    throw new Error(`SPANPROOF_CONCURRENCY must be a positive whole number, not \`${text}\``);
  }
  return Number(text);
}

function version(name) {
  const path = join(process.env.NODE_PATH, name, "package.json");
  return JSON.parse(readFileSync(path, "utf8")).version;
}

async function main() {
  const limit = concurrency();
  const client = `${SDK} ${version(SDK)} with ${PACKAGE} ${version(PACKAGE)}`;
  say(`${JSON.stringify({ type: "ready", client })}\n`);
  const open = new Set();
  for await (const line of createInterface({ input: process.stdin })) {
    // Waiting calls stay in the pipe, where the generator sees the backlog, and not in memory here.
    while (open.size >= limit) {
      await Promise.race(open);
    }
    const made = make(JSON.parse(line)).finally(() => open.delete(made));
    open.add(made);
  }
  await Promise.all(open);
  // With no connection left the program ends, and what was loaded before it sends what it holds.
  bedrock.destroy();
}

main();
