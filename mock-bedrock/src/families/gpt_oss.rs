//! OpenAI's open-weight models: the body of chat completions, with reasoning before the answer.
//!
//! The bytes of its native stream were not recorded: it is taken for OpenAI's own chunks, as clients
//! read them, with the service's metrics on the last.

use super::{Chunks, Family};
use crate::answer::{Answer, Stop};
use crate::error::ServiceError;
use crate::model::Model;
use crate::openai::{self, Dialect};
use crate::operations::Stated;
use crate::turn::Turn;

/// `openai.gpt-oss-*`
pub(crate) struct GptOss;

impl Family for GptOss {
    fn name(&self) -> &'static str {
        "gpt_oss"
    }

    fn takes_chat_completions(&self) -> bool {
        true
    }

    fn reasons_unasked(&self, _: &Model) -> bool {
        true
    }

    fn signs_reasoning(&self) -> bool {
        false
    }

    fn opens_with_empty_text(&self) -> bool {
        true
    }

    fn read(&self, body: &[u8], _: &Model) -> Result<Turn, ServiceError> {
        Ok(openai::read(body, true)?.turn)
    }

    fn write(&self, answer: &Answer) -> Vec<u8> {
        openai::write(answer, Dialect::OpenAi)
    }

    fn stream(&self, answer: &Answer, chunks: &mut Chunks<'_>) {
        openai::stream(answer, Dialect::OpenAi, chunks);
    }

    fn stop_word<'s>(&self, stop: &'s Stop) -> &'s str {
        openai::stop_word(stop)
    }

    fn stated(&self, answer: &Answer) -> Stated {
        Stated {
            response_id: Some(openai::id(answer)),
            response_model: Some(answer.model.id.clone()),
        }
    }
}
