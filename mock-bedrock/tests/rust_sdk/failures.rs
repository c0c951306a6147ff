//! Exceptions, broken streams, and how often the SDK tries.

use aws_sdk_bedrockruntime::config::http::HttpRequest;
use aws_sdk_bedrockruntime::error::{DisplayErrorContext, ProvideErrorMetadata as _, SdkError};
use aws_sdk_bedrockruntime::operation::converse::ConverseError;
use aws_sdk_bedrockruntime::types::error::ConverseStreamOutputError;

use super::streams::Told;
use super::{Bedrock, CLAUDE, message};

/// The exception, and how many of three attempts are made.
const EXCEPTIONS: &[(&str, u32)] = &[
    ("ThrottlingException", 3),
    ("ModelNotReadyException", 3),
    ("InternalServerException", 3),
    ("ServiceUnavailableException", 3),
    ("ValidationException", 1),
    ("AccessDeniedException", 1),
    ("ResourceNotFoundException", 1),
    ("ModelErrorException", 1),
];

#[tokio::test]
async fn test_08_what_is_tried_again() {
    for &(name, attempts) in EXCEPTIONS {
        assert_eq!(attempts_at(name).await, attempts, "{name}");
    }
}

#[tokio::test]
async fn test_09_a_timeout_of_the_model_is_not_tried_again() {
    assert_eq!(attempts_at("ModelTimeoutException").await, 1);
}

#[tokio::test]
async fn test_08_what_has_no_type_is_not_tried_again() {
    let bedrock = Bedrock::start();
    let failed = converse(&bedrock, "untyped:429").await.unwrap_err();
    assert_eq!(failed.code(), None);
    let statuses: Vec<u16> = bedrock.served().await.iter().map(|e| e.status).collect();
    assert_eq!(statuses, [429]);
}

#[tokio::test]
async fn test_08_an_exception_on_the_first_attempt_only() {
    let bedrock = Bedrock::start();
    converse(&bedrock, "ThrottlingException@1").await.unwrap();
    let attempts: Vec<_> = bedrock.served().await.iter().map(|e| (e.attempt, e.status)).collect();
    assert_eq!(attempts, [(Some(1), 429), (Some(2), 200)]);
}

#[tokio::test]
async fn test_07_an_exception_before_a_stream() {
    let bedrock = Bedrock::start();
    let failed = bedrock
        .client
        .converse_stream()
        .model_id(CLAUDE)
        .messages(message())
        .customize()
        .mutate_request(|request| ask(request, "AccessDeniedException"))
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(failed.is_access_denied_exception());
    assert_eq!(
        failed.message(),
        Some("You don't have access to the model with the specified model ID.")
    );
}

#[tokio::test]
async fn test_06_exception_frames_are_typed() {
    type Is = fn(&ConverseStreamOutputError) -> bool;
    let kinds: [(&str, Is); 5] = [
        ("throttlingException", ConverseStreamOutputError::is_throttling_exception),
        ("modelStreamErrorException", ConverseStreamOutputError::is_model_stream_error_exception),
        ("internalServerException", ConverseStreamOutputError::is_internal_server_exception),
        ("validationException", ConverseStreamOutputError::is_validation_exception),
        (
            "serviceUnavailableException",
            ConverseStreamOutputError::is_service_unavailable_exception,
        ),
    ];
    for (name, is) in kinds {
        let (told, failed) = stream(&format!("stream:{name}")).await;
        let failed = failed.unwrap().into_service_error();
        assert!(is(&failed) && failed.message().is_some(), "{name}: {failed:?}");
        assert_eq!(told.order[0], "messageStart");
    }
}

#[tokio::test]
async fn test_05_a_wrong_checksum_is_refused() {
    let (_, failed) = stream("bad-crc").await;
    let said = DisplayErrorContext(failed.unwrap()).to_string();
    assert!(said.contains("checksum"), "{said}");
}

#[tokio::test]
async fn test_20_a_stream_without_message_stop_is_taken_as_whole() {
    let (told, failed) = stream("no-message-stop").await;
    assert!(failed.is_none(), "{failed:?}");
    assert!(!told.text.is_empty() && told.stop_reason.is_none(), "{told:?}");
}

#[tokio::test]
async fn test_20_unknown_events_and_stop_reasons_are_passed_on() {
    let (told, failed) = stream("unknown-event").await;
    assert!(failed.is_none() && told.order.contains(&"unknown"), "{failed:?}: {:?}", told.order);
    let (told, failed) = stream("unknown-stop-reason").await;
    assert!(failed.is_none() && told.stop_reason.is_some(), "{failed:?}: {told:?}");
}

#[tokio::test]
async fn test_20_a_cut_stream_is_an_error() {
    let (told, failed) = stream("cut").await;
    assert!(failed.is_some() && !told.text.is_empty(), "{told:?}");
}

/// How many attempts the SDK makes at a call that fails by `name`, each visible to the mock.
async fn attempts_at(name: &'static str) -> u32 {
    let bedrock = Bedrock::start();
    let failed = converse(&bedrock, name).await.unwrap_err();
    assert_eq!(failed.code(), Some(name));
    assert!(failed.message().is_some());
    let exchanges = bedrock.served().await;
    let attempts: Vec<u32> = exchanges.iter().map(|exchange| exchange.attempt.unwrap()).collect();
    let count = u32::try_from(attempts.len()).unwrap();
    assert!(attempts.into_iter().eq(1..=count));
    assert!(exchanges.windows(2).all(|two| two[0].invocation_id == two[1].invocation_id));
    count
}

async fn converse(bedrock: &Bedrock, fault: &'static str) -> Result<(), ConverseError> {
    let call = bedrock.client.converse().model_id(CLAUDE).messages(message()).customize();
    let call = call.mutate_request(move |request| ask(request, fault));
    call.send().await.map(|_| ()).map_err(SdkError::into_service_error)
}

type StreamFailure =
    SdkError<ConverseStreamOutputError, aws_smithy_types::event_stream::RawMessage>;

/// A ConverseStream with a fault: what it told, and how it failed.
async fn stream(fault: &str) -> (Told, Option<StreamFailure>) {
    let bedrock = Bedrock::start();
    let fault = fault.to_owned();
    let call = bedrock.client.converse_stream().model_id(CLAUDE).messages(message()).customize();
    let call = call.mutate_request(move |request| ask(request, &fault));
    let mut events = call.send().await.unwrap().stream;
    let mut told = Told::default();
    loop {
        match events.recv().await {
            Ok(Some(event)) => told.hear(event),
            Ok(None) => return (told, None),
            Err(failed) => return (told, Some(failed)),
        }
    }
}

fn ask(request: &mut HttpRequest, fault: &str) {
    request.headers_mut().insert("x-spanproof-fault", fault.to_owned());
}
