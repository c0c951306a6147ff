//! Qwen: the body of chat completions.
//!
//! It reasons only when a Converse request asks for it; natively its reasoning was not confirmed, nor
//! were the bytes of its native stream, which is taken for that of OpenAI.

use super::{Chunks, Family};
use crate::answer::{Answer, Stop};
use crate::error::ServiceError;
use crate::model::Model;
use crate::openai::{self, Dialect};
use crate::operations::Stated;
use crate::turn::Turn;

/// `qwen.qwen3-*`
pub(crate) struct Qwen;

impl Family for Qwen {
    fn name(&self) -> &'static str {
        "qwen"
    }

    fn takes_chat_completions(&self) -> bool {
        true
    }

    fn signs_reasoning(&self) -> bool {
        false
    }

    fn read(&self, body: &[u8], _: &Model) -> Result<Turn, ServiceError> {
        Ok(openai::read(body, false)?.turn)
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
