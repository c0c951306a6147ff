//! Guardrails as clients see them, by each operation that names one.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod client;

use bytes::Bytes;
use client::{Answered, HAIKU, NOVA};
use http::Request;
use mock_bedrock::guardrail::{Guardrail, Modality};
use mock_bedrock::{Config, Handler, InMemory, Quirk};
use serde_json::{Value, json};
use spanproof_schemas::ledger::Exchange;
use spanproof_schemas::speed::Speed;

const TITAN_TEXT: &str = "amazon.titan-text-express-v1";
/// The answers of the mock end in a reference to their marker.
const REFERENCE: &str = r"Reference SPMC[0-9A-Z]+";

/// A guardrail as `CreateGuardrail` takes it.
fn guardrail() -> Guardrail {
    let guardrail = json!({
        "guardrailId": "gr1",
        "versions": ["DRAFT", "1"],
        "blockedInputMessaging": "Input blocked",
        "blockedOutputsMessaging": "Output blocked",
        "topicPolicyConfig": {"topicsConfig": [
            {"name": "Investment advice", "type": "DENY", "examples": ["Which stocks should I buy?"]},
        ]},
        "contentPolicyConfig": {"filtersConfig": [
            {"type": "VIOLENCE", "inputStrength": "HIGH", "outputStrength": "HIGH"},
            {"type": "PROMPT_ATTACK", "inputStrength": "HIGH", "outputStrength": "NONE"},
        ]},
        "wordPolicyConfig": {
            "wordsConfig": [{"text": "Project Athena"}],
            "managedWordListsConfig": [{"type": "PROFANITY"}],
        },
        "sensitiveInformationPolicyConfig": {
            "piiEntitiesConfig": [
                {"type": "EMAIL", "action": "ANONYMIZE"},
                {"type": "US_SOCIAL_SECURITY_NUMBER", "action": "BLOCK"},
            ],
            "regexesConfig": [{"name": "Marker", "pattern": REFERENCE, "action": "ANONYMIZE"}],
        },
        "tags": [{"key": "ignored", "value": "by the mock"}],
    });
    serde_json::from_value(guardrail).unwrap()
}

/// A guardrail that blocks what every answer says.
fn strict() -> Guardrail {
    let mut strict = guardrail();
    "gr2".clone_into(&mut strict.guardrail_id);
    let sensitive = strict.sensitive_information_policy_config.as_mut().unwrap();
    sensitive.regexes_config[0].action = mock_bedrock::guardrail::Action::Block;
    strict
}

struct Mock {
    handler: Handler,
    ledger: InMemory,
}

impl Mock {
    fn start(guardrails: Vec<Guardrail>, quirks: &[Quirk]) -> Self {
        let quirks = quirks.iter().copied().collect();
        let config = Config { seed: 7, speed: Speed::Max, guardrails, quirks, ..Config::default() };
        let ledger = InMemory::default();
        Mock { handler: Handler::new(config, ledger.clone()).unwrap(), ledger }
    }

    fn known() -> Self {
        Mock::start(vec![guardrail(), strict()], &[])
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answered {
        let mut request = Request::post(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Bytes::from(body.to_string())).unwrap();
        let (head, body) = self.handler.answer(request).await.into_parts();
        Answered { status: head.status, headers: head.headers, body, is_whole: true }
    }

    async fn converse(&self, id: &str, trace: &str, text: &str) -> Value {
        let path = format!("/model/{HAIKU}/converse");
        let answered = self.post(&path, &[], &converse(id, trace, text)).await;
        assert_eq!(answered.status, 200, "{:?}", answered.body);
        answered.json()
    }

    async fn invoke(&self, model: &str, stream: bool, body: &Value) -> Answered {
        let path = format!(
            "/model/{model}/{}",
            if stream { "invoke-with-response-stream" } else { "invoke" }
        );
        let headers = [
            ("X-Amzn-Bedrock-GuardrailIdentifier", "gr1"),
            ("X-Amzn-Bedrock-GuardrailVersion", "DRAFT"),
            ("X-Amzn-Bedrock-Trace", "ENABLED"),
        ];
        let answered = self.post(&path, &headers, body).await;
        assert_eq!(answered.status, 200, "{:?}", answered.body);
        answered
    }

    fn exchange(&self) -> Exchange {
        self.ledger.exchanges().pop().unwrap()
    }
}

fn converse(id: &str, trace: &str, text: &str) -> Value {
    json!({
        "messages": [{"role": "user", "content": [{"text": text}]}],
        "guardrailConfig": {"guardrailIdentifier": id, "guardrailVersion": "1", "trace": trace},
    })
}

#[tokio::test]
async fn images_are_counted_where_a_filter_looks_at_them() {
    let png = json!({"format": "png", "source": {"bytes": "iVBORw0KGgo="}});
    let gif = json!({"format": "gif", "source": {"bytes": "R0lGODlh"}});
    let plain = json!([{"text": "Look."}, {"image": png}, {"image": gif}]);
    let marked = json!([{"text": "Look."}, {"image": png}, {"guardContent": {"image": png}}]);
    let mut seeing = guardrail();
    let policy = seeing.content_policy_config.as_mut().unwrap();
    policy.filters_config[0].input_modalities = vec![Modality::Text, Modality::Image];
    for (guardrail, content, images, units, chars) in [
        (seeing.clone(), &plain, json!({"guarded": 1, "total": 2}), 1, 5),
        (seeing.clone(), &marked, json!({"guarded": 1, "total": 2}), 1, 0),
        (seeing.clone(), &json!([{"text": "Look."}]), Value::Null, 0, 5),
        (guardrail(), &plain, json!({"guarded": 0, "total": 2}), 0, 5),
    ] {
        let mock = Mock::start(vec![guardrail], &[]);
        let mut body = converse("gr1", "enabled", "");
        body["messages"][0]["content"] = content.clone();
        for path in ["converse", "converse-stream"] {
            let answered = mock.post(&format!("/model/{HAIKU}/{path}"), &[], &body).await;
            assert_eq!(answered.status, 200, "{:?}", answered.body);
            let told = match path {
                "converse" => answered.json(),
                _ => answered.frames().last().unwrap().json(),
            };
            let metrics =
                &told["trace"]["guardrail"]["inputAssessment"]["gr1"]["invocationMetrics"];
            assert_eq!(metrics["guardrailCoverage"]["images"], images, "{metrics}");
            assert_eq!(metrics["usage"]["contentPolicyImageUnits"], units);
            assert_eq!(metrics["guardrailCoverage"]["textCharacters"]["guarded"], chars);
        }
    }
    let mock = Mock::start(vec![seeing], &[]);
    let mut body = converse("gr1", "enabled", "");
    body["messages"][0]["content"] = json!([{"guardContent": {"image": gif}}]);
    let refused = mock.post(&format!("/model/{HAIKU}/converse"), &[], &body).await;
    insta::assert_snapshot!(refused.json()["message"].as_str().unwrap(), @"1 validation error detected: Value 'gif' at 'messages.1.member.content.1.member.guardContent.image.format' failed to satisfy constraint: Member must satisfy enum value set: [png, jpeg]");
}

fn text(body: &Value) -> &str {
    body["output"]["message"]["content"][0]["text"].as_str().unwrap()
}

fn redacted(mut body: Value) -> String {
    // What is drawn from the text says nothing here.
    body["metrics"]["latencyMs"] = json!(0);
    serde_json::to_string_pretty(&body).unwrap()
}

#[tokio::test]
async fn a_blocked_prompt_is_answered_by_the_message_and_charged_nothing() {
    let mock = Mock::known();
    let body =
        mock.converse("gr1", "enabled", "Which stocks should I buy, at a@example.com?").await;
    insta::assert_snapshot!("blocked_prompt", redacted(body));
    let exchange = mock.exchange();
    assert_eq!(exchange.usage.total_tokens(), 0);
    assert_eq!(exchange.guardrail_action.as_deref(), Some("GUARDRAIL_INTERVENED"));
    assert_eq!(exchange.stop_reason.as_deref(), Some("guardrail_intervened"));
    assert!(exchange.delivered);
}

#[tokio::test]
async fn a_masked_answer_keeps_the_counts_of_what_was_generated() {
    let mut lenient = guardrail();
    "gr3".clone_into(&mut lenient.guardrail_id);
    lenient.sensitive_information_policy_config = None;
    let mock = Mock::start(vec![guardrail(), lenient], &[]);
    let plain = mock.converse("gr3", "enabled", "How deep is the harbour?").await;
    assert_eq!(plain["stopReason"], "end_turn");
    let body = mock.converse("gr1", "enabled", "How deep is the harbour?").await;
    assert_eq!(body["stopReason"], "guardrail_intervened");
    assert_eq!(body["usage"], plain["usage"]);
    assert!(text(&body).contains("{Marker}"), "{body}");
    let guardrail = &body["trace"]["guardrail"];
    assert_eq!(guardrail["actionReason"], "No action.\nGuardrail masked.");
    assert!(guardrail["modelOutput"][0].as_str().unwrap().contains("Reference SPMC"));
    let found = &guardrail["outputAssessments"]["gr1"][0]["sensitiveInformationPolicy"];
    assert_eq!(found["regexes"][0]["name"], "Marker");
    assert_eq!(found["piiEntities"], json!([]));
    let chars = text(&plain).chars().count();
    let metrics = &guardrail["outputAssessments"]["gr1"][0]["invocationMetrics"];
    assert_eq!(metrics["guardrailCoverage"]["textCharacters"]["guarded"], chars);
    assert_eq!(metrics["usage"]["sensitiveInformationPolicyFreeUnits"], 1);
    let exchange = mock.exchange();
    assert_eq!(body["usage"]["outputTokens"], exchange.usage.output_tokens);
    assert!(exchange.markers.is_empty(), "the marker was masked");
}

#[tokio::test]
async fn a_blocked_answer_gives_way_to_the_message() {
    let mock = Mock::known();
    let body = mock.converse("gr2", "disabled", "How deep is the harbour?").await;
    assert_eq!(text(&body), "Output blocked");
    assert_eq!(body["stopReason"], "guardrail_intervened");
    assert!(body["usage"]["outputTokens"].as_u64().unwrap() > 10);
    assert!(body.get("trace").is_none());
}

#[tokio::test]
async fn an_answer_that_nothing_is_found_in_stays_as_it_is() {
    let mock = Mock::start(Vec::new(), &[]);
    let body = mock.converse("anything", "enabled", "How deep is the harbour?").await;
    assert_eq!(body["stopReason"], "end_turn");
    assert_eq!(body["trace"]["guardrail"]["actionReason"], "No action.");
    assert_eq!(mock.exchange().guardrail_action.as_deref(), Some("NONE"));
    let body = mock.converse("anything", "enabled", "My SSN is 078-05-1120.").await;
    assert_eq!(body["stopReason"], "guardrail_intervened");
}

#[tokio::test]
async fn the_full_trace_tells_what_was_not_found_too() {
    let mock = Mock::known();
    let body = mock.converse("gr1", "enabled_full", "How deep is the harbour?").await;
    let input = &body["trace"]["guardrail"]["inputAssessment"]["gr1"];
    assert_eq!(input["topicPolicy"]["topics"][0]["detected"], false);
    assert_eq!(input["contentPolicy"]["filters"][1]["type"], "PROMPT_ATTACK");
    assert_eq!(input["contentPolicy"]["filters"][1]["confidence"], "NONE");
    let pii = &input["sensitiveInformationPolicy"]["piiEntities"];
    assert_eq!(pii[0]["type"], "US_SOCIAL_SECURITY_NUMBER", "prompts are not masked: {pii}");
    assert!(input.get("wordPolicy").is_none());
}

#[tokio::test]
async fn guard_content_is_all_that_is_looked_at() {
    let mock = Mock::known();
    let mut body = converse("gr1", "enabled", "Tell me of Project Athena.");
    body["messages"][0]["content"].as_array_mut().unwrap().push(json!({
        "guardContent": {"text": {"text": "And of the harbour.", "qualifiers": ["guard_content"]}},
    }));
    body["system"] = json!([{"text": "Never speak of Project Athena."}]);
    let answered = mock.post(&format!("/model/{HAIKU}/converse"), &[], &body).await.json();
    let input = &answered["trace"]["guardrail"]["inputAssessment"]["gr1"];
    assert!(input.get("wordPolicy").is_none(), "{input}");
    let coverage = &input["invocationMetrics"]["guardrailCoverage"]["textCharacters"];
    assert_eq!(*coverage, json!({"guarded": 19, "total": 26 + 19}));
}

#[tokio::test]
async fn a_stream_tells_in_its_metadata() {
    let mock = Mock::known();
    for (mode, message) in [("sync", "{Marker}"), ("async", "Reference SPMC")] {
        let mut body = converse("gr1", "enabled", "How deep is the harbour?");
        body["guardrailConfig"]["streamProcessingMode"] = json!(mode);
        let answered = mock.post(&format!("/model/{HAIKU}/converse-stream"), &[], &body).await;
        let frames = answered.frames();
        let said: String = frames
            .iter()
            .filter(|frame| frame.name() == "contentBlockDelta")
            .map(|frame| frame.json()["delta"]["text"].as_str().unwrap().to_owned())
            .collect();
        assert!(said.contains(message), "{mode}: {said}");
        let (stop, metadata) = (&frames[frames.len() - 2], frames.last().unwrap().json());
        let guardrail = &metadata["trace"]["guardrail"];
        let is_masked = mode == "sync";
        let expected = if is_masked { "guardrail_intervened" } else { "end_turn" };
        assert_eq!(stop.json()["stopReason"], expected);
        assert!(guardrail["modelOutput"][0].as_str().unwrap().contains("Reference SPMC"));
        let found = guardrail["outputAssessments"]["gr1"][0].get("sensitiveInformationPolicy");
        assert_eq!(found.is_some(), is_masked);
    }
}

#[tokio::test]
async fn a_stream_that_runs_ahead_ends_in_the_message() {
    let mock = Mock::known();
    let mut body = converse("gr2", "enabled", "How deep is the harbour?");
    body["guardrailConfig"]["streamProcessingMode"] = json!("async");
    let answered = mock.post(&format!("/model/{HAIKU}/converse-stream"), &[], &body).await;
    let deltas: Vec<Value> = answered
        .frames()
        .iter()
        .filter(|frame| frame.name() == "contentBlockDelta")
        .map(client::EventFrame::json)
        .collect();
    assert_eq!(deltas.last().unwrap()["contentBlockIndex"], 1);
    let said = |index: u64| -> String {
        let of = deltas.iter().filter(|delta| delta["contentBlockIndex"] == index);
        of.map(|delta| delta["delta"]["text"].as_str().unwrap()).collect()
    };
    assert!(said(0).contains("Reference SPMC"));
    assert_eq!(said(1), "Output blocked");
}

fn titan(text: &str) -> Value {
    json!({"inputText": text, "textGenerationConfig": {"maxTokenCount": 512}})
}

#[tokio::test]
async fn native_bodies_have_names_of_their_own() {
    let mock = Mock::known();
    let answered = mock.invoke(TITAN_TEXT, false, &titan("How deep is the harbour?")).await;
    let body = answered.json();
    assert_eq!(body["amazon-bedrock-guardrailAction"], "INTERVENED");
    let guardrail = &body["amazon-bedrock-trace"]["guardrail"];
    assert!(guardrail["input"]["gr1"]["invocationMetrics"].is_object());
    assert_eq!(
        guardrail["outputs"][0]["gr1"]["sensitiveInformationPolicy"]["regexes"][0]["action"],
        "ANONYMIZED"
    );
    let output: Value =
        serde_json::from_str(guardrail["modelOutput"][0].as_str().unwrap()).unwrap();
    let of = |body: &Value| body["results"][0]["outputText"].as_str().unwrap().to_owned();
    assert!(of(&output).contains("Reference SPMC") && of(&body).contains("{Marker}"));
    assert_eq!(output["results"][0]["tokenCount"], body["results"][0]["tokenCount"]);
    let exchange = mock.exchange();
    assert_eq!(exchange.parameters.guardrail_id.as_deref(), Some("gr1"));
    assert_eq!(body["results"][0]["tokenCount"], exchange.usage.output_tokens);
    let tokens = answered.header("x-amzn-bedrock-output-token-count").unwrap();
    assert_eq!(tokens, exchange.usage.output_tokens.to_string());
}

#[tokio::test]
async fn a_refused_native_prompt_states_counts_that_no_model_made() {
    let mock = Mock::known();
    let refused = titan("What of Project Athena, Japan?");
    let chunks = mock.invoke(TITAN_TEXT, true, &refused).await.frames();
    assert_eq!(chunks.len(), 1);
    let chunk = chunks[0].chunk();
    let body: Value = serde_json::from_str(&chunk).unwrap();
    assert_eq!(body["outputText"], "Input blocked");
    assert_eq!(body["inputTextTokenCount"], 6);
    assert_eq!(body["totalOutputTextTokenCount"], 3);
    assert_eq!(body["amazon-bedrock-trace"]["guardrail"]["actionReason"], "Guardrail blocked.");
    assert!(!chunk.contains("invocationMetrics\":{\"inputTokenCount"), "{chunk}");
    let exchange = mock.exchange();
    assert_eq!((exchange.usage.input_tokens, exchange.usage.output_tokens), (6, 3));
}

#[tokio::test]
async fn native_streams_state_the_action_on_each_chunk_and_the_trace_on_the_last() {
    let mock = Mock::known();
    let claude = json!({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 200,
        "messages": [{"role": "user", "content": "How deep is the harbour?"}],
    });
    let frames = mock.invoke(HAIKU, true, &claude).await.frames();
    let chunks: Vec<Value> =
        frames.iter().map(|frame| serde_json::from_str(&frame.chunk()).unwrap()).collect();
    assert!(chunks.len() > 5);
    for (n, chunk) in chunks.iter().enumerate() {
        assert_eq!(chunk["amazon-bedrock-guardrailAction"], "INTERVENED");
        let is_last = n + 1 == chunks.len();
        assert_eq!(chunk.get("amazon-bedrock-trace").is_some(), is_last);
        assert_eq!(chunk.get("amazon-bedrock-invocationMetrics").is_some(), is_last);
    }
}

#[tokio::test]
async fn tags_say_what_of_a_native_prompt_is_looked_at() {
    let mock = Mock::known();
    let tag = "amazon-bedrock-guardrails-guardContent_x";
    let mut body = titan(&format!("Not Project Athena. <{tag}>The harbour?</{tag}>"));
    body["amazon-bedrock-guardrailConfig"] = json!({"tagSuffix": "x"});
    let answered = mock.invoke(TITAN_TEXT, false, &body).await.json();
    let input = &answered["amazon-bedrock-trace"]["guardrail"]["input"]["gr1"];
    assert_eq!(input["invocationMetrics"]["guardrailCoverage"]["textCharacters"]["guarded"], 12);
    assert!(input.get("wordPolicy").is_none());
}

#[tokio::test]
async fn quirks_change_counts_under_a_guardrail_as_recorded() {
    let quirks =
        [Quirk::GuardrailTitanFloats, Quirk::GuardrailNovaUsage, Quirk::GuardrailNoEmptyLists];
    let mock = Mock::start(vec![guardrail()], &quirks);
    let answered = mock.invoke(TITAN_TEXT, false, &titan("How deep is the harbour?")).await;
    let text = String::from_utf8(answered.body.to_vec()).unwrap();
    assert!(text.starts_with("{\"inputTextTokenCount\":") && text.contains(".0,\"results\""));
    let sensitive = &answered.json()["amazon-bedrock-trace"]["guardrail"]["outputs"][0]["gr1"]["sensitiveInformationPolicy"];
    assert!(sensitive.get("piiEntities").is_none());
    let body = json!({"messages": [{"role": "user", "content": [{"text": "How deep?"}]}]});
    let usage = mock.invoke(NOVA, false, &body).await.json()["usage"].clone();
    assert_eq!(usage, json!({"inputTokens": mock.exchange().usage.input_tokens}));
}

#[tokio::test]
async fn what_names_no_guardrail_is_refused_in_the_service_s_words() {
    let mock = Mock::known();
    let mut seen = Vec::new();
    for (id, version, trace) in [
        ("gr9", "1", "enabled"),
        ("gr1", "2", "enabled"),
        ("GR1", "1", "enabled"),
        ("gr1", "", "enabled"),
        ("gr1", "newest", "enabled"),
        ("gr1", "1", "loud"),
    ] {
        let mut body = converse(id, trace, "Hello?");
        body["guardrailConfig"]["guardrailVersion"] = json!(version);
        let answered = mock.post(&format!("/model/{HAIKU}/converse"), &[], &body).await;
        let message = answered.json()["message"].as_str().unwrap().to_owned();
        seen.push(format!("{id} {version} {trace}: {} {message}", answered.status));
    }
    insta::assert_snapshot!("refused", seen.join("\n"));
    let body = mock.converse("", "enabled", "Hello?").await;
    assert!(body.get("trace").is_none(), "an empty id names none");
}

#[test]
fn a_configuration_that_cannot_be_says_why() {
    let mut seen = Vec::new();
    let mut refuse = |change: &dyn Fn(&mut Guardrail)| {
        let mut guardrail = guardrail();
        change(&mut guardrail);
        let config = Config { guardrails: vec![guardrail], ..Config::default() };
        seen.push(config.validate().unwrap_err().to_string());
    };
    refuse(&|guardrail| guardrail.guardrail_id = "My guardrail".to_owned());
    refuse(&|guardrail| guardrail.versions = vec!["latest".to_owned()]);
    refuse(&|guardrail| {
        guardrail.topic_policy_config.as_mut().unwrap().topics_config[0].name.clear();
    });
    refuse(&|guardrail| {
        guardrail.word_policy_config.as_mut().unwrap().words_config[0].text.clear();
    });
    for pattern in ["(", "a*"] {
        refuse(&|guardrail| {
            let policy = guardrail.sensitive_information_policy_config.as_mut().unwrap();
            policy.regexes_config[0].pattern = pattern.to_owned();
        });
    }
    insta::assert_snapshot!("configuration", seen.join("\n"));
}
