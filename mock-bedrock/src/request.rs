//! What the head of a request says.

use http::HeaderMap;
use percent_encoding::percent_decode_str;
use spanproof_schemas::ledger::TraceContext;

use crate::operations::{OPERATIONS, Operation};

/// The operation and the model id that `path` names, if it names an operation.
///
/// The path is split before it is decoded: an ARN holds slashes, which clients encode.
pub(crate) fn route(path: &str) -> Option<(&'static dyn Operation, String)> {
    let (id, segment) = path.strip_prefix("/model/")?.split_once('/')?;
    let operation = OPERATIONS.iter().find(|operation| operation.segment() == segment)?;
    Some((*operation, percent_decode_str(id).decode_utf8_lossy().into_owned()))
}

/// `amz-sdk-invocation-id`.
pub(crate) fn invocation_id(headers: &HeaderMap) -> Option<String> {
    Some(headers.get("amz-sdk-invocation-id")?.to_str().ok()?.to_owned())
}

/// The attempt of `amz-sdk-request: attempt=2; max=3`.
pub(crate) fn attempt(headers: &HeaderMap) -> Option<u32> {
    let request = headers.get("amz-sdk-request")?.to_str().ok()?;
    request.split(';').find_map(|part| part.trim().strip_prefix("attempt=")?.parse().ok())
}

/// The trace context of a valid `traceparent`.
pub(crate) fn trace_context(headers: &HeaderMap) -> Option<TraceContext> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let mut fields = text.split('-');
    let (version, trace_id, span_id, flags) =
        (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let is_hex = |field: &str, length: usize| {
        field.len() == length && field.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_valid = is_hex(version, 2)
        && version != "ff"
        && (version != "00" || fields.next().is_none())
        && is_hex(trace_id, 32)
        && trace_id.bytes().any(|byte| byte != b'0')
        && is_hex(span_id, 16)
        && span_id.bytes().any(|byte| byte != b'0')
        && is_hex(flags, 2);
    is_valid.then(|| TraceContext {
        trace_id: trace_id.to_owned(),
        span_id: span_id.to_owned(),
        sampled: u8::from_str_radix(flags, 16).is_ok_and(|flags| flags & 1 == 1),
    })
}

/// The markers in `body` that begin with `stem`, each once, in order.
///
/// The whole body is searched, not only its texts: a marker is letters and digits, which JSON does
/// not escape.
pub(crate) fn markers(body: &[u8], stem: &str) -> Vec<String> {
    let Ok(text) = std::str::from_utf8(body) else { return Vec::new() };
    let mut markers: Vec<String> = Vec::new();
    for (at, _) in text.match_indices(stem) {
        let tail = &text.as_bytes()[at + stem.len()..];
        let tail_length = tail.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let marker = &text[at..at + stem.len() + tail_length];
        if !markers.iter().any(|known| known == marker) {
            markers.push(marker.to_owned());
        }
    }
    markers
}
