//! What the head of a request says.

use std::collections::HashSet;

use http::{HeaderMap, HeaderName};
use memchr::memmem::Finder;
use percent_encoding::percent_decode_str;
use spanproof_schemas::ledger::TraceContext;

// Names made once: looking one up by text parses it first, which cost more than the look-up.
const TEST: HeaderName = HeaderName::from_static("x-spanproof-test");
const INVOCATION_ID: HeaderName = HeaderName::from_static("amz-sdk-invocation-id");
const SDK_REQUEST: HeaderName = HeaderName::from_static("amz-sdk-request");
const RETRY_COUNT: HeaderName = HeaderName::from_static("x-stainless-retry-count");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The prefix under which a test has a service of its own.
const TEST_PREFIX: &str = "/_spanproof/tests/";

/// The test that a request belongs to, if it names one, and the path without the name: a header
/// `x-spanproof-test`, or a path below `/_spanproof/tests/{id}`, since every SDK keeps the path of
/// an endpoint.
pub(crate) fn test_id<'p>(path: &'p str, headers: &HeaderMap) -> (Option<String>, &'p str) {
    if let Some(rest) = path.strip_prefix(TEST_PREFIX)
        && let Some(at) = rest.find('/')
        && at > 0
    {
        let (id, path) = rest.split_at(at);
        return (Some(percent_decode_str(id).decode_utf8_lossy().into_owned()), path);
    }
    let id = headers.get(TEST).and_then(|id| id.to_str().ok());
    (id.map(ToOwned::to_owned), path)
}

/// `amz-sdk-invocation-id`.
pub(crate) fn invocation_id(headers: &HeaderMap) -> Option<String> {
    Some(headers.get(INVOCATION_ID)?.to_str().ok()?.to_owned())
}

/// The attempt of `amz-sdk-request: attempt=2; max=3`.
pub(crate) fn attempt(headers: &HeaderMap) -> Option<u32> {
    let request = headers.get(SDK_REQUEST)?.to_str().ok()?;
    request.split(';').find_map(|part| part.trim().strip_prefix("attempt=")?.parse().ok())
}

/// The attempt that a fault sees: clients of Anthropic count their retries in a header of their own.
pub(crate) fn fault_attempt(headers: &HeaderMap) -> u32 {
    let retries = || headers.get(RETRY_COUNT)?.to_str().ok()?.parse::<u32>().ok();
    attempt(headers).or_else(|| retries()?.checked_add(1)).unwrap_or(1)
}

/// The trace context of a valid `traceparent`.
pub(crate) fn trace_context(headers: &HeaderMap) -> Option<TraceContext> {
    let text = headers.get(TRACEPARENT)?.to_str().ok()?;
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
pub(crate) fn markers(body: &[u8], stem: &Finder<'_>) -> Vec<String> {
    let mut markers = Vec::new();
    let mut known = HashSet::new();
    let length = stem.needle().len();
    for at in stem.find_iter(body) {
        let tail = &body[at + length..];
        let tail_length = tail.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let marker = &body[at..at + length + tail_length];
        if known.insert(marker) {
            // A stem is letters and digits too.
            markers.push(String::from_utf8_lossy(marker).into_owned());
        }
    }
    markers
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_test_is_named_by_a_path_or_a_header() {
        let mut headers = HeaderMap::new();
        assert_eq!(test_id("/model/a/converse", &headers), (None, "/model/a/converse"));
        headers.insert("x-spanproof-test", HeaderValue::from_static("one"));
        let named = |id: &str| Some(id.to_owned());
        assert_eq!(test_id("/model", &headers), (named("one"), "/model"));
        assert_eq!(test_id("/_spanproof/tests/a%2Fb/model", &headers), (named("a/b"), "/model"));
        for path in ["/_spanproof/tests/a", "/_spanproof/tests//model"] {
            assert_eq!(test_id(path, &HeaderMap::new()), (None, path));
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
            prop_assert_eq!(markers(body.as_bytes(), &Finder::new("SPMP7")), expected);
        }
    }
}
