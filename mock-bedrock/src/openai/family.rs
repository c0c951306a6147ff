//! The families whose native body is that of chat completions: they differ by a few facts.

use super::request;
use super::response::{self, Dialect};
use crate::answer::{Answer, Stop};
use crate::error::ServiceError;
use crate::families::{Chunks, Family};
use crate::model::Model;
use crate::operations::Stated;
use crate::turn::Turn;

/// What tells one such family from the others.
pub(crate) struct ChatFamily {
    /// Its name in the catalogue.
    pub(crate) name: &'static str,
    /// Whose chat completions it writes. The OpenAI-compatible route serves those of OpenAI.
    pub(crate) dialect: Dialect,
    /// Whether its models reason before every answer.
    pub(crate) reasons_unasked: bool,
    /// Whether a ConverseStream begins with a block of no text.
    pub(crate) opens_with_empty_text: bool,
}

impl ChatFamily {
    /// A family of that name which is like most.
    pub(crate) const fn named(name: &'static str) -> Self {
        ChatFamily {
            name,
            dialect: Dialect::OpenAi,
            reasons_unasked: false,
            opens_with_empty_text: false,
        }
    }
}

impl Family for ChatFamily {
    fn name(&self) -> &'static str {
        self.name
    }

    fn takes_chat_completions(&self) -> bool {
        self.dialect == Dialect::OpenAi
    }

    fn reasons_unasked(&self, _: &Model) -> bool {
        self.reasons_unasked
    }

    fn signs_reasoning(&self) -> bool {
        false
    }

    fn opens_with_empty_text(&self) -> bool {
        self.opens_with_empty_text
    }

    fn read(&self, body: &[u8], _: &Model) -> Result<Turn, ServiceError> {
        Ok(request::read(body, self.reasons_unasked)?.turn)
    }

    fn write(&self, answer: &Answer) -> Vec<u8> {
        response::write(answer, self.dialect)
    }

    fn stream(&self, answer: &Answer, chunks: &mut Chunks<'_>) {
        response::stream(answer, self.dialect, chunks);
    }

    fn stop_word<'s>(&self, stop: &'s Stop) -> &'s str {
        response::stop_word(stop)
    }

    fn stated(&self, answer: &Answer) -> Stated {
        Stated {
            response_id: Some(response::id(answer)),
            response_model: Some(response::model_name(answer, self.dialect)),
            early_output_tokens: None,
        }
    }
}
