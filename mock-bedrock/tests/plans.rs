//! Fault plans and quotas over real connections, and the plan's schema.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod client;

use client::{HAIKU, Mock, NOVA, hello};
use mock_bedrock::{Config, ConfigError, FaultPlan, InMemory, Quota, Server, StartError};
use serde_json::{Value, json};
use spanproof_schemas::speed::Speed;

const PLAN: &str = r#"{"rules": [
    {"fault": "ThrottlingException:requests", "model": "amazon.*", "attempts": "1-2"},
    {"fault": "ServiceUnavailableException@1", "call": {"every": 2}, "test": "other"},
    {"fault": "stall=5ms", "operation": "ConverseStream", "rate": 0.5, "times": 3},
    {"fault": "cut:between-frames", "prompt": "fjord", "invocation_id": "x", "call": 4, "attempts": 1}
]}"#;

fn start(config: Config) -> Mock {
    let ledger = InMemory::default();
    let config = Config { seed: 7, speed: Speed::Max, ..config };
    Mock { server: Server::start(config, ledger.clone()).unwrap(), ledger }
}

fn path(model: &str) -> String {
    format!("/model/{model}/converse")
}

#[tokio::test]
async fn a_plan_strikes_what_it_matches_and_the_ledger_names_the_fault() {
    let faults = serde_json::from_str(PLAN).unwrap();
    let mock = start(Config { faults, ..Config::default() });
    let attempt = |attempt| ("amz-sdk-request", attempt);
    for (model, headers, status) in [
        (NOVA, vec![attempt("attempt=1")], 429),
        (NOVA, vec![attempt("attempt=3")], 200),
        (HAIKU, vec![], 200),
        (HAIKU, vec![("x-spanproof-test", "other")], 200),
        (HAIKU, vec![("x-spanproof-test", "other")], 503),
        (NOVA, vec![("x-spanproof-fault", "AccessDeniedException")], 403),
    ] {
        let answered = mock.post(&path(model), &headers, &hello()).await;
        assert_eq!(answered.status, status, "{model} {headers:?}");
    }
    let faults: Vec<Option<String>> =
        mock.exchanges().await.into_iter().map(|exchange| exchange.fault).collect();
    let named = |name: &str| Some(name.to_owned());
    let first = named("ThrottlingException:requests");
    let unavailable = named("ServiceUnavailableException");
    assert_eq!(faults, [first, None, None, None, unavailable, named("AccessDeniedException")]);
}

#[tokio::test]
async fn a_stop_reason_of_a_plan_leaves_alone_what_it_does_not_fit() {
    let faults =
        serde_json::from_str(r#"{"rules":[{"fault":"stop:malformed_tool_use"}]}"#).unwrap();
    let mock = start(Config { faults, ..Config::default() });
    assert_eq!(mock.post(&path(HAIKU), &[], &hello()).await.status, 200);
    assert_eq!(mock.exchange().await.fault, None);
}

#[tokio::test]
async fn quotas_throttle_with_the_service_s_texts() {
    let quota = |model: &str| Quota { model: model.to_owned(), ..Quota::default() };
    let quotas = vec![
        Quota { requests_per_minute: Some(2), ..quota("anthropic.*") },
        Quota { tokens_per_minute: Some(1_000), ..quota("amazon.*") },
    ];
    let mock = start(Config { quotas, ..Config::default() });
    let body = |max_tokens: u64| {
        json!({
            "messages": [{"role": "user", "content": [{"text": "How deep is the harbour?"}]}],
            "inferenceConfig": {"maxTokens": max_tokens},
        })
        .to_string()
    };
    let mut seen = Vec::new();
    for (model, max_tokens) in
        [(HAIKU, 10), (HAIKU, 10), (HAIKU, 10), (NOVA, 900), (NOVA, 500), (NOVA, 900)]
    {
        let answered = mock.post(&path(model), &[], &body(max_tokens)).await;
        let message = answered.json()["message"].as_str().unwrap_or_default().to_owned();
        seen.push((answered.status.as_u16(), message));
    }
    let told = |text: &str| (429, text.to_owned());
    let served = || (200, String::new());
    assert_eq!(
        seen,
        [
            served(),
            served(),
            told("Too many requests, please wait before trying again."),
            // The first took 900 and some, and gave back what it did not generate.
            served(),
            served(),
            told("Too many tokens, please wait before trying again."),
        ]
    );
    for exchange in mock.exchanges().await {
        let is_throttled = exchange.status == 429;
        assert_eq!(exchange.exception.as_deref() == Some("ThrottlingException"), is_throttled);
        assert_eq!((exchange.usage.total_tokens() == 0, exchange.fault), (is_throttled, None));
    }
}

#[tokio::test]
async fn a_plan_or_quota_that_cannot_be_is_refused_at_the_start() {
    let faults: FaultPlan = serde_json::from_str(r#"{"rules":[{"fault":"nonsense"}]}"#).unwrap();
    let config = Config { faults, ..Config::default() };
    let error = Server::start(config, InMemory::default()).unwrap_err();
    assert!(matches!(&error, StartError::Config(ConfigError::Faults(_))));
    assert!(error.to_string().starts_with("fault plan: rules[0]: unknown fault `nonsense`"));
    let quotas = vec![Quota { tokens_per_minute: Some(0), ..Quota::default() }];
    let error = Server::start(Config { quotas, ..Config::default() }, InMemory::default());
    assert!(error.unwrap_err().to_string().contains("tokens_per_minute is zero"));
}

#[test]
fn the_schema_takes_what_the_mock_takes() {
    let schema: Value =
        serde_json::from_str(include_str!("../../schemas/fault-plan.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let plan: Value = serde_json::from_str(PLAN).unwrap();
    assert!(schema.is_valid(&plan));
    let read: FaultPlan = serde_json::from_value(plan).unwrap();
    assert!(schema.is_valid(&serde_json::to_value(read).unwrap()));
    for rule in [
        json!({}),
        json!({"fault": "cut", "modle": "x"}),
        json!({"fault": "cut", "rate": 2}),
        json!({"fault": "cut", "call": 0}),
        json!({"fault": "cut", "call": {"each": 1}}),
        json!({"fault": "cut", "attempts": "first"}),
    ] {
        let plan = json!({"rules": [rule]});
        assert!(!schema.is_valid(&plan), "{plan}");
        let refused = serde_json::from_value::<FaultPlan>(plan.clone())
            .map_err(|error| error.to_string())
            .and_then(|plan| plan.validate().map_err(|error| error.to_string()));
        assert!(refused.is_err(), "{plan}");
    }
}
