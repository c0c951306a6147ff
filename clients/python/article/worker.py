"""Serves the app over HTTP in this process and sends it each call of the plan.

Started as `opentelemetry-instrument python worker.py`: the server spans come
from the FastAPI instrumentation, the model spans from the app's own wrapper.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
from importlib.metadata import version
from typing import Any

import spanproof_usage
import uvicorn
import wrapper
from app import app
from spanproof_worker import Call, Outcome, error_name, request_headers, serve, tag_requests

# The name the wrapper gives its tracer.
WRAPPER_SCOPE = "article.wrapper"

# Request headers with these prefixes go on to Bedrock; the app never sees them.
PASSED_ON = (b"x-spanproof-", b"x-amzn-bedrock-")

# Names what the app raised, on the answers of requests that failed.
ERROR_HEADER = "x-spanproof-error"

# Longer than any single answer of the model, so that only a hang trips it.
REQUEST_TIMEOUT_S = 120


def main() -> None:
    tag_requests(wrapper.bedrock, WRAPPER_SCOPE)
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    server = uvicorn.Server(uvicorn.Config(plumbing, log_level="warning"))
    thread = threading.Thread(target=run_server, args=(server, listener), name="uvicorn")
    thread.start()
    users = Users(listener.getsockname()[1])
    client = f"hand-written wrapper around boto3 {version('boto3')} in FastAPI {version('fastapi')}"
    try:
        serve(client, users.ask)
    finally:
        server.should_exit = True
        thread.join()


def run_server(server: uvicorn.Server, listener: socket.socket) -> None:
    try:
        server.run(sockets=[listener])
    finally:
        # After a failed start, calls are then refused instead of waiting for nobody.
        listener.close()


async def plumbing(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The app, with each request's headers passed on to boto3 and its error reported."""
    if scope["type"] != "http":
        await app(scope, receive, send)
        return
    passed_on = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in scope["headers"]
        if name.startswith(PASSED_ON)
    ]
    # Starlette raises the app's error again after answering 500. The answer
    # waits for that, so that it can name the error.
    held: list[dict[str, Any]] = []

    async def hold(message: dict[str, Any]) -> None:
        held.append(message)

    with request_headers(passed_on):
        try:
            await app(scope, receive, hold)
        except Exception as error:
            header = (ERROR_HEADER.encode(), error_name(error).encode("latin-1", "replace"))
            held[0]["headers"] = [*held[0]["headers"], header]
    for message in held:
        await send(message)


class Users:
    """The people who ask the app, each on a connection of their own."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._of_thread = threading.local()

    def ask(self, call: Call, outcome: Outcome) -> None:
        """Makes `call` by way of the app."""
        if call.operation != "InvokeModel":
            raise ValueError(f"the app makes no {call.operation} calls")
        question = json.dumps({"model_id": call.model_id, "body": call.request})
        response, body = self._post(question, dict(call.headers))
        if response.status != 200:
            outcome.error = response.getheader(ERROR_HEADER, f"HTTP {response.status}")
            return
        answer = spanproof_usage.invoke(body)
        outcome.usage = answer.usage
        outcome.stop_reason = answer.stop_reason

    def _post(
        self, question: str, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(
                "127.0.0.1", self._port, timeout=REQUEST_TIMEOUT_S
            )
            self._of_thread.connection = connection
        try:
            headers["content-type"] = "application/json"
            connection.request("POST", "/api/v1/answer", body=question, headers=headers)
            response = connection.getresponse()
            return response, response.read()
        except Exception:
            connection.close()  # the next request opens it again
            raise


if __name__ == "__main__":
    main()
