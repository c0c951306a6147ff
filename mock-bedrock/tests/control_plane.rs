//! What clients ask the control plane before they call a model.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod client;

use client::Mock;
use serde_json::Value;
use spanproof_schemas::ledger::{Operation, Task};
use spanproof_schemas::speed::Speed;

const TOKYO: (&str, &str) = (
    "authorization",
    "AWS4-HMAC-SHA256 Credential=AKID/20260101/ap-northeast-1/bedrock/aws4_request, SignedHeaders=host, Signature=0",
);

fn ids<'v>(body: &'v Value, list: &str, member: &str) -> Vec<&'v str> {
    body[list].as_array().unwrap().iter().map(|item| item[member].as_str().unwrap()).collect()
}

#[tokio::test]
async fn models_are_listed_as_the_filters_say() {
    let mock = Mock::start(Speed::Max);
    let list =
        async |query: &str| mock.get(&format!("/foundation-models{query}"), &[]).await.json();
    let all = list("").await;
    let all_ids = ids(&all, "modelSummaries", "modelId");
    assert!(all_ids.contains(&"amazon.nova-lite-v1:0"), "{all_ids:?}");
    let embeddings = list("?byOutputModality=EMBEDDING&byProvider=amazon").await;
    let embeddings = ids(&embeddings, "modelSummaries", "modelId");
    assert!(embeddings.contains(&"amazon.titan-embed-text-v2:0"), "{embeddings:?}");
    assert!(embeddings.iter().all(|id| id.starts_with("amazon.")), "{embeddings:?}");
    let on_demand = list("?byInferenceType=ON_DEMAND").await;
    for model in on_demand["modelSummaries"].as_array().unwrap() {
        assert_eq!(model["inferenceTypesSupported"][0], "ON_DEMAND", "{model}");
    }
    for none in
        ["?byCustomizationType=FINE_TUNING", "?byInferenceType=PROVISIONED", "?byProvider=Nobody"]
    {
        assert_eq!(list(none).await["modelSummaries"], serde_json::json!([]), "{none}");
    }
    for exchange in mock.exchanges().await {
        assert_eq!(exchange.operation, Operation::ListFoundationModels);
        assert_eq!(exchange.task, Task::Administration);
        assert!(exchange.delivered);
    }
}

#[tokio::test]
async fn one_model_as_a_client_sees_it() {
    let mock = Mock::start(Speed::Max);
    let by_id = mock.get("/foundation-models/amazon.nova-lite-v1%3A0", &[]).await;
    insta::assert_snapshot!(String::from_utf8_lossy(&by_id.body));
    let arn = "arn%3Aaws%3Abedrock%3Aus-east-1%3A%3Afoundation-model%2Famazon.nova-lite-v1%3A0";
    let by_arn = mock.get(&format!("/foundation-models/{arn}"), &[]).await;
    assert_eq!(by_id.body, by_arn.body);
    let elsewhere = mock.get("/foundation-models/amazon.nova-lite-v1:0", &[TOKYO]).await.json();
    assert_eq!(
        elsewhere["modelDetails"]["modelArn"],
        "arn:aws:bedrock:ap-northeast-1::foundation-model/amazon.nova-lite-v1:0"
    );
}

#[tokio::test]
async fn profiles_come_in_pages_that_make_the_list() {
    let mock = Mock::start(Speed::Max);
    let all = mock.get("/inference-profiles", &[]).await.json();
    let all = ids(&all, "inferenceProfileSummaries", "inferenceProfileId");
    assert!(all.contains(&"us.amazon.nova-lite-v1:0"), "{all:?}");
    assert!(all.iter().all(|id| id.starts_with("us.") || id.starts_with("global.")), "{all:?}");
    let mut seen = Vec::new();
    let mut query = "?maxResults=3&type=SYSTEM_DEFINED".to_owned();
    loop {
        let page = mock.get(&format!("/inference-profiles{query}"), &[]).await.json();
        let page_ids = ids(&page, "inferenceProfileSummaries", "inferenceProfileId");
        assert!(page_ids.len() <= 3);
        seen.extend(page_ids.into_iter().map(ToOwned::to_owned));
        let Some(token) = page["nextToken"].as_str() else { break };
        query = format!("?maxResults=3&nextToken={token}");
    }
    assert_eq!(seen, all);
    let tokyo = mock.get("/inference-profiles", &[TOKYO]).await.json();
    let tokyo_ids = ids(&tokyo, "inferenceProfileSummaries", "inferenceProfileId");
    assert!(tokyo_ids.contains(&"jp.anthropic.claude-sonnet-5"), "{tokyo_ids:?}");
    assert!(!tokyo_ids.iter().any(|id| id.starts_with("us.")));
    let none = mock.get("/inference-profiles?type=APPLICATION", &[]).await.json();
    assert_eq!(none, serde_json::json!({"inferenceProfileSummaries": []}));
}

#[tokio::test]
async fn a_profile_as_a_client_sees_it() {
    let mock = Mock::start(Speed::Max);
    let all = mock.get("/inference-profiles", &[]).await.json();
    let profiles = all["inferenceProfileSummaries"].as_array().unwrap();
    let nova = profiles.iter().find(|one| one["inferenceProfileId"] == "us.amazon.nova-lite-v1:0");
    insta::assert_snapshot!(serde_json::to_string_pretty(nova.unwrap()).unwrap());
}

#[tokio::test]
async fn bad_questions_get_the_service_s_own_words() {
    let mock = Mock::start(Speed::Max);
    let mut seen = Vec::new();
    for path in [
        "/foundation-models?byOutputModality=SMELL",
        "/foundation-models?byProvider=a%2Fb",
        "/foundation-models/nova",
        "/foundation-models/amazon.nova-lite-v9%3A0",
        "/foundation-models/us.amazon.nova-lite-v1%3A0",
        "/inference-profiles?maxResults=0",
        "/inference-profiles?maxResults=many",
        "/inference-profiles?type=MINE",
        "/inference-profiles?nextToken=abc",
    ] {
        let answered = mock.get(path, &[]).await;
        let name = answered.header("x-amzn-errortype").unwrap().split(':').next().unwrap();
        seen.push(format!("{path}\n  {} {name}: {}", answered.status, answered.json()["message"]));
    }
    insta::assert_snapshot!(seen.join("\n"));
}
