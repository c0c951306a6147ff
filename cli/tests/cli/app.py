"""An application with a small instrumentation in it, which misbehaves as the variable HOW says.

It makes a call with a buffered answer, one for another model, and one whose stream it leaves early.
"""

import http.client
import json
import os
import sys
import urllib.request
from urllib.parse import urlsplit

HOW = None if "SPANPROOF_UNINSTRUMENTED" in os.environ else os.environ.get("HOW")
BEDROCK = urlsplit(os.environ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"])
HAIKU = "anthropic.claude-3-haiku-20240307-v1%3A0"
NOVA = "amazon.nova-lite-v1%3A0"


class WatcherError(Exception):
    pass


def send(model, operation, invocation):
    limit = 4096 if HOW == "body" and operation == "converse" else 200
    body = {
        "messages": [{"role": "user", "content": [{"text": "Name three rivers."}]}],
        "inferenceConfig": {"maxTokens": limit},
    }
    headers = {"content-type": "application/json", "amz-sdk-invocation-id": invocation}
    if HOW:
        headers["traceparent"] = "00-5b8efff798038103d269b633813fc60c-eee19b7ec3c1b174-01"
    if HOW == "header":
        headers["x-watched"] = "yes"
    connection = http.client.HTTPConnection(BEDROCK.hostname, BEDROCK.port)
    connection.request("POST", f"/model/{model}/{operation}", json.dumps(body), headers)
    return connection, connection.getresponse()


def converse(model, invocation):
    connection, answer = send(model, "converse", invocation)
    text = json.loads(answer.read())["output"]["message"]["content"][0]["text"]
    connection.close()
    return text.upper() if HOW == "answer" else text


def stream():
    connection, answer = send(HAIKU, "converse-stream", "stream")
    if HOW == "drains":
        answer.read()
    else:
        answer.read(150)
    answer.close()
    connection.close()


def emit():
    attribute = {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}
    span = {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "name": "chat",
        "kind": 3,
        "startTimeUnixNano": "1",
        "endTimeUnixNano": "2",
        "attributes": [attribute],
    }
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
    url = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces"
    headers = {"content-type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers)).read()


def main():
    if HOW:
        emit()
    calls = [(HAIKU, "one"), (NOVA, "two")]
    if HOW == "order":
        calls.reverse()
    if HOW == "skips":
        calls.pop()
    if HOW == "repeats":
        calls.append((NOVA, "three"))
    if HOW == "retries":
        calls.append((NOVA, "two"))
    answers = {model: converse(model, invocation) for model, invocation in calls}
    print(f"pid {os.getpid()}: {answers[HAIKU]}")
    stream()
    if HOW == "raises":
        raise WatcherError("nothing to do with the application")
    if HOW == "logs":
        print("Traceback (most recent call last):\nWatcherError: logged", file=sys.stderr)
    if len(sys.argv) > 1:
        raise ValueError("the application's own")


main()
