"""An application must notice a stream that breaks: it must not take half an answer for a whole one."""

import json
import subprocess
from urllib.request import urlopen
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import EventStreamError


@pytest.fixture(scope="session")
def mock():
    command = ["spanproof", "mock", "--speed", "max"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        endpoint = process.stdout.readline().strip()
        assert endpoint, "the mock did not start, and says why on standard error"
        yield endpoint
        process.terminate()


@pytest.fixture
def bedrock(mock):
    return boto3.client(
        "bedrock-runtime",
        endpoint_url=f"{mock}/_spanproof/tests/{uuid4()}",
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )


def ask(bedrock, **more):
    response = bedrock.converse_stream(
        modelId="anthropic.claude-3-5-sonnet-20240620-v1:0",
        messages=[{"role": "user", "content": [{"text": "How deep is the harbour?"}]}],
        **more,
    )
    deltas = (event.get("contentBlockDelta") for event in response["stream"])
    return "".join(delta["delta"]["text"] for delta in deltas if delta)


def served(bedrock):
    """What the mock served to this test, from the ledger."""
    with urlopen(f"{bedrock.meta.endpoint_url}/_spanproof/ledger") as page:
        return json.load(page)["exchanges"]


def test_a_whole_answer_arrives(bedrock):
    assert ask(bedrock).endswith(".")
    [exchange] = served(bedrock)
    assert exchange["delivered"] and exchange["stop_reason"] == "end_turn"


def test_a_stream_that_breaks_is_an_error(bedrock):
    with pytest.raises(EventStreamError, match="throttlingException"):
        ask(bedrock, requestMetadata={"spanproof-fault": "stream:throttlingException"})
    [exchange] = served(bedrock)
    assert exchange["exception"] == "throttlingException" and not exchange["delivered"]
