//! InvokeFlow: the output of a flow, and how it went from node to node.
//!
//! Every flow has three nodes: its input, a prompt, and its output.

use http::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};
use spanproof_schemas::ledger::{self, Conversation};

use super::{Operation, Written};
use crate::agent_runtime::{self, DEFAULT_MODEL, Said, Timeline};
use crate::arn::Region;
use crate::asked::Asked;
use crate::constraint::{self, required};
use crate::draw::{self, Fold, Purpose};
use crate::error::ServiceError;
use crate::families;
use crate::prose;
use crate::route::Route;
use crate::timing;
use crate::turn::Turn;

const EXECUTION: HeaderName = HeaderName::from_static("x-amz-bedrock-flow-execution-id");

/// The nodes behind the input, whose name the request states.
const PROMPT_NODE: &str = "Prompt_1";
const OUTPUT_NODE: &str = "FlowOutputNode";

/// The median time before the first node; a plausible one.
const MEDIAN_START_MS: f64 = 150.0;

/// `POST /flows/{flowIdentifier}/aliases/{flowAliasIdentifier}`
pub(crate) struct InvokeFlow;

impl Operation for InvokeFlow {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::InvokeFlow
    }

    fn route(&self) -> Route {
        Route::post("/flows/{flowIdentifier}/aliases/{flowAliasIdentifier}")
    }

    fn task(&self) -> ledger::Task {
        ledger::Task::InvokeAgent
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        let body: Body = asked.json()?;
        let flow = flow(asked)?;
        let input = body.input()?;
        let prompt = match &input.document {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if let Some(id) = &body.execution_id {
            agent_runtime::check_session("executionId", id)?;
        }
        let conversation = Conversation { messages: 1, ..Conversation::default() };
        agent_runtime::record(
            asked,
            Said { prompt: prompt.clone(), conversation, ..Said::default() },
        );
        let model = agent_runtime::chat_model(asked, DEFAULT_MODEL)?;
        let seed = asked.service.config.seed;
        let mut key = Fold::new(seed);
        key.bytes(flow.as_bytes());
        let mut turn = Turn::new();
        let mut template = String::new();
        prose::write(&mut template, 80, &mut draw::generator(key.finish(), Purpose::Agent));
        turn.add_system(&template);
        turn.begin_message("user");
        turn.add_text(&prompt);
        agent_runtime::admit(asked, model, &prompt, &turn)?;

        let answer = agent_runtime::compose(asked, model, turn);
        let text = answer.text().into_owned();
        let mut timeline = Timeline::new(asked);
        timeline.charge(answer.usage);
        let traces = Traces { is_enabled: body.enable_trace == Some(true) };
        timeline.wait(timing::latency(MEDIAN_START_MS, answer.key));
        traces.output(&mut timeline, &input.node, &input.output, &input.document);
        let prompted =
            json!({ "content": { "document": input.document }, "nodeInputName": "input" });
        traces.input(&mut timeline, PROMPT_NODE, &prompted);
        timeline.wait(answer.timing.total);
        timeline.generate(text.chars().count());
        let region = Region::of(&asked.head.headers);
        traces.node(
            &mut timeline,
            "nodeActionTrace",
            json!({
                "nodeName": PROMPT_NODE,
                "operationName": "InvokeModel",
                "operationRequest": { "modelId": region.foundation_model(&model.id), "prompt": prompt },
                "operationResponse": serde_json::from_slice::<Value>(&families::of(model).write(&answer))
                    .unwrap_or_default(),
                "requestId": draw::uuid(answer.key, 2),
                "serviceName": "Bedrock",
            }),
        );
        let told = Value::from(text.as_str());
        traces.output(&mut timeline, PROMPT_NODE, "modelCompletion", &told);
        let told_in = json!({ "content": { "document": told }, "nodeInputName": "document" });
        traces.input(&mut timeline, OUTPUT_NODE, &told_in);
        timeline.event(
            "flowOutputEvent",
            json!({
                "content": { "document": told },
                "nodeName": OUTPUT_NODE,
                "nodeType": "FlowOutputNode",
            }),
        );
        timeline.event("flowCompletionEvent", json!({ "completionReason": "SUCCESS" }));
        agent_runtime::complete(asked, &text);
        asked.exchange.markers.extend(answer.marker.clone());
        let execution = body.execution_id.unwrap_or_else(|| draw::uuid(answer.key, 1));
        let execution =
            HeaderValue::from_str(&execution).map_err(|_| ServiceError::unreadable())?;
        Ok(timeline.written(vec![(EXECUTION, execution)], Some(model)))
    }
}

/// Tells the traces of nodes, if the request wants them.
struct Traces {
    is_enabled: bool,
}

impl Traces {
    fn node(&self, timeline: &mut Timeline, kind: &str, mut trace: Value) {
        if self.is_enabled {
            trace["timestamp"] = timeline.wall(timeline.due()).into();
            timeline.event("flowTraceEvent", json!({ "trace": { kind: trace } }));
        }
    }

    fn input(&self, timeline: &mut Timeline, node: &str, field: &Value) {
        self.node(timeline, "nodeInputTrace", json!({ "fields": [field], "nodeName": node }));
    }

    fn output(&self, timeline: &mut Timeline, node: &str, name: &str, document: &Value) {
        let field = json!({ "content": { "document": document }, "nodeOutputName": name });
        self.node(timeline, "nodeOutputTrace", json!({ "fields": [field], "nodeName": node }));
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    inputs: Option<Vec<FlowInput>>,
    enable_trace: Option<bool>,
    execution_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FlowInput {
    content: Option<Content>,
    node_name: Option<String>,
    node_output_name: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    document: Option<Value>,
}

/// What the flow is given, and where.
struct Input {
    document: Value,
    node: String,
    output: String,
}

impl Body {
    fn input(&self) -> Result<Input, ServiceError> {
        let inputs = required("inputs", self.inputs.as_deref())?;
        constraint::count("inputs", inputs.len(), &(1..=1))?;
        let at = "inputs.1.member";
        let input = required(at, inputs.first())?;
        let content = required(&format!("{at}.content"), input.content.as_ref())?;
        let document = required(&format!("{at}.content.document"), content.document.clone())?;
        let node = required(&format!("{at}.nodeName"), input.node_name.clone())?;
        let output = input.node_output_name.clone().unwrap_or_else(|| "document".to_owned());
        for (name, value) in [("nodeName", &node), ("nodeOutputName", &output)] {
            let is_name = (1..=200).contains(&value.len())
                && value.starts_with(|letter: char| letter.is_ascii_alphabetic())
                && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            let pattern = "[a-zA-Z]([_]?[0-9a-zA-Z]){0,99}";
            constraint::pattern(&format!("{at}.{name}"), value, pattern, is_name)?;
        }
        Ok(Input { document, node, output })
    }
}

/// The id of the flow, which the path names by id or ARN.
fn flow(asked: &Asked<'_>) -> Result<String, ServiceError> {
    let identifier = asked.labels.get("flowIdentifier");
    let id = match identifier.split_once(":flow/") {
        Some((arn, id)) if arn.starts_with("arn:aws:bedrock:") => id,
        _ => identifier,
    };
    let is_id = id.len() == 10 && constraint::is_alphanumeric(id);
    let pattern =
        "(arn:aws:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:flow/[0-9a-zA-Z]{10})|([0-9a-zA-Z]{10})";
    constraint::pattern("flowIdentifier", identifier, pattern, is_id)?;
    let alias = asked.labels.get("flowAliasIdentifier");
    let id_of_alias = alias.split_once("/alias/").map_or(alias, |(_, id)| id);
    let pattern = r"(arn:aws:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:flow/[0-9a-zA-Z]{10}/alias/[0-9a-zA-Z]{10})|(\bTSTALIASID\b|[0-9a-zA-Z]+)";
    let is_alias = constraint::is_alphanumeric(id_of_alias);
    constraint::pattern("flowAliasIdentifier", alias, pattern, is_alias)?;
    Ok(id.to_owned())
}
