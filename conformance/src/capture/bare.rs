//! Protobuf whose signal nothing names, such as the body of an OTLP/HTTP request kept in a file.
//!
//! The three signals share their outer shape, so a message is decoded as each and must make sense
//! as exactly one.

use std::io::Read;

use super::error::{Place, RecordError};
use super::export::{Export, Items, Signal};
use super::limits::MAX_RECORD_BYTES;

/// The first byte of every message with content: field 1, length-delimited.
const FIRST_BYTE: u8 = 0x0a;

/// An input that is one message.
pub(super) struct Bare<R>(R);

impl<R: Read> Bare<R> {
    pub(super) fn new(input: R) -> Self {
        Bare(input)
    }

    pub(super) fn read(self) -> Result<Export, RecordError> {
        let not_otlp = |seen: String| RecordError::NotOtlp { at: Place::Byte(0), seen };
        let mut bytes = Vec::new();
        let read = self.0.take(MAX_RECORD_BYTES + 1).read_to_end(&mut bytes);
        if read.map_err(|error| RecordError::reading(error, 0))? as u64 > MAX_RECORD_BYTES {
            return Err(not_otlp(format!(
                "one protobuf message of more than {MAX_RECORD_BYTES} bytes"
            )));
        }
        match decode(&bytes, None) {
            Ok(export) if export.items() == Items::default() => Err(not_otlp(NO_SIGNAL.to_owned())),
            Ok(export) => Ok(export),
            Err(seen) => Err(not_otlp(seen.to_owned())),
        }
    }
}

/// Whether `start` can begin a message, of `length` bytes where that is known: each of its
/// resources is as long as it says it is.
pub(super) fn begins_message(start: &[u8], length: Option<u64>) -> bool {
    let mut at = 0_u64;
    loop {
        if length == Some(at) {
            return at > 0;
        }
        let Some(rest) = usize::try_from(at).ok().and_then(|at| start.get(at..)) else {
            // The next one begins where nothing is known.
            return length.is_none_or(|length| at < length);
        };
        let [tag, rest @ ..] = rest else { return true };
        if *tag != FIRST_BYTE {
            return false;
        }
        match varint(rest) {
            Varint::Whole { value, bytes } => {
                at = at.saturating_add(1 + bytes as u64).saturating_add(value);
                if at > length.unwrap_or(u64::MAX) {
                    return false;
                }
                // What stands in a resource begins with its first, second or third field.
                if value > 0
                    && rest.get(bytes).is_some_and(|tag| !matches!(tag, 0x0a | 0x12 | 0x1a))
                {
                    return false;
                }
            }
            Varint::Cut => return true,
            Varint::Invalid => return false,
        }
    }
}

/// A number of variable length at the beginning of some bytes.
pub(super) enum Varint {
    Whole { value: u64, bytes: usize },
    Cut,
    Invalid,
}

/// Reads one of at most 32 bits: no length in telemetry has more.
pub(super) fn varint(bytes: &[u8]) -> Varint {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Varint::Whole { value, bytes: index + 1 };
        }
    }
    if bytes.len() < 5 { Varint::Cut } else { Varint::Invalid }
}

const NO_SIGNAL: &str = "bytes that decode as no signal";

/// The request that `bytes` encode. `expected` is tried first: what a message of one signal says
/// does not make sense as another, so that the rest need not be tried.
pub(super) fn decode(bytes: &[u8], expected: Option<Signal>) -> Result<Export, &'static str> {
    let as_expected = expected.and_then(|signal| Export::decode(signal, bytes).ok());
    if let Some(export) = as_expected.filter(|export| is_full(export) && makes_sense(export)) {
        return Ok(export);
    }
    let decoded: Vec<Export> =
        Signal::ALL.into_iter().filter_map(|signal| Export::decode(signal, bytes).ok()).collect();
    if !decoded.iter().any(is_full) {
        // Resources and nothing of theirs: then the signal makes no difference.
        return decoded.into_iter().next().ok_or(NO_SIGNAL);
    }
    let (sensible, odd): (Vec<_>, Vec<_>) =
        decoded.into_iter().filter(is_full).partition(makes_sense);
    let chosen = if sensible.is_empty() { odd } else { sensible };
    let mut chosen = chosen.into_iter();
    match (chosen.next(), chosen.next()) {
        (Some(export), None) => Ok(export),
        _ => Err("protobuf that could be more than one signal"),
    }
}

fn is_full(export: &Export) -> bool {
    export.items() != Items::default()
}

/// Whether each thing in a request has what its signal cannot be without.
fn makes_sense(export: &Export) -> bool {
    match export {
        Export::Traces(request) => request
            .resource_spans
            .iter()
            .flat_map(|resource| &resource.scope_spans)
            .flat_map(|scope| &scope.spans)
            .all(|span| span.trace_id.len() == 16 && span.span_id.len() == 8),
        Export::Metrics(request) => request
            .resource_metrics
            .iter()
            .flat_map(|resource| &resource.scope_metrics)
            .flat_map(|scope| &scope.metrics)
            .all(|metric| !metric.name.is_empty()),
        Export::Logs(request) => request
            .resource_logs
            .iter()
            .flat_map(|resource| &resource.scope_logs)
            .flat_map(|scope| &scope.log_records)
            .all(|log| log.time_unix_nano != 0 || log.observed_time_unix_nano != 0),
    }
}
