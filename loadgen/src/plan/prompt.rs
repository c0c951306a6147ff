//! The words of a call.

use rand::Rng;
use serde_json::Value;

use super::choose::any_of;
use super::session::Exchange;
use super::shape::Shape;
use super::{Plan, Planned, base36};
use crate::capabilities::Family;
use crate::random_text::base58;
use crate::scenario::{CachedPrefix, Tool};
use crate::streams::{Purpose, stream};
use crate::text::{append_sentences, tokens_of};
use crate::tool_arguments::arguments;

/// The characters of the random part of a tool use's id.
const ID_LENGTH: usize = 22;

/// The long system prompts that calls of a plan share.
pub(super) fn shared(prefix: &CachedPrefix, seed: u64) -> Vec<String> {
    (0..prefix.prompts)
        .map(|prompt| {
            let mut text = format!("You are assistant {} of this service. ", prompt + 1);
            append_sentences(
                &mut text,
                prefix.tokens,
                &mut stream(seed, Purpose::SharedPrompt, prompt),
            );
            text
        })
        .collect()
}

/// A message of a request, which has one content block.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Message<'a> {
    /// The user says something.
    Asks(String),
    /// The program says what a tool returned.
    Returns { id: String, text: String },
    /// The model said something.
    Answered(String),
    /// The model said something and wanted a tool.
    Called { text: String, id: String, name: &'a str, arguments: Value },
}

impl Plan {
    /// The messages of the call: those of its session so far, in which texts of the planned lengths
    /// stand for the answers, and what is said in it. As everything in them follows from the session
    /// and the place in it, they are the beginning of the messages of the session's next call.
    pub(super) fn messages(&self, planned: &Planned, shape: &Shape<'_>) -> Vec<Message<'_>> {
        let mut messages: Vec<Message<'_>> = Vec::new();
        let conversation = self.conversation(planned);
        for (index, exchange) in conversation.iter().enumerate() {
            let text = self.said(exchange);
            messages.push(match messages.last() {
                Some(Message::Called { id, .. }) => Message::Returns { id: id.clone(), text },
                _ => Message::Asks(text),
            });
            if index + 1 < conversation.len() {
                messages.push(self.stand_in(exchange, shape));
            }
        }
        messages
    }

    /// What the user says, or a tool returned: it holds the call's marker and a planted value.
    fn said(&self, exchange: &Exchange) -> String {
        let Exchange { place, said_tokens, .. } = exchange;
        let kinds = self.planted.len() as u64;
        // Each kind in turn.
        let kind = (place.session + u64::from(place.step)) % kinds;
        let planted = self.planted[usize::try_from(kind).unwrap_or_default()].sentence();
        let (stem, position) = (&self.prompt_marker_stem, base36(place.position()));
        let mut text = format!("My reference is {stem}{position}. {planted} ");
        let tokens = said_tokens.saturating_sub(tokens_of(&planted));
        let random = &mut stream(self.seed, Purpose::Text, place.position());
        append_sentences(&mut text, tokens, random);
        text
    }

    /// What stands for the answer to `exchange` in later calls.
    fn stand_in(&self, exchange: &Exchange, shape: &Shape<'_>) -> Message<'_> {
        let random = &mut stream(self.seed, Purpose::StandIn, exchange.place.position());
        let called = self.called(exchange, random);
        let mut text = String::new();
        append_sentences(&mut text, exchange.answer.tokens, random);
        let Some(Tool { name, input_schema, .. }) = called else {
            return Message::Answered(text);
        };
        let prefix = match shape.family {
            Family::Claude if shape.target.is_native() => "toolu_bdrk_01",
            _ => "tooluse_",
        };
        Message::Called {
            text,
            id: format!("{prefix}{}", base58(ID_LENGTH, random)),
            name,
            arguments: arguments(input_schema, &append_sentences, random),
        }
    }

    /// The tool that the answer to `exchange` called, where the next call brings what it returned.
    fn called(&self, exchange: &Exchange, random: &mut impl Rng) -> Option<&Tool> {
        any_of(&self.scenario.tools.offered, random)
            .filter(|_| self.is_followed_by_result(exchange))
    }
}
