//! Qwen: the body of chat completions.
//!
//! It reasons only when a Converse request asks for it; natively its reasoning was not confirmed, nor
//! were the bytes of its native stream, which is taken for that of OpenAI.

use crate::openai::ChatFamily;

/// `qwen.qwen3-*`
pub(crate) const QWEN: ChatFamily = ChatFamily::named("qwen");
