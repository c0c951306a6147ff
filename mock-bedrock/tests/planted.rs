//! What answers plant, and what the ledger tells of the texts that were asked and served.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod client;

use std::fmt::Write as _;

use client::{HAIKU, Mock, hello};
use mock_bedrock::Config;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use spanproof_schemas::ledger::{MarkerKind, Planted, PlantedKind, Record};
use spanproof_schemas::speed::Speed;

fn path() -> String {
    format!("/model/{HAIKU}/converse")
}

/// What the first record of the ledger lists for completions.
fn listed(mock: &Mock) -> Vec<Planted> {
    let records = mock.ledger.records();
    let Some(Record::Run(run)) = records.first() else { panic!("{records:?}") };
    assert_eq!(run.planted[..8], Planted::all(MarkerKind::Prompt, 7));
    run.planted[8..].to_vec()
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

#[tokio::test]
async fn every_answer_plants_one_value_of_the_run_and_all_kinds_come_in_turn() {
    let mock = Mock::start(Speed::Max);
    let listed = listed(&mock);
    assert_eq!(listed.iter().map(|planted| planted.kind).collect::<Vec<_>>(), PlantedKind::ALL);
    let mut counts = [0; PlantedKind::ALL.len()];
    for question in 0..80 {
        let body = hello().replace("harbour", &format!("harbour {question}"));
        mock.post(&path(), &[], &body).await;
    }
    for exchange in mock.exchanges().await {
        let completion = exchange.content.unwrap().completion;
        let held: Vec<usize> =
            (0..8).filter(|kind| completion.contains(&listed[*kind].value)).collect();
        let [kind] = held[..] else { panic!("{held:?} in {completion}") };
        counts[kind] += 1;
    }
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
}

#[tokio::test]
async fn answers_to_requests_with_a_guardrail_plant_nothing() {
    let guardrail = json!({
        "guardrailId": "gr1",
        "versions": ["1"],
        "blockedInputMessaging": "no",
        "blockedOutputsMessaging": "no",
        "sensitiveInformationPolicyConfig": {
            "piiEntitiesConfig": [{ "type": "EMAIL", "action": "BLOCK" }],
        },
    });
    let guardrails = vec![serde_json::from_value(guardrail).unwrap()];
    let config =
        Config { seed: 7, speed: Speed::Max, keep_content: true, guardrails, ..Config::default() };
    let mock = Mock::with(config);
    let listed = listed(&mock);
    for question in 0..16 {
        let text = format!("How deep is harbour {question}?");
        let body = json!({
            "messages": [{ "role": "user", "content": [{ "text": text }] }],
            "guardrailConfig": { "guardrailIdentifier": "gr1", "guardrailVersion": "1" },
        });
        assert_eq!(mock.post(&path(), &[], &body.to_string()).await.status, 200);
    }
    for exchange in mock.exchanges().await {
        let completion = exchange.content.unwrap().completion;
        assert_eq!(exchange.guardrail_action.as_deref(), Some("NONE"), "{completion}");
        assert!(listed.iter().all(|planted| !completion.contains(&planted.value)), "{completion}");
    }
}

#[tokio::test]
async fn the_hashes_of_a_prompt_are_those_of_its_normalized_texts() {
    let mock = Mock::start(Speed::Max);
    let body = json!({
        "system": [{ "text": "Be brief." }, { "text": " Be kind. " }],
        "messages": [
            { "role": "user", "content": [{ "text": "Hi" }, { "text": "you" }] },
            { "role": "assistant", "content": [{ "text": "Hello.\n" }] },
            { "role": "user", "content": [{ "text": "How deep?" }] },
        ],
    });
    mock.post(&path(), &[], &body.to_string()).await;
    mock.post(&path(), &[], &hello()).await;
    let [with, without] = &mock.exchanges().await[..] else { panic!("two exchanges") };
    let (system, messages) = ("Be brief.\n Be kind. ", "Hi\nyou\nHello.\n\nHow deep?");
    assert_eq!(with.prompt_sha256, sha256(&format!("{system}\n{messages}")));
    assert_eq!(with.system_sha256.as_ref(), Some(&sha256(system)));
    assert_eq!(with.messages_sha256.as_ref(), Some(&sha256(messages)));
    assert_eq!(with.completion_sha256, sha256(&with.content.as_ref().unwrap().completion));
    assert_eq!(without.prompt_sha256, sha256("How deep is the harbour?"));
    assert_eq!((&without.system_sha256, &without.messages_sha256), (&None, &None));
}
