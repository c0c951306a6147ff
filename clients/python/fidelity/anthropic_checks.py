"""Drives the mock with anthropic-python, blocking and asynchronous, and prints one JSON line per check.

Endpoint, region and keys come from the environment. `clients/README.md` says
what the lines hold.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from typing import Any

import anthropic
from report import Evidence, check, concurrently, ensure, failure, said

CLAUDE = "anthropic.claude-3-5-sonnet-20240620-v1:0"
PROFILE = f"arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/{CLAUDE}"
REQUEST: dict[str, Any] = {
    "model": CLAUDE,
    "max_tokens": 200,
    "messages": [{"role": "user", "content": "Why is the sky blue? Answer in a sentence."}],
}
TOOLS: dict[str, Any] = {
    "tool_choice": {"type": "any"},
    "tools": [
        {
            "name": "get_weather",
            "input_schema": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        }
    ],
}
PLACE: dict[str, Any] = {
    "base_url": os.environ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"],
    "aws_region": os.environ["AWS_REGION"],
}
SETTINGS: dict[str, Any] = {
    **PLACE,
    "aws_access_key": os.environ["AWS_ACCESS_KEY_ID"],
    "aws_secret_key": os.environ["AWS_SECRET_ACCESS_KEY"],
    "max_retries": 2,
}


class Watched:
    """A client as it comes, which notes the request id of every attempt."""

    def __init__(self, settings: dict[str, Any] = SETTINGS) -> None:
        self.request_ids: list[str] = []
        self.paths: list[str] = []
        # The SDK's own default transport, with a hook.
        http = anthropic.DefaultHttpxClient(event_hooks={"response": [self._note]})
        self.bedrock = anthropic.AnthropicBedrock(**settings, http_client=http)

    def _note(self, response: Any) -> None:
        self.request_ids.append(response.headers["x-amzn-requestid"])
        self.paths.append(response.request.url.raw_path.decode())


def note(evidence: Evidence, request_id: str, message: Any, model: str = CLAUDE) -> None:
    counts = message.usage
    usage = {
        "input_tokens": counts.input_tokens,
        "output_tokens": counts.output_tokens,
        "cache_read_input_tokens": counts.cache_read_input_tokens or 0,
        "cache_write_input_tokens": counts.cache_creation_input_tokens or 0,
    }
    evidence.call(model, request_id, usage, message.stop_reason)


def fault(name: str) -> dict[str, Any]:
    return {**REQUEST, "extra_headers": {"x-spanproof-fault": name}}


def create(evidence: Evidence) -> None:
    by = Watched()
    message = by.bedrock.messages.create(**REQUEST)
    note(evidence, by.request_ids[0], message)
    ensure(message.content[0].text, message)
    # The colon of the version is raw on the wire.
    ensure(by.paths == [f"/model/{CLAUDE}/invoke"], by.paths)


def create_by_profile(evidence: Evidence) -> None:
    by = Watched()
    message = by.bedrock.messages.create(**{**REQUEST, "model": PROFILE})
    note(evidence, by.request_ids[0], message, PROFILE)
    evidence.detail = by.paths[0]
    ensure("arn:aws:bedrock" in by.paths[0] and "%2F" in by.paths[0], by.paths)


def stream(evidence: Evidence) -> None:
    by = Watched()
    with by.bedrock.messages.stream(**REQUEST) as events:
        text = "".join(events.text_stream)
        message = events.get_final_message()
    note(evidence, by.request_ids[0], message)
    ensure(text and text == message.content[0].text, message)


def stream_asynchronously(evidence: Evidence) -> None:
    async def run() -> tuple[str, Any]:
        async with anthropic.AsyncAnthropicBedrock(**SETTINGS) as bedrock:
            async with bedrock.messages.stream(**REQUEST) as events:
                message = await events.get_final_message()
                return events.response.headers["x-amzn-requestid"], message

    request_id, message = asyncio.run(run())
    note(evidence, request_id, message)
    ensure(message.content[0].text, message)


def create_asynchronously(evidence: Evidence) -> None:
    async def run() -> tuple[str, Any]:
        async with anthropic.AsyncAnthropicBedrock(**SETTINGS) as bedrock:
            raw = await bedrock.messages.with_raw_response.create(**REQUEST)
            return raw.headers["x-amzn-requestid"], await raw.parse()

    note(evidence, *asyncio.run(run()))


def max_tokens(evidence: Evidence) -> None:
    by = Watched()
    message = by.bedrock.messages.create(**{**REQUEST, "max_tokens": 5})
    note(evidence, by.request_ids[0], message)
    ensure(message.usage.output_tokens <= 5 and message.stop_reason == "max_tokens", message)


def tool_use(evidence: Evidence) -> None:
    by = Watched()
    fragments = []
    with by.bedrock.messages.stream(**REQUEST, **TOOLS) as events:
        for event in events:
            if event.type == "input_json":
                fragments.append(event.partial_json)
        message = events.get_final_message()
    note(evidence, by.request_ids[0], message)
    block = message.content[-1]
    ensure(block.type == "tool_use" and block.name == "get_weather", block)
    ensure(re.fullmatch("[a-zA-Z0-9_.:-]{1,64}", block.id), block)
    ensure(isinstance(block.input["city"], str) and len(fragments) > 1, (block, fragments))
    ensure(message.stop_reason == "tool_use", message)


THINKING: dict[str, Any] = {
    **REQUEST,
    "model": "us.anthropic.claude-3-7-sonnet-20250219-v1:0",
    "max_tokens": 2000,
    "thinking": {"type": "enabled", "budget_tokens": 1024},
}
# Anthropic documents this text, with which Claude encrypts what it thinks.
REDACTED = (
    "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_"
    "46C9A13E193C177646C7398A98432ECCCE4C1253D5E2D82641AC0E52CC2876CB"
)


def thinking(evidence: Evidence) -> None:
    by = Watched()
    kinds = []
    with by.bedrock.messages.stream(**THINKING) as events:
        for event in events:
            if event.type == "content_block_delta" and event.delta.type not in kinds:
                kinds.append(event.delta.type)
        message = events.get_final_message()
    note(evidence, by.request_ids[0], message, THINKING["model"])
    ensure(kinds == ["thinking_delta", "signature_delta", "text_delta"], kinds)
    ensure(message.content[0].thinking and message.content[0].signature, message)


def redacted_thinking(evidence: Evidence) -> None:
    by = Watched()
    request = {**THINKING, "messages": [{"role": "user", "content": REDACTED}]}
    with by.bedrock.messages.stream(**request) as events:
        message = events.get_final_message()
    note(evidence, by.request_ids[0], message, THINKING["model"])
    ensure(message.content[0].type == "redacted_thinking" and message.content[0].data, message)


# The exception, the SDK's type for its status, and how many of three attempts are made.
EXCEPTIONS: list[tuple[str, type[anthropic.APIStatusError], int, int]] = [
    ("ThrottlingException", anthropic.RateLimitError, 429, 3),
    ("ModelNotReadyException", anthropic.RateLimitError, 429, 3),
    ("untyped:429", anthropic.RateLimitError, 429, 3),
    ("InternalServerException", anthropic.InternalServerError, 500, 3),
    ("ServiceUnavailableException", anthropic.InternalServerError, 503, 3),
    ("ValidationException", anthropic.BadRequestError, 400, 1),
    ("AccessDeniedException", anthropic.PermissionDeniedError, 403, 1),
    ("ResourceNotFoundException", anthropic.NotFoundError, 404, 1),
    ("ModelErrorException", anthropic.APIStatusError, 424, 1),
    ("ModelTimeoutException", anthropic.APIStatusError, 408, 3),
]


def exception_check(
    name: str, kind: type[anthropic.APIStatusError], status: int, attempts: int
) -> Callable[[], None]:
    def run(evidence: Evidence) -> None:
        by = Watched()
        error = failure(lambda: by.bedrock.messages.create(**fault(name)))
        evidence.detail = said(error)
        evidence.exchanges = by.request_ids
        ensure(isinstance(error, kind) and error.status_code == status, said(error))
        ensure(error.body["message"], error.body)
        ensure(len(by.request_ids) == attempts, f"{len(by.request_ids)} attempts")

    test = 9 if name == "ModelTimeoutException" else 8
    return lambda: check(test, f"{name}: {attempts} of 3 attempts", run)


def first_attempt_only(evidence: Evidence) -> None:
    by = Watched()
    message = by.bedrock.messages.create(**fault("ThrottlingException@1"))
    evidence.exchanges = by.request_ids
    note(evidence, by.request_ids[-1], message)
    ensure(len(by.request_ids) == 2, by.request_ids)


def before_a_stream(evidence: Evidence) -> None:
    error = stream_failure("AccessDeniedException")
    evidence.detail = said(error)
    ensure(isinstance(error, anthropic.PermissionDeniedError), said(error))


def stream_failure(name: str) -> Any:
    def run() -> Any:
        with Watched().bedrock.messages.stream(**fault(name)) as events:
            return events.get_final_message()

    return failure(run)


def frame_check(name: str) -> Callable[[], None]:
    def run(evidence: Evidence) -> None:
        error = stream_failure(f"stream:{name}")
        evidence.detail = said(error)
        ensure(isinstance(error, anthropic.APIStatusError), repr(error))
        ensure(error.body["error"]["type"] == name and error.body["error"]["message"], error.body)

    return lambda: check(6, f"a frame {name}", run)


def bad_checksum(evidence: Evidence) -> None:
    error = stream_failure("bad-crc")
    evidence.detail = said(error)
    ensure("checksum" in str(error).lower(), said(error))


def no_message_stop(evidence: Evidence) -> None:
    with Watched().bedrock.messages.stream(**fault("no-message-stop")) as events:
        message = events.get_final_message()
    ensure(message.content[0].text and message.stop_reason is None, message)


def cut(evidence: Evidence) -> None:
    error = stream_failure("cut")
    evidence.detail = said(error)
    ensure(not isinstance(error, AssertionError), said(error))


def bearer(evidence: Evidence) -> None:
    by = Watched({**PLACE, "api_key": os.environ["SPANPROOF_BEARER_KEY"]})
    message = by.bedrock.messages.create(**REQUEST)
    note(evidence, by.request_ids[0], message)


def bad_bearer(evidence: Evidence) -> None:
    by = Watched({**PLACE, "api_key": "bedrock-api-key-nonsense"})
    error = failure(lambda: by.bedrock.messages.create(**REQUEST))
    evidence.detail = said(error)
    ensure(isinstance(error, anthropic.PermissionDeniedError), said(error))


if __name__ == "__main__":
    check(1, "messages.create", create)
    check(1, "messages.create, asynchronous", create_asynchronously)
    check(4, "messages.stream", stream)
    check(4, "messages.stream, asynchronous", stream_asynchronously)
    check(12, "the model's colon is raw in the path", create)
    check(12, "an ARN with its slash encoded", create_by_profile)
    check(14, "max_tokens", max_tokens)
    check(17, "a streamed tool use", tool_use)
    check(18, "thinking, then its signature, then the answer", thinking)
    check(18, "redacted thinking", redacted_thinking)
    concurrently(
        [exception_check(*exception) for exception in EXCEPTIONS]
        + [
            frame_check(name)
            for name in (
                "throttlingException",
                "modelStreamErrorException",
                "internalServerException",
                "validationException",
                "serviceUnavailableException",
                "modelTimeoutException",
            )
        ]
        + [
            lambda: check(8, "an exception on the first attempt only", first_attempt_only),
            lambda: check(7, "an exception before a stream", before_a_stream),
            lambda: check(5, "a frame with a wrong checksum", bad_checksum),
            lambda: check(20, "a stream without messageStop is taken as whole", no_message_stop),
            lambda: check(20, "a cut stream is an error", cut),
        ]
    )
    check(20, "a bearer key in place of SigV4", bearer)
    check(20, "a bad bearer key", bad_bearer)
