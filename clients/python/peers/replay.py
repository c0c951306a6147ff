"""Sends a capture to another judge: ``python replay.py CAPTURE.jsonl HOST:PORT``.

The capture is OTLP JSON lines, as ``--capture FILE.jsonl`` writes them; it goes over gRPC, in the
order in which it came.
"""

import base64
import json
import sys

import grpc
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

SERVICES = {
    "resourceSpans": (
        trace_service_pb2.ExportTraceServiceRequest,
        trace_service_pb2_grpc.TraceServiceStub,
    ),
    "resourceMetrics": (
        metrics_service_pb2.ExportMetricsServiceRequest,
        metrics_service_pb2_grpc.MetricsServiceStub,
    ),
    "resourceLogs": (
        logs_service_pb2.ExportLogsServiceRequest,
        logs_service_pb2_grpc.LogsServiceStub,
    ),
}
IDS = ("traceId", "spanId", "parentSpanId")


def with_base64_ids(value):
    """OTLP's JSON has ids in hexadecimal; the mapping of protobuf, and so its parser, in base64."""
    if isinstance(value, list):
        return [with_base64_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64encode(bytes.fromhex(item)).decode() if key in IDS else with_base64_ids(item)
        for key, item in value.items()
    }


def main(capture, address):
    with grpc.insecure_channel(address) as channel, open(capture, encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            (signal,) = record.keys() & SERVICES.keys()
            request, stub = SERVICES[signal]
            message = ParseDict(with_base64_ids(record), request(), ignore_unknown_fields=True)
            stub(channel).Export(message, wait_for_ready=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
