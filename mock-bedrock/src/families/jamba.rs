//! AI21 Jamba: the request of chat completions, and an answer much like theirs.
//!
//! The bytes of its native stream were not recorded: it is taken for the stream of AI21's own API.

use super::{Chunks, Family};
use crate::answer::{Answer, Stop};
use crate::error::ServiceError;
use crate::model::Model;
use crate::openai::{self, Dialect};
use crate::operations::Stated;
use crate::turn::Turn;

/// `ai21.jamba-*`
pub(crate) struct Jamba;

impl Family for Jamba {
    fn name(&self) -> &'static str {
        "jamba"
    }

    fn read(&self, body: &[u8], model: &Model) -> Result<Turn, ServiceError> {
        let mut turn = openai::read(body, false)?.turn;
        turn.default_max_tokens = Some(model.max_output_tokens);
        Ok(turn)
    }

    fn write(&self, answer: &Answer) -> Vec<u8> {
        openai::write(answer, Dialect::Jamba)
    }

    fn stream(&self, answer: &Answer, chunks: &mut Chunks<'_>) {
        openai::stream(answer, Dialect::Jamba, chunks);
    }

    fn stop_word<'s>(&self, stop: &'s Stop) -> &'s str {
        openai::stop_word(stop)
    }

    fn stated(&self, answer: &Answer) -> Stated {
        Stated {
            response_id: Some(openai::id(answer)),
            response_model: Some(openai::jamba_model(answer.model.bare_name())),
        }
    }
}
