//! Any requests, through the whole pipeline of one service: each is answered with something that
//! its content type promises, at once in simulated time, and is in the ledger. Requests to the admin
//! endpoints are answered likewise, and are not in it.
//!
//! The input is requests as text, with two empty lines between them: `METHOD PATH`, a header a line,
//! an empty line, the body. A first line `!` with letters behind it configures the service.

#![no_main]

use std::cell::LazyCell;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{Request, Response};
use libfuzzer_sys::{Corpus, fuzz_target};
use mock_bedrock::event_stream::Decoder;
use mock_bedrock::guardrail::Guardrail;
use mock_bedrock::{AccessKey, Auth, BearerKey, Config, Handler, InMemory, Keys, Quirk};
use serde_json::{Value, json};
use spanproof_schemas::speed::Speed;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

/// Requests of one input: more find little more.
const MOST_REQUESTS: usize = 4;

thread_local! {
    static RUNTIME: LazyCell<Runtime> = LazyCell::new(|| {
        Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
    });
}

fuzz_target!(|input: &[u8]| -> Corpus {
    let (flags, rest) = flags(input);
    let mut requests = Vec::new();
    for text in split(rest) {
        match read(text) {
            Some(request) => requests.push(request),
            None => return Corpus::Reject,
        }
    }
    // What is broken on purpose need not be whole.
    let is_sound = !contains(input, b"spanproof");
    let ledger = InMemory::default();
    let handler = Handler::new(configured(flags), ledger.clone()).unwrap();
    let asked = requests.len();
    for request in requests {
        let is_admin = is_admin(request.uri().path());
        let is_model = request.uri().path().starts_with("/model/");
        let before = ledger.exchanges().len();
        let Some(response) = answer(&handler, request) else { continue };
        if is_sound || is_admin {
            check(&response);
        }
        if is_model && response.status().is_success() {
            let exchanges = ledger.exchanges();
            assert_eq!(exchanges.len(), before + 1, "what was answered is in the ledger");
            assert_eq!(exchanges[before].status, response.status().as_u16());
        }
    }
    let exchanges = ledger.exchanges();
    assert!(exchanges.len() <= asked, "{asked} requests, {} exchanges", exchanges.len());
    for exchange in exchanges {
        serde_json::to_string(&exchange).expect("a record is JSON");
    }
    Corpus::Keep
});

/// The answer, unless a fault has it wait, which takes as long as it says.
fn answer(handler: &Handler, request: Request<Bytes>) -> Option<Response<Bytes>> {
    // The runtime's own time passes as soon as nothing but that is left to do.
    let patient = async { timeout(Duration::from_secs(60), handler.answer(request)).await };
    RUNTIME.with(|runtime| runtime.block_on(patient)).ok()
}

/// Those of tests may be requests to the service.
fn is_admin(path: &str) -> bool {
    path.strip_prefix("/_spanproof/").is_some_and(|rest| !rest.starts_with("tests/"))
}

fn configured(flags: &[u8]) -> Config {
    let has = |flag: u8| flags.contains(&flag);
    let mut config = Config { speed: Speed::Max, ..Config::default() };
    config.keep_content = has(b'k');
    config.kept_records = if has(b'r') { 2 } else { 0 };
    if has(b'q') {
        config.quirks = Quirk::ALL.iter().copied().collect();
    }
    if has(b'f') {
        config.auth = Auth::Format;
    }
    if has(b'v') {
        config.auth = Auth::Verify(keys());
    }
    if has(b'g') {
        config.guardrails = vec![guardrail()];
    }
    config
}

fn keys() -> Keys {
    Keys {
        access: vec![AccessKey::new("AKIDEXAMPLE", "secret")],
        bearer: vec![BearerKey::new("bearer")],
    }
}

/// One with something of everything.
fn guardrail() -> Guardrail {
    let guardrail = json!({
        "guardrailId": "abc",
        "blockedInputMessaging": "no", "blockedOutputsMessaging": "never",
        "topicPolicyConfig": { "topicsConfig": [
            { "name": "harbour", "definition": "d", "examples": ["How deep is it?"], "type": "DENY" }
        ] },
        "contentPolicyConfig": { "filtersConfig": [
            { "type": "HATE", "inputStrength": "LOW", "outputStrength": "HIGH" },
            { "type": "PROMPT_ATTACK", "inputStrength": "HIGH", "outputStrength": "NONE" }
        ] },
        "wordPolicyConfig": {
            "wordsConfig": [{ "text": "window" }], "managedWordListsConfig": [{ "type": "PROFANITY" }]
        },
        "sensitiveInformationPolicyConfig": {
            "piiEntitiesConfig": [
                { "type": "EMAIL", "action": "ANONYMIZE" }, { "type": "PHONE", "action": "BLOCK" }
            ],
            "regexesConfig": [{ "name": "r", "pattern": "[a-z]+[0-9]", "action": "ANONYMIZE" }]
        },
        "contextualGroundingPolicyConfig": { "filtersConfig": [
            { "type": "GROUNDING", "threshold": 0.5 }, { "type": "RELEVANCE", "threshold": 0.5 }
        ] }
    });
    serde_json::from_value(guardrail).expect("a guardrail")
}

fn check(response: &Response<Bytes>) {
    let content_type = response.headers().get("content-type").map(HeaderValue::as_bytes);
    match content_type {
        Some(b"application/json") => {
            serde_json::from_slice::<Value>(response.body()).expect("JSON as promised");
        }
        Some(b"application/x-ndjson") => {
            for line in response.body().split_inclusive(|byte| *byte == b'\n') {
                serde_json::from_slice::<Value>(line).expect("lines of JSON as promised");
            }
        }
        Some(b"application/vnd.amazon.eventstream") => {
            let mut decoder = Decoder::default();
            decoder.push(response.body());
            while let Some(frame) = decoder.take().expect("frames as promised") {
                serde_json::from_slice::<Value>(&frame.payload).expect("payloads are JSON");
            }
            decoder.finish().expect("whole frames");
        }
        _ => {}
    }
}

/// The letters of the first line, if it configures the service, and what follows it.
fn flags(input: &[u8]) -> (&[u8], &[u8]) {
    match input.strip_prefix(b"!") {
        Some(rest) => {
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            (&rest[..end], rest.get(end + 1..).unwrap_or_default())
        }
        None => (b"", input),
    }
}

fn split(mut input: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while parts.len() + 1 < MOST_REQUESTS {
        let Some(at) = input.windows(3).position(|three| three == b"\n\n\n") else { break };
        parts.push(&input[..at]);
        input = &input[at + 3..];
    }
    parts.push(input);
    parts
}

/// The request that the text says, if HTTP can carry it.
fn read(text: &[u8]) -> Option<Request<Bytes>> {
    let (head, body) = match text.windows(2).position(|two| two == b"\n\n") {
        Some(end) => (&text[..end], &text[end + 2..]),
        None => (text, &b""[..]),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let line = lines.next()?;
    let space = line.iter().position(|byte| *byte == b' ')?;
    let mut request = Request::builder().method(&line[..space]).uri(&line[space + 1..]);
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
        request = request.header(name, value);
    }
    request.body(Bytes::copy_from_slice(body)).ok()
}

fn contains(input: &[u8], word: &[u8]) -> bool {
    input.windows(word.len()).any(|window| window == word)
}
