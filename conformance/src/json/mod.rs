//! OTLP in JSON, as the OTLP specification writes it: lowerCamelCase keys, ids in hex, 64-bit
//! integers as text, enumerations as numbers, absent fields at their default.
//!
//! It reads what exporters really send: integers as text or number, enumerations by name too,
//! `null` for absent, empty objects, non-finite doubles as text; unknown fields are ignored.
//! Names in `snake_case` are unknown fields, as the specification has it.

mod codec;
mod messages;
mod number;
pub(crate) mod python;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use serde::Deserialize as _;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::capture::Export;
use codec::{Codec, Nested, Written};
pub(crate) use codec::{base64_bytes, hex_bytes};
pub use messages::Message;

/// How deeply JSON may nest. The deepest value that protobuf decoding accepts stays well below it.
pub(crate) const MAX_DEPTH: usize = 256;

/// Why a text is not OTLP/JSON.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The text ends before its JSON value does.
    #[error("the JSON ends too early")]
    Incomplete,
    /// It is not JSON, or a field has a value that its type does not allow.
    #[error("{message} (line {line}, column {column})")]
    Invalid {
        /// What is wrong.
        message: String,
        /// Where, from 1.
        line: usize,
        /// Where in the line, in bytes from 1.
        column: usize,
    },
    /// It is an object, but none that holds telemetry.
    #[error(
        "no `resourceSpans`, `resourceMetrics` or `resourceLogs` in an object with {}",
        shown(.keys)
    )]
    NoSignal {
        /// The first of its keys.
        keys: Vec<String>,
    },
    /// Arrays and objects nest more deeply than any telemetry.
    #[error("arrays and objects nest more than {MAX_DEPTH} deep")]
    TooDeep,
}

impl DecodeError {
    /// A value that no field of its kind can have.
    pub(crate) fn value(message: String) -> Self {
        DecodeError::Invalid { message, line: 1, column: 1 }
    }
}

/// How many keys of an object are told, and how many of them are shown.
const KEYS_TOLD: usize = 32;
const KEYS_SHOWN: usize = 8;
const KEY_CHARACTERS: usize = 64;

fn shown(keys: &[String]) -> String {
    match keys {
        [] => "no keys".to_owned(),
        keys if keys.len() > KEYS_SHOWN => format!("{}, …", keys[..KEYS_SHOWN].join(", ")),
        keys => keys.join(", "),
    }
}

impl From<serde_json::Error> for DecodeError {
    fn from(error: serde_json::Error) -> Self {
        if error.is_eof() {
            return DecodeError::Incomplete;
        }
        let (line, column) = (error.line(), error.column());
        // The place is told apart from the message, for a line can be one of a larger file.
        let text = error.to_string();
        let place = format!(" at line {line} column {column}");
        let message = text.strip_suffix(&place).unwrap_or(&text).to_owned();
        DecodeError::Invalid { message, line: line.max(1), column }
    }
}

/// Reads one OTLP message.
///
/// # Errors
///
/// If `text` is not one JSON object, or a field has a value of the wrong type.
pub fn decode<M: Message>(text: &[u8]) -> Result<M, DecodeError> {
    with_deserializer(text, |json| Nested::read(json))
}

/// Reads `TracesData`, `MetricsData` or `LogsData`, told apart by their one known key.
///
/// # Errors
///
/// As [`decode`]; also if the object has no key of the three, or of two signals.
pub fn decode_export(text: &[u8]) -> Result<Export, DecodeError> {
    let mut keys = Vec::new();
    let export =
        with_deserializer(text, |json| json.deserialize_map(ExportVisitor { keys: &mut keys }))?;
    export.ok_or(DecodeError::NoSignal { keys })
}

/// Whether `text` is the beginning of a JSON value, or begins with one.
///
/// # Errors
///
/// Where it is not JSON.
pub(crate) fn begins_value(text: &[u8]) -> Result<(), DecodeError> {
    let mut json = serde_json::Deserializer::from_slice(text);
    json.disable_recursion_limit();
    match IgnoredAny::deserialize(&mut json) {
        Err(error) if !error.is_eof() => Err(error.into()),
        _ => Ok(()),
    }
}

/// The keys of the object that `text` begins, as far as `text` is JSON.
pub(crate) fn keys_so_far(text: &[u8]) -> Vec<String> {
    let mut keys = Vec::new();
    let mut json = serde_json::Deserializer::from_slice(text);
    json.disable_recursion_limit();
    // What is wrong with it was told by who asks.
    let _ = json.deserialize_map(KeysVisitor { keys: &mut keys });
    keys
}

/// Writes one message, without line breaks.
///
/// # Errors
///
/// None that a message of OTLP can cause; the signature is the serializer's.
pub fn encode<M: Message>(message: &M) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Written::<Nested, M>::new(message))
}

/// Writes the export of one signal, without line breaks. Its key is there even where nothing else
/// is, for it tells the signal.
///
/// # Errors
///
/// As [`encode`].
pub fn encode_export(export: &Export) -> Result<Vec<u8>, serde_json::Error> {
    let empty = |text: &str| Ok(text.into());
    match export {
        Export::Traces(request) if request.resource_spans.is_empty() => {
            empty(r#"{"resourceSpans":[]}"#)
        }
        Export::Metrics(request) if request.resource_metrics.is_empty() => {
            empty(r#"{"resourceMetrics":[]}"#)
        }
        Export::Logs(request) if request.resource_logs.is_empty() => {
            empty(r#"{"resourceLogs":[]}"#)
        }
        Export::Traces(request) => encode(request),
        Export::Metrics(request) => encode(request),
        Export::Logs(request) => encode(request),
    }
}

fn with_deserializer<'text, T>(
    text: &'text [u8],
    read: impl FnOnce(
        &mut serde_json::Deserializer<serde_json::de::SliceRead<'text>>,
    ) -> Result<T, serde_json::Error>,
) -> Result<T, DecodeError> {
    if depth(text) > MAX_DEPTH {
        return Err(DecodeError::TooDeep);
    }
    let mut json = serde_json::Deserializer::from_slice(text);
    json.disable_recursion_limit();
    let value = read(&mut json)?;
    json.end()?;
    Ok(value)
}

/// How deeply brackets nest outside strings.
fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Reads the export of an object, and tells the keys that it does not know.
struct ExportVisitor<'k> {
    keys: &'k mut Vec<String>,
}

impl<'de> Visitor<'de> for ExportVisitor<'_> {
    type Value = Option<Export>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object with `resourceSpans`, `resourceMetrics` or `resourceLogs`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Export>, A::Error> {
        let mut export: Option<Export> = None;
        while let Some(key) = map.next_key::<String>()? {
            let empty = match key.as_str() {
                "resourceSpans" => Export::Traces(ExportTraceServiceRequest::default()),
                "resourceMetrics" => Export::Metrics(ExportMetricsServiceRequest::default()),
                "resourceLogs" => Export::Logs(ExportLogsServiceRequest::default()),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    tell(self.keys, &key);
                    continue;
                }
            };
            let mut read = empty;
            match &mut read {
                Export::Traces(request) => request.read_field(&key, &mut map)?,
                Export::Metrics(request) => request.read_field(&key, &mut map)?,
                Export::Logs(request) => request.read_field(&key, &mut map)?,
            };
            let signal = read.signal();
            match export.replace(read) {
                Some(before) if before.signal() == signal => {
                    return Err(de::Error::custom(format!("`{key}` is there twice")));
                }
                Some(_) => return Err(de::Error::custom("one object holds more than one signal")),
                None => {}
            }
        }
        Ok(export)
    }
}

/// Tells the keys of an object, each before its value is read.
struct KeysVisitor<'k> {
    keys: &'k mut Vec<String>,
}

impl<'de> Visitor<'de> for KeysVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            tell(self.keys, &key);
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

fn tell(keys: &mut Vec<String>, key: &str) {
    if keys.len() < KEYS_TOLD {
        keys.push(key.chars().take(KEY_CHARACTERS).collect());
    }
}

#[cfg(test)]
mod tests;
