//! Which operation can fail with which exception: the service's model says so for each.

use http::StatusCode;
use spanproof_schemas::ledger::Operation::{
    self, ApplyGuardrail, ChatCompletions, Converse, ConverseStream, GetAsyncInvoke,
    GetFoundationModel, InvokeAgent, InvokeFlow, InvokeGuardrailChecks, InvokeInlineAgent,
    InvokeModel, InvokeModelWithBidirectionalStream, InvokeModelWithResponseStream,
    ListAsyncInvokes, ListFoundationModels, ListInferenceProfiles, Messages, Rerank, Retrieve,
    RetrieveAndGenerate, RetrieveAndGenerateStream, StartAsyncInvoke,
};

/// The operations that run a model. The two that speak the languages of other providers are in no
/// model; they are taken to fail as InvokeModel does.
const MODELS: &[Operation] = &[
    Converse,
    ConverseStream,
    InvokeModel,
    InvokeModelWithResponseStream,
    InvokeModelWithBidirectionalStream,
    ChatCompletions,
    Messages,
];

/// The operations of `bedrock-agent-runtime`.
const AGENTS: &[Operation] = &[
    InvokeAgent,
    InvokeInlineAgent,
    InvokeFlow,
    Retrieve,
    RetrieveAndGenerate,
    RetrieveAndGenerateStream,
    Rerank,
];

/// The operations of the control plane.
const CONTROL: &[Operation] = &[ListFoundationModels, GetFoundationModel, ListInferenceProfiles];

/// The exceptions that may stand in the stream of `operation`, each with its `Exception` in upper
/// case; none for an operation that does not stream.
pub(super) fn in_stream(operation: Operation) -> &'static [&'static str] {
    match operation {
        ConverseStream => &[
            "InternalServerException",
            "ModelStreamErrorException",
            "ValidationException",
            "ThrottlingException",
            "ServiceUnavailableException",
        ],
        InvokeModelWithResponseStream
        | InvokeModelWithBidirectionalStream
        | ChatCompletions
        | Messages => &[
            "InternalServerException",
            "ModelStreamErrorException",
            "ValidationException",
            "ThrottlingException",
            "ModelTimeoutException",
            "ServiceUnavailableException",
        ],
        InvokeAgent => AGENT_STREAM,
        // All but the last, which only agents have.
        InvokeInlineAgent | InvokeFlow | RetrieveAndGenerateStream => {
            AGENT_STREAM.split_last().map_or(&[], |(_, rest)| rest)
        }
        _ => &[],
    }
}

const AGENT_STREAM: &[&str] = &[
    "AccessDeniedException",
    "BadGatewayException",
    "ConflictException",
    "DependencyFailedException",
    "InternalServerException",
    "ResourceNotFoundException",
    "ServiceQuotaExceededException",
    "ThrottlingException",
    "ValidationException",
    "ModelNotReadyException",
];

/// The status of `exception` when `operation` fails with it; `None` when it cannot. Exceptions of
/// the framework come from in front of every operation.
pub(super) fn status(operation: Operation, exception: &str) -> Option<StatusCode> {
    let is_agent = AGENTS.contains(&operation);
    let is_control = CONTROL.contains(&operation);
    let is_model = MODELS.contains(&operation);
    let declared = |is_declared: bool, status: StatusCode| is_declared.then_some(status);
    match exception {
        "ValidationException" => Some(StatusCode::BAD_REQUEST),
        "AccessDeniedException"
        | "UnrecognizedClientException"
        | "ExpiredTokenException"
        | "InvalidSignatureException" => Some(StatusCode::FORBIDDEN),
        "ThrottlingException" => Some(StatusCode::TOO_MANY_REQUESTS),
        "InternalServerException" => Some(StatusCode::INTERNAL_SERVER_ERROR),
        "ResourceNotFoundException" => declared(
            !matches!(
                operation,
                InvokeGuardrailChecks
                    | GetAsyncInvoke
                    | ListAsyncInvokes
                    | ListFoundationModels
                    | ListInferenceProfiles
            ),
            StatusCode::NOT_FOUND,
        ),
        "ServiceUnavailableException" => declared(
            !(is_agent || is_control || matches!(operation, GetAsyncInvoke | ListAsyncInvokes)),
            StatusCode::SERVICE_UNAVAILABLE,
        ),
        "ModelTimeoutException" => declared(is_model, StatusCode::REQUEST_TIMEOUT),
        "ModelErrorException" => declared(is_model, StatusCode::FAILED_DEPENDENCY),
        "ModelStreamErrorException" => declared(
            matches!(operation, InvokeModelWithResponseStream | InvokeModelWithBidirectionalStream),
            StatusCode::FAILED_DEPENDENCY,
        ),
        "ModelNotReadyException" if operation == InvokeAgent => Some(StatusCode::FAILED_DEPENDENCY),
        "ModelNotReadyException" => declared(is_model, StatusCode::TOO_MANY_REQUESTS),
        "ServiceQuotaExceededException" => declared(
            is_agent
                || operation == ApplyGuardrail
                || operation == StartAsyncInvoke
                || (is_model && !matches!(operation, Converse | ConverseStream)),
            StatusCode::BAD_REQUEST,
        ),
        "ConflictException" if operation == StartAsyncInvoke => Some(StatusCode::BAD_REQUEST),
        "ConflictException" => declared(is_agent, StatusCode::CONFLICT),
        "BadGatewayException" => declared(is_agent, StatusCode::BAD_GATEWAY),
        "DependencyFailedException" => declared(is_agent, StatusCode::FAILED_DEPENDENCY),
        _ => None,
    }
}
