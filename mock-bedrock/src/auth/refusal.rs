//! Refusals, as the service words them.

use std::borrow::Cow;

use super::sigv4::SERVICE;
use crate::error::FRAMEWORK;

/// Why a request was refused: 403, with an exception of the service's framework.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) exception: &'static str,
    pub(crate) message: Cow<'static, str>,
    /// The member of the body that holds the message: API keys are refused with a capital.
    pub(crate) member: &'static str,
}

impl Refusal {
    /// The value of `x-amzn-errortype`.
    pub(crate) fn error_type(&self) -> String {
        format!("{}:{FRAMEWORK}", self.exception)
    }

    /// The body.
    pub(crate) fn body(&self) -> Vec<u8> {
        let message = serde_json::Value::from(&*self.message);
        format!("{{\"{}\":{message}}}", self.member).into_bytes()
    }

    fn new(exception: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Refusal { exception, message: message.into(), member: "message" }
    }

    fn signature(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new("InvalidSignatureException", message)
    }

    fn incomplete(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new("IncompleteSignatureException", message)
    }

    /// Neither a signature nor a key. A text of AWS in general.
    pub(super) fn missing_token() -> Self {
        Self::new("MissingAuthenticationTokenException", "Missing Authentication Token")
    }

    /// The access key, or the session token, is not known. Recorded from the service.
    pub(super) fn unknown_key() -> Self {
        Self::new(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        )
    }

    /// Temporary credentials are over. Recorded from the service.
    pub(super) fn expired() -> Self {
        Self::new("ExpiredTokenException", "The security token included in the request is expired")
    }

    /// Signed too long ago. Recorded from the service.
    pub(super) fn too_early(signed: &str, oldest: &str, now: &str, minutes: u64) -> Self {
        Self::signature(format!(
            "Signature expired: {signed} is now earlier than {oldest} ({now} - {minutes} min.)"
        ))
    }

    /// Signed in the future. A text of AWS in general.
    pub(super) fn too_late(signed: &str, newest: &str, now: &str, minutes: u64) -> Self {
        Self::signature(format!(
            "Signature not yet current: {signed} is still later than {newest} ({now} + {minutes} min.)"
        ))
    }

    /// The signature is of another request, or by another secret. A text of AWS in general.
    pub(super) fn mismatch() -> Self {
        Self::signature(
            "The request signature we calculated does not match the signature you provided. Check \
             your AWS Secret Access Key and signing method. Consult the service documentation for \
             details.",
        )
    }

    /// Signed for another service; the space at the end is the service's, which users of Bedrock
    /// have reported with this text and status.
    pub(super) fn wrong_service() -> Self {
        Self::signature(format!("Credential should be scoped to correct service: '{SERVICE}'. "))
    }

    /// The scope does not end as it should. A text of AWS in general.
    pub(super) fn wrong_terminator(found: &str) -> Self {
        Self::signature(format!(
            "Credential should be scoped with a valid terminator: 'aws4_request', not '{found}'. "
        ))
    }

    /// The scope is of another day than the date. A text of AWS in general.
    pub(super) fn wrong_day(scope: &str, day: &str, date: &str) -> Self {
        Self::signature(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from \
             HTTP: '{scope}' != '{day}', from '{date}'."
        ))
    }

    /// The scope has not five parts. A text of AWS in general.
    pub(super) fn bad_credential(found: &str) -> Self {
        Self::incomplete(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. \
             keyid/date/region/service/term, got '{found}'"
        ))
    }

    /// The host is not signed. A text of AWS in general.
    pub(super) fn host_not_signed() -> Self {
        Self::signature("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    }

    /// Not Signature Version 4. A text of AWS in general.
    pub(super) fn unsupported_algorithm(found: &str) -> Self {
        Self::incomplete(format!("Unsupported AWS 'algorithm': '{found}'."))
    }

    /// A part of the header is no pair. A text of AWS in general.
    pub(super) fn not_a_pair(part: &str, header: &str) -> Self {
        Self::incomplete(format!(
            "'{part}' not a valid key=value pair (missing equal-sign) in Authorization header: \
             '{header}'."
        ))
    }

    /// The header lacks parts. A text of AWS in general.
    pub(super) fn incomplete_header(missing: &[&str], lacks_date: bool, header: &str) -> Self {
        let mut message = String::new();
        for name in missing {
            message.push_str("Authorization header requires '");
            message.push_str(name);
            message.push_str("' parameter. ");
        }
        if lacks_date {
            message.push_str(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' \
                 header. ",
            );
        }
        Self::incomplete(format!("{message}Authorization={header}"))
    }

    /// The query lacks parts. A text of AWS in general.
    pub(super) fn incomplete_query(missing: &[&str]) -> Self {
        let mut message = String::new();
        for name in missing {
            message.push_str("AWS query-string parameters must include '");
            message.push_str(name);
            message.push_str("'. ");
        }
        Self::incomplete(format!("{message}Re-examine the query-string parameters."))
    }

    /// The date is no date. A text of AWS in general.
    pub(super) fn bad_date(found: &str) -> Self {
        Self::incomplete(format!(
            "Date must be in ISO-8601 'basic format'. Got '{found}'. See http://en.wikipedia.org/wiki/ISO_8601"
        ))
    }

    /// An API key that is none. Reported by users; its type is not, and that of a refusal is taken.
    pub(super) fn bad_api_key_format() -> Self {
        Self::api_key("Invalid API Key format: Must start with pre-defined prefix")
    }

    /// An API key that is not known, or over. Reported by users; its type is what clients made of
    /// it.
    pub(super) fn bad_api_key() -> Self {
        Self::api_key("Authentication failed: Please make sure your API Key is valid.")
    }

    fn api_key(message: &'static str) -> Self {
        Refusal { member: "Message", ..Self::new("AccessDeniedException", message) }
    }
}
