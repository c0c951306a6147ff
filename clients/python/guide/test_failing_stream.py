"""An application must notice a stream that breaks: it must not take half an answer for a whole one."""

import pytest
from botocore.exceptions import EventStreamError


def ask(bedrock):
    response = bedrock.client().converse_stream(
        modelId="anthropic.claude-3-5-sonnet-20240620-v1:0",
        messages=[{"role": "user", "content": [{"text": "How deep is the harbour?"}]}],
    )
    deltas = (event.get("contentBlockDelta") for event in response["stream"])
    return "".join(delta["delta"]["text"] for delta in deltas if delta)


def test_a_whole_answer_arrives(bedrock):
    assert ask(bedrock).endswith(".")
    [exchange] = bedrock.exchanges()
    assert exchange["delivered"] and exchange["stop_reason"] == "end_turn"


def test_a_stream_that_breaks_is_an_error(bedrock):
    bedrock.set_faults("stream:throttlingException")
    with pytest.raises(EventStreamError, match="throttlingException"):
        ask(bedrock)
    [exchange] = bedrock.exchanges()
    assert exchange["exception"] == "throttlingException" and not exchange["delivered"]
