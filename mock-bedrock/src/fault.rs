//! Faults that a request asks for with the header `x-spanproof-fault`.

use http::{HeaderMap, StatusCode};

use crate::error::ServiceError;
use crate::request;

/// The request header that asks for a fault: a name of [`FAULTS`], and `@1` after it to fail only
/// the first attempt of a call.
const HEADER: &str = "x-spanproof-fault";

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// An exception in place of the answer, with its status and text.
    Exception(StatusCode, &'static str, &'static str),
    /// An exception frame after a few events of a stream, with its text.
    Frame(&'static str, &'static str),
    /// The connection is dropped in the middle of the answer.
    Cut,
    /// A stream ends without its usage: no `metadata` event, no invocation metrics.
    NoMetadata,
}

/// Every fault by the name that asks for it. Texts come from reports of the real service, but for
/// 408, 424 and 500, whose exact texts nobody has published.
const FAULTS: &[(&str, Fault)] = &[
    (
        "ThrottlingException",
        Fault::Exception(StatusCode::TOO_MANY_REQUESTS, "ThrottlingException", THROTTLED),
    ),
    (
        "ValidationException",
        Fault::Exception(
            StatusCode::BAD_REQUEST,
            "ValidationException",
            "The provided model identifier is invalid.",
        ),
    ),
    (
        "AccessDeniedException",
        Fault::Exception(
            StatusCode::FORBIDDEN,
            "AccessDeniedException",
            "You don't have access to the model with the specified model ID.",
        ),
    ),
    (
        "ResourceNotFoundException",
        Fault::Exception(
            StatusCode::NOT_FOUND,
            "ResourceNotFoundException",
            "Could not resolve the foundation model from the provided model identifier.",
        ),
    ),
    (
        "ModelTimeoutException",
        Fault::Exception(
            StatusCode::REQUEST_TIMEOUT,
            "ModelTimeoutException",
            "Model has timed out in processing the request. Try your request again.",
        ),
    ),
    (
        "ModelErrorException",
        Fault::Exception(StatusCode::FAILED_DEPENDENCY, "ModelErrorException", MODEL_FAILED),
    ),
    (
        "ModelNotReadyException",
        Fault::Exception(
            StatusCode::TOO_MANY_REQUESTS,
            "ModelNotReadyException",
            "The model is not ready for inference. Try your request again.",
        ),
    ),
    (
        "InternalServerException",
        Fault::Exception(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerException", INTERNAL),
    ),
    (
        "ServiceUnavailableException",
        Fault::Exception(
            StatusCode::SERVICE_UNAVAILABLE,
            "ServiceUnavailableException",
            UNAVAILABLE,
        ),
    ),
    ("stream:throttlingException", Fault::Frame("throttlingException", THROTTLED)),
    ("stream:modelStreamErrorException", Fault::Frame("modelStreamErrorException", MODEL_FAILED)),
    ("stream:internalServerException", Fault::Frame("internalServerException", INTERNAL)),
    (
        "stream:validationException",
        Fault::Frame("validationException", "Input is too long for requested model."),
    ),
    (
        "stream:serviceUnavailableException",
        Fault::Frame("serviceUnavailableException", UNAVAILABLE),
    ),
    ("cut", Fault::Cut),
    ("no-metadata", Fault::NoMetadata),
];

const THROTTLED: &str = "Too many tokens, please wait before trying again.";
const UNAVAILABLE: &str = "Bedrock is unable to process your request.";
const INTERNAL: &str =
    "The system encountered an unexpected error during processing. Try your request again.";
const MODEL_FAILED: &str = "The model failed to process the request. Try your request again.";

impl Fault {
    /// The fault, with its name, that `headers` ask for on the attempt of a call that they state.
    ///
    /// # Errors
    ///
    /// A `ValidationException` when there is no such fault, or when it needs a stream and the
    /// operation has none.
    pub(crate) fn asked(
        headers: &HeaderMap,
        is_streamed: bool,
    ) -> Result<Option<(&'static str, Fault)>, ServiceError> {
        let Some(value) = headers.get(HEADER) else { return Ok(None) };
        let asked = value.to_str().unwrap_or_default().trim();
        let (name, first_attempt_only) = match asked.strip_suffix("@1") {
            Some(name) => (name, true),
            None => (asked, false),
        };
        let Some(&(name, fault)) = FAULTS.iter().find(|(known, _)| *known == name) else {
            let known = FAULTS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
            return Err(ServiceError::validation(format!(
                "{HEADER}: unknown fault `{name}`; known are {known}, each with @1 after it to fail the first attempt only"
            )));
        };
        if !is_streamed && matches!(fault, Fault::Frame(..) | Fault::NoMetadata) {
            return Err(ServiceError::validation(format!(
                "{HEADER}: `{name}` needs a streaming operation"
            )));
        }
        let is_due = !first_attempt_only || request::fault_attempt(headers) == 1;
        Ok(is_due.then_some((name, fault)))
    }

    /// The exception that takes the place of the answer, for a fault that is one.
    pub(crate) fn exception(self) -> Option<ServiceError> {
        match self {
            Fault::Exception(status, exception, message) => {
                Some(ServiceError { status, exception, message: message.into() })
            }
            Fault::Frame(..) | Fault::Cut | Fault::NoMetadata => None,
        }
    }
}
