//! The official AWS SDK for Rust completes the four operations, and parses the usage that the
//! ledger states.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use aws_credential_types::Credentials;
use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::config::{BehaviorVersion, Config, Region};
use aws_sdk_bedrockruntime::error::ProvideErrorMetadata as _;
use aws_sdk_bedrockruntime::primitives::Blob;
use aws_sdk_bedrockruntime::types::{
    ContentBlock, ConversationRole, ConverseStreamOutput, InferenceConfiguration, Message,
    ResponseStream, TokenUsage,
};
use mock_bedrock::{InMemory, Server};
use serde_json::{Value, json};
use spanproof_schemas::ledger::Exchange;
use spanproof_schemas::speed::Speed;

const CLAUDE: &str = "anthropic.claude-3-5-sonnet-20240620-v1:0";
const NOVA: &str = "us.amazon.nova-pro-v1:0";

fn start() -> (Server, InMemory, Client) {
    let ledger = InMemory::default();
    let config = mock_bedrock::Config { speed: Speed::Max, ..mock_bedrock::Config::default() };
    let server = Server::start(config, ledger.clone()).unwrap();
    let client = Client::from_conf(
        Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(server.endpoint())
            .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build(),
    );
    (server, ledger, client)
}

fn message() -> Message {
    Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text("How deep is the harbour?".to_owned()))
        .build()
        .unwrap()
}

async fn only_exchange(server: Server, ledger: &InMemory) -> Exchange {
    server.shutdown().await.unwrap();
    let mut exchanges = ledger.exchanges();
    assert_eq!(exchanges.len(), 1);
    let exchange = exchanges.remove(0);
    assert!(exchange.delivered);
    exchange
}

fn assert_usage(usage: &TokenUsage, exchange: &Exchange) {
    let count = |tokens: u64| i32::try_from(tokens).unwrap();
    assert_eq!(usage.input_tokens, count(exchange.usage.input_tokens));
    assert_eq!(usage.output_tokens, count(exchange.usage.output_tokens));
    assert_eq!(usage.total_tokens, count(exchange.usage.total_tokens()));
    assert!(usage.output_tokens > 0);
}

#[tokio::test]
async fn converse() {
    for model in [CLAUDE, NOVA] {
        let (server, ledger, client) = start();
        let answer = client.converse().model_id(model).messages(message()).send().await.unwrap();
        let exchange = only_exchange(server, &ledger).await;
        assert_eq!(exchange.model_id, model);
        assert_usage(answer.usage().unwrap(), &exchange);
        assert_eq!(Some(answer.stop_reason().as_str()), exchange.stop_reason.as_deref());
        assert!(exchange.invocation_id.is_some());
        assert_eq!(exchange.attempt, Some(1));
    }
}

#[tokio::test]
async fn converse_stream() {
    for model in [CLAUDE, NOVA] {
        let (server, ledger, client) = start();
        let inference = InferenceConfiguration::builder().max_tokens(40).build();
        let mut answer = client
            .converse_stream()
            .model_id(model)
            .messages(message())
            .inference_config(inference)
            .send()
            .await
            .unwrap();
        let (mut text, mut usage, mut stop_reason) = (String::new(), None, None);
        while let Some(event) = answer.stream.recv().await.unwrap() {
            match event {
                ConverseStreamOutput::ContentBlockDelta(event) => {
                    text.push_str(event.delta().unwrap().as_text().unwrap());
                }
                ConverseStreamOutput::MessageStop(event) => stop_reason = Some(event.stop_reason),
                ConverseStreamOutput::Metadata(event) => usage = event.usage,
                _ => {}
            }
        }
        let exchange = only_exchange(server, &ledger).await;
        assert_usage(&usage.unwrap(), &exchange);
        assert_eq!(stop_reason.unwrap().as_str(), exchange.stop_reason.unwrap());
        assert!(text.contains(&exchange.markers[0]));
    }
}

fn claude_body() -> Blob {
    let body = json!({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 512,
        "messages": [{"role": "user", "content": "How deep is the harbour?"}],
    });
    Blob::new(body.to_string())
}

#[tokio::test]
async fn invoke_model() {
    let (server, ledger, client) = start();
    let answer = client.invoke_model().model_id(CLAUDE).body(claude_body()).send().await.unwrap();
    let body: Value = serde_json::from_slice(answer.body().as_ref()).unwrap();
    let exchange = only_exchange(server, &ledger).await;
    assert_eq!(answer.content_type(), "application/json");
    assert_eq!(body["usage"]["input_tokens"], exchange.usage.input_tokens);
    assert_eq!(body["usage"]["output_tokens"], exchange.usage.output_tokens);
    assert_eq!(body["id"].as_str(), exchange.response_id.as_deref());
    assert_eq!(body["model"].as_str(), exchange.response_model.as_deref());
}

#[tokio::test]
async fn invoke_model_with_response_stream() {
    let (server, ledger, client) = start();
    let mut answer = client
        .invoke_model_with_response_stream()
        .model_id(CLAUDE)
        .body(claude_body())
        .send()
        .await
        .unwrap();
    let mut last = Value::Null;
    let mut count = 0;
    while let Some(event) = answer.body.recv().await.unwrap() {
        if let ResponseStream::Chunk(part) = event {
            last = serde_json::from_slice(part.bytes().unwrap().as_ref()).unwrap();
            count += 1;
        }
    }
    let exchange = only_exchange(server, &ledger).await;
    let metrics = &last["amazon-bedrock-invocationMetrics"];
    assert_eq!(metrics["inputTokenCount"], exchange.usage.input_tokens);
    assert_eq!(metrics["outputTokenCount"], exchange.usage.output_tokens);
    assert_eq!(exchange.chunks.unwrap().count, count);
}

#[tokio::test]
async fn faults_are_typed_errors() {
    let (server, ledger, client) = start();
    let failed = client
        .converse()
        .model_id(CLAUDE)
        .messages(message())
        .customize()
        .mutate_request(|request| {
            request.headers_mut().insert("x-spanproof-fault", "AccessDeniedException");
        })
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(failed.is_access_denied_exception());
    assert_eq!(
        failed.message(),
        Some("You don't have access to the model with the specified model ID.")
    );
    let mut stream = client
        .converse_stream()
        .model_id(CLAUDE)
        .messages(message())
        .customize()
        .mutate_request(|request| {
            request.headers_mut().insert("x-spanproof-fault", "stream:throttlingException");
        })
        .send()
        .await
        .unwrap()
        .stream;
    let failed = loop {
        match stream.recv().await {
            Ok(event) => assert!(event.is_some(), "the stream ended without its exception"),
            Err(error) => break error.into_service_error(),
        }
    };
    assert!(failed.is_throttling_exception());
    server.shutdown().await.unwrap();
    assert_eq!(ledger.exchanges().len(), 2);
}
