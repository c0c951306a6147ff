"""One cell of the matrix: the FastAPI service of `clients/python/article`, asked by a user.

    opentelemetry-instrument python article.py SITUATION InvokeModel

The service is served as it is; the user asks it over HTTP, and is not instrumented. How the mock is
asked for a fault is all that is added to its calls.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import uvicorn
from matrix import FAULTS, asked_for, invoke_request

sys.path.insert(0, str(Path(__file__).parents[2] / "python" / "article"))

import wrapper  # noqa: E402
from app import app  # noqa: E402

# Longer than any answer of the mock, so that only a hang trips it.
REQUEST_TIMEOUT_S = 60


def ask(port: int, question: bytes) -> None:
    """One user's question. The service answers 500 where the model failed."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=REQUEST_TIMEOUT_S)
    with contextlib.closing(connection):
        headers = {"content-type": "application/json"}
        connection.request("POST", "/api/v1/answer", body=question, headers=headers)
        connection.getresponse().read()


def main(situation: str, operation: str) -> None:
    if operation != "InvokeModel":
        raise ValueError(f"the service makes no {operation} calls")
    request: dict[str, Any] = invoke_request(situation)
    question = json.dumps({"model_id": request["modelId"], "body": json.loads(request["body"])})
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
    serving = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    serving.start()
    port = listener.getsockname()[1]
    with asked_for(wrapper.bedrock, FAULTS.get((situation, False))):
        users = [
            threading.Thread(target=ask, args=(port, question.encode()))
            for _ in range(2 if situation in ("cached", "interleaved") else 1)
        ]
        for user in users:
            user.start()
            if situation == "cached":
                user.join()
        for user in users:
            user.join()
    server.should_exit = True
    serving.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
