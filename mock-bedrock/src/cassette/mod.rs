//! Cassettes: exchanges with the real service as test suites record them, made into scripted
//! answers.
//!
//! Three kinds are read: those of vcrpy (YAML or JSON), HTTP archives (as Polly.js keeps them), and
//! those of nock. None of them says when the events of a stream came, so they come at once.

mod interaction;
mod kinds;
mod stated;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::Value;
use spanproof_schemas::ledger::Operation;

use crate::draw;
use crate::event_stream::Decoder;
use crate::inference;
use crate::route;
use crate::scripted::{
    Event, EventKind, Operations, Recorded, RecordedBody, Reply, Rule, ScriptedAnswers, When,
};
use interaction::Interaction;
use stated::Stated;

/// Why a text is no cassette.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CassetteError {
    /// It is neither JSON nor YAML.
    #[error("neither JSON nor YAML: {0}")]
    Syntax(String),
    /// It is not a cassette of a kind that is known.
    #[error(
        "no cassette of a known kind: it has neither `interactions` (vcrpy) nor `log.entries` (an HTTP archive), and is no list of requests with a `scope` (nock)"
    )]
    Kind,
    /// An interaction lacks what every one has.
    #[error("interaction {number}: {problem}")]
    Interaction {
        /// Which one, from 1.
        number: usize,
        /// What is wrong with it.
        problem: String,
    },
}

/// What a cassette came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Converted {
    /// An answer for each request of the cassette, those to one request in their order.
    pub answers: ScriptedAnswers,
    /// The interactions that were left out, and why.
    pub left_out: Vec<String>,
}

/// Converts a cassette; `name` is what its answers are called, with a number after it.
///
/// # Errors
///
/// When `text` is no cassette. Interactions that are not with Bedrock, or cannot be replayed, are
/// left out and listed.
pub fn convert(name: &str, text: &str) -> Result<Converted, CassetteError> {
    let cassette: Value = serde_json::from_str(text).or_else(|_| {
        serde_norway::from_str(text).map_err(|error| CassetteError::Syntax(error.to_string()))
    })?;
    let mut converted = Converted::default();
    let mut by_request: HashMap<Key, usize> = HashMap::new();
    for (number, interaction) in kinds::interactions(&cassette)?.into_iter().enumerate() {
        let number = number + 1;
        let (when, key, reply) = match replay(&interaction) {
            Ok(replay) => replay,
            Err(problem) => {
                converted.left_out.push(format!("{name}, interaction {number}: {problem}"));
                continue;
            }
        };
        let rules = &mut converted.answers.answers;
        if let Some(&rule) = by_request.get(&key) {
            rules[rule].answer.push(reply);
        } else {
            by_request.insert(key, rules.len());
            let name = format!("{name} {number}");
            rules.push(Rule { name, when, times: None, answer: vec![reply] });
        }
    }
    Ok(converted)
}

/// What tells requests apart: operation, model id, hash of the prompt.
type Key = (String, String, String);

/// Which requests an interaction answers, and with what.
fn replay(interaction: &Interaction) -> Result<(When, Key, Reply), String> {
    let method = Method::from_bytes(interaction.method.as_bytes()).unwrap_or_default();
    let (operation, labels) = route::find(&method, &interaction.path).ok_or_else(|| {
        format!("{method} {} is no request that the mock serves", interaction.path)
    })?;
    let operation = operation.operation();
    let model = labels.get("modelId").to_owned();
    let prompt = inference::prompt(operation, &model, &interaction.request_body)
        .ok_or_else(|| format!("{} is not replayed", operation.name()))?
        .map_err(|error| format!("the mock refuses its request: {}", error.message))?;
    let prompt_sha256 = draw::sha256(&prompt);
    let reply = if interaction.status == 200 {
        Reply { recorded: Some(Box::new(recorded(operation, interaction)?)), ..Reply::default() }
    } else {
        let exception = interaction.header("x-amzn-errortype").unwrap_or_default();
        let exception = exception.split(':').next().unwrap_or_default();
        if exception.is_empty() {
            return Err(format!("status {} without x-amzn-errortype", interaction.status));
        }
        Reply { fault: Some(exception.to_owned()), ..Reply::default() }
    };
    let when = When {
        operation: Some(Operations::One(operation)),
        model: Some(model.clone()),
        prompt_sha256: Some(prompt_sha256.clone()),
        ..When::default()
    };
    Ok((when, (operation.name().to_owned(), model, prompt_sha256), reply))
}

fn recorded(operation: Operation, interaction: &Interaction) -> Result<Recorded, String> {
    let headers: Vec<(String, String)> = interaction
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("x-amzn-bedrock-"))
        .cloned()
        .collect();
    let latency = interaction.header("x-amzn-bedrock-invocation-latency");
    let mut recorded = Recorded {
        latency_ms: latency.and_then(|latency| latency.parse().ok()).unwrap_or_default(),
        headers,
        ..Recorded::default()
    };
    let mut stated = Stated::default();
    recorded.body = if operation.is_streamed() {
        RecordedBody::Events(events(&interaction.body, &mut stated)?)
    } else {
        let text = String::from_utf8(interaction.body.clone())
            .map_err(|_| "its answer is not text".to_owned())?;
        stated.read(&serde_json::from_str(&text).map_err(|error| format!("its answer: {error}"))?);
        RecordedBody::Body(text)
    };
    stated.read_headers(interaction);
    recorded.usage = stated.usage;
    recorded.early_output_tokens = stated.early_output_tokens;
    recorded.stop_reason = stated.stop_reason;
    Ok(recorded)
}

fn events(body: &[u8], stated: &mut Stated) -> Result<Vec<Event>, String> {
    let mut decoder = Decoder::default();
    decoder.push(body);
    let mut events = Vec::new();
    while let Some(frame) = decoder.take().map_err(|error| format!("its stream: {error}"))? {
        let (kind, name) = match (frame.event_type(), frame.exception_type()) {
            (Some(name), _) => (EventKind::Event, name),
            (None, Some(name)) => (EventKind::Exception, name),
            (None, None) => return Err("its stream has a frame without a name".to_owned()),
        };
        let payload = String::from_utf8(frame.payload.to_vec())
            .map_err(|_| "its stream holds what is not text".to_owned())?;
        if let Ok(json) = serde_json::from_str::<Value>(&payload) {
            match json["bytes"].as_str().map(|bytes| STANDARD.decode(bytes)) {
                Some(Ok(chunk)) => stated.read(&serde_json::from_slice(&chunk).unwrap_or_default()),
                _ => stated.read(&json),
            }
        }
        events.push(Event { at_ms: 0.0, name: name.to_owned(), kind, payload });
    }
    decoder.finish().map_err(|error| format!("its stream: {error}"))?;
    if events.is_empty() { Err("its stream is empty".to_owned()) } else { Ok(events) }
}
