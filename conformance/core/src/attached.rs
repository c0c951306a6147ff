//! What is noted of a span's events and content until its call is known: counts, and what the
//! truth is asked of, never the text.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use spanproof_schemas::content::Kind;
use spanproof_schemas::ledger::canonical_json;

use crate::content::only_hash;
use crate::held::Held;
use crate::identity;
use crate::model::SpanId;
use crate::view::Seen;

/// What is attached to one span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attached {
    /// The scope that the events came from; of several the first by name.
    pub scope: Box<str>,
    /// The events, each once however often it was exported.
    events: BTreeMap<u64, Told>,
    /// What was captured of prompt and answer, where content may be.
    pub captured: Captured,
    /// Hashes that stand for texts.
    hashes: BTreeSet<(Text, [u8; 32])>,
}

/// A text that a hash may stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Text {
    /// The prompt, or its messages.
    Input,
    /// The system prompt.
    System,
    /// The answer.
    Output,
}

impl Text {
    fn of(attribute: &str) -> Option<Text> {
        match attribute {
            "gen_ai.input.messages" | "gen_ai.prompt" => Some(Text::Input),
            "gen_ai.system_instructions" => Some(Text::System),
            "gen_ai.output.messages" | "gen_ai.completion" => Some(Text::Output),
            _ => None,
        }
    }
}

/// What an event tells of its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// A choice of the answer: `gen_ai.choice`.
    Choice,
    /// A message of the request: `gen_ai.user.message` and its siblings.
    Message,
    /// Everything: `gen_ai.client.inference.operation.details`.
    Details,
}

impl Told {
    fn of(event: &str) -> Option<Told> {
        match event {
            "gen_ai.choice" => Some(Told::Choice),
            "gen_ai.client.inference.operation.details" => Some(Told::Details),
            event if crate::content::is_message_event(event) => Some(Told::Message),
            _ => None,
        }
    }
}

/// How many hashes of one span are kept.
const HASHES: usize = 16;

/// How many events of one span are told apart.
const EVENTS: usize = 1 << 10;

impl Attached {
    /// How many events tell this of the call.
    #[must_use]
    pub fn count(&self, told: Told) -> usize {
        self.events.values().filter(|known| **known == told).count()
    }

    /// Whether there are any events.
    #[must_use]
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    fn note(&mut self, identity: u64, told: Told, scope: &str) {
        if self.events.is_empty() || scope < &*self.scope {
            self.scope = scope.into();
        }
        if self.events.len() < EVENTS {
            self.events.insert(identity, told);
        }
    }

    fn merge(&mut self, other: Attached) {
        for (identity, told) in other.events {
            self.note(identity, told, &other.scope);
        }
        self.captured.merge(other.captured);
        other.hashes.into_iter().for_each(|(text, hash)| self.note_hash(text, hash));
    }

    fn note_hash(&mut self, text: Text, hash: [u8; 32]) {
        self.hashes.insert((text, hash));
        if self.hashes.len() > HASHES {
            self.hashes.pop_last();
        }
    }

    /// The hashes that stand for texts of the call.
    pub fn hashes(&self) -> impl Iterator<Item = (Text, [u8; 32])> {
        self.hashes.iter().copied()
    }
}

/// What telemetry holds of the content of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// The messages of the request.
    pub input: Side,
    /// The answer.
    pub output: Side,
    /// Whether the answer has text.
    pub has_text: bool,
    /// The system prompt in the place that is kept for it.
    pub system: Side,
    /// Whether a system prompt stands among the messages.
    pub system_in_messages: bool,
    /// The tool calls of the answer, each once.
    pub tool_calls: Vec<ToolCall>,
    /// The hashes of the planted markers found.
    pub markers: FxHashSet<u64>,
}

/// How much of the prompt or of the answer was captured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// There is nothing of it.
    #[default]
    Absent,
    /// It is there and reads whole.
    Whole,
    /// It is there, and redacted, cut or no JSON: what it lacks says nothing.
    Partial,
}

/// A tool call as an answer in telemetry has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// The tool.
    pub name: Box<str>,
    /// Whether the call has an id.
    pub has_id: bool,
    /// What it was called with.
    pub arguments: Arguments,
}

/// The arguments of a tool call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arguments {
    /// None, or an empty object or text.
    Empty,
    /// The SHA-256 of their canonical form.
    Sha256([u8; 32]),
    /// Text that is no JSON, as of arguments that were cut.
    Broken,
}

impl Arguments {
    /// Reads arguments, structured or as JSON text.
    #[must_use]
    pub fn of(json: Option<&Json>) -> Arguments {
        match json {
            None | Some(Json::Null) => Arguments::Empty,
            Some(Json::String(text)) if text.trim().is_empty() => Arguments::Empty,
            Some(Json::String(text)) => match serde_json::from_str::<Json>(text) {
                // Twice encoded is not decoded twice.
                Ok(Json::String(_)) | Err(_) => Arguments::Broken,
                Ok(json) => Arguments::of(Some(&json)),
            },
            Some(Json::Object(members)) if members.is_empty() => Arguments::Empty,
            Some(json) => Arguments::Sha256(Sha256::digest(canonical_json(json)).into()),
        }
    }
}

/// How many tool calls of one answer are kept.
const TOOL_CALLS: usize = 256;

/// How many markers of one span are kept.
const MARKERS: usize = 1 << 12;

/// What is attached to spans, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Attachments {
    by_span: FxHashMap<SpanId, Attached>,
    stems: Vec<String>,
}

impl Attachments {
    /// How many spans something is kept of; those beyond are not judged by it.
    pub(crate) const MOST: usize = 1 << 18;

    /// Sets what planted markers begin with.
    pub(crate) fn set_stems(&mut self, stems: &[String]) {
        self.stems = stems.iter().filter(|stem| !stem.is_empty()).cloned().collect();
    }

    /// What is attached to a span.
    pub(crate) fn of(&self, span: SpanId) -> Option<&Attached> {
        self.by_span.get(&span)
    }

    /// Attachments of another part of the telemetry, looked at alike.
    pub(crate) fn sibling(&self) -> Attachments {
        Attachments { by_span: FxHashMap::default(), stems: self.stems.clone() }
    }

    /// Takes in what another part of the telemetry has, leaving it without any.
    pub(crate) fn merge(&mut self, other: &mut Attachments) {
        #[expect(clippy::iter_over_hash_type, reason = "the order shows beyond the bound only")]
        for (span, attached) in other.by_span.drain() {
            if let Some(known) = self.entry(span) {
                known.merge(attached);
            }
        }
    }

    /// Forgets a span that was judged.
    pub(crate) fn forget(&mut self, span: SpanId) {
        self.take(span);
    }

    /// Takes out what is attached to a span.
    pub(crate) fn take(&mut self, span: SpanId) -> Option<Attached> {
        if self.by_span.is_empty() { None } else { self.by_span.remove(&span) }
    }

    /// Notes an event of a span.
    pub(crate) fn note_event(&mut self, span: SpanId, name: &str, identity: u64, scope: &str) {
        let Some(told) = Told::of(name) else { return };
        if let Some(attached) = self.entry(span) {
            attached.note(identity, told, scope);
        }
    }

    /// Notes what a span or one of its events holds of prompt and answer.
    pub(crate) fn note_content(&mut self, span: SpanId, all: &[Held<'_>]) {
        let stems = std::mem::take(&mut self.stems);
        if let Some(attached) = self.entry(span) {
            for held in all {
                attached.captured.note(held, &stems);
            }
        }
        self.stems = stems;
    }

    /// Notes the hashes that a span or one of its events holds in place of content.
    pub(crate) fn note_hashes(&mut self, span: SpanId, attributes: &[Seen<'_>]) {
        for seen in attributes {
            if let Some(text) = Text::of(seen.key)
                && let Some(hash) = only_hash(seen.value)
                && let Some(attached) = self.entry(span)
            {
                attached.note_hash(text, hash);
            }
        }
    }

    fn entry(&mut self, span: SpanId) -> Option<&mut Attached> {
        if self.by_span.len() >= Attachments::MOST && !self.by_span.contains_key(&span) {
            return None;
        }
        Some(self.by_span.entry(span).or_default())
    }
}

impl Captured {
    fn merge(&mut self, other: Captured) {
        self.input = self.input.max(other.input);
        self.output = self.output.max(other.output);
        self.system = self.system.max(other.system);
        self.has_text |= other.has_text;
        self.system_in_messages |= other.system_in_messages;
        other.tool_calls.into_iter().for_each(|call| self.note_tool_call(call));
        self.markers.extend(other.markers);
    }

    fn note(&mut self, held: &Held<'_>, stems: &[String]) {
        use Kind::{
            AssistantMessage, Choice, InputMessages, OutputMessages, SystemInstructions,
            SystemMessage, ToolMessage, UserMessage,
        };
        let json = held.json();
        let found = if json.is_some() { Side::Whole } else { Side::Partial };
        match held.kind {
            InputMessages | UserMessage | AssistantMessage | ToolMessage => {
                self.input = self.input.max(found);
            }
            OutputMessages | Choice => self.output = self.output.max(found),
            SystemInstructions | SystemMessage => {
                let is_empty = json.and_then(Json::as_array).is_some_and(Vec::is_empty);
                self.system = self.system.max(if is_empty { Side::Absent } else { found });
            }
            _ => return,
        }
        let Some(json) = json else { return };
        self.find_markers(json, stems);
        match held.kind {
            InputMessages => {
                let messages = json.as_array().into_iter().flatten();
                let mut roles = messages.filter_map(|message| message.get("role"));
                self.system_in_messages |= roles.any(|role| role == "system");
            }
            OutputMessages => {
                let messages = json.as_array().into_iter().flatten();
                let parts = messages.filter_map(|message| message.get("parts")?.as_array());
                for part in parts.flatten() {
                    self.has_text |= part["type"] == "text" && is_text(part.get("content"));
                    if part["type"] == "tool_call" {
                        let member = |name| part.get(name);
                        let call = call(member("name"), member("id"), member("arguments"));
                        self.note_tool_call(call);
                    }
                }
            }
            Choice => {
                let message = json.get("message");
                self.has_text |= is_text(message.and_then(|message| message.get("content")));
                let calls = json.get("tool_calls").or_else(|| message?.get("tool_calls"));
                for tool_call in calls.and_then(Json::as_array).into_iter().flatten() {
                    let function = tool_call.get("function");
                    let member = |name| function.and_then(|function| function.get(name));
                    let (name, arguments) = (member("name"), member("arguments"));
                    self.note_tool_call(call(name, tool_call.get("id"), arguments));
                }
            }
            _ => {}
        }
    }

    fn note_tool_call(&mut self, call: ToolCall) {
        // A span and its event hold the same call.
        if self.tool_calls.len() < TOOL_CALLS && !self.tool_calls.contains(&call) {
            self.tool_calls.push(call);
        }
    }

    fn find_markers(&mut self, json: &Json, stems: &[String]) {
        match json {
            Json::String(text) => {
                for stem in stems {
                    for (at, _) in text.match_indices(stem.as_str()) {
                        if self.markers.len() < MARKERS {
                            self.markers.insert(identity::of(marker_at(text, at)));
                        }
                    }
                }
            }
            Json::Array(values) => values.iter().for_each(|value| self.find_markers(value, stems)),
            Json::Object(members) => {
                members.values().for_each(|value| self.find_markers(value, stems));
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }
}

fn call(name: Option<&Json>, id: Option<&Json>, arguments: Option<&Json>) -> ToolCall {
    ToolCall {
        name: name.and_then(Json::as_str).unwrap_or_default().into(),
        has_id: id.and_then(Json::as_str).is_some_and(|id| !id.is_empty()),
        arguments: Arguments::of(arguments),
    }
}

/// Whether there is text, as such or in a list of blocks, which some instrumentations pass on as
/// the service has them.
fn is_text(content: Option<&Json>) -> bool {
    match content {
        Some(Json::String(text)) => !text.is_empty(),
        Some(Json::Array(blocks)) => blocks.iter().any(|block| is_text(block.get("text"))),
        _ => false,
    }
}

/// The marker that begins at a byte of a text: letters and digits.
fn marker_at(text: &str, at: usize) -> &str {
    let rest = &text[at..];
    let end = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
    &rest[..end]
}
