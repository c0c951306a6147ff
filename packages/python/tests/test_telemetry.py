"""What the instrumentation of Bedrock says, judged against what was served."""

import boto3
import pytest
from opentelemetry.instrumentation.genai.bedrock import BedrockInstrumentor


@pytest.fixture
def client(spanproof):
    instrumentor = BedrockInstrumentor()
    instrumentor.instrument(
        tracer_provider=spanproof.tracer_provider,
        meter_provider=spanproof.meter_provider,
        logger_provider=spanproof.logger_provider,
    )
    # Nothing says where the mock is: the environment does.
    yield boto3.client("bedrock-runtime")
    instrumentor.uninstrument()


def ask(client, *before):
    question = [*before, {"text": "How deep is the harbour?"}]
    return client.converse(
        modelId="us.anthropic.claude-3-7-sonnet-20250219-v1:0",
        messages=[{"role": "user", "content": question}],
    )


def test_a_call_is_told_as_it_was(client):
    ask(client)


def test_a_call_that_was_throttled_is_one_span(client, bedrock):
    bedrock.set_faults("ThrottlingException@1")
    ask(client)
    assert [exchange["status"] for exchange in bedrock.exchanges()] == [429, 200]


def test_cached_tokens_are_input(client):
    tides = {"text": "The tides of the year, hour by hour. " * 400}
    for _ in range(2):
        ask(client, tides, {"cachePoint": {"type": "default"}})
