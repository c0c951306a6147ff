//! One request and its answer, whichever kind of cassette holds them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A request and its answer.
#[derive(Debug)]
pub(super) struct Interaction {
    pub(super) method: String,
    /// Without scheme, host and query.
    pub(super) path: String,
    pub(super) request_body: Vec<u8>,
    pub(super) status: u16,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Interaction {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The path of a URL, or of what is a path already.
pub(super) fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("", |at| &rest[at..]);
    path.split(['?', '#']).next().unwrap_or_default()
}

/// The bytes of a text: itself when it is JSON, else what it is in base64, which is how cassettes
/// keep what is no text.
pub(super) fn bytes(text: &str) -> Vec<u8> {
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        return text.as_bytes().to_vec();
    }
    let packed: String = text.split_ascii_whitespace().collect();
    match STANDARD.decode(packed) {
        Ok(bytes) if !bytes.is_empty() => bytes,
        _ => text.as_bytes().to_vec(),
    }
}
