"""Makes every call of the SDK against a Bedrock endpoint and prints what boto3 parsed.

Takes the endpoint and keys from the environment, as any boto3 program does.
Prints one JSON line per call; `clients/README.md` says what is in it. Exits
with 1 when a call failed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import spanproof_usage

CLAUDE = "anthropic.claude-3-5-sonnet-20240620-v1:0"
CLAUDE_CACHED = "us.anthropic.claude-3-7-sonnet-20250219-v1:0"
NOVA = "amazon.nova-lite-v1:0"
TITAN_EMBED = "amazon.titan-embed-text-v2:0"

MESSAGES = [{"role": "user", "content": [{"text": "Why is the sky blue? Answer in a sentence."}]}]
CONVERSE = {"messages": MESSAGES, "inferenceConfig": {"maxTokens": 200, "temperature": 0.5}}

# Long enough for a cache point to count on the model that caches.
LONG_PROMPT = "The style guide asks for short sentences and plain words. " * 400
CONVERSE_CACHED = {
    **CONVERSE,
    "system": [{"text": LONG_PROMPT}, {"cachePoint": {"type": "default"}}],
}

CLAUDE_BODY = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 200,
    "messages": [{"role": "user", "content": "Why is the sky blue? Answer in a sentence."}],
}
NOVA_BODY = {"messages": MESSAGES, "inferenceConfig": {"maxTokens": 200}}
TITAN_BODY = {"inputText": "Why is the sky blue? Answer in a sentence."}

Make = Callable[[Any, str, dict[str, Any]], tuple[str, spanproof_usage.Answer]]


def converse(bedrock: Any, model: str, request: dict[str, Any]) -> tuple[str, spanproof_usage.Answer]:
    response = bedrock.converse(modelId=model, **request)
    return request_id(response), spanproof_usage.converse(response)


def converse_stream(bedrock: Any, model: str, request: dict[str, Any]) -> tuple[str, spanproof_usage.Answer]:
    response = bedrock.converse_stream(modelId=model, **request)
    answer = spanproof_usage.Answer()
    for event in response["stream"]:
        spanproof_usage.converse_event(answer, event)
    return request_id(response), answer


def invoke_model(bedrock: Any, model: str, body: dict[str, Any]) -> tuple[str, spanproof_usage.Answer]:
    response = bedrock.invoke_model(modelId=model, body=json.dumps(body))
    return request_id(response), spanproof_usage.invoke(response["body"].read())


def invoke_model_stream(bedrock: Any, model: str, body: dict[str, Any]) -> tuple[str, spanproof_usage.Answer]:
    response = bedrock.invoke_model_with_response_stream(modelId=model, body=json.dumps(body))
    answer = spanproof_usage.Answer()
    for chunk in spanproof_usage.read_chunks(response["body"]):
        spanproof_usage.invoke_chunk(answer, chunk)
    return request_id(response), answer


def request_id(response: dict[str, Any]) -> str:
    return response["ResponseMetadata"]["RequestId"]


CALLS: list[tuple[str, str, Make, dict[str, Any]]] = [
    ("Converse", CLAUDE, converse, CONVERSE),
    ("Converse", CLAUDE_CACHED, converse, CONVERSE_CACHED),
    ("Converse", CLAUDE_CACHED, converse, CONVERSE_CACHED),
    ("Converse", NOVA, converse, CONVERSE),
    ("ConverseStream", CLAUDE, converse_stream, CONVERSE),
    ("ConverseStream", CLAUDE_CACHED, converse_stream, CONVERSE_CACHED),
    ("ConverseStream", NOVA, converse_stream, CONVERSE),
    ("InvokeModel", CLAUDE, invoke_model, CLAUDE_BODY),
    ("InvokeModel", NOVA, invoke_model, NOVA_BODY),
    ("InvokeModel", TITAN_EMBED, invoke_model, TITAN_BODY),
    ("InvokeModelWithResponseStream", CLAUDE, invoke_model_stream, CLAUDE_BODY),
    ("InvokeModelWithResponseStream", NOVA, invoke_model_stream, NOVA_BODY),
]


def results() -> Iterator[dict[str, Any]]:
    bedrock = boto3.client("bedrock-runtime")
    for operation, model, make, request in CALLS:
        result: dict[str, Any] = {"operation": operation, "model": model}
        try:
            request_id, answer = make(bedrock, model, request)
            result |= {
                "request_id": request_id,
                "usage": answer.usage,
                "stop_reason": answer.stop_reason,
            }
        except Exception as error:
            result["error"] = f"{type(error).__name__}: {error}"
        yield result


def main() -> None:
    failed = False
    for result in results():
        failed |= "error" in result
        print(json.dumps(result), flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
