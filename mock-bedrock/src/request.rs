//! What the head of a request says.

use std::collections::HashSet;

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

/// The attempt that a fault sees: clients of Anthropic count their retries in a header of their own.
pub(crate) fn fault_attempt(headers: &HeaderMap) -> u32 {
    let retries = || headers.get("x-stainless-retry-count")?.to_str().ok()?.parse::<u32>().ok();
    attempt(headers).or_else(|| retries()?.checked_add(1)).unwrap_or(1)
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
    let mut markers = Vec::new();
    let mut known = HashSet::new();
    for (at, _) in text.match_indices(stem) {
        let tail = &text.as_bytes()[at + stem.len()..];
        let tail_length = tail.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let marker = &text[at..at + stem.len() + tail_length];
        if known.insert(marker) {
            markers.push(marker.to_owned());
        }
    }
    markers
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;
    use spanproof_schemas::ledger;

    use super::*;

    #[test]
    fn paths_are_split_before_they_are_decoded() {
        for (path, id) in [
            ("/model/a.b-v1%3A0/converse", "a.b-v1:0"),
            ("/model/a.b-v1:0/converse", "a.b-v1:0"),
            ("/model/arn%3Aaws%3Abedrock%3A%3A%3Ax%2Fabc/converse", "arn:aws:bedrock:::x/abc"),
            ("/model/arn:aws:bedrock:::x%2Fabc/converse", "arn:aws:bedrock:::x/abc"),
        ] {
            let (operation, found) = route(path).unwrap();
            assert_eq!(operation.operation(), ledger::Operation::Converse);
            assert_eq!(found, id);
        }
        for path in
            ["/", "/model/", "/model/a", "/model/a/guess", "/model/a/b/converse", "/converse"]
        {
            assert!(route(path).is_none(), "{path}");
        }
    }

    #[test]
    fn only_a_valid_traceparent_is_a_trace_context() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", HeaderValue::from_str(value).unwrap());
            trace_context(&headers)
        };
        let valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
        assert!(!read(valid).unwrap().sampled);
        assert!(read(&format!("{valid}-extra")).is_none());
        assert!(read(&format!("cc{}-extra", &valid[2..])).is_some());
        for invalid in [
            "",
            "00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b71692033-01",
        ] {
            assert!(read(invalid).is_none(), "{invalid}");
        }
    }

    proptest! {
        #[test]
        fn markers_come_back_in_order_and_once(tails in prop::collection::vec("[0-9A-B]{1,2}", 0..12)) {
            let body = tails.iter().fold(String::new(), |body, tail| body + "{\"SPMP7" + tail + "\"}");
            let mut expected: Vec<String> = Vec::new();
            for tail in tails {
                let marker = format!("SPMP7{tail}");
                if !expected.contains(&marker) {
                    expected.push(marker);
                }
            }
            prop_assert_eq!(markers(body.as_bytes(), "SPMP7"), expected);
        }
    }
}
