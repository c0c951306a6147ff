//! What spans hold of what was said, by the content policy.

use std::borrow::Cow;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use spanproof_schemas::content_policy::ContentPolicy;
use spanproof_schemas::ledger::Task;

use super::ids::{SpanId, TraceId, hex};
use super::messages::{Message, MessageForm, Part, Written, any_value_of};
use super::wire::{Key, Of};
use crate::dialect::{Dialect, PROVIDER};
use crate::protobuf::{bytes, fixed64, nested};
use crate::scenario::Tool;

/// What was said in one call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said<'a> {
    pub(super) system: Option<&'a str>,
    pub(super) input: &'a [Message<'a>],
    /// The answer, if one came.
    pub(super) output: &'a [Message<'a>],
    pub(super) offers_tools: bool,
}

/// The span that content belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) trace: TraceId,
    pub(super) span: SpanId,
    pub(super) end_unix_nanos: u64,
    /// What an event with details says of the call beside.
    pub(super) event_attributes: &'a [u8],
}

/// How a version holds content by a policy.
#[derive(Debug)]
pub(super) struct Content {
    policy: ContentPolicy,
    form: MessageForm,
    /// Whether the version has attributes for messages; older ones have an event for each.
    has_messages: bool,
    details_event: Option<&'static str>,
    system: Key,
    input: Key,
    output: Key,
    tools: Key,
    in_event: EventKeys,
    tool_arguments: Key,
    tool_result: Key,
    /// The definitions of all tools.
    offered: Value,
    offered_json: String,
}

/// The attributes of events.
#[derive(Debug)]
struct EventKeys {
    system: Key,
    input: Key,
    output: Key,
    tools: Key,
    provider: Key,
    content: Key,
    id: Key,
    index: Key,
    finish_reason: Key,
}

impl Content {
    pub(super) fn new(
        dialect: &Dialect,
        policy: ContentPolicy,
        form: MessageForm,
        offered: &[Tool],
    ) -> Content {
        let has_messages = dialect.has(Task::Chat, "gen_ai.input.messages");
        let has_tools = dialect.has(Task::Chat, "gen_ai.tool.definitions");
        // Versions without attributes for messages have none for their hashes either.
        let name = |own: &'static str, other: &'static str| if has_messages { own } else { other };
        let of_tool = |name| {
            let is_known = dialect.tool.as_ref().is_some_and(|tool| tool.has(name));
            Key::known(Of::Span, name, is_known)
        };
        let offered: Value = offered
            .iter()
            .map(|Tool { name, description, input_schema }| {
                json!({
                    "type": "function",
                    "name": name,
                    "description": description,
                    "parameters": input_schema,
                })
            })
            .collect();
        Content {
            policy,
            form,
            has_messages,
            details_event: dialect.details_event,
            system: Key::new(Of::Span, name("gen_ai.system_instructions", "app.gen_ai.system")),
            input: Key::new(Of::Span, name("gen_ai.input.messages", "app.gen_ai.prompt")),
            output: Key::new(Of::Span, name("gen_ai.output.messages", "app.gen_ai.completion")),
            tools: Key::known(Of::Span, "gen_ai.tool.definitions", has_tools),
            in_event: EventKeys {
                system: Key::new(Of::Event, "gen_ai.system_instructions"),
                input: Key::new(Of::Event, "gen_ai.input.messages"),
                output: Key::new(Of::Event, "gen_ai.output.messages"),
                tools: Key::known(Of::Event, "gen_ai.tool.definitions", has_tools),
                provider: Key::new(Of::Event, dialect.provider_key),
                content: Key::new(Of::Event, "content"),
                id: Key::new(Of::Event, "id"),
                index: Key::new(Of::Event, "index"),
                finish_reason: Key::new(Of::Event, "finish_reason"),
            },
            tool_arguments: of_tool("gen_ai.tool.call.arguments"),
            tool_result: of_tool("gen_ai.tool.call.result"),
            offered_json: offered.to_string(),
            offered,
        }
    }

    /// Appends the attributes that hold what was said.
    pub(super) fn append_attributes(&self, out: &mut Vec<u8>, said: Said<'_>, place: Place<'_>) {
        match self.policy {
            ContentPolicy::Hash => {
                if let Some(system) = said.system {
                    self.system.text(out, &hash(system));
                }
                self.input.text(out, &hash(&normalized_prompt(said)));
                if !said.output.is_empty() {
                    let texts: Vec<&str> = said.output.iter().flat_map(texts).collect();
                    self.output.text(out, &hash(&texts.concat()));
                }
            }
            ContentPolicy::Reference => {
                let (trace, span) = (hex(&place.trace), hex(&place.span));
                let uri = |part| format!("s3://genai-content/{trace}/{span}/{part}.json");
                if said.system.is_some() {
                    self.system.text(out, &uri("system"));
                }
                self.input.text(out, &uri("input"));
                if !said.output.is_empty() {
                    self.output.text(out, &uri("output"));
                }
            }
            ContentPolicy::Cut { bytes } if self.has_messages => {
                let limit = bytes as usize;
                let write = |out: &mut Vec<u8>, key: &Key, messages: &[Message<'_>]| {
                    self.list(out, key, cut(messages, limit).as_slice());
                };
                if let Some(system) = said.system {
                    let parts = [Part::Text(system.into())];
                    self.list(out, &self.system, cut_parts(&parts, limit).as_slice());
                }
                write(out, &self.input, said.input);
                if !said.output.is_empty() {
                    write(out, &self.output, said.output);
                }
            }
            ContentPolicy::Full if self.has_messages => {
                let keys = (&self.system, &self.input, &self.output, &self.tools);
                self.all(out, said, keys);
            }
            // Nothing, or events: those of the policy, or those of the version.
            _ => {}
        }
    }

    /// Appends the events that hold what was said.
    pub(super) fn append_events(&self, out: &mut Vec<u8>, said: Said<'_>, place: Place<'_>) {
        match (self.policy, self.details_event) {
            (ContentPolicy::Events, Some(name)) => event(out, name, place.end_unix_nanos, |out| {
                out.extend(place.event_attributes);
                let EventKeys { system, input, output, tools, .. } = &self.in_event;
                self.all(out, said, (system, input, output, tools));
            }),
            (policy, _) if policy.has_text() && !self.has_messages => {
                self.append_message_events(out, said, place);
            }
            _ => {}
        }
    }

    /// An event for each message, as versions before 1.37.0 have them.
    fn append_message_events(&self, out: &mut Vec<u8>, said: Said<'_>, place: Place<'_>) {
        let at = place.end_unix_nanos;
        let limit = match self.policy {
            ContentPolicy::Cut { bytes } => bytes as usize,
            _ => usize::MAX,
        };
        let EventKeys { provider, content, id, index, finish_reason, .. } = &self.in_event;
        if let Some(system) = said.system {
            event(out, "gen_ai.system.message", at, |out| {
                provider.text(out, PROVIDER);
                content.text(out, prefix(system, limit));
            });
        }
        for message in said.input {
            let name = match message.role {
                "assistant" => "gen_ai.assistant.message",
                "tool" => "gen_ai.tool.message",
                _ => "gen_ai.user.message",
            };
            event(out, name, at, |out| {
                provider.text(out, PROVIDER);
                for part in &message.parts {
                    match part {
                        Part::Text(text) => content.text(out, prefix(text, limit)),
                        Part::ToolResponse { id: call, response } => {
                            id.text(out, call);
                            content.text(out, prefix(response, limit));
                        }
                        Part::ToolCall { .. } => {}
                    }
                }
            });
        }
        for message in said.output {
            event(out, "gen_ai.choice", at, |out| {
                provider.text(out, PROVIDER);
                index.int(out, 0);
                finish_reason.text(out, message.finish_reason.unwrap_or("error"));
                for text in texts(message) {
                    content.text(out, prefix(text, limit));
                }
            });
        }
    }

    fn all(&self, out: &mut Vec<u8>, said: Said<'_>, keys: (&Key, &Key, &Key, &Key)) {
        let (system_key, input_key, output_key, tools_key) = keys;
        if let Some(system) = said.system {
            self.list(out, system_key, [Part::Text(system.into())].as_slice());
        }
        self.list(out, input_key, said.input);
        if !said.output.is_empty() {
            self.list(out, output_key, said.output);
        }
        if said.offers_tools {
            match self.form {
                MessageForm::Json => tools_key.text(out, &self.offered_json),
                MessageForm::Structured => {
                    tools_key.value(out, |out| any_value_of(out, &self.offered));
                }
            }
        }
    }

    fn list<T: Written + ?Sized>(&self, out: &mut Vec<u8>, key: &Key, list: &T) {
        match self.form {
            MessageForm::Json => {
                let mut json = String::new();
                list.json(&mut json);
                key.text(out, &json);
            }
            MessageForm::Structured => key.value(out, |out| list.any_value(out)),
        }
    }

    /// Appends what a tool was called with and what it gave back.
    pub(super) fn append_tool_call(&self, out: &mut Vec<u8>, arguments: &Value, response: &str) {
        if self.policy != ContentPolicy::Full {
            return;
        }
        let result = json!({ "content": response });
        for (key, value) in [(&self.tool_arguments, arguments), (&self.tool_result, &result)] {
            match self.form {
                MessageForm::Json => key.text(out, &value.to_string()),
                MessageForm::Structured => key.value(out, |out| any_value_of(out, value)),
            }
        }
    }
}

/// An event of a span.
pub(super) fn event(
    out: &mut Vec<u8>,
    name: &str,
    unix_nanos: u64,
    attributes: impl FnOnce(&mut Vec<u8>),
) {
    nested(out, 11, |out| {
        fixed64(out, 1, unix_nanos);
        bytes(out, 2, name.as_bytes());
        attributes(out);
    });
}

/// The texts of system prompt and messages, as `redaction/content-hash` joins them.
fn normalized_prompt(said: Said<'_>) -> String {
    let texts: Vec<&str> =
        said.system.into_iter().chain(said.input.iter().flat_map(texts)).collect();
    texts.join("\n")
}

fn texts<'m>(message: &'m Message<'_>) -> impl Iterator<Item = &'m str> {
    message.parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(&**text),
        Part::ToolCall { .. } | Part::ToolResponse { .. } => None,
    })
}

fn hash(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// The messages in at most `limit` bytes of JSON: the latest, with texts cut to equal lengths.
fn cut<'m>(messages: &'m [Message<'_>], limit: usize) -> Vec<Message<'m>> {
    let with_texts_of = |from: usize, each: usize| -> Vec<Message<'m>> {
        let kept = messages[from..].iter().map(|message| Message {
            role: message.role,
            parts: message.parts.iter().map(|part| part.cut(each)).collect(),
            finish_reason: message.finish_reason,
        });
        kept.collect()
    };
    let length = |messages: &[Message<'_>]| {
        let mut json = String::new();
        messages.json(&mut json);
        json.len()
    };
    // Half of the room is for texts, if that can be.
    let mut from = 0;
    while from + 1 < messages.len() && length(&with_texts_of(from, 0)) > limit / 2 {
        from += 1;
    }
    let room = limit.saturating_sub(length(&with_texts_of(from, 0)));
    let texts: usize = messages[from..].iter().map(|message| message.parts.len()).sum();
    let mut each = room / texts.max(1);
    loop {
        let kept = with_texts_of(from, each);
        if length(&kept) <= limit {
            return kept;
        }
        if each == 0 {
            return Vec::new();
        }
        // What JSON escapes takes more bytes than it has.
        each /= 2;
    }
}

fn cut_parts<'m>(parts: &'m [Part<'_>], limit: usize) -> Vec<Part<'m>> {
    let mut each = limit;
    loop {
        let kept: Vec<Part<'_>> = parts.iter().map(|part| part.cut(each)).collect();
        let mut json = String::new();
        kept.json(&mut json);
        if json.len() <= limit || each == 0 {
            return kept;
        }
        each = each.saturating_sub((json.len() - limit).max(1));
    }
}

impl Part<'_> {
    /// The part with at most `limit` bytes of each text.
    fn cut(&self, limit: usize) -> Part<'_> {
        match self {
            Part::Text(text) => Part::Text(Cow::Borrowed(prefix(text, limit))),
            Part::ToolCall { id, name, arguments } => {
                Part::ToolCall { id: id.clone(), name, arguments: arguments.clone() }
            }
            Part::ToolResponse { id, response } => {
                Part::ToolResponse { id: id.clone(), response: prefix(response, limit).to_owned() }
            }
        }
    }
}

/// At most the first `limit` bytes, in whole characters.
fn prefix(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_cut_is_whole_json_within_the_limit(
            texts in proptest::collection::vec("\\PC{0,600}|[\\n\"a]{0,600}", 1..30), limit in 256_usize..5_000,
        ) {
            let messages: Vec<Message<'_>> = texts
                .iter()
                .map(|text| Message {
                    role: "user",
                    parts: vec![Part::Text(text.as_str().into())],
                    finish_reason: None,
                })
                .collect();
            let mut json = String::new();
            cut(&messages, limit).json(&mut json);
            prop_assert!(json.len() <= limit, "{} of {limit}", json.len());
            let read: Value = serde_json::from_str(&json).unwrap();
            prop_assert!(!read.as_array().unwrap().is_empty());
            let parts = [Part::Text(texts[0].as_str().into())];
            json.clear();
            cut_parts(&parts, limit).json(&mut json);
            prop_assert!(json.len() <= limit);
            serde_json::from_str::<Value>(&json).unwrap();
        }
    }
}
