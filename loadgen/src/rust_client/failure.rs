//! How failures are called, in few words.

use aws_sdk_bedrockruntime::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_bedrockruntime::types::error::{ConverseStreamOutputError, ResponseStreamError};

/// The name of `error`, for `error.type` and for the report: the service's code where there is
/// one, else the kind of failure.
pub(super) fn name<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    match error {
        SdkError::ServiceError(service) => service.err().code().unwrap_or("unknown").to_owned(),
        SdkError::TimeoutError(_) => "timeout".to_owned(),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => "timeout".to_owned(),
        SdkError::DispatchFailure(_) => "connection".to_owned(),
        SdkError::ResponseError(_) => "response".to_owned(),
        SdkError::ConstructionFailure(_) => "request".to_owned(),
        _ => "_OTHER".to_owned(),
    }
}

/// The name of a failure in a stream. The SDK knows exceptions in streams by type alone, without
/// their codes.
pub(super) fn in_stream_name<E: InStream, R>(error: &SdkError<E, R>) -> String {
    match error {
        SdkError::ServiceError(service) => service.err().exception().to_owned(),
        other => name(other),
    }
}

/// An error that a stream carries.
pub(super) trait InStream: ProvideErrorMetadata {
    /// The exception, by the code that it has outside of streams.
    fn exception(&self) -> &str;
}

impl InStream for ConverseStreamOutputError {
    fn exception(&self) -> &str {
        match self {
            Self::InternalServerException(_) => "InternalServerException",
            Self::ModelStreamErrorException(_) => "ModelStreamErrorException",
            Self::ServiceUnavailableException(_) => "ServiceUnavailableException",
            Self::ThrottlingException(_) => "ThrottlingException",
            Self::ValidationException(_) => "ValidationException",
            other => other.code().unwrap_or("unknown"),
        }
    }
}

impl InStream for ResponseStreamError {
    fn exception(&self) -> &str {
        match self {
            Self::InternalServerException(_) => "InternalServerException",
            Self::ModelStreamErrorException(_) => "ModelStreamErrorException",
            Self::ModelTimeoutException(_) => "ModelTimeoutException",
            Self::ServiceUnavailableException(_) => "ServiceUnavailableException",
            Self::ThrottlingException(_) => "ThrottlingException",
            Self::ValidationException(_) => "ValidationException",
            other => other.code().unwrap_or("unknown"),
        }
    }
}
