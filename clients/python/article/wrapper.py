"""Calls Claude on Bedrock and traces the call, as many teams do by hand."""

from __future__ import annotations

import json
import os
from typing import Any

import boto3
from botocore.config import Config
from opentelemetry import trace
from opentelemetry.trace import SpanKind

tracer = trace.get_tracer("article.wrapper")

CAPTURE_CONTENT = os.environ.get("SPANPROOF_CONTENT") == "1"

bedrock = boto3.client("bedrock-runtime", config=Config(max_pool_connections=64))


def ask_claude(model_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Sends `body` to the model and returns the parsed answer."""
    with tracer.start_as_current_span("chat anthropic.claude", kind=SpanKind.CLIENT) as span:
        span.set_attribute("gen_ai.system", "aws.bedrock")
        span.set_attribute("gen_ai.operation.name", "chat")
        span.set_attribute("gen_ai.request.model", model_id)
        span.set_attribute("gen_ai.request.max_tokens", body["max_tokens"])
        if CAPTURE_CONTENT:
            span.set_attribute("gen_ai.prompt", json.dumps(body["messages"]))

        response = bedrock.invoke_model(modelId=model_id, body=json.dumps(body))
        answer = json.loads(response["body"].read())

        usage = answer.get("usage", {})
        span.set_attribute("gen_ai.usage.input_tokens", usage.get("input_tokens", 0))
        span.set_attribute("gen_ai.usage.output_tokens", usage.get("output_tokens", 0))
        span.set_attribute(
            "gen_ai.response.finish_reasons", [answer.get("stop_reason") or "unknown"]
        )
        if CAPTURE_CONTENT:
            span.set_attribute("gen_ai.completion", text_of(answer))
        return answer


def text_of(answer: dict[str, Any]) -> str:
    """The text blocks of an answer, joined."""
    return "".join(block.get("text", "") for block in answer.get("content", []))
