//! One JSON object that holds telemetry, in whichever form.

use super::console;
use super::export::Export;
use super::jaeger;
use crate::json::{self, DecodeError};

/// Whose form it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// OTLP/JSON, also as Tempo and Jaeger wrap it in answers.
    Otlp,
    /// What the console exporters of the Python SDK print.
    Console,
    /// Jaeger's query API and the export of its UI.
    Jaeger,
}

/// Reads `text`, one object, by the keys that it has.
pub(super) fn decode(text: &[u8]) -> Result<(Export, Dialect), DecodeError> {
    let no_signal = match json::decode_export(text) {
        Ok(export) => return Ok((export, Dialect::Otlp)),
        Err(error) => error,
    };
    let DecodeError::NoSignal { keys } = &no_signal else { return Err(no_signal) };
    let has = |wanted: &str| keys.iter().any(|key| key == wanted);
    let export = if has("data") {
        return jaeger::decode(text).map(|export| (export, Dialect::Jaeger));
    } else if has("resource_metrics") {
        console::metrics(text)?
    } else if has("context") && has("start_time") {
        console::span(text)?
    } else if has("body") && has("severity_number") {
        console::log_record(text)?
    } else {
        return Err(no_signal);
    };
    Ok((export, Dialect::Console))
}
