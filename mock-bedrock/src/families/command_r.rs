//! Cohere Command R: a message with its history in, text and the history out. Only the end of a
//! stream states usage.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::{Chunks, Family, InvocationMetrics};
use crate::answer::{Answer, Block, Stop};
use crate::draw::{self, Purpose};
use crate::error::ServiceError;
use crate::model::Model;
use crate::native::parameter_definitions;
use crate::native::prompt::{self, Names};
use crate::native::schema::{self, Kind, Object, TEXTS, UNBOUNDED, optional, required};
use crate::operations::Stated;
use crate::quirk::Quirk;
use crate::script::Pieces;
use crate::turn::Turn;
use crate::wire::{self, raw};

/// `cohere.command-r-*`
pub(crate) struct CommandR;

/// Tokens of the template around a message, which with [`Quirk::CohereBilledUnits`] `tokens` count
/// and `billed_units` do not: the difference in the one recorded stream.
const TEMPLATE_TOKENS: u64 = 66;

const BODY: Object = Object {
    fields: &[
        required("message", Kind::Text(1)),
        optional("chat_history", Kind::List(&Kind::Object(&PAST), 0, UNBOUNDED)),
        optional("documents", Kind::List(&Kind::Any, 0, UNBOUNDED)),
        optional("preamble", Kind::Text(0)),
        optional("max_tokens", Kind::Tokens(1)),
        optional("temperature", Kind::Number(0.0, 1.0)),
        optional("p", Kind::Number(0.01, 0.99)),
        optional("k", Kind::Number(0.0, 500.0)),
        optional("stop_sequences", TEXTS),
        optional("tools", Kind::List(&Kind::Object(&TOOL), 0, UNBOUNDED)),
        optional("tool_results", Kind::List(&Kind::Any, 0, UNBOUNDED)),
        optional("search_queries_only", Kind::Flag),
        optional("prompt_truncation", Kind::Choice(&["OFF", "AUTO_PRESERVE_ORDER"])),
        optional("frequency_penalty", Kind::Number(0.0, 1.0)),
        optional("presence_penalty", Kind::Number(0.0, 1.0)),
        optional("seed", Kind::Any),
        optional("return_prompt", Kind::Flag),
        optional("raw_prompting", Kind::Flag),
        optional("force_single_step", Kind::Flag),
    ],
    open: false,
};

const PAST: Object = Object {
    fields: &[required("role", Kind::Choice(&["USER", "CHATBOT", "SYSTEM", "TOOL"]))],
    open: true,
};

const TOOL: Object = Object {
    fields: &[
        required("name", Kind::Text(1)),
        required("description", Kind::Text(0)),
        optional("parameter_definitions", Kind::Any),
    ],
    open: false,
};

const NAMES: Names = Names {
    prompt: "message",
    max_tokens: "max_tokens",
    temperature: "temperature",
    top_p: "p",
    top_k: "k",
    stop_sequences: "stop_sequences",
};

impl Family for CommandR {
    fn name(&self) -> &'static str {
        "command_r"
    }

    fn fragments_tool_input(&self) -> bool {
        false
    }

    fn pieces(&self) -> Pieces {
        Pieces::Tokens
    }

    fn read(&self, body: &[u8], model: &Model) -> Result<Turn, ServiceError> {
        let body = schema::read(body, &BODY, model.max_output_tokens)?;
        let mut turn = Turn::new();
        for tool in list(&body["tools"]) {
            let name = tool["name"].as_str().unwrap_or_default().to_owned();
            let schema = parameter_definitions::schema(&tool["parameter_definitions"]).to_string();
            if let Ok(schema) = RawValue::from_string(schema) {
                turn.add_tool(name, tool["description"].as_str(), schema);
            }
        }
        if let Some(preamble) = body["preamble"].as_str() {
            turn.add_system(preamble);
        }
        for document in list(&body["documents"]) {
            turn.add_structure(&document.to_string());
        }
        for past in list(&body["chat_history"]) {
            turn.begin_message(past["role"].as_str().unwrap_or_default());
            match past["message"].as_str() {
                Some(text) => turn.add_text(text),
                None => turn.add_structure(&past.to_string()),
            }
        }
        turn.begin_message("USER");
        turn.add_text(body["message"].as_str().unwrap_or_default());
        for result in list(&body["tool_results"]) {
            turn.add_structure(&result.to_string());
        }
        turn.parameters = prompt::parameters(&body, &NAMES);
        let mut history = list(&body["chat_history"]).to_vec();
        history.push(json!({ "role": "USER", "message": body["message"] }));
        turn.echo.native = Value::Array(history);
        Ok(turn)
    }

    fn write(&self, answer: &Answer) -> Vec<u8> {
        wire::json(&self.response(answer, &answer.text(), &history(answer), None))
    }

    fn stream(&self, answer: &Answer, chunks: &mut Chunks<'_>) {
        let text = answer.text();
        let generation_id = generation_id(answer);
        chunks.add(&Start { event: Event::new(false, "stream-start"), generation_id });
        let mut draws = draw::generator(answer.key, Purpose::Deltas);
        for text in answer.pieces(self.pieces(), &text, &mut draws) {
            chunks.advance(text);
            chunks.add(&Generated { event: Event::new(false, "text-generation"), text });
        }
        let tool_calls = tool_calls(answer);
        if !tool_calls.is_empty() {
            for call in &tool_calls {
                chunks.advance(call.parameters.get());
            }
            chunks.add(&Called { event: Event::new(false, "tool-calls-generation"), tool_calls });
        }
        chunks.finish();
        let metrics = chunks.metrics();
        let meta = metrics.is_some().then(|| Meta::of(answer));
        chunks.add(&End {
            event: Event::new(true, "stream-end"),
            response: self.response(answer, &text, &history(answer), meta),
            finish_reason: self.stop_word(&answer.stop),
            metrics,
        });
    }

    fn stop_word<'s>(&self, stop: &'s Stop) -> &'s str {
        match stop {
            Stop::EndTurn | Stop::ToolUse => "COMPLETE",
            Stop::Sequence(_) => "STOP_SEQUENCE",
            Stop::MaxTokens | Stop::ContextWindowExceeded => "MAX_TOKENS",
            Stop::ContentFiltered | Stop::GuardrailIntervened => "ERROR_TOXIC",
            other => other.as_str(),
        }
    }

    fn stated(&self, answer: &Answer) -> Stated {
        Stated { response_id: Some(draw::uuid(answer.key, 0)), ..Stated::default() }
    }
}

impl CommandR {
    fn response<'a>(
        &self,
        answer: &'a Answer,
        text: &'a str,
        history: &'a Value,
        meta: Option<Meta>,
    ) -> Reply<'a> {
        Reply {
            response_id: draw::uuid(answer.key, 0),
            text,
            generation_id: generation_id(answer),
            chat_history: history,
            tool_calls: tool_calls(answer),
            finish_reason: self.stop_word(&answer.stop),
            meta,
        }
    }
}

fn generation_id(answer: &Answer) -> String {
    draw::uuid(answer.key, 1)
}

/// What went before, with the answer at its end.
fn history(answer: &Answer) -> Value {
    let mut history = list(&answer.echo.native).to_vec();
    let mut said = Map::new();
    said.insert("role".to_owned(), "CHATBOT".into());
    said.insert("message".to_owned(), answer.text().into());
    let calls = tool_calls(answer);
    if !calls.is_empty() {
        said.insert("tool_calls".to_owned(), json!(calls));
    }
    history.push(Value::Object(said));
    Value::Array(history)
}

fn tool_calls(answer: &Answer) -> Vec<Call<'_>> {
    let calls = answer.blocks.iter().filter_map(|block| match block {
        Block::ToolUse { name, input } => Some(Call { name, parameters: raw(input) }),
        _ => None,
    });
    calls.collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[derive(Serialize)]
struct Reply<'a> {
    response_id: String,
    text: &'a str,
    generation_id: String,
    chat_history: &'a Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Call<'a>>,
    finish_reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Meta>,
}

#[derive(Serialize)]
struct Call<'a> {
    name: &'a str,
    parameters: &'a RawValue,
}

#[derive(Serialize)]
struct Meta {
    api_version: Version,
    billed_units: Tokens,
    tokens: Tokens,
}

impl Meta {
    fn of(answer: &Answer) -> Self {
        let usage = answer.usage;
        let billed_units =
            Tokens { input_tokens: usage.input_tokens, output_tokens: usage.output_tokens };
        let template =
            if answer.quirks.has(Quirk::CohereBilledUnits) { TEMPLATE_TOKENS } else { 0 };
        Meta {
            api_version: Version { version: "1" },
            tokens: Tokens { input_tokens: usage.input_tokens + template, ..billed_units },
            billed_units,
        }
    }
}

#[derive(Serialize)]
struct Version {
    version: &'static str,
}

#[derive(Clone, Copy, Serialize)]
struct Tokens {
    input_tokens: u64,
    output_tokens: u64,
}

#[derive(Serialize)]
struct Event {
    is_finished: bool,
    event_type: &'static str,
}

impl Event {
    fn new(is_finished: bool, event_type: &'static str) -> Self {
        Event { is_finished, event_type }
    }
}

#[derive(Serialize)]
struct Start {
    #[serde(flatten)]
    event: Event,
    generation_id: String,
}

#[derive(Serialize)]
struct Generated<'a> {
    #[serde(flatten)]
    event: Event,
    text: &'a str,
}

#[derive(Serialize)]
struct Called<'a> {
    #[serde(flatten)]
    event: Event,
    tool_calls: Vec<Call<'a>>,
}

#[derive(Serialize)]
struct End<'a> {
    #[serde(flatten)]
    event: Event,
    response: Reply<'a>,
    finish_reason: &'a str,
    #[serde(rename = "amazon-bedrock-invocationMetrics", skip_serializing_if = "Option::is_none")]
    metrics: Option<InvocationMetrics>,
}
