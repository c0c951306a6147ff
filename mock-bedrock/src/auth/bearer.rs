//! Bedrock API keys, which are sent as bearer tokens.

use std::time::SystemTime;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use super::keys::Keys;
use super::refusal::Refusal;

/// What keys of the service begin with: those that live for hours, and those that live on.
const PREFIXES: [&str; 2] = ["bedrock-api-key-", "ABSK"];

/// The key in `headers`, if they hold one. The Messages API of Anthropic's clients has a header of
/// its own for it; whether the service takes that one is not recorded.
pub(super) fn token(headers: &HeaderMap) -> Option<&[u8]> {
    let Some(authorization) = headers.get(AUTHORIZATION) else {
        return headers.get("x-api-key").map(HeaderValue::as_bytes);
    };
    let text = authorization.as_bytes();
    let (scheme, token) = match text.iter().position(|byte| *byte == b' ') {
        Some(at) => (&text[..at], text[at..].trim_ascii()),
        None => (text, &[][..]),
    };
    scheme.eq_ignore_ascii_case(b"Bearer").then_some(token)
}

/// Checks `token`; against `keys`, if there are any.
pub(super) fn check(token: &[u8], keys: Option<&Keys>, now: SystemTime) -> Result<(), Refusal> {
    let known = keys.and_then(|keys| keys.bearer.iter().find(|it| it.key.as_bytes() == token));
    if let Some(known) = known {
        return match known.expires {
            Some(expires) if expires <= now => Err(Refusal::bad_api_key()),
            _ => Ok(()),
        };
    }
    let rest = PREFIXES.iter().find_map(|prefix| token.strip_prefix(prefix.as_bytes()));
    match (rest, keys) {
        // What comes after the prefix is base64.
        (Some(rest), None) if is_base64(rest) => Ok(()),
        (Some(_), _) => Err(Refusal::bad_api_key()),
        (None, _) => Err(Refusal::bad_api_key_format()),
    }
}

fn is_base64(text: &[u8]) -> bool {
    !text.is_empty()
        && text.iter().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
        })
}
