//! What a request tells the mock in its metadata, where a client cannot set headers.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use http::{HeaderMap, HeaderName};
use memchr::memmem::Finder;
use serde::Deserialize;
use spanproof_schemas::ledger::Operation;

use crate::{fault, outline};

/// The header that carries the metadata of an InvokeModel request, as JSON.
const HEADER: HeaderName = HeaderName::from_static("x-amzn-bedrock-request-metadata");
/// The key that names the test that a request belongs to.
const TEST_KEY: &str = "spanproof-test";

/// What the keys that are meant for the mock begin with.
const OWN: &str = "spanproof-";

/// The metadata of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Metadata {
    /// A fault, as in the header `x-spanproof-fault`.
    pub(crate) fault: Option<String>,
    /// A test, as in the header `x-spanproof-test`.
    pub(crate) test: Option<String>,
    /// What the answer is to be like, as in the header `x-spanproof-answer`.
    pub(crate) outline: Option<String>,
    /// What is not meant for the mock.
    pub(crate) other: BTreeMap<String, String>,
}

impl Metadata {
    /// Reads what `operation` takes as metadata: a member of the body, or a header. What is no
    /// metadata holds nothing for the mock; the operation itself judges the request.
    pub(crate) fn of(operation: Operation, headers: &HeaderMap, body: &[u8]) -> Self {
        match operation {
            // Bodies without need not be read twice.
            Operation::Converse | Operation::ConverseStream if may_have_metadata(body) => {
                #[derive(Deserialize)]
                #[serde(rename_all = "camelCase")]
                struct Body {
                    #[serde(default)]
                    request_metadata: BTreeMap<String, String>,
                }
                serde_json::from_slice::<Body>(body)
                    .map_or_else(|_| Metadata::default(), |body| Self::take(body.request_metadata))
            }
            _ => headers
                .get(HEADER)
                .and_then(|value| serde_json::from_slice(value.as_bytes()).ok())
                .map_or_else(Metadata::default, Self::take),
        }
    }

    fn take(mut metadata: BTreeMap<String, String>) -> Self {
        Metadata {
            fault: metadata.remove(fault::METADATA_KEY),
            test: metadata.remove(TEST_KEY),
            outline: metadata.remove(outline::METADATA_KEY),
            other: {
                metadata.retain(|key, _| !key.starts_with(OWN));
                metadata
            },
        }
    }
}

fn may_have_metadata(body: &[u8]) -> bool {
    // A searcher is made once: making it costs more than searching a small body.
    static MEMBER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"requestMetadata\""));
    MEMBER.find(body).is_some()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn converse_takes_a_member_and_the_others_a_header() {
        const ASKED: &str =
            r#"{"spanproof-fault":"cut","spanproof-test":"one","spanproof-answer":"9"}"#;
        let asked = Metadata {
            fault: Some("cut".to_owned()),
            test: Some("one".to_owned()),
            outline: Some("9".to_owned()),
            other: BTreeMap::from([("team".to_owned(), "blue".to_owned())]),
        };
        let json = ASKED.replace('}', r#","team":"blue"}"#);
        let body = format!(r#"{{"messages":[],"requestMetadata":{json}}}"#);
        let mut headers = HeaderMap::new();
        let read = |operation, headers: &HeaderMap, body: &str| {
            Metadata::of(operation, headers, body.as_bytes())
        };
        assert_eq!(read(Operation::Converse, &headers, &body), asked);
        assert_eq!(read(Operation::InvokeModel, &headers, &body), Metadata::default());
        headers.insert(HEADER, HeaderValue::from_str(&json).unwrap());
        assert_eq!(read(Operation::InvokeModel, &headers, ""), asked);
        for body in ["", "{", r#"{"requestMetadata":{"spanproof-fault":1}}"#, r#"["spanproof-"]"#] {
            assert_eq!(read(Operation::Converse, &HeaderMap::new(), body), Metadata::default());
        }
    }
}
