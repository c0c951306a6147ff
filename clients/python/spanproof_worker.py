"""The worker protocol for Python clients: JSON lines on stdin and stdout.

A client's `worker.py` hands `serve` a function that makes one call. This file
does the rest: it says that the worker is ready, runs calls on a thread pool,
reports each end, and flushes telemetry at the end of input. The protocol is
described in `clients/README.md`.

Only the standard library is needed; OpenTelemetry is used when it is there.
"""

from __future__ import annotations

import contextvars
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

FLUSH_TIMEOUT_MS = 30_000


@dataclass(frozen=True)
class Call:
    """One call of the plan."""

    call: int
    operation: str
    model_id: str
    request: dict[str, Any]
    headers: list[tuple[str, str]]


@dataclass
class Outcome:
    """What the application saw of a call. The client fills it in as it goes."""

    first_chunk_unix_nanos: int | None = None
    error: str | None = None
    usage: dict[str, int] | None = None
    stop_reason: str | None = None

    def chunk_arrived(self) -> None:
        """Notes the time of the first chunk; later chunks change nothing."""
        if self.first_chunk_unix_nanos is None:
            self.first_chunk_unix_nanos = time.time_ns()


def concurrency() -> int:
    """How many calls may be under way at once."""
    text = os.environ.get("SPANPROOF_CONCURRENCY", "16")
    if not text.isdecimal() or int(text) == 0:
        sys.exit(f"SPANPROOF_CONCURRENCY must be a positive whole number, not `{text}`")
    return int(text)


def serve(client: str, make: Callable[[Call, Outcome], None]) -> None:
    """Runs the worker until its input ends. `client` is the name and version to report.

    `make` runs on many threads at once. Exceptions it raises become the call's error.
    """
    replies = _Replies()
    limit = concurrency()
    # Reading no further than the pool can take leaves waiting calls in the
    # pipe, where the generator sees the backlog, and not in our memory.
    room = threading.BoundedSemaphore(limit * 2)

    def run(call: Call) -> None:
        outcome = Outcome()
        started = time.time_ns()
        try:
            make(call, outcome)
        except Exception as error:  # every failure is an answer, none ends the worker
            outcome.error = error_name(error)
        finally:
            finished = time.time_ns()
            room.release()
        replies.done(call.call, started, finished, outcome)

    with ThreadPoolExecutor(limit, thread_name_prefix="call") as pool:
        replies.ready(client)
        for call in _calls(sys.stdin.buffer):
            room.acquire()
            # Each call in a context of its own, as each request of a server is.
            pool.submit(contextvars.Context().run, run, call)
    flush_telemetry()


def error_name(error: BaseException) -> str:
    """The service's error code when there is one, else the exception's type."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        code = response.get("Error", {}).get("Code")
        if code:
            return str(code)
    return type(error).__name__


def flush_telemetry() -> None:
    """Exports what the SDK still holds, so that nothing is lost at exit."""
    try:
        from opentelemetry import _logs, metrics, trace
    except ImportError:
        return
    providers = (trace.get_tracer_provider(), metrics.get_meter_provider(), _logs.get_logger_provider())
    for provider in providers:
        force_flush = getattr(provider, "force_flush", None)
        if force_flush is not None and force_flush(FLUSH_TIMEOUT_MS) is False:
            print(f"{type(provider).__name__} could not export everything", file=sys.stderr)


# Headers of the call under way, for the request that boto3 is about to sign.
_headers: contextvars.ContextVar[list[tuple[str, str]]] = contextvars.ContextVar("headers", default=[])


@contextmanager
def request_headers(headers: list[tuple[str, str]]) -> Iterator[None]:
    """Adds `headers` to the requests that a tagged client sends inside the block."""
    token = _headers.set(headers)
    try:
        yield
    finally:
        _headers.reset(token)


# The span that the instrumentation under test started last for the call under way.
_span: contextvars.ContextVar[Any] = contextvars.ContextVar("span", default=None)


def tag_requests(client: Any, span_scope: str) -> None:
    """Makes the requests of a boto3 client say which span they belong to.

    Every attempt carries the call's headers and, as `traceparent`, the span
    that is current where the request is made. The span that the
    instrumentation scope `span_scope` started for the call, current or not,
    gets the SDK's invocation id: no other may pose as the GenAI span. These
    are boto3's own event hooks and a span processor; nothing of the library
    is patched.
    """
    from opentelemetry import propagate, trace

    def before_sign(request: Any, **_: Any) -> None:
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        for name, value in [*carrier.items(), *_headers.get()]:
            if name in request.headers:
                del request.headers[name]
            request.headers[name] = value

    def before_send(request: Any, **_: Any) -> None:
        span = _span.get()
        if span is None or not span.is_recording():
            return
        invocation_id = request.headers.get("amz-sdk-invocation-id")
        if isinstance(invocation_id, bytes):
            invocation_id = invocation_id.decode("ascii")
        if invocation_id:
            span.set_attribute("spanproof.invocation_id", invocation_id)

    _note_spans(trace.get_tracer_provider(), span_scope)
    client.meta.events.register("before-sign.bedrock-runtime", before_sign)
    client.meta.events.register("before-send.bedrock-runtime", before_send)


def _note_spans(provider: Any, span_scope: str) -> None:
    """Notes the spans that `span_scope` starts, each for the call it is started in."""
    if not hasattr(provider, "add_span_processor"):
        return  # without an SDK there are no spans
    from opentelemetry.sdk.trace import SpanProcessor

    class Notes(SpanProcessor):
        def on_start(self, span: Any, parent_context: Any = None) -> None:
            if span.instrumentation_scope.name == span_scope:
                _span.set(span)

    provider.add_span_processor(Notes())


def _calls(lines: Any) -> Iterator[Call]:
    for number, line in enumerate(lines, start=1):
        try:
            fields = json.loads(line)
            yield Call(
                call=fields["call"],
                operation=fields["operation"],
                model_id=fields["model_id"],
                request=fields["request"],
                headers=[(name, value) for name, value in fields.get("headers", [])],
            )
        except (ValueError, KeyError, TypeError) as error:
            sys.exit(f"line {number} of the input is not a call: {error!r}: {line[:200]!r}")


class _Replies:
    """Standard output, kept for the protocol alone."""

    def __init__(self) -> None:
        self._output = os.fdopen(os.dup(1), "wb", buffering=0)
        self._lock = threading.Lock()
        # A stray print, in this process or a child of it, goes to stderr.
        os.dup2(2, 1)
        sys.stdout = sys.stderr

    def ready(self, client: str) -> None:
        self._write({"type": "ready", "client": client})

    def done(self, call: int, started: int, finished: int, outcome: Outcome) -> None:
        reply = {
            "type": "done",
            "call": call,
            "started_unix_nanos": started,
            "first_chunk_unix_nanos": outcome.first_chunk_unix_nanos,
            "finished_unix_nanos": finished,
            "error": outcome.error,
            "usage": outcome.usage,
            "stop_reason": outcome.stop_reason,
        }
        self._write({name: value for name, value in reply.items() if value is not None})

    def _write(self, reply: dict[str, Any]) -> None:
        line = memoryview(json.dumps(reply, separators=(",", ":")).encode() + b"\n")
        with self._lock:
            while line:
                line = line[self._output.write(line) :]
