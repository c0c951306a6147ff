// Exceptions, broken streams, and how often the SDK tries.

import { BedrockRuntimeClient } from "@aws-sdk/client-bedrock-runtime";
import * as sdk from "@aws-sdk/client-bedrock-runtime";

import * as bedrock from "./bedrock.mjs";
import { CLAUDE, CONVERSE } from "./bedrock.mjs";
import { check, ensure, failure, said } from "./report.mjs";

// The exception, its status, and how many of three attempts are made.
const EXCEPTIONS = [
  ["ThrottlingException", 429, 3],
  ["ModelNotReadyException", 429, 3],
  ["InternalServerException", 500, 3],
  ["ServiceUnavailableException", 503, 3],
  ["ValidationException", 400, 1],
  ["AccessDeniedException", 403, 1],
  ["ResourceNotFoundException", 404, 1],
  ["ModelErrorException", 424, 1],
  ["ModelTimeoutException", 408, 1],
];

// Members of the stream's union, and the exceptions that they become.
const FRAMES = [
  "throttlingException",
  "modelStreamErrorException",
  "internalServerException",
  "validationException",
  "serviceUnavailableException",
];

export async function failureChecks() {
  await Promise.all([
    ...EXCEPTIONS.map(exceptionCheck),
    ...FRAMES.map(frameCheck),
    ...retryChecks(),
    ...defectChecks(),
  ]);
  await bearerChecks();
}

function exceptionCheck([name, status, attempts]) {
  const test = name === "ModelTimeoutException" ? 9 : 8;
  return check(test, `${name}: ${attempts} of 3 attempts`, async (evidence) => {
    const error = await failure(() => bedrock.converse(CLAUDE, CONVERSE, { fault: name }));
    evidence.detail = said(error);
    evidence.attempts.push({ request_id: error.$metadata.requestId, attempts });
    ensure(error instanceof sdk[name] && error.name === name && error.message !== "", said(error));
    ensure(error.$metadata.httpStatusCode === status, error.$metadata);
  });
}

function frameCheck(name) {
  return check(6, `a frame ${name}`, async (evidence) => {
    const error = await streamFailure(`stream:${name}`);
    evidence.detail = said(error);
    evidence.attempts.push({ request_id: error.told.call.request_id, attempts: 1 });
    const type = sdk[name[0].toUpperCase() + name.slice(1)];
    ensure(error instanceof type && error.message !== "" && error.told.order.length > 0, said(error));
  });
}

function retryChecks() {
  return [
    check(8, "an exception on the first attempt only", async (evidence) => {
      const { call } = await bedrock.converse(CLAUDE, CONVERSE, { fault: "ThrottlingException@1" });
      evidence.calls.push(call);
      evidence.attempts.push({ request_id: call.request_id, attempts: 2 });
    }),
    check(8, "429 without x-amzn-errortype", async (evidence) => {
      const error = await failure(() =>
        bedrock.converse(CLAUDE, CONVERSE, { fault: "untyped:429" }),
      );
      evidence.detail = said(error);
      evidence.attempts.push({ request_id: error.$metadata.requestId, attempts: 3 });
      ensure(error.$metadata.httpStatusCode === 429 && error.name === "Unknown", said(error));
    }),
    check(7, "an exception before a stream", async (evidence) => {
      const error = await streamFailure("AccessDeniedException");
      evidence.detail = said(error);
      ensure(error instanceof sdk.AccessDeniedException, said(error));
      ensure(
        error.message === "You don't have access to the model with the specified model ID.",
        said(error),
      );
    }),
  ];
}

function defectChecks() {
  return [
    check(6, "modelTimeoutException on a native stream", async (evidence) => {
      const error = await failure(() =>
        bedrock.invokeModelStream(CLAUDE, { fault: "stream:modelTimeoutException" }),
      );
      evidence.detail = said(error);
      ensure(error instanceof sdk.ModelTimeoutException, said(error));
    }),
    check(6, "a frame with :message-type error", async (evidence) => {
      const error = await streamFailure("stream:error");
      evidence.detail = said(error);
      ensure(error.name !== "" && error.told.order.length > 0, said(error));
    }),
    check(5, "a frame with a wrong checksum", async (evidence) => {
      const error = await streamFailure("bad-crc");
      evidence.detail = said(error);
      ensure(/checksum/i.test(error.message), said(error));
    }),
    check(20, "a stream without messageStop is taken as whole", async () => {
      const told = await bedrock.converseStream(CLAUDE, CONVERSE, { fault: "no-message-stop" });
      ensure(told.text !== "" && told.call.stop_reason === undefined, told);
    }),
    check(20, "a cut stream is an error", async (evidence) => {
      const error = await streamFailure("cut");
      evidence.detail = said(error);
      ensure(error.told.order.length > 0, said(error));
    }),
    check(20, "an unknown event is passed over", async (evidence) => {
      const told = await bedrock.converseStream(CLAUDE, CONVERSE, { fault: "unknown-event" });
      evidence.calls.push(told.call);
      evidence.detail = [...new Set(told.order)].join(" ");
      ensure(!told.order.includes("$unknown"), evidence.detail);
    }),
    check(20, "an unknown stop reason is passed on", async (evidence) => {
      const told = await bedrock.converseStream(CLAUDE, CONVERSE, { fault: "unknown-stop-reason" });
      evidence.detail = told.call.stop_reason;
      ensure(told.call.stop_reason !== undefined, told);
    }),
  ];
}

function streamFailure(fault) {
  return failure(() => bedrock.converseStream(CLAUDE, CONVERSE, { fault }));
}

async function bearerChecks() {
  await check(20, "a bearer key in place of SigV4", async (evidence) => {
    const call = await withKey(process.env.SPANPROOF_BEARER_KEY);
    evidence.calls.push(call);
  });
  await check(20, "a bad bearer key", async (evidence) => {
    const error = await failure(() => withKey("bedrock-api-key-nonsense"));
    evidence.detail = said(error);
    ensure(error.$metadata.httpStatusCode === 403, said(error));
  });
}

async function withKey(key) {
  process.env.AWS_BEARER_TOKEN_BEDROCK = key;
  const to = new BedrockRuntimeClient({});
  try {
    return (await bedrock.converse(CLAUDE, CONVERSE, { to })).call;
  } finally {
    to.destroy();
    delete process.env.AWS_BEARER_TOKEN_BEDROCK;
  }
}
