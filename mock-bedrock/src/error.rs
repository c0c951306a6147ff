//! Failures as the service words them.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::Value;

/// Where modelled exceptions live.
const MODELLED: &str = "http://internal.amazon.com/coral/com.amazon.bedrock/";
/// Where exceptions of the service framework live.
pub(crate) const FRAMEWORK: &str = "http://internal.amazon.com/coral/com.amazon.coral.service/";

/// An answer that is an exception: its status, its name and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceError {
    pub(crate) status: StatusCode,
    pub(crate) exception: &'static str,
    pub(crate) message: Cow<'static, str>,
    /// What the body tells beside the message.
    pub(crate) members: Vec<(&'static str, Value)>,
    /// Whether the head says which exception it is.
    pub(crate) is_typed: bool,
}

impl ServiceError {
    /// The exception of that name.
    pub(crate) fn new(
        status: StatusCode,
        exception: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        ServiceError {
            status,
            exception,
            message: message.into(),
            members: Vec::new(),
            is_typed: true,
        }
    }

    /// The same with `members` in its body beside the message.
    pub(crate) fn with_members(self, members: Vec<(&'static str, Value)>) -> Self {
        ServiceError { members, ..self }
    }

    /// `ValidationException`: what was sent cannot be served.
    pub(crate) fn validation(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ValidationException", message)
    }

    /// A member that the service's model requires.
    pub(crate) fn missing(name: &str) -> Self {
        Self::validation(format!(
            "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
        ))
    }

    /// A word that is none of the `known`.
    pub(crate) fn not_one_of(value: &str, name: &str, known: &[&str]) -> Self {
        Self::validation(format!(
            "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
            known.join(", ")
        ))
    }

    /// A native body that does not fit the schema of its family: `what` says where and why, as in
    /// `#: required key [max_tokens] not found`.
    pub(crate) fn malformed(what: impl std::fmt::Display) -> Self {
        Self::validation(format!(
            "Malformed input request: {what}, please reformat your input and try again."
        ))
    }

    /// A body that is not JSON, or not of the right shape at all.
    pub(crate) fn unreadable() -> Self {
        Self::validation("Malformed input request, please reformat your input and try again.")
    }

    /// A body of more than `limit` bytes.
    pub(crate) fn body_too_long(limit: usize) -> Self {
        Self::validation(format!(
            "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length less than or equal to {limit}"
        ))
    }

    /// A model that does not exist.
    pub(crate) fn unknown_model() -> Self {
        Self::validation("The provided model identifier is invalid.")
    }

    /// An ARN that names no model.
    pub(crate) fn unresolved_model() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "ResourceNotFoundException",
            "Could not resolve the foundation model from the provided model identifier.",
        )
    }

    /// A path or method that no operation has.
    pub(crate) fn unknown_operation() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "UnknownOperationException",
            "The requested operation is not recognized by the service.",
        )
    }

    /// The value of `x-amzn-errortype`.
    pub(crate) fn error_type(&self) -> String {
        let namespace = match self.exception {
            "UnknownOperationException"
            | "UnrecognizedClientException"
            | "ExpiredTokenException"
            | "InvalidSignatureException" => FRAMEWORK,
            _ => MODELLED,
        };
        format!("{}:{namespace}", self.exception)
    }

    /// The body: the message, and what an exception tells beside it.
    pub(crate) fn body(&self) -> Vec<u8> {
        let mut body = format!("{{\"message\":{}", Value::from(&*self.message));
        for (name, value) in &self.members {
            for part in [",\"", name, "\":", &value.to_string()] {
                body.push_str(part);
            }
        }
        body.push('}');
        body.into_bytes()
    }
}
