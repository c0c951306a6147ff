"""Token usage and stop reasons as an application reads them from boto3's answers.

Usage comes back in the ledger's words: `input_tokens` leaves cached tokens out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass
class Answer:
    """What an answer said of itself; None where it said nothing."""

    usage: dict[str, int] | None = None
    stop_reason: str | None = None


def converse(response: dict[str, Any]) -> Answer:
    """A Converse response."""
    return Answer(_camel_usage(response.get("usage")), response.get("stopReason"))


def converse_event(answer: Answer, event: dict[str, Any]) -> None:
    """One event of a ConverseStream."""
    if "messageStop" in event:
        answer.stop_reason = event["messageStop"].get("stopReason")
    if "metadata" in event:
        answer.usage = _camel_usage(event["metadata"].get("usage"))


def invoke(body: bytes) -> Answer:
    """The native body of InvokeModel: Claude messages, Nova or Titan embeddings."""
    fields = json.loads(body)
    if "inputTextTokenCount" in fields:
        return Answer(_usage(fields["inputTextTokenCount"], 0, 0, 0))
    usage = fields.get("usage")
    if usage is not None and "input_tokens" in usage:
        return Answer(_snake_usage(usage), fields.get("stop_reason"))
    return Answer(_camel_usage(usage), fields.get("stopReason"))


def invoke_chunk(answer: Answer, chunk: bytes) -> None:
    """One native chunk of InvokeModelWithResponseStream: Claude messages or Nova."""
    fields = json.loads(chunk)
    if fields.get("type") == "message_start":
        answer.usage = _snake_usage(fields["message"]["usage"])
    elif fields.get("type") == "message_delta":
        answer.stop_reason = fields["delta"].get("stop_reason")
        if answer.usage is not None and "output_tokens" in fields.get("usage", {}):
            answer.usage["output_tokens"] = fields["usage"]["output_tokens"]
    elif "messageStop" in fields or "metadata" in fields:
        converse_event(answer, fields)


def read_chunks(events: Iterable[dict[str, Any]]) -> Iterable[bytes]:
    """The native chunks in a stream of events."""
    for event in events:
        if "chunk" in event:
            yield event["chunk"]["bytes"]


def _camel_usage(usage: dict[str, Any] | None) -> dict[str, int] | None:
    if usage is None:
        return None
    # Converse names the cached counts one way, Nova's own bodies the other.
    return _usage(
        usage.get("inputTokens"),
        usage.get("outputTokens"),
        usage.get("cacheReadInputTokens", usage.get("cacheReadInputTokenCount")),
        usage.get("cacheWriteInputTokens", usage.get("cacheWriteInputTokenCount")),
    )


def _snake_usage(usage: dict[str, Any]) -> dict[str, int]:
    return _usage(
        usage.get("input_tokens"),
        usage.get("output_tokens"),
        usage.get("cache_read_input_tokens"),
        usage.get("cache_creation_input_tokens"),
    )


def _usage(
    input_tokens: int | None, output_tokens: int | None, cache_read: int | None, cache_write: int | None
) -> dict[str, int]:
    return {
        "input_tokens": input_tokens or 0,
        "output_tokens": output_tokens or 0,
        "cache_read_input_tokens": cache_read or 0,
        "cache_write_input_tokens": cache_write or 0,
    }
