//! OpenAI's open-weight models: the body of chat completions, with reasoning before the answer.
//!
//! The bytes of its native stream were not recorded: it is taken for OpenAI's own chunks, as clients
//! read them, with the service's metrics on the last.

use crate::openai::ChatFamily;

/// `openai.gpt-oss-*`
pub(crate) const GPT_OSS: ChatFamily = ChatFamily {
    reasons_unasked: true,
    opens_with_empty_text: true,
    ..ChatFamily::named("gpt_oss")
};
