"""One cell of the matrix: a Bedrock operation in a situation, as an application would write it.

    opentelemetry-instrument python matrix.py SITUATION OPERATION

It knows nothing of spanproof but how to ask the mock for a fault. Telemetry comes from the library
under `opentelemetry-instrument`; the spans around the calls are the application's own.
"""

from __future__ import annotations

import contextlib
import gc
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, EventStreamError
from opentelemetry import context, trace
from urllib3.exceptions import HTTPError

MODEL = "us.anthropic.claude-3-7-sonnet-20250219-v1:0"
QUESTION = "Name three rivers in France."
# Long enough for the prompt cache of the model, which begins at 1,024 tokens.
BRIEFING = "You are a guide to rivers. Answer in one sentence and name no sources. " * 120
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}

bedrock = boto3.client("bedrock-runtime")
tracer = trace.get_tracer("application")

Request = dict[str, Any]


def converse_request(situation: str) -> Request:
    request: Request = {
        "modelId": MODEL,
        "messages": [{"role": "user", "content": [{"text": QUESTION}]}],
        "inferenceConfig": {"maxTokens": 256, "temperature": 0.5},
    }
    if situation == "tools":
        tool = {"name": "weather", "description": "The weather.", "inputSchema": {"json": WEATHER}}
        request["toolConfig"] = {"tools": [{"toolSpec": tool}], "toolChoice": {"any": {}}}
    if situation == "cached":
        request["system"] = [{"text": BRIEFING}, {"cachePoint": {"type": "default"}}]
    return request


def invoke_request(situation: str) -> Request:
    body: Request = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 256,
        "temperature": 0.5,
        "messages": [{"role": "user", "content": QUESTION}],
    }
    if situation == "tools":
        body["tools"] = [{"name": "weather", "description": "The weather.", "input_schema": WEATHER}]
        body["tool_choice"] = {"type": "any"}
    if situation == "cached":
        marked = {"type": "text", "text": BRIEFING, "cache_control": {"type": "ephemeral"}}
        body["system"] = [marked]
    return {"modelId": MODEL, "body": json.dumps(body)}


def converse(request: Request) -> None:
    bedrock.converse(**request)


def invoke(request: Request) -> None:
    json.loads(bedrock.invoke_model(**request)["body"].read())


def converse_stream(request: Request) -> Any:
    return bedrock.converse_stream(**request)["stream"]


def invoke_stream(request: Request) -> Any:
    return bedrock.invoke_model_with_response_stream(**request)["body"]


BUFFERED = {"Converse": (converse_request, converse), "InvokeModel": (invoke_request, invoke)}
STREAMED = {
    "ConverseStream": (converse_request, converse_stream),
    "InvokeModelWithResponseStream": (invoke_request, invoke_stream),
}
FAULTS = {
    ("error", False): "AccessDeniedException",
    ("error", True): "AccessDeniedException",
    ("exception", True): "stream:throttlingException",
    ("cut", False): "cut",
    ("cut", True): "cut",
}
# What an application that handles failures catches.
FAILURES = (BotoCoreError, ClientError, EventStreamError, HTTPError, ValueError, KeyError)


@contextmanager
def asked_for(client: Any, fault: str | None) -> Iterator[None]:
    """Requests of the client within this ask the mock for a fault."""

    def add_header(request: Any, **_: Any) -> None:
        request.headers["x-spanproof-fault"] = fault

    if fault is None:
        yield
        return
    client.meta.events.register("before-sign.bedrock-runtime.*", add_header)
    try:
        yield
    finally:
        client.meta.events.unregister("before-sign.bedrock-runtime.*", add_header)


def read_two(stream: Any) -> None:
    events = iter(stream)
    next(events)
    next(events)


def leave(stream: Any, situation: str) -> None:
    """Uses a stream as the situation has it."""
    match situation:
        case "closed":
            read_two(stream)
            stream.close()
        case "abandoned":
            read_two(stream)
        case "never":
            pass
        case _:
            for _ in stream:
                pass


def interleaved_streams(ask: Any, request: Request) -> None:
    """Two streams of two requests, read in turn, each within its own caller's span."""
    callers = [context.Context(), context.Context()]
    streams = []
    for number, caller in enumerate(callers):
        span = tracer.start_span(f"caller {number}", context=caller)
        callers[number] = trace.set_span_in_context(span, caller)
        token = context.attach(callers[number])
        streams.append(iter(ask(request)))
        context.detach(token)
    open_streams = list(zip(callers, streams, strict=True))
    while open_streams:
        for caller, events in list(open_streams):
            token = context.attach(caller)
            if next(events, None) is None:
                open_streams.remove((caller, events))
                with tracer.start_as_current_span("after the stream"):
                    pass
            context.detach(token)
    for caller in callers:
        trace.get_current_span(caller).end()


def interleaved_calls(ask: Any, request: Request) -> None:
    def call(number: int) -> None:
        with tracer.start_as_current_span(f"caller {number}"):
            ask(request)
            with tracer.start_as_current_span("after the call"):
                pass

    threads = [threading.Thread(target=call, args=[number]) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(situation: str, operation: str) -> None:
    streamed = operation in STREAMED
    build, ask = (STREAMED if streamed else BUFFERED)[operation]
    request = build(situation)
    with asked_for(bedrock, FAULTS.get((situation, streamed))), contextlib.suppress(*FAILURES):
        if situation == "interleaved":
            (interleaved_streams if streamed else interleaved_calls)(ask, request)
            return
        for _ in range(2 if situation == "cached" else 1):
            with tracer.start_as_current_span("caller"):
                answer = ask(request)
                if streamed:
                    leave(answer, situation)
                with tracer.start_as_current_span("after the call"):
                    pass
    # An abandoned stream goes when nothing refers to it any more.
    answer = None
    gc.collect()


if __name__ == "__main__":
    main(*sys.argv[1:])
