//! Guardrails, by the names that each operation has for them.

use aws_sdk_bedrockruntime::primitives::Blob;
use aws_sdk_bedrockruntime::types::{
    ContentBlock, ConversationRole, GuardrailConfiguration, GuardrailTrace, Message, StopReason,
    Trace,
};
use serde_json::{Value, json};

use super::{Bedrock, CLAUDE};

/// The guardrail that every id names when none is configured blocks US social security numbers.
const GUARDRAIL: &str = "gr0000000000";
const BLOCKED: &str = "My social security number is 536-90-4399.";

#[tokio::test]
async fn test_19_converse() {
    let bedrock = Bedrock::start();
    let guardrail = GuardrailConfiguration::builder()
        .guardrail_identifier(GUARDRAIL)
        .guardrail_version("1")
        .trace(GuardrailTrace::Enabled)
        .build();
    let message = Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text(BLOCKED.to_owned()))
        .build()
        .unwrap();
    let call = bedrock.client.converse().model_id(CLAUDE).messages(message);
    let answer = call.guardrail_config(guardrail).send().await.unwrap();
    assert_eq!(answer.stop_reason(), &StopReason::GuardrailIntervened);
    let trace = answer.trace().unwrap().guardrail().unwrap();
    let assessment = &trace.input_assessment().unwrap()[GUARDRAIL];
    let usage = assessment.invocation_metrics().unwrap().usage().unwrap();
    assert_eq!(usage.sensitive_information_policy_units(), 1);
    let exchange = bedrock.only_exchange().await;
    assert_eq!(exchange.stop_reason.as_deref(), Some("guardrail_intervened"));
}

#[tokio::test]
async fn test_19_invoke_model_has_names_of_its_own() {
    let bedrock = Bedrock::start();
    let body = json!({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": BLOCKED}],
    });
    let answer = bedrock
        .client
        .invoke_model()
        .model_id(CLAUDE)
        .guardrail_identifier(GUARDRAIL)
        .guardrail_version("1")
        .trace(Trace::Enabled)
        .body(Blob::new(body.to_string()))
        .send()
        .await
        .unwrap();
    let body: Value = serde_json::from_slice(answer.body().as_ref()).unwrap();
    assert_eq!(body["amazon-bedrock-guardrailAction"], "INTERVENED");
    assert!(body["amazon-bedrock-trace"]["guardrail"]["input"][GUARDRAIL].is_object());
}
