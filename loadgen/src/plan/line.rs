//! A call as a line of a written plan.

use std::borrow::Cow;

use serde::Serialize;
use spanproof_schemas::worker::Operation;

use super::Planned;
use super::answer::Answer;
use super::shape::{Shape, System};
use super::table::{Cell, Kind};
use crate::capabilities::Family;
use crate::fault::Fault;
use crate::scenario::StopReason;

/// What `schemas/plan-line.schema.json` describes, its members in the order of their names. Which
/// words a prompt is made of follows from the seed and the call, and is not in it.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    /// How long the answer is to be, unless it is the use of a tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_tokens: Option<u32>,
    /// Which of the scenario's shared system prompts the call has, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    cached_prefix: Option<usize>,
    call: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
    /// What the call is made for, of the scenario's features.
    #[serde(skip_serializing_if = "Option::is_none")]
    feature: Option<&'a str>,
    /// How much of the prompt earlier calls of the session have said, in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    known_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    messages: u32,
    model: &'a str,
    operation: Operation,
    planned_nanos: u64,
    prompt_tokens: u32,
    /// The session's number; a text to embed is of none.
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<u64>,
    /// Which call of the session it is, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_call: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_reason: Option<StopReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_sequences: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    tenant: u32,
    /// How much the call insists on one of the scenario's tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    /// Which question of the session it is about, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<u32>,
}

impl<'a> Line<'a> {
    /// The members, as columns of a table.
    pub(super) const COLUMNS: [(&'static str, Kind); 23] = [
        ("answer_tokens", Kind::Int),
        ("cached_prefix", Kind::Int),
        ("call", Kind::Int),
        ("fault", Kind::Text),
        ("feature", Kind::Text),
        ("known_tokens", Kind::Int),
        ("max_tokens", Kind::Int),
        ("messages", Kind::Int),
        ("model", Kind::Text),
        ("operation", Kind::Text),
        ("planned_nanos", Kind::Int),
        ("prompt_tokens", Kind::Int),
        ("session", Kind::Int),
        ("session_call", Kind::Int),
        ("stop_reason", Kind::Text),
        ("stop_sequences", Kind::Texts),
        ("system", Kind::Text),
        ("temperature", Kind::Double),
        ("tenant", Kind::Int),
        ("tool_choice", Kind::Text),
        ("top_k", Kind::Int),
        ("top_p", Kind::Double),
        ("turn", Kind::Int),
    ];

    /// The values of the columns.
    pub(super) fn cells(&self) -> [Cell<'_>; 23] {
        let int = |value: Option<u32>| Cell::Int(value.map(i64::from));
        let wide = |value: Option<u64>| {
            Cell::Int(value.map(|value| i64::try_from(value).unwrap_or(i64::MAX)))
        };
        let text = |value: Option<&'a str>| Cell::Text(value.map(Cow::from));
        [
            int(self.answer_tokens),
            wide(self.cached_prefix.map(|prompt| prompt as u64)),
            wide(Some(self.call)),
            Cell::Text(self.fault.map(|fault| fault.to_string().into())),
            text(self.feature),
            int(self.known_tokens),
            int(self.max_tokens),
            int(Some(self.messages)),
            text(Some(self.model)),
            text(Some(self.operation.name())),
            wide(Some(self.planned_nanos)),
            int(Some(self.prompt_tokens)),
            wide(self.session),
            int(self.session_call),
            text(self.stop_reason.map(StopReason::name)),
            Cell::Texts(self.stop_sequences),
            text(self.system),
            Cell::Double(self.temperature),
            int(Some(self.tenant)),
            text(self.tool_choice),
            int(self.top_k),
            Cell::Double(self.top_p),
            int(self.turn),
        ]
    }

    pub(super) fn new(planned: Planned, shape: &Shape<'a>) -> Self {
        let place = planned.place;
        let (cached_prefix, system) = match shape.system {
            System::None => (None, None),
            System::Plain(text) => (None, Some(text)),
            System::Cached { prompt, .. } => (Some(prompt), None),
        };
        let is_text = |answer: &Answer| answer.stop != StopReason::ToolUse;
        let line = Line {
            answer_tokens: shape.answer.filter(is_text).map(|answer| answer.tokens),
            cached_prefix,
            call: planned.call,
            fault: shape.fault,
            feature: shape.feature,
            known_tokens: Some(shape.known_tokens),
            max_tokens: Some(shape.max_tokens),
            messages: shape.messages,
            model: &shape.target.model,
            operation: shape.target.operation,
            planned_nanos: u64::try_from(planned.at.as_nanos()).unwrap_or(u64::MAX),
            prompt_tokens: shape.prompt_tokens(),
            session: Some(place.session),
            session_call: Some(place.step + 1),
            stop_reason: shape.answer.map(|answer| answer.stop),
            stop_sequences: shape.stop_sequences,
            system,
            temperature: shape.temperature,
            tenant: planned.tenant,
            tool_choice: shape.tools.map(|tools| if tools.any { "any" } else { "auto" }),
            top_k: shape.top_k,
            top_p: shape.top_p,
            turn: Some(place.turn + 1),
        };
        match shape.family {
            Family::Claude | Family::Nova => line,
            // A text to embed is all that the request has.
            Family::TitanEmbeddings => Line {
                cached_prefix: None,
                known_tokens: None,
                max_tokens: None,
                session: None,
                session_call: None,
                stop_sequences: None,
                system: None,
                temperature: None,
                tool_choice: None,
                top_k: None,
                top_p: None,
                turn: None,
                ..line
            },
        }
    }
}
