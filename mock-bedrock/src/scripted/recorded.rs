//! Answers as the service was recorded to give them, replayed byte for byte.

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use spanproof_schemas::ledger::Usage;

use crate::model::Model;
use crate::operations::{Written, WrittenBody};
use crate::script::Script;

/// A recorded answer: its body, and what it says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recorded {
    /// Headers of the service's own, such as `x-amzn-bedrock-input-token-count`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// How long the answer took: to its only byte, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub latency_ms: f64,
    /// The body.
    #[serde(flatten)]
    pub body: RecordedBody,
    /// The tokens that it states.
    #[serde(default)]
    pub usage: Usage,
    /// The most output tokens that an event of a stream states before those that state them all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_output_tokens: Option<u64>,
    /// The stop reason that it states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
}

/// A recorded body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordedBody {
    /// A whole one, which is text: JSON.
    Body(String),
    /// The events of a stream.
    Events(Vec<Event>),
}

impl Default for RecordedBody {
    fn default() -> Self {
        RecordedBody::Body(String::new())
    }
}

/// One event of a recorded stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Event {
    /// When it came, in milliseconds after the request.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub at_ms: f64,
    /// What it is called: `messageStart`, `chunk`, `throttlingException`.
    pub name: String,
    /// Whether it is an exception.
    #[serde(default, skip_serializing_if = "EventKind::is_event")]
    pub kind: EventKind,
    /// Its payload, which is text: JSON.
    pub payload: String,
}

/// What an event of a stream is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// A part of the answer.
    #[default]
    Event,
    /// What ends the stream in its place.
    Exception,
}

impl EventKind {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_event(&self) -> bool {
        *self == EventKind::Event
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(milliseconds: &f64) -> bool {
    *milliseconds == 0.0
}

impl Recorded {
    /// The answer as it goes out.
    pub(crate) fn written(&self, model: &'static Model) -> Written {
        let (body, due) = match &self.body {
            RecordedBody::Body(text) => {
                (WrittenBody::Whole(text.clone().into_bytes()), milliseconds(self.latency_ms))
            }
            RecordedBody::Events(events) => {
                let mut script = Script::default();
                for event in events {
                    let due = milliseconds(event.at_ms);
                    let payload = event.payload.as_bytes();
                    match event.kind {
                        EventKind::Event => script.event(&event.name, payload, due, 0),
                        EventKind::Exception => script.add_exception(&event.name, payload),
                    }
                }
                let first = events.first().map_or(0.0, |event| event.at_ms);
                (WrittenBody::Stream(script), milliseconds(first))
            }
        };
        let headers = self.headers.iter().filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_str(value).ok()?))
        });
        Written { headers: headers.collect(), body, due, usage: self.usage, model: Some(model) }
    }

    /// The exception that ends the stream, if one does.
    pub(crate) fn exception(&self) -> Option<&str> {
        let RecordedBody::Events(events) = &self.body else { return None };
        let exception = events.iter().find(|event| event.kind == EventKind::Exception)?;
        Some(&exception.name)
    }
}

fn milliseconds(milliseconds: f64) -> Duration {
    Duration::try_from_secs_f64(milliseconds / 1_000.0).unwrap_or_default()
}
