//! Any request, through the whole pipeline: it is answered with something that its content type
//! promises, at once in simulated time, and it is in the ledger.
//!
//! The input is the request as text: `METHOD PATH`, a header a line, an empty line, the body.

#![no_main]

use std::cell::LazyCell;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{Request, Response};
use libfuzzer_sys::{Corpus, fuzz_target};
use mock_bedrock::event_stream::Decoder;
use mock_bedrock::{Config, Handler, InMemory};
use serde_json::Value;
use spanproof_schemas::speed::Speed;
use tokio::runtime::{Builder, Runtime};

thread_local! {
    // Time that is waited for passes by itself.
    static RUNTIME: LazyCell<Runtime> = LazyCell::new(|| {
        Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
    });
}

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some(request) = read(input) else { return Corpus::Reject };
    // What is broken on purpose need not be whole.
    let is_sound = !contains(input, b"spanproof-fault") && !contains(input, b"_spanproof");
    let ledger = InMemory::default();
    let config =
        Config { speed: Speed::Max, keep_content: input.len() % 2 == 0, ..Config::default() };
    let handler = Handler::new(config, ledger.clone()).unwrap();
    let is_known = request.uri().path().starts_with("/model/");
    let response = RUNTIME.with(|runtime| runtime.block_on(handler.answer(request)));
    if is_sound {
        check(&response);
    }
    let exchanges = ledger.exchanges();
    assert!(exchanges.len() <= 1, "one request, {} exchanges", exchanges.len());
    if is_known && response.status().is_success() {
        let exchange = exchanges.first().expect("what was answered is in the ledger");
        assert_eq!(exchange.status, response.status().as_u16());
    }
    for exchange in exchanges {
        serde_json::to_string(&exchange).expect("a record is JSON");
    }
    Corpus::Keep
});

fn check(response: &Response<Bytes>) {
    let content_type = response.headers().get("content-type").map(HeaderValue::as_bytes);
    match content_type {
        Some(b"application/json") => {
            serde_json::from_slice::<Value>(response.body()).expect("JSON as promised");
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

/// The request that the input says, if HTTP can carry it.
fn read(input: &[u8]) -> Option<Request<Bytes>> {
    let end = input.windows(2).position(|two| two == b"\n\n")?;
    let (head, body) = (&input[..end], &input[end + 2..]);
    let mut lines = head.split(|byte| *byte == b'\n');
    let line = lines.next()?;
    let space = line.iter().position(|byte| *byte == b' ')?;
    let mut request = Request::builder().method(&line[..space]).uri(&line[space + 1..]);
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        request =
            request.header(name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?);
    }
    request.body(Bytes::copy_from_slice(body)).ok()
}

fn contains(input: &[u8], word: &[u8]) -> bool {
    input.windows(word.len()).any(|window| window == word)
}
