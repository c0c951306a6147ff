//! DeepSeek since V3.1: the body of chat completions. Neither its native stream nor the reasoning in
//! its native bodies was confirmed; it reasons only when a Converse request asks for it.

use super::{Chunks, Family};
use crate::answer::{Answer, Stop};
use crate::error::ServiceError;
use crate::model::Model;
use crate::openai::{self, Dialect};
use crate::operations::Stated;
use crate::turn::Turn;

/// `deepseek.v3*`
pub(crate) struct DeepSeekChat;

impl Family for DeepSeekChat {
    fn name(&self) -> &'static str {
        "deepseek_chat"
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
