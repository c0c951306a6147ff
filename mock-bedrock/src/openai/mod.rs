//! The body of OpenAI's chat completions: what the route of that name takes, and the families of
//! models that take it natively.

mod family;
mod request;
mod response;

pub(crate) use family::ChatFamily;
pub(crate) use request::read;
pub(crate) use response::{Dialect, id, stop_word, stream, stream_usage};
