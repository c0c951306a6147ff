//! What is said of prompts and completions where content is on.

pub(super) mod messages;
