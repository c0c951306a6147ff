"""One line per check on standard output, for the ledger to be compared with."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Evidence:
    """What a check hands over.

    `calls` are complete answers as the SDK parsed them; the ledger must say
    the same. `attempts` are calls, by the request id of their last answer,
    that must have been tried so often. `exchanges` are request ids that the
    ledger must have.
    """

    detail: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    attempts: list[dict[str, Any]] = field(default_factory=list)
    exchanges: list[str] = field(default_factory=list)

    def call(
        self, model_id: str, request_id: str, usage: dict[str, int] | None, stop_reason: str | None
    ) -> None:
        self.calls.append(
            {
                "model_id": model_id,
                "request_id": request_id,
                "usage": usage,
                "stop_reason": stop_reason,
            }
        )

    def tried(self, request_id: str, attempts: int) -> None:
        self.attempts.append({"request_id": request_id, "attempts": attempts})


_output = threading.Lock()


def check(test: int, name: str, run: Callable[[Evidence], None]) -> None:
    """Runs a check of the numbered test, which raises when something is not as it must be."""
    evidence = Evidence()
    passed = True
    try:
        run(evidence)
    except Exception as error:
        passed = False
        evidence.detail = said(error)
    line = json.dumps({"test": test, "name": name, "passed": passed, **vars(evidence)})
    with _output:
        print(line, flush=True)


def concurrently(checks: list[Callable[[], None]]) -> None:
    """Runs checks side by side: retries wait, and waiting costs nothing."""
    with ThreadPoolExecutor(len(checks)) as pool:
        for done in [pool.submit(one) for one in checks]:
            done.result()


def ensure(holds: object, otherwise: object) -> None:
    if not holds:
        raise AssertionError(otherwise)


def failure(call: Callable[[], Any]) -> Exception:
    """What `call` raises; it must."""
    try:
        answer = call()
    except Exception as error:
        return error
    raise AssertionError(f"no exception but {answer}")


def said(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__name__}: {error}"
