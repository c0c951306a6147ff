// Makes every call of the SDK against a Bedrock endpoint and prints what the AWS SDK for
// JavaScript parsed, with the client as it comes: over `http://` it speaks HTTP/2 from the first
// byte. Takes the endpoint, region and keys from the environment, as any program does. Prints one
// JSON line per call; `clients/README.md` says what is in it. Exits with 1 when a call failed.

import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";

const CLAUDE = "anthropic.claude-3-5-sonnet-20240620-v1:0";
const CLAUDE_CACHED = "us.anthropic.claude-3-7-sonnet-20250219-v1:0";
const NOVA = "amazon.nova-lite-v1:0";
const TITAN_EMBED = "amazon.titan-embed-text-v2:0";

const QUESTION = "Why is the sky blue? Answer in a sentence.";
const MESSAGES = [{ role: "user", content: [{ text: QUESTION }] }];
const CONVERSE = { messages: MESSAGES, inferenceConfig: { maxTokens: 200, temperature: 0.5 } };

// Long enough for a cache point to count on the model that caches.
const LONG_PROMPT = "The style guide asks for short sentences and plain words. ".repeat(400);
const CONVERSE_CACHED = {
  ...CONVERSE,
  system: [{ text: LONG_PROMPT }, { cachePoint: { type: "default" } }],
};

const CLAUDE_BODY = {
  anthropic_version: "bedrock-2023-05-31",
  max_tokens: 200,
  messages: [{ role: "user", content: QUESTION }],
};
const NOVA_BODY = { messages: MESSAGES, inferenceConfig: { maxTokens: 200 } };
const TITAN_BODY = { inputText: QUESTION };

const CALLS = [
  ["Converse", CLAUDE, CONVERSE],
  ["Converse", CLAUDE_CACHED, CONVERSE_CACHED],
  ["Converse", CLAUDE_CACHED, CONVERSE_CACHED],
  ["Converse", NOVA, CONVERSE],
  ["ConverseStream", CLAUDE, CONVERSE],
  ["ConverseStream", CLAUDE_CACHED, CONVERSE_CACHED],
  ["ConverseStream", NOVA, CONVERSE],
  ["InvokeModel", CLAUDE, CLAUDE_BODY],
  ["InvokeModel", NOVA, NOVA_BODY],
  ["InvokeModel", TITAN_EMBED, TITAN_BODY],
  ["InvokeModelWithResponseStream", CLAUDE, CLAUDE_BODY],
  ["InvokeModelWithResponseStream", NOVA, NOVA_BODY],
];

const MAKERS = {
  async Converse(client, modelId, request) {
    const response = await client.send(new ConverseCommand({ modelId, ...request }));
    return {
      request_id: response.$metadata.requestId,
      usage: camelUsage(response.usage),
      stop_reason: response.stopReason ?? null,
    };
  },

  async ConverseStream(client, modelId, request) {
    const response = await client.send(new ConverseStreamCommand({ modelId, ...request }));
    const answer = newAnswer(response);
    for await (const event of response.stream) {
      converseEvent(answer, event);
    }
    return answer;
  },

  async InvokeModel(client, modelId, body) {
    const response = await client.send(
      new InvokeModelCommand({ modelId, body: JSON.stringify(body) }),
    );
    const fields = parse(response.body);
    const answer = newAnswer(response);
    if (fields.inputTextTokenCount !== undefined) {
      answer.usage = usage(fields.inputTextTokenCount);
    } else if (fields.usage?.input_tokens !== undefined) {
      answer.usage = snakeUsage(fields.usage);
      answer.stop_reason = fields.stop_reason;
    } else {
      answer.usage = camelUsage(fields.usage);
      answer.stop_reason = fields.stopReason ?? null;
    }
    return answer;
  },

  async InvokeModelWithResponseStream(client, modelId, body) {
    const response = await client.send(
      new InvokeModelWithResponseStreamCommand({ modelId, body: JSON.stringify(body) }),
    );
    const answer = newAnswer(response);
    for await (const event of response.body) {
      if (event.chunk?.bytes === undefined) continue;
      const fields = parse(event.chunk.bytes);
      if (fields.type === "message_start") {
        answer.usage = snakeUsage(fields.message.usage);
      } else if (fields.type === "message_delta") {
        answer.stop_reason = fields.delta.stop_reason;
        answer.usage.output_tokens = fields.usage.output_tokens;
      } else {
        converseEvent(answer, fields);
      }
    }
    return answer;
  },
};

function newAnswer(response) {
  return { request_id: response.$metadata.requestId, usage: null, stop_reason: null };
}

function converseEvent(answer, event) {
  if (event.messageStop !== undefined) answer.stop_reason = event.messageStop.stopReason;
  if (event.metadata !== undefined) answer.usage = camelUsage(event.metadata.usage);
}

function parse(bytes) {
  return JSON.parse(new TextDecoder().decode(bytes));
}

// Usage in the ledger's words; Converse names the cached counts one way, Nova's bodies another.
function camelUsage(counts) {
  if (counts === undefined) return null;
  return usage(
    counts.inputTokens,
    counts.outputTokens,
    counts.cacheReadInputTokens ?? counts.cacheReadInputTokenCount,
    counts.cacheWriteInputTokens ?? counts.cacheWriteInputTokenCount,
  );
}

function snakeUsage(counts) {
  return usage(
    counts.input_tokens,
    counts.output_tokens,
    counts.cache_read_input_tokens,
    counts.cache_creation_input_tokens,
  );
}

function usage(input, output, cacheRead, cacheWrite) {
  return {
    input_tokens: input ?? 0,
    output_tokens: output ?? 0,
    cache_read_input_tokens: cacheRead ?? 0,
    cache_write_input_tokens: cacheWrite ?? 0,
  };
}

const client = new BedrockRuntimeClient({});
for (const [operation, model, request] of CALLS) {
  let result;
  try {
    result = await MAKERS[operation](client, model, request);
  } catch (error) {
    result = { error: `${error.name}: ${error.message}` };
    process.exitCode = 1;
  }
  console.log(JSON.stringify({ operation, model, ...result }));
}
client.destroy();
