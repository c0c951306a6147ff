//! An application must notice a stream that breaks: it must not take half an answer for a whole one.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use aws_credential_types::Credentials;
use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::config::{BehaviorVersion, Config, Region};
use aws_sdk_bedrockruntime::error::SdkError;
use aws_sdk_bedrockruntime::types::error::ConverseStreamOutputError;
use aws_sdk_bedrockruntime::types::{
    ContentBlock, ContentBlockDelta, ConversationRole, ConverseStreamOutput, Message,
};
use mock_bedrock::{InMemory, Server, Speed};

fn client(server: &Server) -> Client {
    Client::from_conf(
        Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(server.endpoint())
            .credentials_provider(Credentials::new("any", "any", None, None, "test"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build(),
    )
}

/// The text of an answer, or the error that ended its stream.
async fn ask(bedrock: &Client, fault: Option<&str>) -> Result<String, ConverseStreamOutputError> {
    let question = ContentBlock::Text("How deep is the harbour?".to_owned());
    let message =
        Message::builder().role(ConversationRole::User).content(question).build().unwrap();
    let mut call = bedrock
        .converse_stream()
        .model_id("anthropic.claude-3-5-sonnet-20240620-v1:0")
        .messages(message);
    if let Some(fault) = fault {
        call = call.request_metadata("spanproof-fault", fault);
    }
    let mut stream = call.send().await.unwrap().stream;
    let mut text = String::new();
    while let Some(event) = stream.recv().await.map_err(SdkError::into_service_error)? {
        if let ConverseStreamOutput::ContentBlockDelta(event) = event
            && let Some(ContentBlockDelta::Text(delta)) = event.delta
        {
            text.push_str(&delta);
        }
    }
    Ok(text)
}

#[tokio::test]
async fn a_stream_that_breaks_is_an_error() {
    let ledger = InMemory::default();
    let config = mock_bedrock::Config { speed: Speed::Max, ..mock_bedrock::Config::default() };
    let server = Server::start(config, ledger.clone()).unwrap();
    let bedrock = client(&server);

    assert!(ask(&bedrock, None).await.unwrap().ends_with('.'));
    let error = ask(&bedrock, Some("stream:throttlingException")).await.unwrap_err();
    assert!(error.is_throttling_exception());

    // What the mock served is in its ledger: tokens charged, stop reason, whether it all arrived.
    server.shutdown().await.unwrap();
    let exchanges = ledger.exchanges();
    assert!(exchanges[0].delivered && exchanges[0].usage.output_tokens > 0);
    assert_eq!(exchanges[1].exception.as_deref(), Some("throttlingException"));
}
