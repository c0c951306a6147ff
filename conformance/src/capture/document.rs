//! One JSON object that holds telemetry, in whichever form.

use super::console;
use super::export::Export;
use super::jaeger;
use crate::json::{self, DecodeError, python};

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
    match json::decode_export(text) {
        Ok(export) => Ok((export, Dialect::Otlp)),
        Err(DecodeError::NoSignal { keys }) => foreign(text, keys),
        // Python has numbers that JSON has not; OTLP writes them as text.
        Err(error @ DecodeError::Invalid { .. }) => {
            let Some(replaced) = python::with_tokens_replaced(text) else { return Err(error) };
            match json::decode_export(&replaced) {
                Err(DecodeError::NoSignal { keys }) if console::is_printed(&keys) => {
                    foreign(&replaced, keys).map_err(|error| python::placed_in(text, error))
                }
                _ => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

fn foreign(text: &[u8], keys: Vec<String>) -> Result<(Export, Dialect), DecodeError> {
    if keys.iter().any(|key| key == "data") {
        jaeger::decode(text).map(|export| (export, Dialect::Jaeger))
    } else if console::is_printed(&keys) {
        console::decode(text, &keys).map(|export| (export, Dialect::Console))
    } else {
        Err(DecodeError::NoSignal { keys })
    }
}

/// Whether `text`, an object that could not be read, is or began as telemetry: among what a program
/// prints, everything else may be passed over.
pub(super) fn is_telemetry(text: &[u8]) -> bool {
    let replaced = python::with_tokens_replaced(text);
    let keys = json::keys_so_far(replaced.as_deref().unwrap_or(text));
    let is_otlp =
        |key: &String| matches!(key.as_str(), "resourceSpans" | "resourceMetrics" | "resourceLogs");
    keys.iter().any(is_otlp) || console::is_printed(&keys) || console::is_begun(&keys)
}
