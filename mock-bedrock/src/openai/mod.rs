//! The body of OpenAI's chat completions: what the route of that name takes, and the families of
//! models that take it natively.

mod request;
mod response;

pub(crate) use request::read;
pub(crate) use response::{Dialect, id, jamba_model, stop_word, stream, stream_usage, write};
