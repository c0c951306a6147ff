//! The exceptions that a fault can be, and what each says.

use serde_json::{Value, json};
use spanproof_schemas::ledger::Operation;

use super::declared;
use crate::error::ServiceError;

/// An exception by the name that clients see.
pub(super) struct Exception {
    pub(super) name: &'static str,
    /// What follows the name after a colon, to ask for another text.
    variant: Option<&'static str>,
    message: &'static str,
}

const fn exception(name: &'static str, message: &'static str) -> Exception {
    Exception { name, variant: None, message }
}

const fn variant(name: &'static str, variant: &'static str, message: &'static str) -> Exception {
    Exception { name, variant: Some(variant), message }
}

/// Every exception. The texts are recorded from the service or reported of it, but for those of
/// model, quota, conflict, gateway and internal errors: nobody has published them, and they are
/// what the service's model documents of each.
pub(super) const EXCEPTIONS: &[Exception] = &[
    exception("ThrottlingException", "Too many tokens, please wait before trying again."),
    variant(
        "ThrottlingException",
        "requests",
        "Too many requests, please wait before trying again.",
    ),
    variant(
        "ThrottlingException",
        "tokens-per-day",
        "Too many tokens per day, please wait before trying again.",
    ),
    exception("ValidationException", "The provided model identifier is invalid."),
    exception(
        "AccessDeniedException",
        "You don't have access to the model with the specified model ID.",
    ),
    exception(
        "ResourceNotFoundException",
        "Could not resolve the foundation model from the provided model identifier.",
    ),
    exception(
        "ModelTimeoutException",
        "Model has timed out in processing the request. Try your request again.",
    ),
    exception("ModelErrorException", MODEL_FAILED),
    exception("ModelStreamErrorException", MODEL_FAILED),
    exception(
        "ModelNotReadyException",
        "The model is not ready for inference. Try your request again.",
    ),
    exception(
        "InternalServerException",
        "The system encountered an unexpected error during processing. Try your request again.",
    ),
    exception("ServiceUnavailableException", "Bedrock is unable to process your request."),
    exception(
        "ServiceQuotaExceededException",
        "Your request exceeds the service quota for your account.",
    ),
    exception("ConflictException", "The request conflicts with one that is still in progress."),
    exception(
        "BadGatewayException",
        "A dependency failed because of a server issue. Try your request again.",
    ),
    exception(
        "DependencyFailedException",
        "A dependency failed. Check the resources that the request names and try again.",
    ),
    exception(
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    ),
    exception("ExpiredTokenException", "The security token included in the request is expired"),
    exception(
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    ),
];

const MODEL_FAILED: &str = "The model failed to process the request. Try your request again.";

impl Exception {
    /// The exception that `text` asks for: its name, or its name, a colon and a variant.
    pub(super) fn find(text: &str) -> Option<&'static Exception> {
        let (name, variant) = match text.split_once(':') {
            Some((name, variant)) => (name, Some(variant)),
            None => (text, None),
        };
        EXCEPTIONS.iter().find(|known| known.name == name && known.variant == variant)
    }

    /// Whether it has the text that its name alone asks for.
    pub(super) fn is_plain(&self) -> bool {
        self.variant.is_none()
    }

    /// How one asks for it.
    pub(super) fn asked_for_by(&self) -> String {
        match self.variant {
            Some(variant) => format!("{}:{variant}", self.name),
            None => self.name.to_owned(),
        }
    }

    /// The answer that it is when `operation` is called with `model_id`; `None` when the operation
    /// does not declare it.
    pub(super) fn refusal(&self, operation: Operation, model_id: &str) -> Option<ServiceError> {
        let status = declared::status(operation, self.name)?;
        let error = ServiceError::new(status, self.name, self.message);
        Some(error.with_members(self.members(model_id)))
    }

    /// The same as it stands in a stream.
    pub(super) fn in_stream(&self, operation: Operation, model_id: &str) -> Option<ServiceError> {
        declared::in_stream(operation).contains(&self.name).then(|| {
            // The status is that of the head, which has gone out; clients see none.
            let message = match self.name {
                "ValidationException" => "Input is too long for requested model.",
                _ => self.message,
            };
            ServiceError::new(http::StatusCode::OK, self.name, message)
                .with_members(self.members(model_id))
        })
    }

    /// What the body tells beside the message: what the model itself answered.
    fn members(&self, model_id: &str) -> Vec<(&'static str, Value)> {
        match self.name {
            "ModelErrorException" => {
                vec![("originalStatusCode", json!(500)), ("resourceName", json!(model_id))]
            }
            "ModelStreamErrorException" => vec![
                ("originalMessage", json!("Internal server error")),
                ("originalStatusCode", json!(500)),
            ],
            _ => Vec::new(),
        }
    }
}
