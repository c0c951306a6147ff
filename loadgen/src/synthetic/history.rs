//! What has been said in a trace and, before it, in its session.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use spanproof_schemas::content_policy::ContentPolicy;

use super::Traces;
use super::answer::{Answer, Ends};
use super::messages::{Message, Part};
use super::trace::Course;
use crate::capabilities::Family;
use crate::plan::session::Exchange;
use crate::plan::shape::System;
use crate::random_text::base58;
use crate::scenario::{StopReason, Tool};
use crate::streams::{Purpose, stream};
use crate::tool_arguments::arguments;

/// The messages of the calls of a trace. They have no words where no span would hold any of them.
pub(super) struct History<'a> {
    pub(super) system: Option<&'a str>,
    pub(super) messages: Vec<Message<'a>>,
    /// The tool that the last answer called: which, by what id, with what.
    pub(super) called: Option<Called>,
    traces: &'a Traces,
    policy: ContentPolicy,
}

/// A tool as an answer called it.
pub(super) struct Called {
    pub(super) tool: usize,
    pub(super) id: String,
    pub(super) arguments: Value,
}

impl<'a> History<'a> {
    /// What has been said in the session of the trace, and what is asked in it.
    pub(super) fn new(course: &Course<'a, '_>, traces: &'a Traces) -> History<'a> {
        let shape = &course.shape;
        let mut history = History {
            system: match shape.system {
                System::None => None,
                System::Plain(text) | System::Cached { text, .. } => Some(text),
            },
            messages: Vec::new(),
            called: None,
            traces,
            policy: traces.dialogue.content,
        };
        if history.policy == ContentPolicy::None || shape.family == Family::TitanEmbeddings {
            return history;
        }
        let conversation = traces.plan.conversation(&course.planned);
        let (last, before) = conversation.split_last().unzip();
        for exchange in before.into_iter().flatten() {
            history.says(exchange);
            let random = &mut history.stream(Purpose::StandIn, exchange);
            let mut answer = history.answer(exchange.answer.tokens, exchange.answer.stop, random);
            // An answer that was said before is a message like any other.
            answer.finish_reason = None;
            history.messages.push(answer);
        }
        if let Some(exchange) = last {
            history.says(exchange);
        }
        history
    }

    /// What the model says, as a message of its own, and the tool that it calls. The answer with which
    /// the trace ends is that which stands in later traces of the session.
    pub(super) fn answered(
        &mut self,
        course: &mut Course<'a, '_>,
        answer: &Answer,
        ends: Ends,
    ) -> Option<Message<'a>> {
        self.called = None;
        let stop = answer.stop_reason?;
        match ends {
            Ends::AsPlanned => {
                let position = course.planned.place.position();
                let random = &mut stream(self.traces.plan.seed(), Purpose::StandIn, position);
                Some(self.answer(answer.output_tokens, stop, random))
            }
            Ends::WithTool => Some(self.answer(answer.output_tokens, stop, &mut course.words)),
        }
        .filter(|_| self.policy != ContentPolicy::None)
    }

    /// Adds what a tool returns, and gives it.
    pub(super) fn tool_responds(
        &mut self,
        id: String,
        tokens: u32,
        random: &mut ChaCha8Rng,
    ) -> String {
        if let Some(last) = self.messages.last_mut() {
            last.finish_reason = None;
        }
        if self.policy == ContentPolicy::None {
            return String::new();
        }
        let response = self.words(tokens, random);
        let parts = vec![Part::ToolResponse { id, response: response.clone() }];
        self.messages.push(Message { role: "tool", parts, finish_reason: None });
        response
    }

    /// Adds what the user says, or what the tool returned that the last answer called.
    fn says(&mut self, exchange: &Exchange) {
        let random = &mut self.stream(Purpose::Prose, exchange);
        if let Some(Called { id, .. }) = self.called.take() {
            self.tool_responds(id, exchange.said_tokens, random);
            return;
        }
        let parts = vec![Part::Text(self.words(exchange.said_tokens, random).into())];
        self.messages.push(Message { role: "user", parts, finish_reason: None });
    }

    /// An answer, and the tool that it calls.
    fn answer(&mut self, tokens: u32, stop: StopReason, random: &mut ChaCha8Rng) -> Message<'a> {
        let offered = &self.traces.plan.scenario().tools.offered;
        self.called = None;
        if stop == StopReason::ToolUse && !offered.is_empty() {
            // Drawn for every policy, since a span of the tool tells of it.
            let tool = random.random_range(0..offered.len());
            let id = format!("tooluse_{}", base58(22, random));
            self.called = Some(Called { tool, id, arguments: Value::Null });
        }
        let mut parts = vec![Part::Text(self.words(tokens, random).into())];
        if self.policy != ContentPolicy::None
            && let Some(Called { tool, id, arguments: given }) = &mut self.called
        {
            let Tool { name, input_schema, .. } = &offered[*tool];
            let prose = &self.traces.prose;
            let append = |text: &mut String, tokens, random: &mut ChaCha8Rng| {
                prose.append(text, tokens, random);
            };
            *given = arguments(input_schema, &append, random);
            parts.push(Part::ToolCall { id: id.clone(), name, arguments: given.clone() });
        }
        let finish_reason = Some(match stop {
            StopReason::MaxTokens => "length",
            StopReason::ToolUse => "tool_call",
            StopReason::EndTurn | StopReason::StopSequence => "stop",
        });
        Message { role: "assistant", parts, finish_reason }
    }

    /// So many tokens of prose, where it matters what the words are.
    fn words(&self, tokens: u32, random: &mut ChaCha8Rng) -> String {
        let mut text = String::new();
        if self.policy.has_text() || self.policy == ContentPolicy::Hash {
            self.traces.prose.append(&mut text, tokens, random);
        }
        text
    }

    fn stream(&self, purpose: Purpose, exchange: &Exchange) -> ChaCha8Rng {
        stream(self.traces.plan.seed(), purpose, exchange.place.position())
    }
}
