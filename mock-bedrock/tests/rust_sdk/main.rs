//! The official AWS SDK for Rust: what it parses is what the ledger states. Tests are named by
//! their number in `clients/fidelity.toml`.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod answers;
mod failures;
mod guardrails;
mod headers;
mod reasoning;
mod streams;

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::config::retry::RetryConfig;
use aws_sdk_bedrockruntime::config::{BehaviorVersion, Builder, Config, Region};
use aws_sdk_bedrockruntime::primitives::Blob;
use aws_sdk_bedrockruntime::types::{
    ContentBlock, ConversationRole, InferenceConfiguration, Message, TokenUsage,
};
use mock_bedrock::{InMemory, Server};
use serde_json::json;
use spanproof_schemas::ledger::Exchange;
use spanproof_schemas::speed::Speed;

const CLAUDE: &str = "anthropic.claude-3-5-sonnet-20240620-v1:0";
const CLAUDE_CACHED: &str = "us.anthropic.claude-3-7-sonnet-20250219-v1:0";
const NOVA: &str = "us.amazon.nova-pro-v1:0";
const TITAN_EMBED: &str = "amazon.titan-embed-text-v2:0";
const QUESTION: &str = "How deep is the harbour?";

/// A mock with its ledger, and the SDK's client for it.
struct Bedrock {
    server: Server,
    ledger: InMemory,
    client: Client,
}

impl Bedrock {
    fn start() -> Bedrock {
        let ledger = InMemory::default();
        let config = mock_bedrock::Config { speed: Speed::Max, ..mock_bedrock::Config::default() };
        let server = Server::start(config, ledger.clone()).unwrap();
        let client = client(&server, |config| {
            config.credentials_provider(Credentials::new(
                "spanproof",
                "spanproof",
                None,
                None,
                "test",
            ))
        });
        Bedrock { server, ledger, client }
    }

    /// Ends the mock, and gives what it served.
    async fn served(self) -> Vec<Exchange> {
        self.server.shutdown().await.unwrap();
        self.ledger.exchanges()
    }

    /// Ends the mock, which must have served one exchange, whole.
    async fn only_exchange(self) -> Exchange {
        let mut exchanges = self.served().await;
        assert_eq!(exchanges.len(), 1);
        let exchange = exchanges.remove(0);
        assert!(exchange.delivered);
        exchange
    }
}

fn client(server: &Server, change: impl FnOnce(Builder) -> Builder) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(server.endpoint())
        // The SDK's own retries, without its waits.
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    Client::from_conf(change(config).build())
}

fn message() -> Message {
    Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text(QUESTION.to_owned()))
        .build()
        .unwrap()
}

fn at_most(tokens: i32) -> InferenceConfiguration {
    InferenceConfiguration::builder().max_tokens(tokens).build()
}

fn native_body(model: &str) -> Blob {
    let body = match model {
        NOVA => json!({"messages": [{"role": "user", "content": [{"text": QUESTION}]}]}),
        TITAN_EMBED => json!({"inputText": QUESTION}),
        _ => json!({
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 512,
            "messages": [{"role": "user", "content": QUESTION}],
        }),
    };
    Blob::new(body.to_string())
}

fn assert_usage(usage: &TokenUsage, exchange: &Exchange) {
    let count = |tokens: u64| i32::try_from(tokens).unwrap();
    assert_eq!(usage.input_tokens, count(exchange.usage.input_tokens));
    assert_eq!(usage.output_tokens, count(exchange.usage.output_tokens));
    assert_eq!(usage.total_tokens, count(exchange.usage.total_tokens()));
    assert!(usage.output_tokens > 0);
}
