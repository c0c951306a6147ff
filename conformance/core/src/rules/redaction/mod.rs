//! Content where none may be.

pub(super) mod content_leak;
pub(super) mod credential;
