//! The words of a call.

use super::Plan;
use super::shape::Shape;
use crate::scenario::CachedPrefix;
use crate::streams::{Purpose, stream};
use crate::text::append_sentences;

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

impl Plan {
    /// The texts of the call's messages, of the user and the assistant by turns. The last, which
    /// is the user's, holds the call's marker.
    pub(super) fn messages(&self, k: u64, shape: &Shape) -> Vec<String> {
        let random = &mut stream(self.seed, Purpose::Text, k);
        let tokens = shape.prompt_tokens / shape.messages;
        (1..=shape.messages)
            .map(|message| {
                let mut text = if message == shape.messages {
                    format!("My reference is {}. ", self.prompt_marker(k))
                } else {
                    String::new()
                };
                append_sentences(&mut text, tokens, random);
                text
            })
            .collect()
    }
}
