"""What is asked of each operation and family: a line of data each."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

CLAUDE = "anthropic.claude-3-5-sonnet-20240620-v1:0"
CLAUDE_CACHED = "us.anthropic.claude-3-7-sonnet-20250219-v1:0"
NOVA = "amazon.nova-lite-v1:0"
QUESTION = "Why is the sky blue? Answer in a sentence."
MESSAGES = [{"role": "user", "content": [{"text": QUESTION}]}]
OPENAI_MESSAGES = [{"role": "user", "content": QUESTION}]


@dataclass(frozen=True)
class Family:
    """How a family of models is asked natively, and where its answers say how they stopped."""

    model: str
    # The native body that asks for at most so many tokens.
    body: Callable[[int], dict[str, Any]]
    # Where the stop reason stands, and its word for the limit of tokens; None for embeddings.
    stop: tuple[str | int, ...] | None = None
    limit: str = ""
    # Where a chunk of a stream has it; the same place if not given.
    chunk_stop: tuple[str | int, ...] | None = None
    streams: bool = True
    converses: bool = True
    # Whether InvokeModel tells the tokens of the input in a header.
    counts: bool = True


FAMILIES = {
    "claude": Family(
        CLAUDE,
        lambda n: {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": n,
            "messages": OPENAI_MESSAGES,
        },
        ("stop_reason",),
        "max_tokens",
        ("delta", "stop_reason"),
    ),
    "claude_text": Family(
        "anthropic.claude-v2:1",
        lambda n: {"prompt": f"\n\nHuman: {QUESTION}\n\nAssistant:", "max_tokens_to_sample": n},
        ("stop_reason",),
        "max_tokens",
    ),
    "nova": Family(
        NOVA,
        lambda n: {"messages": MESSAGES, "inferenceConfig": {"maxTokens": n}},
        ("stopReason",),
        "max_tokens",
        ("messageStop", "stopReason"),
    ),
    "titan_text": Family(
        "amazon.titan-text-express-v1",
        lambda n: {"inputText": QUESTION, "textGenerationConfig": {"maxTokenCount": n}},
        ("results", 0, "completionReason"),
        "LENGTH",
        ("completionReason",),
    ),
    "llama": Family(
        "meta.llama3-8b-instruct-v1:0",
        lambda n: {"prompt": QUESTION, "max_gen_len": n},
        ("stop_reason",),
        "length",
    ),
    "mistral_text": Family(
        "mistral.mistral-7b-instruct-v0:2",
        lambda n: {"prompt": f"<s>[INST] {QUESTION} [/INST]", "max_tokens": n},
        ("outputs", 0, "stop_reason"),
        "length",
    ),
    "cohere_command": Family(
        "cohere.command-text-v14",
        lambda n: {"prompt": QUESTION, "max_tokens": n},
        ("generations", 0, "finish_reason"),
        "MAX_TOKENS",
    ),
    "mistral_chat": Family(
        "mistral.mistral-large-2407-v1:0",
        lambda n: {"messages": OPENAI_MESSAGES, "max_tokens": n},
        ("choices", 0, "finish_reason"),
        "length",
    ),
    "jamba": Family(
        "ai21.jamba-1-5-mini-v1:0",
        lambda n: {"messages": OPENAI_MESSAGES, "max_tokens": n},
        ("choices", 0, "finish_reason"),
        "length",
    ),
    "deepseek_r1": Family(
        "us.deepseek.r1-v1:0",
        lambda n: {"prompt": QUESTION, "max_tokens": n},
        ("choices", 0, "stop_reason"),
        "length",
    ),
    "deepseek_chat": Family(
        "deepseek.v3-v1:0",
        lambda n: {"messages": OPENAI_MESSAGES, "max_tokens": n},
        ("choices", 0, "finish_reason"),
        "length",
    ),
    "gpt_oss": Family(
        "openai.gpt-oss-20b-1:0",
        lambda n: {"messages": OPENAI_MESSAGES, "max_completion_tokens": n},
        ("choices", 0, "finish_reason"),
        "length",
    ),
    "gpt": Family(
        "us.openai.gpt-5.6-luna",
        lambda n: {"messages": OPENAI_MESSAGES, "max_completion_tokens": n},
        ("choices", 0, "finish_reason"),
        "length",
    ),
    "qwen": Family(
        "qwen.qwen3-32b-v1:0",
        lambda n: {"messages": OPENAI_MESSAGES, "max_tokens": n},
        ("choices", 0, "finish_reason"),
        "length",
    ),
    "command_r": Family(
        "cohere.command-r-v1:0",
        lambda n: {"message": QUESTION, "max_tokens": n},
        ("finish_reason",),
        "MAX_TOKENS",
    ),
    "titan_embed": Family(
        "amazon.titan-embed-text-v2:0",
        lambda _: {"inputText": QUESTION},
        streams=False,
        converses=False,
    ),
    "cohere_embed": Family(
        "cohere.embed-english-v3",
        lambda _: {"texts": [QUESTION, "Rain."], "input_type": "search_document"},
        streams=False,
        converses=False,
    ),
    "nova_embed": Family(
        "amazon.nova-2-multimodal-embeddings-v1:0",
        lambda _: {
            "taskType": "SINGLE_EMBEDDING",
            "singleEmbeddingParams": {
                "embeddingPurpose": "GENERIC_INDEX",
                "text": {"truncationMode": "END", "value": QUESTION},
            },
        },
        streams=False,
        converses=False,
    ),
    "rerank": Family(
        "cohere.rerank-v3-5:0",
        lambda _: {"query": QUESTION, "documents": ["Blue.", "Green."], "api_version": 2},
        streams=False,
        converses=False,
        counts=False,
    ),
}

TOOLS = {
    "toolChoice": {"any": {}},
    "tools": [
        {
            "toolSpec": {
                "name": "get_weather",
                "description": "The weather in a city",
                "inputSchema": {
                    "json": {
                        "type": "object",
                        "properties": {
                            "city": {"type": "string"},
                            "days": {"type": "integer", "minimum": 1, "maximum": 7},
                            "unit": {"enum": ["celsius", "fahrenheit"]},
                        },
                        "required": ["city", "days"],
                    }
                },
            }
        }
    ],
}
THINKING = {
    "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    "inferenceConfig": {"maxTokens": 2000},
}
# Anthropic documents this text, with which Claude encrypts what it thinks.
REDACTED_MESSAGES = [
    {
        "role": "user",
        "content": [
            {
                "text": "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_"
                "46C9A13E193C177646C7398A98432ECCCE4C1253D5E2D82641AC0E52CC2876CB"
            }
        ],
    }
]
# The guardrail that every id names when none is configured blocks US social security numbers.
GUARDRAIL = {"guardrailIdentifier": "gr0000000000", "guardrailVersion": "1", "trace": "enabled"}
BLOCKED = "My social security number is 536-90-4399."
BLOCKED_MESSAGES = [{"role": "user", "content": [{"text": BLOCKED}]}]
LONG_PROMPT = "The style guide asks for short sentences and plain words. " * 400

# What Converse and ConverseStream are asked beside a plain question, by model.
CONVERSATIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("a tool", CLAUDE, {"toolConfig": TOOLS}),
    ("a tool", NOVA, {"toolConfig": TOOLS}),
    (
        "a result of a tool",
        CLAUDE,
        {
            "toolConfig": {"tools": TOOLS["tools"]},
            "messages": [
                *MESSAGES,
                {
                    "role": "assistant",
                    "content": [
                        {
                            "toolUse": {
                                "toolUseId": "tooluse_1",
                                "name": "get_weather",
                                "input": {"city": "Oslo", "days": 1},
                            }
                        }
                    ],
                },
                {
                    "role": "user",
                    "content": [{"toolResult": {"toolUseId": "tooluse_1", "content": [{"text": "rain"}]}}],
                },
            ],
        },
    ),
    (
        "a cache point",
        CLAUDE_CACHED,
        {"system": [{"text": LONG_PROMPT}, {"cachePoint": {"type": "default"}}]},
    ),
    (
        "a cache point of an hour",
        "us.anthropic.claude-opus-4-5-20251101-v1:0",
        {"system": [{"text": LONG_PROMPT}, {"cachePoint": {"type": "default", "ttl": "1h"}}]},
    ),
    ("thinking", CLAUDE_CACHED, THINKING),
    ("encrypted thinking", CLAUDE_CACHED, {**THINKING, "messages": REDACTED_MESSAGES}),
    (
        "a guardrail that blocks",
        CLAUDE,
        {"messages": BLOCKED_MESSAGES, "guardrailConfig": GUARDRAIL},
    ),
    ("a guardrail that lets pass", NOVA, {"guardrailConfig": GUARDRAIL}),
    ("a stop sequence", CLAUDE, {"inferenceConfig": {"stopSequences": ["e"]}}),
    ("a tier and a latency", CLAUDE, {"serviceTier": {"type": "flex"}, "performanceConfig": {"latency": "optimized"}}),
    (
        "fields of the answer",
        CLAUDE,
        {"additionalModelResponseFieldPaths": ["/stop_sequence"], "requestMetadata": {"a": "b"}},
    ),
]

KNOWLEDGE_BASE = {
    "type": "KNOWLEDGE_BASE",
    "knowledgeBaseConfiguration": {
        "knowledgeBaseId": "KB12345678",
        "modelArn": f"arn:aws:bedrock:us-east-1::foundation-model/{CLAUDE}",
    },
}
AGENT = {"agentId": "AGENT12345", "agentAliasId": "ALIAS12345", "sessionId": "session-1"}
INLINE_AGENT = {
    "sessionId": "session-2",
    "foundationModel": CLAUDE,
    "instruction": "You answer questions about the weather in short sentences.",
}
ASYNC_OUTPUT = {"s3OutputDataConfig": {"s3Uri": "s3://bucket/prefix"}}
PERSONAL = "Write to jane.doe@example.com or call 555-123-4567, damn it."

Answers = dict[str, Any]

# The other operations: the service, the operation, and its parameters, which may follow from the
# latest answer of each operation so far.
OTHERS: list[tuple[str, str, dict[str, Any] | Callable[[Answers], dict[str, Any]]]] = [
    ("bedrock", "ListFoundationModels", {}),
    ("bedrock", "ListFoundationModels", {"byProvider": "Anthropic", "byInferenceType": "ON_DEMAND"}),
    ("bedrock", "GetFoundationModel", {"modelIdentifier": CLAUDE}),
    ("bedrock", "GetFoundationModel", {"modelIdentifier": "amazon.titan-embed-text-v2:0"}),
    ("bedrock", "ListInferenceProfiles", {}),
    ("bedrock", "ListInferenceProfiles", {"maxResults": 2, "typeEquals": "SYSTEM_DEFINED"}),
    (
        "bedrock-runtime",
        "StartAsyncInvoke",
        {
            # Of the models that are listed, the one that takes asynchronous invocations.
            "modelId": "amazon.nova-2-multimodal-embeddings-v1:0",
            "modelInput": {
                "taskType": "SEGMENTED_EMBEDDING",
                "segmentedEmbeddingParams": {
                    "embeddingPurpose": "GENERIC_INDEX",
                    "text": {"truncationMode": "END", "value": "a harbour"},
                },
            },
            "outputDataConfig": ASYNC_OUTPUT,
        },
    ),
    (
        "bedrock-runtime",
        "GetAsyncInvoke",
        lambda answers: {"invocationArn": answers["StartAsyncInvoke"]["invocationArn"]},
    ),
    ("bedrock-runtime", "ListAsyncInvokes", {}),
    ("bedrock-runtime", "ListAsyncInvokes", {"maxResults": 1, "sortOrder": "Ascending"}),
    (
        "bedrock-runtime",
        "CountTokens",
        {"modelId": CLAUDE, "input": {"converse": {"messages": MESSAGES}}},
    ),
    (
        "bedrock-runtime",
        "ApplyGuardrail",
        {
            "guardrailIdentifier": "gr0000000000",
            "guardrailVersion": "1",
            "source": "INPUT",
            "content": [{"text": {"text": PERSONAL}}],
        },
    ),
    (
        "bedrock-runtime",
        "ApplyGuardrail",
        {
            "guardrailIdentifier": "gr0000000000",
            "guardrailVersion": "DRAFT",
            "source": "OUTPUT",
            "outputScope": "FULL",
            "content": [{"text": {"text": QUESTION}}],
        },
    ),
    (
        "bedrock-runtime",
        "InvokeGuardrailChecks",
        {
            "messages": [{"role": "user", "content": [{"text": PERSONAL}]}],
            "checks": {
                "contentFilter": {"categories": [{"category": "INSULTS"}]},
                "promptAttack": {"categories": [{"category": "JAILBREAK"}]},
                "sensitiveInformation": {"entities": [{"type": "EMAIL"}]},
            },
        },
    ),
    ("bedrock-agent-runtime", "InvokeAgent", {**AGENT, "inputText": QUESTION}),
    ("bedrock-agent-runtime", "InvokeAgent", {**AGENT, "inputText": QUESTION, "enableTrace": True}),
    ("bedrock-agent-runtime", "InvokeInlineAgent", {**INLINE_AGENT, "inputText": QUESTION}),
    (
        "bedrock-agent-runtime",
        "InvokeInlineAgent",
        {**INLINE_AGENT, "inputText": QUESTION, "enableTrace": True},
    ),
    (
        "bedrock-agent-runtime",
        "Retrieve",
        {"knowledgeBaseId": "KB12345678", "retrievalQuery": {"text": QUESTION}},
    ),
    (
        "bedrock-agent-runtime",
        "RetrieveAndGenerate",
        {"input": {"text": QUESTION}, "retrieveAndGenerateConfiguration": KNOWLEDGE_BASE},
    ),
    (
        "bedrock-agent-runtime",
        "RetrieveAndGenerateStream",
        {"input": {"text": QUESTION}, "retrieveAndGenerateConfiguration": KNOWLEDGE_BASE},
    ),
    (
        "bedrock-agent-runtime",
        "InvokeFlow",
        {
            "flowIdentifier": "FLOW123456",
            "flowAliasIdentifier": "ALIAS12345",
            "inputs": [
                {
                    "content": {"document": QUESTION},
                    "nodeName": "FlowInputNode",
                    "nodeOutputName": "document",
                }
            ],
            "enableTrace": True,
        },
    ),
    (
        "bedrock-agent-runtime",
        "Rerank",
        {
            "queries": [{"type": "TEXT", "textQuery": {"text": QUESTION}}],
            "sources": [
                {
                    "type": "INLINE",
                    "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": text}},
                }
                for text in ("The sky is blue.", "Ships are slow.", "Rain falls.")
            ],
            "rerankingConfiguration": {
                "type": "BEDROCK_RERANKING_MODEL",
                "bedrockRerankingConfiguration": {
                    "modelConfiguration": {
                        "modelArn": "arn:aws:bedrock:us-east-1::foundation-model/cohere.rerank-v3-5:0"
                    }
                },
            },
        },
    ),
]

# Operations that the mock serves and that are checked elsewhere, and where.
ELSEWHERE = {
    "Converse": "conversations",
    "ConverseStream": "conversations",
    "InvokeModel": "families",
    "InvokeModelWithResponseStream": "families",
    "InvokeModelWithBidirectionalStream": "by the SDK for JavaScript, since botocore cannot speak it",
}


def converse(model: str, **more: Any) -> dict[str, Any]:
    """The parameters of Converse and ConverseStream."""
    plain = {"modelId": model, "messages": MESSAGES, "inferenceConfig": {"maxTokens": 200}}
    return {**plain, **more}


def invoke(family: Family, tokens: int = 200) -> dict[str, Any]:
    """The parameters of InvokeModel and InvokeModelWithResponseStream."""
    return {"modelId": family.model, "body": json.dumps(family.body(tokens))}


def at(body: Any, path: tuple[str | int, ...]) -> Any:
    """What stands in `body` at `path`; None where nothing does."""
    for step in path:
        try:
            body = body[step]
        except (KeyError, IndexError, TypeError):
            return None
    return body
