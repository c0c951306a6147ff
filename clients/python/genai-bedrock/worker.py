"""boto3 under the released OpenTelemetry instrumentation for Bedrock.

Started as `opentelemetry-instrument python worker.py`: the telemetry is the
library's own, made without a line of code here.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

import boto3
import spanproof_usage
from botocore.config import Config
from spanproof_worker import Call, Outcome, concurrency, request_headers, serve, tag_requests

INSTRUMENTATION = "opentelemetry-instrumentation-genai-bedrock"
INSTRUMENTATION_SCOPE = "opentelemetry.instrumentation.genai.bedrock"


def main() -> None:
    # Region, keys, endpoint and retries come from the environment, as in any program.
    bedrock = boto3.client("bedrock-runtime", config=Config(max_pool_connections=concurrency()))
    tag_requests(bedrock, INSTRUMENTATION_SCOPE)

    def make(call: Call, outcome: Outcome) -> None:
        with request_headers(call.headers):
            OPERATIONS[call.operation](bedrock, call, outcome)

    serve(f"boto3 {version('boto3')} with {INSTRUMENTATION} {version(INSTRUMENTATION)}", make)


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
    main()
