//! Who may call: nobody is asked, anybody with the right form, or only known keys.
//!
//! Pure: what is checked is a request as it was sent and the time, and nothing is kept.

mod bearer;
mod canonical;
mod clock;
mod events;
mod keys;
mod refusal;
mod sigv4;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, Uri};

pub(crate) use events::EventSignatures;
pub use keys::{AccessKey, BearerKey, Keys};
pub(crate) use refusal::Refusal;

/// What a request must show of who sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// Nothing is asked.
    #[default]
    Off,
    /// A signature of AWS Signature Version 4, in a header or in the query, or a Bedrock API key, of
    /// the right form; any key and any signature will do.
    Format,
    /// A signature that is recomputed, or an API key, by one of these keys.
    Verify(Keys),
}

/// A request as it was sent: nothing decoded, nothing stripped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent<'a> {
    pub(crate) method: &'a Method,
    /// The target, with its path and query as they stood in the request.
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    /// The body, whole. Of a body that is signed event by event this is never looked at.
    pub(crate) body: &'a [u8],
}

impl Auth {
    /// Checks that `sent`, which came at `now`, may be served.
    ///
    /// The order of the checks is that of the AWS front ends in general: form, scope, key, expiry,
    /// clock, signature. Nobody recorded it for Bedrock.
    ///
    /// # Errors
    ///
    /// The refusal that the service would send.
    pub(crate) fn check(&self, sent: Sent<'_>, now: SystemTime) -> Result<(), Refusal> {
        let keys = match self {
            Auth::Off => return Ok(()),
            Auth::Format => None,
            Auth::Verify(keys) => Some(keys),
        };
        if let Some(token) = bearer::token(sent.headers) {
            return bearer::check(token, keys, now);
        }
        let signed = signing(sent)?;
        signed.check_scope()?;
        match keys {
            Some(keys) => signed.verify(sent, keys, now),
            None => Ok(()),
        }
    }

    /// The signatures that the events of `sent`, which was let in, must have; `None` when nobody
    /// looks at them: they are signed only where the request is.
    pub(crate) fn events(&self, sent: Sent<'_>) -> Option<EventSignatures> {
        let Auth::Verify(keys) = self else { return None };
        if bearer::token(sent.headers).is_some() {
            return None;
        }
        signing(sent).ok()?.events(keys)
    }
}

/// The signature in a header, or else in the query.
fn signing(sent: Sent<'_>) -> Result<sigv4::Signing<'_>, Refusal> {
    if let Some(header) = sent.headers.get(AUTHORIZATION) {
        return sigv4::Signing::in_header(header, sent.headers);
    }
    sigv4::Signing::in_query(sent.uri.query().unwrap_or_default())?
        .ok_or_else(Refusal::missing_token)
}
