//! AI21 Jamba: the request of chat completions, and an answer much like theirs.
//!
//! The bytes of its native stream were not recorded: it is taken for the stream of AI21's own API.

use crate::openai::{ChatFamily, Dialect};

/// `ai21.jamba-*`
pub(crate) const JAMBA: ChatFamily =
    ChatFamily { dialect: Dialect::Jamba, ..ChatFamily::named("jamba") };
