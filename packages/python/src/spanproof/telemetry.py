"""The OTLP receiver of one test, and the verdict about what it received."""

import json
import subprocess
from functools import cached_property
from pathlib import Path
from typing import Any

from spanproof.mock import Bedrock
from spanproof.program import Server, binary

# The verdicts of `spanproof check` that come with a report; others are failures to judge.
CONFORMS, FINDINGS, NOTHING_CAPTURED = 0, 1, 4


class Report:
    """What was found."""

    def __init__(self, code: int, text: str, json: dict[str, Any]) -> None:
        #: The exit code of ``spanproof check``: 0 conforms, 1 findings, 4 nothing was captured.
        self.code = code
        #: The report for people.
        self.text = text
        #: The report as ``schemas/report.schema.json`` describes it.
        self.json = json

    @property
    def rules(self) -> set[str]:
        """The rules that found something, of any level."""
        return {group["rule"] for group in self.json["findings"]}

    def __bool__(self) -> bool:
        """Whether the telemetry conforms."""
        return self.code == CONFORMS

    def __repr__(self) -> str:
        return f"<Report of exit code {self.code}: {', '.join(sorted(self.rules)) or 'no findings'}>"


class Telemetry:
    """Receives what a test emits over OTLP, and judges it against what the mock served.

    Give the providers to the instrumentation under test; or, where the program makes its own, flush
    them before the test ends: their exporters find the receiver by the environment.
    """

    def __init__(self, bedrock: Bedrock, folder: Path, options: dict[str, str]) -> None:
        self._bedrock = bedrock
        self._folder = folder
        self._options = options
        self._capture = folder / "capture.otlp"
        self._server = self._receive()
        #: Whether the test has asked for the verdict itself.
        self.is_judged = False

    def _receive(self) -> Server:
        loopback = "127.0.0.1:0"
        server = Server(
            *("receive", "--listen-grpc", loopback, "--listen-http", loopback),
            *("--out", str(self._capture)),
            lines=2,
        )
        where = dict(line.split() for line in server.said)
        #: Where OTLP over HTTP goes; an exporter adds the path of its signal.
        self.otlp_endpoint: str = where["http"]
        #: Where OTLP over gRPC goes.
        self.grpc_endpoint: str = where["grpc"]
        return server

    @cached_property
    def tracer_provider(self) -> Any:
        """A ``TracerProvider`` whose spans are judged."""
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor

        provider = TracerProvider(shutdown_on_exit=False)
        # One by one: a queue would drop spans when it is full, and those would be findings.
        exporter = OTLPSpanExporter(f"{self.otlp_endpoint}/v1/traces")
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        return provider

    @cached_property
    def meter_provider(self) -> Any:
        """A ``MeterProvider`` whose metrics are judged."""
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

        exporter = OTLPMetricExporter(f"{self.otlp_endpoint}/v1/metrics")
        # Nothing wakes it: metrics are collected once, when the test has ended.
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=float("inf"))
        return MeterProvider([reader], shutdown_on_exit=False)

    @cached_property
    def logger_provider(self) -> Any:
        """A ``LoggerProvider`` whose events are judged."""
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor

        provider = LoggerProvider(shutdown_on_exit=False)
        exporter = OTLPLogExporter(f"{self.otlp_endpoint}/v1/logs")
        provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
        return provider

    def judge(self, **options: str) -> Report:
        """Ends the reception, and judges what came.

        ``options`` are those of ``spanproof check``, such as ``semconv="1.41.1"`` or
        ``fail_on="improvement"``, beside those of the mark of the test. A test that asks is not
        judged again at its end: what to make of the report is up to it.
        """
        self.is_judged = True
        self.close()
        ledger = self._folder / "ledger.jsonl"
        self._bedrock.write_ledger(ledger)
        report = self._folder / "report.json"
        command = [binary(), "check", str(self._capture), "--ledger", str(ledger)]
        command += ["--report", "human", "--report", f"json={report}"]
        for name, value in {**self._options, **options}.items():
            command += [f"--{name.replace('_', '-')}", str(value)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode not in (CONFORMS, FINDINGS, NOTHING_CAPTURED):
            raise RuntimeError(f"spanproof could not judge:\n{ended.stderr.strip()}")
        return Report(ended.returncode, ended.stdout, json.loads(report.read_text()))

    def close(self) -> None:
        """Flushes the providers that were used, and ends the reception."""
        for name in ("tracer_provider", "meter_provider", "logger_provider"):
            provider = self.__dict__.pop(name, None)
            if provider is not None:
                # A reader that nothing wakes collects for this, and not for its shutdown.
                provider.force_flush()
                provider.shutdown()
        self._server.stop()
