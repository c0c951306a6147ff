"""boto3 under the instrumentation of one library, for every client that differs in nothing else.

    opentelemetry-instrument python -m spanproof_boto3 PACKAGE SCOPE

PACKAGE is the instrumentation, by its name on PyPI, and SCOPE the instrumentation scope of its
spans. The telemetry is the library's own, made without a line of code here.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from typing import Any

import boto3
import spanproof_usage
from botocore.config import Config
from spanproof_worker import Call, Outcome, concurrency, request_headers, serve, tag_requests


def main(package: str, scope: str) -> None:
    # Region, keys, endpoint and retries come from the environment, as in any program.
    bedrock = boto3.client("bedrock-runtime", config=Config(max_pool_connections=concurrency()))
    tag_requests(bedrock, scope)

    def make(call: Call, outcome: Outcome) -> None:
        with request_headers(call.headers):
            OPERATIONS[call.operation](bedrock, call, outcome)

    serve(f"boto3 {version('boto3')} with {package} {version(package)}", make)


def converse(bedrock: Any, call: Call, outcome: Outcome) -> None:
    response = bedrock.converse(modelId=call.model_id, **call.request)
    report(outcome, spanproof_usage.converse(response))


def converse_stream(bedrock: Any, call: Call, outcome: Outcome) -> None:
    response = bedrock.converse_stream(modelId=call.model_id, **call.request)
    answer = spanproof_usage.Answer()
    for event in response["stream"]:
        outcome.chunk_arrived()
        spanproof_usage.converse_event(answer, event)
    report(outcome, answer)


def invoke_model(bedrock: Any, call: Call, outcome: Outcome) -> None:
    response = bedrock.invoke_model(modelId=call.model_id, body=json.dumps(call.request))
    report(outcome, spanproof_usage.invoke(response["body"].read()))


def invoke_model_with_response_stream(bedrock: Any, call: Call, outcome: Outcome) -> None:
    response = bedrock.invoke_model_with_response_stream(
        modelId=call.model_id, body=json.dumps(call.request)
    )
    answer = spanproof_usage.Answer()
    for chunk in spanproof_usage.read_chunks(response["body"]):
        outcome.chunk_arrived()
        spanproof_usage.invoke_chunk(answer, chunk)
    report(outcome, answer)


OPERATIONS = {
    "Converse": converse,
    "ConverseStream": converse_stream,
    "InvokeModel": invoke_model,
    "InvokeModelWithResponseStream": invoke_model_with_response_stream,
}


def report(outcome: Outcome, answer: spanproof_usage.Answer) -> None:
    outcome.usage = answer.usage
    outcome.stop_reason = answer.stop_reason


if __name__ == "__main__":
    main(*sys.argv[1:])
