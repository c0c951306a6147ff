//! The words of a call.

use super::Plan;
use super::shape::Shape;
use crate::scenario::CachedPrefix;
use crate::streams::{Purpose, stream};
use crate::text::{append_sentences, tokens_of};

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
    /// is the user's, holds the call's marker and a planted value.
    pub(super) fn messages(&self, k: u64, shape: &Shape) -> Vec<String> {
        let random = &mut stream(self.seed, Purpose::Text, k);
        let tokens = shape.prompt_tokens / shape.messages;
        let planted = self.planted(k).sentence();
        (1..=shape.messages)
            .map(|message| {
                let (mut text, tokens) = if message == shape.messages {
                    let text = format!("My reference is {}. {planted} ", self.prompt_marker(k));
                    (text, tokens.saturating_sub(tokens_of(&planted)))
                } else {
                    (String::new(), tokens)
                };
                append_sentences(&mut text, tokens, random);
                text
            })
            .collect()
    }
}
