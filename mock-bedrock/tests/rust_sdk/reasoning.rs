//! What models think before they answer.

use std::collections::HashMap;

use aws_sdk_bedrockruntime::types::{
    ContentBlockDelta, ConversationRole, ConverseStreamOutput, Message, ReasoningContentBlockDelta,
};
use aws_smithy_types::{Document, Number};

use super::{Bedrock, CLAUDE_CACHED, QUESTION, at_most};

/// Anthropic documents this text, with which Claude encrypts what it thinks.
const REDACTED: &str = "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_46C9A13E193C177646C7398A98432ECCCE4C1253D5E2D82641AC0E52CC2876CB";

#[tokio::test]
async fn test_18_text_of_thoughts_then_their_signature_then_the_answer() {
    assert_eq!(kinds(QUESTION).await, ["thought", "signature", "text"]);
}

#[tokio::test]
async fn test_18_redacted_content_is_a_blob() {
    assert_eq!(kinds(REDACTED).await, ["redacted", "text"]);
}

/// The kinds of the deltas of an answer to `prompt`, those of one kind after another once.
async fn kinds(prompt: &str) -> Vec<&'static str> {
    let bedrock = Bedrock::start();
    let budget = Document::Number(Number::PosInt(1024));
    let thinking = HashMap::from([
        ("type".to_owned(), Document::from("enabled")),
        ("budget_tokens".to_owned(), budget),
    ]);
    let fields = HashMap::from([("thinking".to_owned(), Document::Object(thinking))]);
    let message = Message::builder()
        .role(ConversationRole::User)
        .content(aws_sdk_bedrockruntime::types::ContentBlock::Text(prompt.to_owned()));
    let mut events = bedrock
        .client
        .converse_stream()
        .model_id(CLAUDE_CACHED)
        .messages(message.build().unwrap())
        .inference_config(at_most(2000))
        .additional_model_request_fields(Document::Object(fields))
        .send()
        .await
        .unwrap()
        .stream;
    let mut kinds = Vec::new();
    while let Some(event) = events.recv().await.unwrap() {
        let ConverseStreamOutput::ContentBlockDelta(event) = event else { continue };
        kinds.push(match event.delta.unwrap() {
            ContentBlockDelta::Text(_) => "text",
            ContentBlockDelta::ReasoningContent(reasoning) => match reasoning {
                ReasoningContentBlockDelta::Text(_) => "thought",
                ReasoningContentBlockDelta::Signature(_) => "signature",
                ReasoningContentBlockDelta::RedactedContent(content) => {
                    assert!(!content.as_ref().is_empty());
                    "redacted"
                }
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        });
    }
    kinds.dedup();
    kinds
}
