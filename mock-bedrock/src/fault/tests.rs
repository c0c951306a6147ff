use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use spanproof_schemas::ledger::{Operation, Task};

use super::{Attempts, Setting, asked, declared, span};

fn setting(operation: Operation) -> Setting<'static> {
    Setting { operation, task: Task::Chat, streams: operation.is_streamed(), model_id: "a.b" }
}

fn problem(text: &str, operation: Operation) -> String {
    let error = asked(text, "here", setting(operation), &HeaderMap::new()).unwrap_err();
    assert_eq!(error.exception, "ValidationException");
    error.message.into_owned()
}

#[test]
fn what_does_not_fit_says_why() {
    let seen: Vec<String> = [
        ("ModelErrorException", Operation::ApplyGuardrail),
        ("ConflictException", Operation::Converse),
        ("stream:modelTimeoutException", Operation::ConverseStream),
        ("stream:throttlingException", Operation::Converse),
        ("stall=5s", Operation::InvokeModel),
        ("stall=5", Operation::ConverseStream),
        ("slow-first-byte=99999h", Operation::Converse),
        ("bad-crc", Operation::Messages),
        ("no-metadata", Operation::InvokeAgent),
        ("stop:max_tokens", Operation::CountTokens),
        ("stop:max_tokens", Operation::InvokeModelWithBidirectionalStream),
        ("unknown-stop-reason", Operation::InvokeAgent),
        ("cut@0", Operation::Converse),
        ("cut@2-1", Operation::Converse),
        ("nonsense", Operation::Converse),
    ]
    .into_iter()
    .map(|(text, operation)| problem(text, operation))
    .collect();
    insta::assert_snapshot!(seen.join("\n"));
}

#[test]
fn every_operation_can_be_refused_throttled_and_broken() {
    for operation in Operation::ALL {
        for exception in ["ValidationException", "ThrottlingException", "InternalServerException"] {
            assert!(declared::status(*operation, exception).is_some(), "{operation:?}");
        }
        assert_eq!(
            declared::in_stream(*operation).is_empty(),
            match operation {
                Operation::ChatCompletions | Operation::Messages => false,
                other => !other.is_streamed(),
            }
        );
    }
}

#[test]
fn a_fault_strikes_the_attempts_that_it_names() {
    let struck = |text: &str, attempt: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("amz-sdk-request", HeaderValue::from_str(attempt).unwrap());
        asked(text, "here", setting(Operation::Converse), &headers).unwrap().is_some()
    };
    assert!(struck("cut", "attempt=3"));
    assert!(struck("cut@2", "attempt=2; max=3") && !struck("cut@2", "attempt=1; max=3"));
    assert!(struck("cut@1-2", "attempt=2") && !struck("cut@1-2", "attempt=3"));
}

proptest! {
    #[test]
    fn attempts_are_a_range(first in 1..50_u32, more in 0..50_u32, attempt in 1..120_u32) {
        let text = format!("cut@{first}-{}", first + more);
        let (name, attempts) = Attempts::split(&text).unwrap();
        prop_assert_eq!(name, "cut");
        prop_assert_eq!(attempts.contains(attempt), (first..=first + more).contains(&attempt));
    }

    #[test]
    fn spans_are_read_in_their_unit(milliseconds in 0..86_400_000_u64) {
        let span = span::parse(&format!("{milliseconds}ms")).unwrap();
        prop_assert_eq!(u64::try_from(span.as_millis()).unwrap(), milliseconds);
    }

    #[test]
    fn any_text_at_all_is_judged(text in ".{0,30}") {
        let _ = asked(&text, "here", setting(Operation::ConverseStream), &HeaderMap::new());
        let _ = span::parse(&text);
    }
}
