// Token usage and stop reasons as an application reads them from the SDK's answers, for the clients of
// a load and for the checks of the mock.
//
// Usage comes back in the ledger's words: `input_tokens` leaves cached tokens out.
"use strict";

// A Converse response.
function converse(response) {
  return { usage: camel(response.usage), stopReason: response.stopReason };
}

// One event of a ConverseStream.
function converseEvent(answer, event) {
  if (event.messageStop !== undefined) {
    answer.stopReason = event.messageStop.stopReason;
  }
  if (event.metadata !== undefined) {
    answer.usage = camel(event.metadata.usage);
  }
}

// The native body of InvokeModel: Claude messages, Nova or Titan embeddings.
function invoke(body) {
  const fields = parsed(body);
  if (fields.inputTextTokenCount !== undefined) {
    return { usage: counts(fields.inputTextTokenCount) };
  }
  if (fields.usage?.input_tokens !== undefined) {
    return { usage: snake(fields.usage), stopReason: fields.stop_reason ?? undefined };
  }
  return { usage: camel(fields.usage), stopReason: fields.stopReason };
}

// One native chunk of InvokeModelWithResponseStream: Claude messages or Nova.
function invokeChunk(answer, chunk) {
  const fields = parsed(chunk);
  if (fields.type === "message_start") {
    answer.usage = snake(fields.message.usage);
  } else if (fields.type === "message_delta") {
    answer.stopReason = fields.delta.stop_reason ?? undefined;
    if (answer.usage !== undefined && fields.usage?.output_tokens !== undefined) {
      answer.usage.output_tokens = fields.usage.output_tokens;
    }
  } else {
    converseEvent(answer, fields);
  }
}

function parsed(bytes) {
  return JSON.parse(new TextDecoder().decode(bytes));
}

// Usage as Converse and Nova's own bodies have it.
function camel(usage) {
  if (usage === undefined) {
    return undefined;
  }
  // Converse names the cached counts one way, Nova's own bodies the other.
  return counts(
    usage.inputTokens,
    usage.outputTokens,
    usage.cacheReadInputTokens ?? usage.cacheReadInputTokenCount,
    usage.cacheWriteInputTokens ?? usage.cacheWriteInputTokenCount,
  );
}

function snake(usage) {
  return counts(
    usage.input_tokens,
    usage.output_tokens,
    usage.cache_read_input_tokens,
    usage.cache_creation_input_tokens,
  );
}

function counts(input, output, cacheRead, cacheWrite) {
  return {
    input_tokens: input ?? 0,
    output_tokens: output ?? 0,
    cache_read_input_tokens: cacheRead ?? 0,
    cache_write_input_tokens: cacheWrite ?? 0,
  };
}

module.exports = { camel, converse, converseEvent, counts, invoke, invokeChunk, parsed };
