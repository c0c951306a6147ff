//! A request as it was sent, told without its content.

use std::collections::BTreeMap;

use http::HeaderMap;
use http::request::Parts;
use serde_json::Value;
use spanproof_schemas::ledger::{SentRequest, canonical_json};

use crate::draw;

/// Headers that let whoever has them call the service.
const CREDENTIALS: &[&str] =
    &["authorization", "cookie", "proxy-authorization", "x-amz-security-token", "x-api-key"];

/// How deeply a body is taken apart. What is below is told as one value.
const DEEPEST: usize = 64;

/// What `head` and `body` sent.
pub(crate) fn request(head: &Parts, body: &[u8]) -> SentRequest {
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    SentRequest { target, headers: headers(&head.headers), body: members(body) }
}

fn headers(sent: &HeaderMap) -> BTreeMap<String, String> {
    let mut told = BTreeMap::new();
    for name in sent.keys().filter(|name| !CREDENTIALS.contains(&name.as_str())) {
        let values =
            sent.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        told.insert(name.as_str().to_owned(), values.collect::<Vec<_>>().join(", "));
    }
    told
}

/// The values of a JSON body by their place, a JSON pointer; of another body, only what it is.
fn members(body: &[u8]) -> BTreeMap<String, String> {
    let mut told = BTreeMap::new();
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => tell(&value, String::new(), 0, &mut told),
        Err(_) if body.is_empty() => {}
        Err(_) => {
            let digest = draw::sha256(&String::from_utf8_lossy(body));
            told.insert(String::new(), format!("{} bytes, SHA-256 {digest}", body.len()));
        }
    }
    told
}

fn tell(value: &Value, place: String, depth: usize, told: &mut BTreeMap<String, String>) {
    match value {
        Value::Array(values) if !values.is_empty() && depth < DEEPEST => {
            for (at, value) in values.iter().enumerate() {
                tell(value, format!("{place}/{at}"), depth + 1, told);
            }
        }
        Value::Object(members) if !members.is_empty() && depth < DEEPEST => {
            for (name, value) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                tell(value, format!("{place}/{name}"), depth + 1, told);
            }
        }
        // Text may be content; numbers and the like are not.
        Value::String(text) => {
            let digest = draw::sha256(text);
            told.insert(place, format!("text of {} bytes, SHA-256 {digest}", text.len()));
        }
        other => {
            let text = canonical_json(other);
            let is_nested = matches!(other, Value::Array(it) if !it.is_empty())
                || matches!(other, Value::Object(it) if !it.is_empty());
            let value = if is_nested { format!("SHA-256 {}", draw::sha256(&text)) } else { text };
            told.insert(place, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn sent(body: &str) -> SentRequest {
        let request = Request::post("/model/m/converse?x=1")
            .header("authorization", "AWS4-HMAC-SHA256 Credential=AKIA")
            .header("x-mine", "one")
            .header("x-mine", "two");
        let (head, ()) = request.body(()).unwrap().into_parts();
        super::request(&head, body.as_bytes())
    }

    #[test]
    fn content_and_credentials_are_not_told_and_everything_else_is() {
        let sent = sent(r#"{"inferenceConfig":{"maxTokens":256.0,"a/b":[]},"text":"rivers"}"#);
        assert_eq!(sent.target, "/model/m/converse?x=1");
        assert_eq!(sent.headers, BTreeMap::from([("x-mine".to_owned(), "one, two".to_owned())]));
        let told: Vec<(&str, &str)> =
            sent.body.iter().map(|(place, value)| (&**place, &**value)).collect();
        assert_eq!(told[0], ("/inferenceConfig/a~1b", "[]"));
        assert_eq!(told[1], ("/inferenceConfig/maxTokens", "256"));
        assert!(told[2].1.starts_with("text of 6 bytes, SHA-256 "));
        assert_eq!(told.len(), 3);
    }

    #[test]
    fn the_order_of_members_and_the_spaces_between_them_do_not_show() {
        assert_eq!(sent(r#"{"a":1,"b":"x"}"#), sent(r#"{ "b": "x", "a": 1.0 }"#));
        assert_ne!(sent(r#"{"a":1}"#), sent(r#"{"a":"1"}"#));
        assert_ne!(sent("a"), sent("b"));
        assert_eq!(sent("").body, BTreeMap::new());
    }
}
