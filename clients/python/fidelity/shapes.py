"""Checks answers as bytes, without an SDK, and prints one JSON line per check.

Every answer of every operation and family is validated against the newest
service model of the installed botocore, frame by frame where it is a stream.
Endpoint, region and keys come from the environment; `clients/README.md` says
what the lines hold.
"""

from __future__ import annotations

import base64
import json
import os
import re
from typing import Any

import cases
import validate
import wire
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer, ParserError
from botocore.model import OperationModel
from cases import CLAUDE, FAMILIES, NOVA, Family
from report import Evidence, check, ensure

SERVICES = {
    name: wire.service(name) for name in ("bedrock-runtime", "bedrock-agent-runtime", "bedrock")
}
RUNTIME = SERVICES["bedrock-runtime"]
EVENT_HEADERS = [":event-type", ":content-type", ":message-type"]
EXCEPTION_HEADERS = [":exception-type", ":content-type", ":message-type"]
PADDING = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
METRICS = "amazon-bedrock-invocationMetrics"


def ask(operation: str, params: dict[str, Any], **headers: str) -> wire.Answer:
    return wire.call(RUNTIME.operation_model(operation), params, **headers)


def served(answer: wire.Answer) -> wire.Answer:
    ensure(answer.status == 200, (answer.status, answer.body))
    return answer


def ask_events(operation: str, params: dict[str, Any]) -> list[tuple[str, Any]]:
    """The names and payloads of a stream that ends well, each frame valid."""
    answer = served(ask(operation, params))
    valid_stream(RUNTIME.operation_model(operation), answer)
    return [(str(frame.header(":event-type")), frame.json()) for frame in wire.frames(answer.body)]


def chunks(family: Family, tokens: int = 200) -> list[Any]:
    """The native chunks of a stream."""
    events = ask_events("InvokeModelWithResponseStream", cases.invoke(family, tokens))
    return [json.loads(base64.b64decode(payload["bytes"])) for _, payload in events]


def valid(operation: OperationModel, answer: wire.Answer, *, sorted_members: bool) -> None:
    """An answer that is not a stream fits the model."""
    ensure("x-amzn-requestid" in answer.headers, answer.head)
    is_json = answer.headers.get("content-type") == "application/json"
    ensure(is_json and len(answer.body) == int(answer.headers["content-length"]), answer.head)
    problems = validate.response(
        operation, answer.headers, answer.json(), sorted_members=sorted_members
    )
    ensure(not problems, "; ".join(problems))


def valid_stream(operation: OperationModel, answer: wire.Answer, *, padded: bool = True) -> None:
    """Every frame of a stream fits the model, and botocore's own decoder reads the same."""
    ensure(answer.headers.get("content-type") == "application/vnd.amazon.eventstream", answer.head)
    output = operation.output_shape
    problems = validate.bound_headers(output, answer.headers)
    union = output.members[output.serialization["payload"]]
    frames = wire.frames(answer.body)
    ensure(frames, "the stream is empty")
    for number, frame in enumerate(frames):
        problems += [f"frame {number}: {one}" for one in frame_problems(operation, union, frame, padded)]
    ensure(not problems, "; ".join(problems))
    buffer = EventStreamBuffer()
    buffer.add_data(answer.body)
    decoded = [(list(event.headers.items()), event.payload) for event in buffer]
    ensure(decoded == [(frame.headers, frame.payload) for frame in frames], "botocore reads others")


def frame_problems(operation: OperationModel, union: Any, frame: wire.Frame, padded: bool) -> list[str]:
    is_exception = frame.header(":message-type") == "exception"
    expected = EXCEPTION_HEADERS if is_exception else EVENT_HEADERS
    if [name for name, _ in frame.headers] != expected:
        return [f"its headers are {frame.headers}"]
    if frame.header(":content-type") != "application/json":
        return [f"its content type is {frame.header(':content-type')}"]
    name = str(frame.header(expected[0]))
    if name not in union.members:
        return [f"{operation.name} has no event {name}"]
    shape, payload = union.members[name], frame.json()
    also = frozenset() if is_exception or not padded else frozenset({"p"})
    is_sorted = operation.name == "ConverseStream" and not is_exception
    problems = validate.structure(shape, payload, name, sorted_members=is_sorted, also=also)
    if also and not (2 <= len(payload.get("p", "")) <= 61 and PADDING.startswith(payload["p"])):
        problems.append(f"{name}: the padding is {payload.get('p')!r}")
    return problems


def shape_checks() -> None:
    """Each family by each operation that its models have, and every other operation."""
    for name, family in FAMILIES.items():

        def invoke(_: Evidence) -> None:
            answer = served(ask("InvokeModel", cases.invoke(family)))
            valid(RUNTIME.operation_model("InvokeModel"), answer, sorted_members=False)

        check(21, f"InvokeModel, {name}", invoke)
        if family.streams:
            check(4, f"InvokeModelWithResponseStream, {name}", lambda _: native_stream(family))
        if family.converses:
            conversation_check(name, family.model, {})
    for name, model, more in cases.CONVERSATIONS:
        conversation_check(f"{name}, {model}", model, more)

    every_model_check()

    answers: dict[str, Any] = {}
    for service, operation, params in cases.OTHERS:
        check(21, f"{operation} of {service}", lambda _: other(answers, service, operation, params))

    def complete(_: Evidence) -> None:
        asked = {operation for service, operation, _ in cases.OTHERS if service == "bedrock-runtime"}
        missing = set(RUNTIME.operation_names) - asked - set(cases.ELSEWHERE)
        ensure(not missing, missing)

    check(21, "every operation of bedrock-runtime has a case", complete)


def every_model_check() -> None:
    """Every model of the list that writes text converses, by its own id or by a profile."""

    def run(evidence: Evidence) -> None:
        listing = SERVICES["bedrock"].operation_model("ListFoundationModels")
        models = served(wire.call(listing, {"byOutputModality": "TEXT"})).json()["modelSummaries"]
        asked = 0
        for model in models:
            # Some speak over the bidirectional stream only, and rerankers are listed as text models.
            if "SPEECH" in model["outputModalities"] or "rerank" in model["modelId"]:
                continue
            area = "" if "ON_DEMAND" in model["inferenceTypesSupported"] else "us."
            params = cases.converse(area + model["modelId"], inferenceConfig={"maxTokens": 20})
            answer = ask("Converse", params)
            ensure(answer.status == 200, (model["modelId"], answer.body))
            valid(RUNTIME.operation_model("Converse"), answer, sorted_members=True)
            ask_events("ConverseStream", params)
            asked += 1
        evidence.detail = f"{asked} models"
        ensure(asked > 0, models)

    check(21, "Converse and ConverseStream of every listed model", run)


def other(answers: dict[str, Any], service: str, operation: str, params: Any) -> None:
    """An operation that is neither of the conversations nor of the families."""
    model = SERVICES[service].operation_model(operation)
    answer = served(wire.call(model, params(answers) if callable(params) else params))
    if model.has_event_stream_output:
        # Only the runtime pads its events.
        valid_stream(model, answer, padded=service == "bedrock-runtime")
    else:
        valid(model, answer, sorted_members=False)
        answers[operation] = answer.json()


def conversation_check(name: str, model: str, more: dict[str, Any]) -> None:
    params = cases.converse(model, **more)

    def whole(_: Evidence) -> None:
        answer = served(ask("Converse", params))
        valid(RUNTIME.operation_model("Converse"), answer, sorted_members=True)

    def streamed(_: Evidence) -> None:
        events = ask_events("ConverseStream", params)
        ensure(any("delta" in payload for _, payload in events), events)
        ensure("usage" in events[-1][1], events[-1])

    check(21, f"Converse, {name}", whole)
    check(3, f"ConverseStream, {name}", streamed)


def native_stream(family: Family) -> None:
    for payload in (p for _, p in ask_events("InvokeModelWithResponseStream", cases.invoke(family))):
        ensure(set(payload) == {"bytes", "p"}, payload)
        ensure(isinstance(json.loads(base64.b64decode(payload["bytes"])), dict), payload)


def frame_checks() -> None:
    def grammar(_: Evidence) -> None:
        for name, family in FAMILIES.items():
            if family.converses:
                order = " ".join(event for event, _ in ask_events("ConverseStream", cases.converse(family.model)))
                block = "(contentBlockDelta )+contentBlockStop "
                ensure(re.fullmatch(f"messageStart ({block})+messageStop metadata", order), (name, order))

    check(2, "text begins without contentBlockStart, in every family", grammar)

    def flipped(evidence: Evidence) -> None:
        frame = wire.frames(ask("ConverseStream", cases.converse(CLAUDE)).body)[0].bytes
        for bit in range(len(frame) * 8):
            broken = bytearray(frame)
            broken[bit // 8] ^= 1 << bit % 8
            ensure(not is_read(bytes(broken)), f"bit {bit} can be flipped")
        evidence.detail = f"{len(frame) * 8} bits"

    check(5, "every flipped bit of a frame is refused", flipped)

    def bad_checksum(_: Evidence) -> None:
        answer = served(ask("ConverseStream", cases.converse(CLAUDE), x_spanproof_fault="bad-crc"))
        try:
            wire.frames(answer.body)
        except ValueError as error:
            ensure("checksum is wrong" in str(error), error)
        else:
            raise AssertionError("all checksums are right")

    check(5, "a wrong checksum, when asked for", bad_checksum)

    streams: list[tuple[OperationModel, dict[str, Any]]] = [
        (RUNTIME.operation_model("ConverseStream"), cases.converse(CLAUDE)),
        (RUNTIME.operation_model("InvokeModelWithResponseStream"), cases.invoke(FAMILIES["claude"])),
    ]
    for service, name, params in cases.OTHERS:
        operation = SERVICES[service].operation_model(name)
        if operation.has_event_stream_output and all(known.name != name for known, _ in streams):
            streams.append((operation, params))  # type: ignore[arg-type]
    for operation, params in streams:
        union = operation.output_shape.members[operation.output_shape.serialization["payload"]]
        exceptions = [name for name, shape in union.members.items() if shape.metadata.get("exception")]
        for exception in exceptions:

            def frame(_: Evidence) -> None:
                answer = served(wire.call(operation, params, x_spanproof_fault=f"stream:{exception}"))
                valid_stream(operation, answer, padded=operation.service_model is RUNTIME)
                last = wire.frames(answer.body)[-1]
                ensure(last.header(":exception-type") == exception and last.json()["message"], last)

            check(6, f"{operation.name} fails by {exception}", frame)


def is_read(frame: bytes) -> bool:
    """Whether botocore reads a frame."""
    buffer = EventStreamBuffer()
    buffer.add_data(frame)
    try:
        return len(list(buffer)) > 0
    except (ChecksumMismatch, ParserError, UnicodeDecodeError):
        return False


def error_checks() -> None:
    """Each exception that an operation declares, in place of its answer."""
    asked: list[tuple[OperationModel, dict[str, Any]]] = [
        (RUNTIME.operation_model("Converse"), cases.converse(CLAUDE)),
        (RUNTIME.operation_model("ConverseStream"), cases.converse(CLAUDE)),
        (RUNTIME.operation_model("InvokeModel"), cases.invoke(FAMILIES["claude"])),
        (RUNTIME.operation_model("InvokeModelWithResponseStream"), cases.invoke(FAMILIES["claude"])),
    ]
    # Of the others, once each; those whose parameters follow from another answer are left out.
    for service, name, params in cases.OTHERS:
        operation = SERVICES[service].operation_model(name)
        if not callable(params) and all(known.name != name for known, _ in asked):
            asked.append((operation, params))
    for operation, params in asked:
        for shape in operation.error_shapes:

            def exception(_: Evidence) -> None:
                answer = wire.call(operation, params, x_spanproof_fault=shape.name)
                ensure(answer.status == shape.metadata["error"]["httpStatusCode"], answer.head)
                name, _, namespace = answer.headers["x-amzn-errortype"].partition(":")
                ensure(name == shape.name, answer.head)
                if operation.service_model is RUNTIME:
                    expected = "http://internal.amazon.com/coral/com.amazon.bedrock/"
                    ensure(namespace == expected, answer.head)
                ensure(answer.headers.get("content-type") == "application/json", answer.head)
                problems = validate.structure(shape, answer.json(), shape.name)
                ensure(not problems and answer.json()["message"], problems or answer.body)

            check(7, f"{operation.name} answers {shape.name}", exception)

    def throttled(evidence: Evidence) -> None:
        answer = ask("Converse", cases.converse(CLAUDE), x_spanproof_fault="ThrottlingException")
        ensure(answer.body == b'{"message":"Too many tokens, please wait before trying again."}', answer.body)
        evidence.detail = answer.head.decode()
        ensure(answer.head.startswith(b"HTTP/1.1 429 Too Many Requests\r\n"), answer.head)
        found = dict(answer.headers)
        ensure(re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", found.pop("x-amzn-requestid")), found)
        ensure(re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", found.pop("date")), found)
        expected = {
            "content-type": "application/json",
            "content-length": "63",
            "connection": "close",
            "x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/",
        }
        ensure(found == expected, found)

    check(10, "a throttled answer, byte for byte", throttled)


def request_checks() -> None:
    def no_content_type(_: Evidence) -> None:
        served(wire.send("POST", f"/model/{CLAUDE}/invoke", cases.invoke(FAMILIES["claude"])["body"]))

    check(11, "InvokeModel without Content-Type", no_content_type)

    arn = "arn{c}aws{c}bedrock{c}us-east-1{c}123456789012{c}application-inference-profile%2Famazon.nova-lite-v1{c}0"
    for path in (
        "amazon.nova-lite-v1:0",
        "amazon.nova-lite-v1%3A0",
        "us.amazon.nova-lite-v1%3A0",
        arn.format(c=":"),
        arn.format(c="%3A"),
    ):

        def accepted(_: Evidence) -> None:
            served(wire.send("POST", f"/model/{path}/converse", {"messages": cases.MESSAGES}))

        check(12, f"the path /model/{path}/converse", accepted)


def usage_checks() -> None:
    def totals(_: Evidence) -> None:
        _, model, more = next(one for one in cases.CONVERSATIONS if one[0] == "a cache point")
        # Another prefix than the conversations above have put into the cache.
        more = {"system": [{"text": f"Once more. {cases.LONG_PROMPT}"}, more["system"][1]]}
        first, second = (
            served(ask("Converse", cases.converse(model, **more))).json()["usage"] for _ in range(2)
        )
        for usage in (first, second):
            parts = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
            ensure(usage["totalTokens"] == sum(usage[part] for part in parts), usage)
            for twin in ("cacheReadInputToken", "cacheWriteInputToken"):
                ensure(usage[f"{twin}s"] == usage[f"{twin}Count"], usage)
        ensure(first["cacheWriteInputTokens"] > 0 and first["cacheReadInputTokens"] == 0, first)
        ensure(second["cacheReadInputTokens"] == first["cacheWriteInputTokens"], second)
        ensure(second["cacheWriteInputTokens"] == 0, second)

    check(13, "totals add up, and what was written is read", totals)

    for name, family in FAMILIES.items():
        if family.stop is not None:
            check(14, f"five tokens of {name}", lambda _: limited(family))
        check(15, f"token headers of {name}", lambda _: headers_of(name, family))
        if family.streams:
            check(16, f"the last chunk of {name}", lambda _: last_chunk(family))

    def none(_: Evidence) -> None:
        for answer in (
            ask("Converse", cases.converse(NOVA)),
            ask("ConverseStream", cases.converse(NOVA)),
            ask("InvokeModelWithResponseStream", cases.invoke(FAMILIES["nova"])),
        ):
            found = [name for name in answer.headers if name.endswith(("-token-count", "-latency"))]
            ensure(not found, found)

    check(15, "no token headers on Converse and on streams", none)


def limited(family: Family) -> None:
    """No family goes past the limit, and each says so in its own word."""
    answer = served(ask("InvokeModel", cases.invoke(family, 5)))
    found = cases.at(answer.json(), family.stop or ())
    ensure(found == family.limit, (found, answer.body))
    ensure(int(answer.headers["x-amzn-bedrock-output-token-count"]) <= 5, answer.head)
    if family.streams:
        told = chunks(family, 5)
        stops = [cases.at(chunk, family.chunk_stop or family.stop or ()) for chunk in told]
        ensure([stop for stop in stops if stop] == [family.limit], stops)
        ensure(told[-1][METRICS]["outputTokenCount"] <= 5, told[-1])
    if family.converses:
        params = cases.converse(family.model, inferenceConfig={"maxTokens": 5})
        body = served(ask("Converse", params)).json()
        ensure(body["stopReason"] == "max_tokens" and body["usage"]["outputTokens"] <= 5, body)


def headers_of(name: str, family: Family) -> None:
    """The headers that langchain-aws reads, and that the same stream states in its metrics."""
    answer = served(ask("InvokeModel", cases.invoke(family)))
    ensure(int(answer.headers["x-amzn-bedrock-invocation-latency"]) >= 0, answer.head)
    output = answer.headers.get("x-amzn-bedrock-output-token-count")
    ensure(("x-amzn-bedrock-input-token-count" in answer.headers) == family.counts, answer.head)
    if not family.streams:
        ensure(output is None, answer.head)
        return
    metrics = chunks(family)[-1][METRICS]
    ensure(answer.headers["x-amzn-bedrock-input-token-count"] == str(metrics["inputTokenCount"]), answer.head)
    ensure(output == str(metrics["outputTokenCount"]), (name, answer.head, metrics))


def last_chunk(family: Family) -> None:
    told = chunks(family)
    ensure(all(METRICS not in chunk for chunk in told[:-1]), told)
    metrics = told[-1][METRICS]
    ensure(0 <= metrics["firstByteLatency"] <= metrics["invocationLatency"], metrics)


def tool_checks() -> None:
    known: set[str] = set()
    for model in (CLAUDE, NOVA):

        def tool(_: Evidence) -> None:
            events = ask_events("ConverseStream", cases.converse(model, toolConfig=cases.TOOLS))
            starts = [payload for event, payload in events if event == "contentBlockStart"]
            block = starts[-1]["start"]["toolUse"]
            fragments = [
                payload["delta"]["toolUse"]["input"]
                for event, payload in events
                if event == "contentBlockDelta" and "toolUse" in payload["delta"]
            ]
            arguments = json.loads("".join(fragments))
            ensure(block["name"] == "get_weather" and block["toolUseId"] not in known, block)
            known.add(block["toolUseId"])
            ensure({"city", "days"} <= set(arguments) <= {"city", "days", "unit"}, arguments)
            ensure(("messageStop", "tool_use") in [(e, p.get("stopReason")) for e, p in events], events)
            # Claude tells the arguments in fragments, Nova in one piece.
            ensure((len(fragments) > 1) == (model == CLAUDE), fragments)

        check(17, f"a streamed tool use of {model}", tool)


def reasoning_checks() -> None:
    def deltas(params: dict[str, Any]) -> list[tuple[int, str, Any]]:
        """The index, kind and value of each delta."""
        found = []
        for event, payload in ask_events("ConverseStream", params):
            if event == "contentBlockDelta":
                ((kind, value),) = payload["delta"].items()
                if kind == "reasoningContent":
                    ((kind, value),) = value.items()
                    kind = f"reasoning {kind}"
                found.append((payload["contentBlockIndex"], kind, value))
        return found

    def signed(_: Evidence) -> None:
        found = deltas(cases.converse(cases.CLAUDE_CACHED, **cases.THINKING))
        kinds = " ".join(f"{index}:{kind}" for index, kind, _ in found)
        pattern = "(0:reasoning text )+0:reasoning signature( 1:text)+"
        ensure(re.fullmatch(pattern, kinds), kinds)

    check(18, "text of thoughts, then their signature, then the answer", signed)

    def redacted(_: Evidence) -> None:
        params = cases.converse(cases.CLAUDE_CACHED, **cases.THINKING)
        found = deltas({**params, "messages": cases.REDACTED_MESSAGES})
        index, kind, value = found[0]
        ensure((index, kind) == (0, "reasoning redactedContent"), found[0])
        ensure(base64.b64decode(value, validate=True), found[0])
        ensure(all(one[1] == "text" for one in found[1:]), found)

    check(18, "redacted content is a blob", redacted)

    def empty_first(_: Evidence) -> None:
        found = deltas(cases.converse(FAMILIES["gpt_oss"].model))
        ensure(found[0] == (0, "text", ""), found[0])
        ensure(found[1][:2] == (1, "reasoning text"), found[1])

    check(18, "gpt-oss begins with an empty text", empty_first)


def guardrail_checks() -> None:
    blocked = cases.converse(
        CLAUDE, messages=cases.BLOCKED_MESSAGES, guardrailConfig=cases.GUARDRAIL
    )

    def intervened(trace: dict[str, Any]) -> None:
        (assessment,) = trace["guardrail"]["inputAssessment"].values()
        (found,) = assessment["sensitiveInformationPolicy"]["piiEntities"]
        ensure(found["action"] == "BLOCKED" and found["match"] in cases.BLOCKED, found)
        usage = assessment["invocationMetrics"]["usage"]
        ensure(usage["sensitiveInformationPolicyUnits"] == 1, usage)

    def whole(_: Evidence) -> None:
        body = served(ask("Converse", blocked)).json()
        ensure(body["stopReason"] == "guardrail_intervened", body)
        intervened(body["trace"])

    check(19, "Converse", whole)

    def streamed(_: Evidence) -> None:
        events = dict(ask_events("ConverseStream", blocked))
        ensure(events["messageStop"]["stopReason"] == "guardrail_intervened", events)
        intervened(events["metadata"]["trace"])

    check(19, "ConverseStream", streamed)

    def native(_: Evidence) -> None:
        family = FAMILIES["claude"]
        body = family.body(200) | {"messages": [{"role": "user", "content": cases.BLOCKED}]}
        params = {"modelId": family.model, "body": json.dumps(body), **cases.GUARDRAIL, "trace": "ENABLED"}
        answered = served(ask("InvokeModel", params)).json()
        ensure(answered["amazon-bedrock-guardrailAction"] == "INTERVENED", answered)
        (assessment,) = answered["amazon-bedrock-trace"]["guardrail"]["input"].values()
        ensure(assessment["sensitiveInformationPolicy"]["piiEntities"], assessment)

    check(19, "InvokeModel, by names of its own", native)


def ending_checks() -> None:
    def no_message_stop(_: Evidence) -> None:
        answer = served(ask("ConverseStream", cases.converse(CLAUDE), x_spanproof_fault="no-message-stop"))
        names = [frame.header(":event-type") for frame in wire.frames(answer.body)]
        ensure("contentBlockDelta" in names and "messageStop" not in names, names)

    check(20, "a stream that ends without messageStop", no_message_stop)


def auth_checks() -> None:
    body = {"messages": cases.MESSAGES}
    path = f"/model/{CLAUDE}/converse"

    def bearer(_: Evidence) -> None:
        key = {"Authorization": f"Bearer {os.environ['SPANPROOF_BEARER_KEY']}"}
        served(wire.send("POST", path, body, key, signed=False))

    check(20, "a bearer key in place of SigV4", bearer)

    def bad_bearer(_: Evidence) -> None:
        key = {"Authorization": "Bearer bedrock-api-key-nonsense"}
        answer = wire.send("POST", path, body, key, signed=False)
        expected = {"Message": "Authentication failed: Please make sure your API Key is valid."}
        ensure(answer.status == 403 and answer.json() == expected, (answer.status, answer.body))

    check(20, "a bad bearer key", bad_bearer)

    def wrong_secret(_: Evidence) -> None:
        answer = wire.send("POST", path, body, secret="a wrong secret")
        ensure(answer.status == 403, (answer.status, answer.body))
        ensure(answer.headers["x-amzn-errortype"].startswith("InvalidSignatureException:"), answer.head)

    check(12, "a wrong secret is refused", wrong_secret)


if __name__ == "__main__":
    shape_checks()
    frame_checks()
    error_checks()
    request_checks()
    usage_checks()
    tool_checks()
    ending_checks()
    reasoning_checks()
    guardrail_checks()
    auth_checks()
