"""The fixtures ``bedrock`` and ``spanproof`` of pytest.

A test that uses ``spanproof`` fails when what it emitted does not conform, with the report for
people as its message. A file ``spanproof.toml`` in pytest's root folder holds for all tests;
``@pytest.mark.spanproof(semconv="1.41.1")`` gives options of ``spanproof check`` to one.
"""

import os
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from spanproof.mock import KEYS, REGION, Bedrock
from spanproof.program import Server
from spanproof.telemetry import Telemetry

ENDPOINTS = (
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    "AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME",
    "AWS_ENDPOINT_URL_BEDROCK",
)

# Each would send calls to the real service, under other credentials, or telemetry elsewhere.
AWAY = (
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
)
ELSEWHERE = tuple(
    f"OTEL_EXPORTER_OTLP_{signal}_{what}"
    for signal in ("TRACES", "METRICS", "LOGS")
    for what in ("ENDPOINT", "PROTOCOL")
) + ("OTEL_SDK_DISABLED", "OTEL_TRACES_SAMPLER")

TELEMETRY = pytest.StashKey[Telemetry]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "spanproof(**options): options of `spanproof check` for what the test emits"
    )


@pytest.fixture(scope="session")
def spanproof_mock(pytestconfig: pytest.Config) -> Iterator[str]:
    """The endpoint of the mock Bedrock that all tests of this process share."""
    settings = _configuration(pytestconfig)
    server = Server("mock", "--speed", "max", "--listen", "127.0.0.1:0", *settings, lines=1)
    yield server.said[0]
    server.stop()


@pytest.fixture(scope="session")
def _spanproof_numbers() -> Iterator[int]:
    return count()


@pytest.fixture
def bedrock(_spanproof_bedrock: Bedrock) -> Bedrock:
    """A mock of Amazon Bedrock of this test's own."""
    return _spanproof_bedrock


@pytest.fixture
def _spanproof_bedrock(
    spanproof_mock: str,
    _spanproof_numbers: Iterator[int],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Bedrock:
    # Behind a name of its own, so that a suite may have a fixture `bedrock` that is something else.
    # The name is for people who read the ledger; the number keeps a repeated test apart.
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", request.node.name)
    bedrock = Bedrock(spanproof_mock, f"{name}-{next(_spanproof_numbers)}")
    for variable in AWAY:
        monkeypatch.delenv(variable, raising=False)
    for variable in ENDPOINTS:
        monkeypatch.setenv(variable, bedrock.endpoint)
    for variable, value in KEYS.items():
        monkeypatch.setenv(variable.upper(), value)
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(variable, REGION)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    if "NO_PROXY" not in os.environ:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    return bedrock


@pytest.fixture
def spanproof(
    _spanproof_bedrock: Bedrock,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Telemetry]:
    """Judges what the test emits; the test fails when it does not conform."""
    options: dict[str, str] = {}
    for mark in reversed(list(request.node.iter_markers("spanproof"))):
        options.update(mark.kwargs)
    if "config" not in options:
        options.update(zip(["config"], _configuration(request.config)[1:]))
    telemetry = Telemetry(_spanproof_bedrock, tmp_path_factory.mktemp("spanproof"), options)
    for variable in ELSEWHERE:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", telemetry.otlp_endpoint)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    request.node.stash[TELEMETRY] = telemetry
    yield telemetry
    telemetry.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    # Here, and not when the fixture ends: the test has failed then, and is no error of teardown.
    telemetry = item.stash.get(TELEMETRY, None)
    if telemetry is not None and not telemetry.is_judged:
        report = telemetry.judge()
        if not report:
            pytest.fail(report.text, pytrace=False)
    return outcome


def _configuration(config: pytest.Config) -> list[str]:
    path: Path = config.rootpath / "spanproof.toml"
    return ["--config", str(path)] if path.is_file() else []
