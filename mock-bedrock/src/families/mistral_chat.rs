//! Mistral chat: the body of chat completions, with tools. Mistral Large 24.02 takes a prompt as
//! well, and answers it as the text models do.
//!
//! Only the request is documented; the answer is taken for the chat completion that clients read.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::mistral_text::MistralText;
use super::{Chunks, Family};
use crate::answer::{Answer, Stop};
use crate::error::ServiceError;
use crate::model::Model;
use crate::openai::ChatFamily;
use crate::operations::Stated;
use crate::turn::Turn;

/// `mistral.mistral-large-*`, `mistral.pixtral-*` and what came after them
pub(crate) struct MistralChat;

/// What it is but for prompts.
const CHAT: ChatFamily = ChatFamily::named("mistral_chat");

impl Family for MistralChat {
    fn name(&self) -> &'static str {
        CHAT.name
    }

    fn takes_chat_completions(&self) -> bool {
        CHAT.takes_chat_completions()
    }

    fn signs_reasoning(&self) -> bool {
        CHAT.signs_reasoning()
    }

    fn read(&self, body: &[u8], model: &Model) -> Result<Turn, ServiceError> {
        #[derive(Deserialize)]
        struct Head {
            prompt: Option<IgnoredAny>,
        }
        let head: Head = serde_json::from_slice(body).map_err(|_| ServiceError::unreadable())?;
        if head.prompt.is_none() || !model.id.contains("-2402-") {
            return CHAT.read(body, model);
        }
        let mut turn = MistralText.read(body, model)?;
        turn.echo.native = json!({ "prompted": true });
        Ok(turn)
    }

    fn write(&self, answer: &Answer) -> Vec<u8> {
        if is_prompted(answer) {
            return MistralText.write(answer);
        }
        CHAT.write(answer)
    }

    fn stream(&self, answer: &Answer, chunks: &mut Chunks<'_>) {
        if is_prompted(answer) {
            return MistralText.stream(answer, chunks);
        }
        CHAT.stream(answer, chunks);
    }

    /// The text models have the same words for the ends that a prompt can have.
    fn stop_word<'s>(&self, stop: &'s Stop) -> &'s str {
        CHAT.stop_word(stop)
    }

    fn stated(&self, answer: &Answer) -> Stated {
        if is_prompted(answer) {
            return Stated::default();
        }
        CHAT.stated(answer)
    }
}

fn is_prompted(answer: &Answer) -> bool {
    answer.echo.native["prompted"] == true
}
