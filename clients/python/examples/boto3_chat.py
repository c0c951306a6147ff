"""An ordinary boto3 program: it knows nothing of spanproof or OpenTelemetry.

    spanproof run -- opentelemetry-instrument python boto3_chat.py
"""

import json

import boto3

bedrock = boto3.client("bedrock-runtime", region_name="us-east-1")

MODEL = "anthropic.claude-3-5-sonnet-20240620-v1:0"
QUESTION = "Name three rivers in France."


def main() -> None:
    messages = [{"role": "user", "content": [{"text": QUESTION}]}]

    response = bedrock.converse(
        modelId=MODEL, messages=messages, inferenceConfig={"maxTokens": 256}
    )
    print("converse:", response["output"]["message"]["content"][0]["text"])

    response = bedrock.converse_stream(
        modelId=MODEL, messages=messages, inferenceConfig={"maxTokens": 256}
    )
    print("converse_stream: ", end="")
    for event in response["stream"]:
        if "contentBlockDelta" in event:
            print(event["contentBlockDelta"]["delta"].get("text", ""), end="")
    print()

    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 256,
        "messages": [{"role": "user", "content": QUESTION}],
    }
    response = bedrock.invoke_model(modelId=MODEL, body=json.dumps(body))
    answer = json.loads(response["body"].read())
    print("invoke_model:", answer["content"][0]["text"])


if __name__ == "__main__":
    main()
