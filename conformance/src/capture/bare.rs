//! Reading one bare protobuf message, such as the body of an OTLP/HTTP request kept in a file.
//!
//! Nothing in such a file names its signal, and the three signals share their outer shape, so the
//! message is decoded as each and must make sense as exactly one.

use std::io::Read;

use super::error::{Place, RecordError};
use super::export::{Export, Signal};

/// The largest message that is read.
const MAX_BYTES: u64 = 1 << 30;

/// The first byte of every message with content: field 1, length-delimited.
pub(super) const FIRST_BYTE: u8 = 0x0a;

pub(super) fn read(input: impl Read) -> Result<Export, RecordError> {
    let not_otlp = |seen: String| RecordError::NotOtlp { at: Place::Byte(0), seen };
    let mut bytes = Vec::new();
    let read = input.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    if read.map_err(|error| RecordError::reading(error, 0))? as u64 > MAX_BYTES {
        return Err(not_otlp(format!("more than {MAX_BYTES} bytes without a record boundary")));
    }
    let mut sensible: Vec<Export> = Signal::ALL
        .into_iter()
        .filter_map(|signal| Export::decode(signal, &bytes).ok())
        .filter(makes_sense)
        .collect();
    match (sensible.pop(), sensible.is_empty()) {
        (Some(export), true) => Ok(export),
        (Some(_), false) => Err(not_otlp("protobuf that could be more than one signal".to_owned())),
        (None, _) => Err(not_otlp("bytes that decode as no signal".to_owned())),
    }
}

/// Whether a request holds something, and each thing has what its signal cannot be without.
fn makes_sense(export: &Export) -> bool {
    if export.items() == super::Items::default() {
        return false;
    }
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
