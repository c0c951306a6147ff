"""An application must notice a stream that breaks: it must not take half an answer for a whole one."""

import subprocess

import boto3
import pytest
from botocore.exceptions import EventStreamError


@pytest.fixture(scope="session")
def bedrock():
    command = ["spanproof", "mock", "--speed", "max", "--ledger", "ledger.jsonl"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as mock:
        yield boto3.client(
            "bedrock-runtime",
            endpoint_url=mock.stdout.readline().strip(),
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
        )
        mock.terminate()


def ask(bedrock, **more):
    response = bedrock.converse_stream(
        modelId="anthropic.claude-3-5-sonnet-20240620-v1:0",
        messages=[{"role": "user", "content": [{"text": "How deep is the harbour?"}]}],
        **more,
    )
    deltas = (event.get("contentBlockDelta") for event in response["stream"])
    return "".join(delta["delta"]["text"] for delta in deltas if delta)


def test_a_whole_answer_arrives(bedrock):
    assert ask(bedrock).endswith(".")


def test_a_stream_that_breaks_is_an_error(bedrock):
    with pytest.raises(EventStreamError, match="throttlingException"):
        ask(bedrock, requestMetadata={"spanproof-fault": "stream:throttlingException"})
