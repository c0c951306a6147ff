// Streams that end well.

import http2 from "node:http2";

import { BedrockRuntimeClient } from "@aws-sdk/client-bedrock-runtime";

import { tokenHeaders } from "./answers.mjs";
import * as bedrock from "./bedrock.mjs";
import {
  CLAUDE,
  CLAUDE_CACHED,
  CONVERSE,
  NOVA,
  QUESTION,
  REDACTED,
  THINKING,
} from "./bedrock.mjs";
import { check, ensure } from "./report.mjs";

const TOOLS = {
  toolChoice: { any: {} },
  tools: [
    {
      toolSpec: {
        name: "get_weather",
        inputSchema: {
          json: {
            type: "object",
            properties: { city: { type: "string" } },
            required: ["city"],
          },
        },
      },
    },
  ],
};

export async function streamChecks() {
  const ids = new Set();
  for (const model of [CLAUDE, NOVA]) {
    await check(2, `text begins without contentBlockStart, ${model}`, async (evidence) => {
      const told = await bedrock.converseStream(model, CONVERSE);
      evidence.calls.push(told.call);
      const grammar =
        /^messageStart (contentBlockDelta )+contentBlockStop messageStop metadata$/;
      ensure(grammar.test(told.order.join(" ")), told.order);
    });
    await check(3, `flat events, ${model}`, async (evidence) => {
      const told = await bedrock.converseStream(model, CONVERSE);
      evidence.calls.push(told.call);
      ensure(told.text !== "" && told.call.usage?.output_tokens > 0, told);
    });
    await check(4, `chunks of ${model}`, async (evidence) => {
      evidence.calls.push((await bedrock.invokeModelStream(model)).call);
    });
    await check(15, `no token headers on streams of ${model}`, async (evidence) => {
      const seen = {};
      evidence.calls.push(
        (await bedrock.converseStream(model, CONVERSE, { seen })).call,
        (await bedrock.invokeModelStream(model, { seen })).call,
      );
      ensure(tokenHeaders(seen).length === 0, seen);
    });
    await check(16, `the last chunk of ${model}`, async (evidence) => {
      const told = await bedrock.invokeModelStream(model);
      evidence.calls.push(told.call);
      const metrics = told.chunks.at(-1)["amazon-bedrock-invocationMetrics"];
      ensure(metrics.firstByteLatency <= metrics.invocationLatency, told.chunks.at(-1));
    });
    await check(17, `a streamed tool use of ${model}`, async (evidence) => {
      const told = await bedrock.converseStream(model, { ...CONVERSE, toolConfig: TOOLS });
      evidence.calls.push(told.call);
      const { name, toolUseId } = told.tool;
      ensure(name === "get_weather" && /^[a-zA-Z0-9_.:-]{1,64}$/.test(toolUseId), told.tool);
      ensure(!ids.has(toolUseId), `${toolUseId} comes twice`);
      ids.add(toolUseId);
      ensure(typeof JSON.parse(told.input).city === "string", told.input);
      ensure(told.call.stop_reason === "tool_use", told.call);
    });
  }
  await check(4, "InvokeModelWithBidirectionalStream of Nova Sonic", async (evidence) => {
    const told = await bedrock.talk("amazon.nova-sonic-v1:0", QUESTION);
    evidence.calls.push(told.call);
    ensure(told.order[0] === "completionStart" && told.order.at(-1) === "completionEnd", told.order);
    ensure(told.text !== "", told.order);
  });
  await check(18, "text of thoughts, then their signature, then the answer", async (evidence) => {
    const told = await bedrock.converseStream(CLAUDE_CACHED, THINKING);
    evidence.calls.push(told.call);
    const kinds = told.deltas.map((delta) => Object.keys(delta.reasoningContent ?? delta)[0]);
    const order = kinds.filter((kind, at) => kind !== kinds[at - 1]);
    ensure(order.join(" ") === "text signature text", kinds);
  });
  await check(18, "redacted content is a blob", async (evidence) => {
    const messages = [{ role: "user", content: [{ text: REDACTED }] }];
    const told = await bedrock.converseStream(CLAUDE_CACHED, { ...THINKING, messages });
    evidence.calls.push(told.call);
    const [first] = told.deltas;
    ensure(first.reasoningContent.redactedContent instanceof Uint8Array, first);
    ensure(told.text !== "", told.order);
  });
  await pacedChecks(process.env.SPANPROOF_PACED_ENDPOINT);
}

/** Against a mock that takes its time, so that a stream is open when GOAWAY comes. */
async function pacedChecks(endpoint) {
  await check(1, "the default client's GOAWAY does not cut its stream", async (evidence) => {
    const to = new BedrockRuntimeClient({ endpoint });
    const told = await bedrock.converseStream(CLAUDE, CONVERSE, { to });
    to.destroy();
    evidence.detail = `${told.order.length} events`;
    ensure(told.order.at(-1) === "metadata" && told.text !== "", told.order);
  });
  await check(1, "GOAWAY with the head of the answer does not cut its stream", async (evidence) => {
    const session = http2.connect(endpoint);
    const stream = session.request({
      ":method": "POST",
      ":path": `/model/${encodeURIComponent(CLAUDE)}/converse-stream`,
      "content-type": "application/json",
      authorization: `Bearer ${process.env.SPANPROOF_BEARER_KEY}`,
    });
    stream.end(JSON.stringify(CONVERSE));
    await new Promise((resolve, reject) => {
      stream.once("response", resolve);
      stream.once("error", reject);
    });
    session.goaway();
    session.close();
    const pieces = [];
    for await (const piece of stream) pieces.push(piece);
    const bytes = Buffer.concat(pieces);
    evidence.detail = `${pieces.length} pieces, ${bytes.length} bytes after GOAWAY`;
    ensure(pieces.length > 1 && bytes.includes("metadata"), evidence.detail);
  });
}
