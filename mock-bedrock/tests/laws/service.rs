//! Asking the service without a socket, and without waiting for anything.

use std::cell::LazyCell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use mock_bedrock::event_stream::Decoder;
use mock_bedrock::{Config, Handler, InMemory};
use serde_json::Value;
use spanproof_schemas::ledger::Exchange;
use spanproof_schemas::speed::Speed;
use tokio::runtime::{Builder, Runtime};

thread_local! {
    static RUNTIME: LazyCell<Runtime> = LazyCell::new(|| {
        Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
    });
}

/// An answer, and what the ledger says of it.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) exchange: Exchange,
}

/// Asks a service of its own, which has seen nothing before.
pub(crate) fn ask(seed: u64, path: &str, body: &Value) -> Told {
    ask_in_turn(seed, path, &[body]).remove(0)
}

/// Asks one service, which caches prompts from one request to the next.
pub(crate) fn ask_in_turn(seed: u64, path: &str, bodies: &[&Value]) -> Vec<Told> {
    let ledger = InMemory::default();
    let config = Config { seed, speed: Speed::Max, keep_content: true, ..Config::default() };
    let handler = Handler::new(config, ledger.clone()).unwrap();
    let mut answers = Vec::new();
    for body in bodies {
        let request = Request::post(path).body(Bytes::from(body.to_string())).unwrap();
        let response = RUNTIME.with(|runtime| runtime.block_on(handler.answer(request)));
        let (head, body) = response.into_parts();
        answers.push((head.status, head.headers, body));
    }
    let exchanges = ledger.exchanges();
    assert_eq!(exchanges.len(), answers.len(), "every exchange is in the ledger");
    answers
        .into_iter()
        .zip(exchanges)
        .map(|((status, headers, body), exchange)| Told { status, headers, body, exchange })
        .collect()
}

impl Told {
    /// The whole body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Name and payload of each event of the stream.
    pub(crate) fn events(&self) -> Vec<(String, Value)> {
        assert_eq!(self.header("content-type"), Some("application/vnd.amazon.eventstream"));
        let mut decoder = Decoder::default();
        decoder.push(&self.body);
        let mut events = Vec::new();
        while let Some(frame) = decoder.take().unwrap() {
            assert_eq!(frame.message_type(), Some("event"));
            let payload = serde_json::from_slice(&frame.payload).unwrap();
            events.push((frame.event_type().unwrap().to_owned(), payload));
        }
        decoder.finish().unwrap();
        events
    }

    /// The native chunks of the stream.
    pub(crate) fn chunks(&self) -> Vec<Value> {
        self.events()
            .into_iter()
            .map(|(name, payload)| {
                assert_eq!(name, "chunk");
                let bytes = STANDARD.decode(payload["bytes"].as_str().unwrap()).unwrap();
                serde_json::from_slice(&bytes).unwrap()
            })
            .collect()
    }

    /// Everything but what tells one exchange from another: its time.
    pub(crate) fn repeatable(&self) -> (StatusCode, Vec<(String, String)>, String) {
        let headers = self.headers.iter().filter(|(name, _)| *name != "date");
        let headers = headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let body = match serde_json::from_slice::<Value>(&self.body) {
            Ok(mut json) if json.get("created").is_some() => {
                json["created"] = Value::Null;
                json.to_string()
            }
            _ if self.header("content-type") == Some("application/vnd.amazon.eventstream") => {
                undated(self.events())
            }
            _ => format!("{:?}", self.body),
        };
        (self.status, headers, body)
    }
}

/// The events of a stream, without the time that some families' chunks state.
fn undated(events: Vec<(String, Value)>) -> String {
    let mut shown = Vec::new();
    for (name, mut payload) in events {
        if let Some(bytes) = payload["bytes"].as_str() {
            let bytes = STANDARD.decode(bytes).unwrap();
            let mut chunk: Value = serde_json::from_slice(&bytes).unwrap();
            if chunk.get("created").is_some() {
                chunk["created"] = Value::Null;
            }
            payload["bytes"] = chunk;
        }
        shown.push(format!("{name} {payload}"));
    }
    shown.join("\n")
}
