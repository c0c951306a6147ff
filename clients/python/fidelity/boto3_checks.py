"""Drives the mock with boto3, as it comes, and prints one JSON line per check.

Endpoint, region and keys come from the environment, as in any boto3 program.
`clients/README.md` says what the lines hold.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import spanproof_usage
from report import Evidence, check, concurrently, ensure, failure, said

CLAUDE = "anthropic.claude-3-5-sonnet-20240620-v1:0"
CLAUDE_CACHED = "us.anthropic.claude-3-7-sonnet-20250219-v1:0"
NOVA = "amazon.nova-lite-v1:0"
TITAN_EMBED = "amazon.titan-embed-text-v2:0"
PROFILE = f"arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/{NOVA}"

QUESTION = "Why is the sky blue? Answer in a sentence."
MESSAGES = [{"role": "user", "content": [{"text": QUESTION}]}]
CONVERSE = {"messages": MESSAGES, "inferenceConfig": {"maxTokens": 200}}

# Long enough for a cache point to count on the model that caches.
LONG_PROMPT = "The style guide asks for short sentences and plain words. " * 400
CACHED = {
    **CONVERSE,
    "system": [{"text": LONG_PROMPT}, {"cachePoint": {"type": "default"}}],
}
TOOLS = {
    "toolChoice": {"any": {}},
    "tools": [
        {
            "toolSpec": {
                "name": "get_weather",
                "inputSchema": {
                    "json": {
                        "type": "object",
                        "properties": {"city": {"type": "string"}},
                        "required": ["city"],
                    }
                },
            }
        }
    ],
}
THINKING = {
    "messages": MESSAGES,
    "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    "inferenceConfig": {"maxTokens": 2000},
}
# Anthropic documents this text, with which Claude encrypts what it thinks.
REDACTED = (
    "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_"
    "46C9A13E193C177646C7398A98432ECCCE4C1253D5E2D82641AC0E52CC2876CB"
)
# The guardrail that every id names when none is configured blocks US social security numbers.
GUARDRAIL = {"guardrailIdentifier": "gr0000000000", "guardrailVersion": "1"}
BLOCKED = "My social security number is 536-90-4399."
BODIES: dict[str, dict[str, Any]] = {
    CLAUDE: {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 200,
        "messages": [{"role": "user", "content": QUESTION}],
    },
    NOVA: CONVERSE,
    TITAN_EMBED: {"inputText": QUESTION},
}

_session = boto3.Session()
_making = threading.Lock()


def client(fault: str | None = None, **config: Any) -> Any:
    """A client as it comes, whose calls all fail by `fault` if one is named."""
    with _making:
        bedrock = _session.client("bedrock-runtime", config=botocore.config.Config(**config))
    if fault is not None:

        def ask(params: dict[str, Any], **_: Any) -> None:
            params["headers"]["x-spanproof-fault"] = fault

        bedrock.meta.events.register("before-call.bedrock-runtime", ask)
    return bedrock


bedrock = client()


def converse(evidence: Evidence, model: str, request: dict[str, Any], by: Any = bedrock) -> dict[str, Any]:
    response = by.converse(modelId=model, **request)
    answer = spanproof_usage.converse(response)
    evidence.call(model, request_id(response), answer.usage, answer.stop_reason)
    return response


@dataclass
class Told:
    """What a ConverseStream said."""

    response: dict[str, Any]
    order: list[str] = field(default_factory=list)
    text: str = ""
    tool: dict[str, Any] = field(default_factory=dict)
    input: str = ""
    answer: spanproof_usage.Answer = field(default_factory=spanproof_usage.Answer)


def converse_stream(model: str, request: dict[str, Any], by: Any = bedrock) -> Told:
    told = Told(by.converse_stream(modelId=model, **request))
    try:
        for event in told.response["stream"]:
            told.order.extend(event)
            told.tool = event.get("contentBlockStart", {}).get("start", {}).get("toolUse", told.tool)
            delta = event.get("contentBlockDelta", {}).get("delta", {})
            told.text += delta.get("text", "")
            told.input += delta.get("toolUse", {}).get("input", "")
            spanproof_usage.converse_event(told.answer, event)
    except Exception as error:
        error.told = told  # type: ignore[attr-defined]
        raise
    return told


def stream(evidence: Evidence, model: str, request: dict[str, Any]) -> Told:
    """A ConverseStream that must end well."""
    told = converse_stream(model, request)
    evidence.call(model, request_id(told.response), told.answer.usage, told.answer.stop_reason)
    return told


def invoke_stream(
    model: str, by: Any = bedrock
) -> tuple[dict[str, Any], list[dict[str, Any]], spanproof_usage.Answer]:
    response = by.invoke_model_with_response_stream(modelId=model, body=json.dumps(BODIES[model]))
    answer = spanproof_usage.Answer()
    chunks = []
    for chunk in spanproof_usage.read_chunks(response["body"]):
        spanproof_usage.invoke_chunk(answer, chunk)
        chunks.append(json.loads(chunk))
    return response, chunks, answer


def request_id(response: dict[str, Any]) -> str:
    return response["ResponseMetadata"]["RequestId"]


def token_headers(response: dict[str, Any]) -> dict[str, str]:
    """The service's own headers beside the content type."""
    return {
        name: value
        for name, value in response["ResponseMetadata"]["HTTPHeaders"].items()
        if name.startswith("x-amzn-bedrock-") and name != "x-amzn-bedrock-content-type"
    }


def answer_checks() -> None:
    for model in (CLAUDE, NOVA):

        def text(evidence: Evidence) -> None:
            response = converse(evidence, model, CONVERSE)
            ensure(response["output"]["message"]["content"][0]["text"], response)

        check(1, f"Converse of {model}", text)

        def max_tokens(evidence: Evidence) -> None:
            response = converse(evidence, model, {**CONVERSE, "inferenceConfig": {"maxTokens": 5}})
            ensure(response["usage"]["outputTokens"] <= 5, response)
            ensure(response["stopReason"] == "max_tokens", response)

        check(14, f"maxTokens of {model}", max_tokens)

    for model in (f"us.{NOVA}", CLAUDE_CACHED, PROFILE):
        check(12, f"Converse of {model}", lambda evidence: (converse(evidence, model, CONVERSE), None)[1])

    def prompt_cache(evidence: Evidence) -> None:
        first = converse(evidence, CLAUDE_CACHED, CACHED)["usage"]
        second = converse(evidence, CLAUDE_CACHED, CACHED)["usage"]
        ensure(first["cacheWriteInputTokens"] > 0 and first["cacheReadInputTokens"] == 0, first)
        ensure(second["cacheReadInputTokens"] == first["cacheWriteInputTokens"], second)
        ensure(second["cacheWriteInputTokens"] == 0, second)
        for usage, call in zip((first, second), evidence.calls):
            ensure(usage["totalTokens"] == sum(call["usage"].values()), usage)

    check(13, "a second cachePoint call reads what the first wrote", prompt_cache)


def native_checks() -> None:
    def no_content_type(evidence: Evidence) -> None:
        sent = []
        plain = client()
        plain.meta.events.register(
            "before-send.bedrock-runtime", lambda request, **_: sent.append(dict(request.headers))
        )
        response = plain.invoke_model(modelId=CLAUDE, body=json.dumps(BODIES[CLAUDE]))
        answer = spanproof_usage.invoke(response["body"].read())
        evidence.call(CLAUDE, request_id(response), answer.usage, answer.stop_reason)
        ensure(not any(name.lower() == "content-type" for name in sent[0]), sent[0])

    check(11, "InvokeModel without Content-Type", no_content_type)

    def none_on_converse(evidence: Evidence) -> None:
        told = stream(evidence, CLAUDE, CONVERSE)
        for response in (converse(evidence, CLAUDE, CONVERSE), told.response, invoke_stream(CLAUDE)[0]):
            ensure(not token_headers(response), token_headers(response))

    check(15, "no token headers on Converse and on streams", none_on_converse)

    for model in BODIES:

        def headers(evidence: Evidence) -> None:
            response = bedrock.invoke_model(modelId=model, body=json.dumps(BODIES[model]))
            answer = spanproof_usage.invoke(response["body"].read())
            evidence.call(model, request_id(response), answer.usage, answer.stop_reason)
            found = token_headers(response)
            usage = answer.usage or {}
            output = None if model == TITAN_EMBED else str(usage["output_tokens"])
            ensure(found["x-amzn-bedrock-input-token-count"] == str(usage["input_tokens"]), found)
            ensure(found.get("x-amzn-bedrock-output-token-count") == output, found)
            ensure(int(found["x-amzn-bedrock-invocation-latency"]) > 0, found)

        check(15, f"token headers of {model}", headers)

    for model in (CLAUDE, NOVA):

        def chunks(evidence: Evidence) -> None:
            response, _, answer = invoke_stream(model)
            evidence.call(model, request_id(response), answer.usage, answer.stop_reason)

        check(4, f"chunks of {model}", chunks)

        def last_chunk(evidence: Evidence) -> None:
            response, all_chunks, answer = invoke_stream(model)
            evidence.call(model, request_id(response), answer.usage, answer.stop_reason)
            metrics = all_chunks[-1]["amazon-bedrock-invocationMetrics"]
            ensure(metrics["firstByteLatency"] <= metrics["invocationLatency"], metrics)
            usage = answer.usage or {}
            ensure(metrics["inputTokenCount"] == usage["input_tokens"], metrics)
            ensure(metrics["outputTokenCount"] == usage["output_tokens"], metrics)

        check(16, f"the last chunk of {model}", last_chunk)


def stream_checks() -> None:
    known: set[str] = set()
    for model in (CLAUDE, NOVA):

        def grammar(evidence: Evidence) -> None:
            told = stream(evidence, model, CONVERSE)
            pattern = "messageStart (contentBlockDelta )+contentBlockStop messageStop metadata"
            ensure(re.fullmatch(pattern, " ".join(told.order)), told.order)

        check(2, f"text begins without contentBlockStart, {model}", grammar)

        def flat(evidence: Evidence) -> None:
            told = stream(evidence, model, CONVERSE)
            ensure(told.text and told.answer.usage and told.answer.usage["output_tokens"] > 0, told)

        check(3, f"flat events, {model}", flat)

        def tool(evidence: Evidence) -> None:
            told = stream(evidence, model, {**CONVERSE, "toolConfig": TOOLS})
            tool_use_id = told.tool["toolUseId"]
            ensure(told.tool["name"] == "get_weather", told.tool)
            ensure(re.fullmatch("[a-zA-Z0-9_.:-]{1,64}", tool_use_id) and tool_use_id not in known, told.tool)
            known.add(tool_use_id)
            ensure(isinstance(json.loads(told.input)["city"], str), told.input)
            ensure(told.answer.stop_reason == "tool_use", told.answer)

        check(17, f"a streamed tool use of {model}", tool)


def reasoning_checks() -> None:
    def signed(evidence: Evidence) -> None:
        kinds = []
        for event in bedrock.converse_stream(modelId=CLAUDE_CACHED, **THINKING)["stream"]:
            delta = event.get("contentBlockDelta", {}).get("delta", {})
            kinds.extend(delta.get("reasoningContent", delta))
        # Neighbours that are equal count once.
        order = [kind for at, kind in enumerate(kinds) if at == 0 or kinds[at - 1] != kind]
        ensure(order == ["text", "signature", "text"], kinds)
        message = converse(evidence, CLAUDE_CACHED, THINKING)["output"]["message"]["content"]
        thought = message[0]["reasoningContent"]["reasoningText"]
        ensure(thought["text"] and thought["signature"] and message[1]["text"], message)

    check(18, "text of thoughts, then their signature, then the answer", signed)

    def redacted(evidence: Evidence) -> None:
        request = {**THINKING, "messages": [{"role": "user", "content": [{"text": REDACTED}]}]}
        message = converse(evidence, CLAUDE_CACHED, request)["output"]["message"]["content"]
        ensure(isinstance(message[0]["reasoningContent"]["redactedContent"], bytes), message)
        told = stream(evidence, CLAUDE_CACHED, request)
        ensure(told.text == message[1]["text"], told)

    check(18, "redacted content is a blob", redacted)

    def empty_first(evidence: Evidence) -> None:
        told = stream(evidence, "openai.gpt-oss-20b-1:0", CONVERSE)
        ensure(told.text and told.answer.stop_reason and told.answer.usage, told)

    check(18, "gpt-oss begins with an empty text", empty_first)


def guardrail_checks() -> None:
    def by_converse(evidence: Evidence) -> None:
        request = {
            "messages": [{"role": "user", "content": [{"text": BLOCKED}]}],
            "guardrailConfig": {**GUARDRAIL, "trace": "enabled"},
        }
        response = converse(evidence, CLAUDE, request)
        ensure(response["stopReason"] == "guardrail_intervened", response)
        (assessment,) = response["trace"]["guardrail"]["inputAssessment"].values()
        usage = assessment["invocationMetrics"]["usage"]
        ensure(usage["sensitiveInformationPolicyUnits"] == 1, usage)

    check(19, "Converse", by_converse)

    def by_invoke_model(evidence: Evidence) -> None:
        body = {**BODIES[CLAUDE], "messages": [{"role": "user", "content": BLOCKED}]}
        response = bedrock.invoke_model(modelId=CLAUDE, body=json.dumps(body), trace="ENABLED", **GUARDRAIL)
        answered = json.loads(response["body"].read())
        evidence.exchanges.append(request_id(response))
        ensure(answered["amazon-bedrock-guardrailAction"] == "INTERVENED", answered)
        ensure(answered["amazon-bedrock-trace"]["guardrail"]["input"], answered)

    check(19, "InvokeModel, by names of its own", by_invoke_model)

    def by_itself(evidence: Evidence) -> None:
        content = [{"text": {"text": BLOCKED}}]
        response = bedrock.apply_guardrail(source="INPUT", content=content, **GUARDRAIL)
        ensure(response["action"] == "GUARDRAIL_INTERVENED", response)
        ensure(response["usage"]["sensitiveInformationPolicyUnits"] == 1, response)

    check(19, "ApplyGuardrail", by_itself)


# The exception, its status, and how many of three attempts are made.
EXCEPTIONS = [
    ("ThrottlingException", 429, 3),
    ("ModelNotReadyException", 429, 3),
    ("InternalServerException", 500, 3),
    ("ServiceUnavailableException", 503, 3),
    ("ValidationException", 400, 1),
    ("AccessDeniedException", 403, 1),
    ("ResourceNotFoundException", 404, 1),
    ("ModelErrorException", 424, 1),
    ("ModelTimeoutException", 408, 1),
]
FRAMES = [
    "throttlingException",
    "modelStreamErrorException",
    "internalServerException",
    "validationException",
    "serviceUnavailableException",
]


def failure_checks() -> None:
    checks: list[Callable[[], None]] = []
    for mode in ("legacy", "standard"):
        by_mode = {"mode": mode, "total_max_attempts": 3}
        checks += [exception_check(by_mode, *exception) for exception in EXCEPTIONS]
        checks.append(untyped_check(by_mode))
    checks += [frame_check(name) for name in FRAMES]
    checks += [lambda one=one: check(*one) for one in DEFECTS]  # type: ignore[misc]
    concurrently(checks)


def exception_check(retries: dict[str, Any], name: str, status: int, attempts: int) -> Callable[[], None]:
    by = client(name, retries=retries)

    def run(evidence: Evidence) -> None:
        error = failure(lambda: by.converse(modelId=CLAUDE, **CONVERSE))
        evidence.detail = said(error)
        ensure(isinstance(error, getattr(by.exceptions, name)), said(error))
        code = error.response["Error"]
        ensure(code["Code"] == name and code["Message"], error.response)
        ensure(error.response["ResponseMetadata"]["HTTPStatusCode"] == status, error.response)
        evidence.tried(request_id(error.response), attempts)

    test = 9 if name == "ModelTimeoutException" else 8
    mode = retries["mode"]
    return lambda: check(test, f"{name}: {attempts} of 3 attempts, {mode} retries", run)


def untyped_check(retries: dict[str, Any]) -> Callable[[], None]:
    by = client("untyped:429", retries=retries)

    def run(evidence: Evidence) -> None:
        error = failure(lambda: by.converse(modelId=CLAUDE, **CONVERSE))
        evidence.detail = said(error)
        ensure(isinstance(error, botocore.exceptions.ClientError), said(error))
        ensure(error.response["Error"]["Code"] == "429", error.response)
        evidence.tried(request_id(error.response), 3)

    return lambda: check(8, f"429 without x-amzn-errortype, {retries['mode']} retries", run)


def frame_check(name: str) -> Callable[[], None]:
    def run(evidence: Evidence) -> None:
        error = stream_failure(f"stream:{name}")
        evidence.detail = said(error)
        ensure(isinstance(error, botocore.exceptions.EventStreamError), said(error))
        ensure(error.response["Error"]["Code"] == name, error.response)
        ensure(error.response["Error"]["Message"] and error.told.order, error.response)
        evidence.tried(request_id(error.told.response), 1)

    return lambda: check(6, f"a frame {name}", run)


def stream_failure(fault: str) -> Any:
    by = client(fault)
    return failure(lambda: converse_stream(CLAUDE, CONVERSE, by))


def first_attempt_only(evidence: Evidence) -> None:
    response = converse(evidence, CLAUDE, CONVERSE, client("ThrottlingException@1"))
    evidence.tried(request_id(response), 2)


def before_a_stream(evidence: Evidence) -> None:
    error = stream_failure("AccessDeniedException")
    expected = "You don't have access to the model with the specified model ID."
    ensure(error.response["Error"] == {"Code": "AccessDeniedException", "Message": expected}, said(error))


def native_timeout(evidence: Evidence) -> None:
    by = client("stream:modelTimeoutException")
    error = failure(lambda: invoke_stream(CLAUDE, by))
    evidence.detail = said(error)
    ensure(isinstance(error, botocore.exceptions.EventStreamError), said(error))
    ensure(error.response["Error"]["Code"] == "modelTimeoutException", error.response)


def error_frame(evidence: Evidence) -> None:
    error = stream_failure("stream:error")
    evidence.detail = said(error)
    ensure(isinstance(error, botocore.exceptions.EventStreamError), said(error))
    ensure(error.response["Error"]["Code"] and error.told.order, error.response)


def bad_checksum(evidence: Evidence) -> None:
    error = stream_failure("bad-crc")
    evidence.detail = said(error)
    ensure(type(error).__name__ == "ChecksumMismatch", said(error))


def no_message_stop(evidence: Evidence) -> None:
    told = converse_stream(CLAUDE, CONVERSE, client("no-message-stop"))
    ensure(told.text and told.answer.stop_reason is None, told)


def cut(evidence: Evidence) -> None:
    error = stream_failure("cut")
    evidence.detail = said(error)
    ensure(error.told.order and not isinstance(error, AssertionError), said(error))


def unknown_event(evidence: Evidence) -> None:
    told = converse_stream(CLAUDE, CONVERSE, client("unknown-event"))
    evidence.detail = " ".join(dict.fromkeys(told.order))
    ensure(told.answer.stop_reason and told.answer.usage, told)


def unknown_stop_reason(evidence: Evidence) -> None:
    told = converse_stream(CLAUDE, CONVERSE, client("unknown-stop-reason"))
    evidence.detail = str(told.answer.stop_reason)
    ensure(told.answer.stop_reason and told.answer.usage, told)


def by_metadata(evidence: Evidence) -> None:
    asked = {**CONVERSE, "requestMetadata": {"spanproof-fault": "AccessDeniedException"}}
    error = failure(lambda: bedrock.converse(modelId=CLAUDE, **asked))
    ensure(isinstance(error, bedrock.exceptions.AccessDeniedException), said(error))


DEFECTS: list[tuple[int, str, Callable[[Evidence], None]]] = [
    (8, "an exception on the first attempt only", first_attempt_only),
    (7, "an exception before a stream", before_a_stream),
    (7, "an exception that requestMetadata asks for", by_metadata),
    (6, "modelTimeoutException on a native stream", native_timeout),
    (6, "a frame with :message-type error", error_frame),
    (5, "a frame with a wrong checksum", bad_checksum),
    (20, "a stream without messageStop is taken as whole", no_message_stop),
    (20, "a cut stream is an error", cut),
    (20, "an unknown event is passed over", unknown_event),
    (20, "an unknown stop reason is passed on", unknown_stop_reason),
]


@contextmanager
def bearer(key: str, **place: Any) -> Iterator[Any]:
    """A client that sends an API key."""
    os.environ["AWS_BEARER_TOKEN_BEDROCK"] = key
    try:
        yield _session.client("bedrock-runtime", **place)
    finally:
        del os.environ["AWS_BEARER_TOKEN_BEDROCK"]


def bearer_checks() -> None:
    key = os.environ["SPANPROOF_BEARER_KEY"]
    encrypted = {
        "endpoint_url": os.environ["SPANPROOF_TLS_ENDPOINT"],
        "verify": os.environ["SPANPROOF_TLS_AUTHORITY"],
    }

    def over_http(evidence: Evidence) -> None:
        with bearer(key) as keyed:
            error = failure(lambda: keyed.converse(modelId=CLAUDE, **CONVERSE))
        evidence.detail = said(error)
        ensure("requires an HTTPS endpoint" in str(error), said(error))

    check(20, "botocore sends a bearer key over HTTPS only", over_http)

    def good(evidence: Evidence) -> None:
        with bearer(key, **encrypted) as keyed:
            converse(evidence, CLAUDE, CONVERSE, keyed)

    check(20, "a bearer key in place of SigV4", good)

    def bad(evidence: Evidence) -> None:
        with bearer("bedrock-api-key-nonsense", **encrypted) as keyed:
            error = failure(lambda: keyed.converse(modelId=CLAUDE, **CONVERSE))
        evidence.detail = said(error)
        ensure(isinstance(error, botocore.exceptions.ClientError), said(error))
        ensure(error.response["ResponseMetadata"]["HTTPStatusCode"] == 403, error.response)
        ensure("make sure your API Key is valid" in said(error), said(error))

    check(20, "a bad bearer key", bad)


if __name__ == "__main__":
    answer_checks()
    native_checks()
    stream_checks()
    reasoning_checks()
    guardrail_checks()
    failure_checks()
    bearer_checks()
