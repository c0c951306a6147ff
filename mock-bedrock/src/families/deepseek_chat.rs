//! DeepSeek since V3.1: the body of chat completions. Neither its native stream nor the reasoning in
//! its native bodies was confirmed; it reasons only when a Converse request asks for it.

use crate::openai::ChatFamily;

/// `deepseek.v3*`
pub(crate) const DEEPSEEK_CHAT: ChatFamily = ChatFamily::named("deepseek_chat");
