//! Agents and flows: what they say, and how they say they came to it.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod client;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use client::{Answered, Mock};
use serde_json::{Value, json};
use spanproof_schemas::ledger::{Operation, Task};
use spanproof_schemas::speed::Speed;

const INSTRUCTION: &str = "You are an assistant of a harbour and answer what sailors ask.";

fn agent(id: &str) -> String {
    format!("/agents/{id}/agentAliases/TSTALIASID/sessions/session-1/text")
}

fn asks(extra: &Value) -> String {
    let mut body = json!({"inputText": "How deep is the harbour?", "enableTrace": true});
    for (name, value) in extra.as_object().unwrap() {
        body[name] = value.clone();
    }
    body.to_string()
}

fn inline(extra: &Value) -> String {
    let mut body = json!({
        "foundationModel": "anthropic.claude-3-haiku-20240307-v1:0",
        "instruction": INSTRUCTION,
        "inputText": "How deep is the harbour?",
        "enableTrace": true,
    });
    for (name, value) in extra.as_object().unwrap() {
        body[name] = value.clone();
    }
    body.to_string()
}

fn depth(control: &Value) -> Value {
    json!([{
        "actionGroupName": "charts",
        "actionGroupExecutor": control,
        "functionSchema": {"functions": [{
            "name": "depth",
            "parameters": {
                "place": {"type": "string", "required": true},
                "tide": {"type": "integer", "required": true},
            },
        }]},
    }])
}

/// All that the chunks say.
fn said(answered: &Answered) -> String {
    let mut bytes = Vec::new();
    for frame in answered.frames().iter().filter(|frame| frame.name() == "chunk") {
        bytes.extend(STANDARD.decode(frame.json()["bytes"].as_str().unwrap()).unwrap());
    }
    String::from_utf8(bytes).unwrap()
}

/// The orchestration steps of a traced answer.
fn steps(answered: &Answered) -> Vec<Value> {
    let traces = answered.frames().into_iter().filter(|frame| frame.name() == "trace");
    traces.map(|frame| frame.json()["trace"]["orchestrationTrace"].clone()).collect()
}

/// What the steps are, by the one member that each has.
fn kinds(answered: &Answered) -> Vec<String> {
    let kind = |step: &Value| step.as_object().map(|step| step.keys().next().unwrap().clone());
    steps(answered).iter().map(|step| kind(step).unwrap_or_default()).collect()
}

/// Input and output tokens that the traces tell, added.
fn traced_usage(answered: &Answered) -> (u64, u64) {
    let mut sum = (0, 0);
    for step in steps(answered) {
        let usage = &step["modelInvocationOutput"]["metadata"]["usage"];
        sum.0 += usage["inputTokens"].as_u64().unwrap_or(0);
        sum.1 += usage["outputTokens"].as_u64().unwrap_or(0);
    }
    sum
}

/// The frames as a client sees them, but for the time and for long texts.
fn shown(answered: &Answered) -> String {
    let mut lines = vec![answered.status.to_string()];
    for (name, value) in &answered.headers {
        if name.as_str().starts_with("x-am") && name != "x-amzn-requestid" {
            lines.push(format!("{name}: {}", value.to_str().unwrap()));
        }
    }
    for frame in answered.frames() {
        let mut payload = frame.json();
        hide(&mut payload);
        lines.push(format!("[{}] {payload}", frame.name()));
    }
    lines.join("\n")
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match name.as_str() {
                    "eventTime" | "startTime" | "endTime" | "timestamp" => *value = "…".into(),
                    _ => hide(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::String(text) if text.len() > 180 => *text = format!("{}…", &text[..180]),
        _ => {}
    }
}

#[tokio::test]
async fn a_plain_agent_as_a_client_sees_it() {
    let mock = Mock::start(Speed::Max);
    let answered = mock.post(&agent("PLAINAGENT"), &[], &asks(&json!({}))).await;
    insta::assert_snapshot!(shown(&answered));
    let usage = traced_usage(&answered);
    let text = said(&answered);
    let exchange = mock.exchange().await;
    assert_eq!((exchange.operation, exchange.task), (Operation::InvokeAgent, Task::InvokeAgent));
    assert_eq!((exchange.usage.input_tokens, exchange.usage.output_tokens), usage);
    assert_eq!(exchange.model_id, "");
    assert_eq!(exchange.served_model.as_deref(), Some("amazon.nova-pro-v1:0"));
    assert!(exchange.delivered);
    let content = exchange.content.unwrap();
    assert_eq!(
        (content.prompt.as_str(), content.completion.as_str()),
        ("How deep is the harbour?", text.as_str())
    );
    assert!(text.contains(&exchange.markers[0]));
}

#[tokio::test]
async fn an_agent_with_a_knowledge_base_cites_it() {
    let mock = Mock::start(Speed::Max);
    let answered = mock.post(&agent("KBASEAGENT"), &[], &asks(&json!({}))).await;
    insta::assert_snapshot!(shown(&answered));
    let text = said(&answered);
    let frames = answered.frames();
    let citations = frames.last().unwrap().json()["attribution"]["citations"].clone();
    for citation in citations.as_array().unwrap() {
        let part = &citation["generatedResponsePart"]["textResponsePart"];
        let at = |name: &str| usize::try_from(part["span"][name].as_u64().unwrap()).unwrap();
        assert_eq!(text[at("start")..=at("end")], *part["text"].as_str().unwrap());
        assert!(citation["retrievedReferences"][0]["location"]["type"].is_string());
    }
}

#[tokio::test]
async fn an_agent_calls_an_action_and_goes_on() {
    let mock = Mock::start(Speed::Max);
    let answered = mock.post(&agent("AGENTACTS1"), &[], &asks(&json!({}))).await;
    assert_eq!(
        kinds(&answered),
        [
            "modelInvocationInput",
            "modelInvocationOutput",
            "invocationInput",
            "observation",
            "modelInvocationInput",
            "modelInvocationOutput",
            "rationale",
            "observation",
        ]
    );
    let usage = traced_usage(&answered);
    let exchange = mock.exchange().await;
    assert_eq!((exchange.usage.input_tokens, exchange.usage.output_tokens), usage);
    assert_eq!(exchange.markers.len(), 2, "one for each answer of the model");
}

#[tokio::test]
async fn an_agent_returns_control_and_takes_results() {
    let mock = Mock::start(Speed::Max);
    let answered =
        mock.post(&agent("RCAGENT001"), &[], &asks(&json!({"enableTrace": false}))).await;
    let frames = answered.frames();
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0].name(), "returnControl");
    let control = frames[0].json();
    let input = &control["invocationInputs"][0]["functionInvocationInput"];
    assert_eq!(input["actionInvocationType"], "RESULT");
    let results = json!({"sessionState": {
        "invocationId": control["invocationId"],
        "returnControlInvocationResults": [{"functionResult": {
            "actionGroup": input["actionGroup"],
            "function": input["function"],
            "responseBody": {"TEXT": {"body": "twelve metres"}},
        }}],
    }});
    let done = mock.post(&agent("RCAGENT001"), &[], &asks(&results)).await;
    assert!(!said(&done).is_empty());
    assert!(!done.frames().iter().any(|frame| frame.name() == "returnControl"));
    let exchanges = mock.exchanges().await;
    let marker = &exchanges[0].markers[0];
    assert!(control.to_string().contains(marker.as_str()), "{control}");
}

#[tokio::test]
async fn an_inline_agent_as_a_client_sees_it() {
    let mock = Mock::start(Speed::Max);
    let lambda = json!({"lambda": "arn:aws:lambda:us-east-1:123456789012:function:charts"});
    let body = inline(&json!({"actionGroups": depth(&lambda)}));
    let answered = mock.post("/agents/session-1", &[], &body).await;
    insta::assert_snapshot!(shown(&answered));
    let usage = traced_usage(&answered);
    let exchange = mock.exchange().await;
    assert_eq!(exchange.operation, Operation::InvokeInlineAgent);
    assert_eq!(exchange.model_id, "anthropic.claude-3-haiku-20240307-v1:0");
    assert_eq!((exchange.usage.input_tokens, exchange.usage.output_tokens), usage);
    assert_eq!(exchange.conversation.tools, 1);
    let prompt = exchange.content.unwrap().prompt;
    assert_eq!(prompt, format!("{INSTRUCTION}\nHow deep is the harbour?"));
}

#[tokio::test]
async fn an_inline_agent_returns_control() {
    let mock = Mock::start(Speed::Max);
    let body = inline(&json!({"actionGroups": depth(&json!({"customControl": "RETURN_CONTROL"}))}));
    let answered = mock.post("/agents/session-1", &[], &body).await;
    insta::assert_snapshot!(shown(&answered));
}

#[tokio::test]
async fn an_api_is_called_by_path_and_method() {
    let mock = Mock::start(Speed::Max);
    let api = json!({"openapi": "3.0.0", "paths": {"/tides/{place}": {"post": {
        "parameters": [{"name": "place", "in": "path", "required": true, "schema": {"type": "string"}}],
        "requestBody": {"content": {"application/json": {"schema": {
            "type": "object",
            "properties": {"day": {"type": "string"}},
            "required": ["day"],
        }}}},
    }}}});
    let groups = json!([{
        "actionGroupName": "tides",
        "actionGroupExecutor": {"customControl": "RETURN_CONTROL"},
        "apiSchema": {"payload": api.to_string()},
    }]);
    let body = inline(&json!({"actionGroups": groups}));
    let answered = mock.post("/agents/session-1", &[], &body).await;
    let control = answered.frames().last().unwrap().json();
    let input = &control["invocationInputs"][0]["apiInvocationInput"];
    assert_eq!(
        (input["apiPath"].as_str(), input["httpMethod"].as_str()),
        (Some("/tides/{place}"), Some("POST"))
    );
    assert_eq!(input["parameters"][0]["name"], "place");
    let properties = &input["requestBody"]["content"]["application/json"]["properties"];
    assert_eq!(properties[0]["name"], "day", "{control}");
}

#[tokio::test]
async fn a_streamed_answer_is_the_same_in_pieces() {
    let mock = Mock::start(Speed::Max);
    let whole = mock.post(&agent("KBASEAGENT"), &[], &asks(&json!({}))).await;
    let streams = json!({"streamingConfigurations": {"streamFinalResponse": true}});
    // A test of its own has a session of its own, which has not heard the first answer.
    let elsewhere = [("x-spanproof-test", "streamed")];
    let streamed = mock.post(&agent("KBASEAGENT"), &elsewhere, &asks(&streams)).await;
    assert_eq!(said(&whole), said(&streamed));
    let chunks: Vec<Value> = streamed
        .frames()
        .into_iter()
        .filter(|frame| frame.name() == "chunk")
        .map(|frame| frame.json())
        .collect();
    assert!(chunks.len() > 3);
    assert!(chunks.last().unwrap()["attribution"]["citations"].is_array());
    let exchanges = mock.exchanges().await;
    assert_eq!(exchanges[0].usage, exchanges[1].usage);
}

#[tokio::test]
async fn a_session_ends_when_the_client_says_so() {
    let mock = Mock::start(Speed::Max);
    let body = json!({"endSession": true});
    let answered = mock.post(&agent("PLAINAGENT"), &[], &body.to_string()).await;
    assert_eq!(said(&answered), "Session is terminated as 'endSession' flag is set in request.");
    let exchange = mock.exchange().await;
    assert_eq!(exchange.usage.total_tokens(), 0);
    assert!(exchange.delivered);
}

#[tokio::test]
async fn a_session_remembers_what_was_said_until_it_ends() {
    let mock = Mock::start(Speed::Max);
    let paths = [
        (agent("PLAINAGENT"), asks(&json!({}))),
        ("/agents/session-1".to_owned(), inline(&json!({}))),
    ];
    for (path, body) in &paths {
        let mut end: Value = serde_json::from_str(body).unwrap();
        end["endSession"] = true.into();
        let (elsewhere, end) = (path.replace("session-1", "session-2"), end.to_string());
        let of_test = [("x-spanproof-test", "other")];
        let none = &[][..];
        for (path, headers, body) in [
            (path, none, body),
            (path, none, body),
            (path, none, body),
            (&elsewhere, none, body),
            (path, &of_test[..], body),
            (path, none, &end),
            (path, none, body),
            (path, none, body),
        ] {
            assert_eq!(mock.post(path, headers, body).await.status, 200);
        }
        assert!(mock.post("/_spanproof/reset", &[], "").await.status.is_success());
        assert_eq!(mock.post(path, &[], body).await.status, 200);
    }
    let mut exchanges = mock.exchanges().await;
    exchanges.sort_unstable_by_key(|exchange| exchange.sequence);
    let tokens: Vec<u64> = exchanges.iter().map(|exchange| exchange.usage.input_tokens).collect();
    for tokens in tokens.chunks(9) {
        let [first, second, third, elsewhere, of_test, end, anew, again, reset] = tokens else {
            panic!("{tokens:?}");
        };
        assert!(first < second && second < third, "{tokens:?}");
        assert_eq!([elsewhere, of_test, anew, reset], [first; 4], "{tokens:?}");
        assert_eq!((again, *end), (second, 0));
    }
}

#[tokio::test]
async fn what_was_said_before_is_charged() {
    let mock = Mock::start(Speed::Max);
    mock.post(&agent("PLAINAGENT"), &[], &asks(&json!({}))).await;
    let history = json!({"sessionState": {"conversationHistory": {"messages": [
        {"role": "user", "content": [{"text": "We sail in from the north with a large ship."}]},
        {"role": "assistant", "content": [{"text": "Welcome to the harbour, what is your draught?"}]},
    ]}}});
    mock.post(&agent("PLAINAGENT"), &[], &asks(&history)).await;
    let exchanges = mock.exchanges().await;
    assert!(exchanges[1].usage.input_tokens > exchanges[0].usage.input_tokens);
}

#[tokio::test]
async fn a_guardrail_of_an_inline_agent_is_traced() {
    let mock = Mock::start(Speed::Max);
    let guardrail = json!({"guardrailConfiguration": {"guardrailIdentifier": "gr1", "guardrailVersion": "DRAFT"}});
    let quiet = mock.post("/agents/session-1", &[], &inline(&guardrail)).await;
    let guardrails: Vec<Value> = quiet
        .frames()
        .iter()
        .filter(|frame| frame.name() == "trace")
        .map(|frame| frame.json()["trace"]["guardrailTrace"].clone())
        .filter(|trace| !trace.is_null())
        .collect();
    assert_eq!(guardrails[0]["action"], "NONE");
    assert_eq!(guardrails[0]["inputAssessments"], json!([{}]));
    assert_eq!(guardrails[1]["outputAssessments"], json!([{}]));
    let loud = inline(&guardrail).replace("How deep is", "Damn, how deep is");
    let refused = mock.post("/agents/session-1", &[], &loud).await;
    insta::assert_snapshot!(shown(&refused));
    assert_eq!(said(&refused), "Sorry, the model cannot answer this question.");
    let exchanges = mock.exchanges().await;
    assert_eq!(exchanges[1].usage.total_tokens(), 0);
    assert_eq!(exchanges[1].guardrail_action.as_deref(), Some("GUARDRAIL_INTERVENED"));
}

#[tokio::test]
async fn a_flow_as_a_client_sees_it() {
    let mock = Mock::start(Speed::Max);
    let body = json!({
        "inputs": [{"content": {"document": "How deep is the harbour?"}, "nodeName": "FlowInputNode", "nodeOutputName": "document"}],
        "enableTrace": true,
    });
    let answered = mock.post("/flows/FLOWFLOW12/aliases/TSTALIASID", &[], &body.to_string()).await;
    insta::assert_snapshot!(shown(&answered));
    let untraced = body.to_string().replace("true", "false");
    let untraced = mock.post("/flows/FLOWFLOW12/aliases/TSTALIASID", &[], &untraced).await;
    let names: Vec<String> =
        untraced.frames().iter().map(|frame| frame.name().to_owned()).collect();
    assert_eq!(names, ["flowOutputEvent", "flowCompletionEvent"]);
    let exchanges = mock.exchanges().await;
    assert_eq!(exchanges[0].operation, Operation::InvokeFlow);
    assert_eq!(exchanges[0].usage, exchanges[1].usage);
    assert!(exchanges[0].usage.output_tokens > 0);
    assert_eq!(exchanges[0].content.as_ref().unwrap().prompt, "How deep is the harbour?");
}

#[tokio::test]
async fn exceptions_have_the_statuses_of_the_agent_runtime() {
    let mock = Mock::start(Speed::Max);
    for (fault, status) in [
        ("ModelNotReadyException", 424),
        ("ConflictException", 409),
        ("BadGatewayException", 502),
        ("DependencyFailedException", 424),
        ("ThrottlingException", 429),
    ] {
        let headers = [("x-spanproof-fault", fault)];
        let answered = mock.post(&agent("PLAINAGENT"), &headers, &asks(&json!({}))).await;
        assert_eq!(answered.status, status, "{fault}");
    }
    let headers = [("x-spanproof-fault", "stream:dependencyFailedException")];
    let answered = mock.post(&agent("AGENTACTS1"), &headers, &asks(&json!({}))).await;
    assert_eq!(answered.frames().last().unwrap().name(), "dependencyFailedException");
}

#[tokio::test]
async fn bad_requests_get_the_service_s_own_words() {
    let mock = Mock::start(Speed::Max);
    let flow = r#"{"inputs":[{"content":{"document":"a"},"nodeName":"In"}]}"#;
    let mut seen = Vec::new();
    for (path, body) in [
        (agent("TOOLONGFORANID"), asks(&json!({}))),
        (agent("NO-LETTER"), asks(&json!({}))),
        (agent("PLAINAGENT").replace("session-1", "s"), asks(&json!({}))),
        (agent("PLAINAGENT"), "{}".to_owned()),
        (agent("PLAINAGENT"), "[]".to_owned()),
        (
            agent("PLAINAGENT"),
            asks(&json!({"sessionState": {"returnControlInvocationResults": []}})),
        ),
        (agent("PLAINAGENT"), asks(&json!({"memoryId": "?"}))),
        ("/agents/session-1".to_owned(), inline(&json!({"instruction": "Short."}))),
        ("/agents/session-1".to_owned(), inline(&json!({"foundationModel": null}))),
        ("/agents/session-1".to_owned(), inline(&json!({"foundationModel": "nobody.knows"}))),
        (
            "/agents/session-1".to_owned(),
            inline(&json!({"foundationModel": "cohere.rerank-v3-5:0"})),
        ),
        (
            "/agents/session-1".to_owned(),
            inline(&json!({"actionGroups": depth(&json!({"customControl": "MINE"}))})),
        ),
        ("/agents/session-1".to_owned(), inline(&json!({"actionGroups": [{}]}))),
        ("/agents/session-1".to_owned(), inline(&json!({"idleSessionTTLInSeconds": 1}))),
        ("/flows/FLOW/aliases/A".to_owned(), flow.to_owned()),
        ("/flows/FLOWFLOW12/aliases/TSTALIASID".to_owned(), r#"{"inputs":[]}"#.to_owned()),
        ("/flows/FLOWFLOW12/aliases/TSTALIASID".to_owned(), flow.replace("\"In\"", "\"9\"")),
        ("/flows/FLOWFLOW12/aliases/TSTALIASID".to_owned(), flow.replace("document", "text")),
    ] {
        let answered = mock.post(&path, &[], &body).await;
        let message = answered.json()["message"].as_str().unwrap().to_owned();
        seen.push(format!("{path}: {} {message}", answered.status));
    }
    insta::assert_snapshot!(seen.join("\n"));
}
