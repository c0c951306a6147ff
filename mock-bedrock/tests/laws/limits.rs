//! What limits every answer, whatever its shape.

use serde_json::Value;
use spanproof_schemas::ledger::Exchange;

use super::service::Told;
use super::shapes::Usage;

/// An answer keeps to what the request allows, and the ledger says what the wire says.
pub(crate) fn keeps(usage: Usage, text: &str, told: &Told) {
    let Exchange { usage: recorded, parameters, .. } = &told.exchange;
    assert_eq!(usage.total, usage.input + usage.output + usage.cache_read + usage.cache_write);
    assert_eq!(
        (usage.input, usage.output, usage.cache_read, usage.cache_write),
        (
            recorded.input_tokens,
            recorded.output_tokens,
            recorded.cache_read_input_tokens,
            recorded.cache_write_input_tokens
        )
    );
    if let Some(most) = parameters.max_tokens {
        assert!(usage.output <= most, "{} tokens of at most {most}", usage.output);
    }
    lacks_stop_sequences(text, &parameters.stop_sequences);
    assert!(told.exchange.delivered);
}

fn lacks_stop_sequences(text: &str, sequences: &[String]) {
    for sequence in sequences.iter().filter(|sequence| !sequence.is_empty()) {
        assert!(!text.contains(sequence.as_str()), "{sequence:?} is in {text:?}");
    }
}

/// An exception in place of an answer, in its shape.
pub(crate) fn is_an_exception(told: &Told) {
    let body: Value = told.json();
    assert!(body["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
    let error_type = told.header("x-amzn-errortype").unwrap();
    assert!(error_type.split_once(':').unwrap().0.ends_with("Exception"), "{error_type}");
    assert!(told.exchange.exception.is_some());
}
