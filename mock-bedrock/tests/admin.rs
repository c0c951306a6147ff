//! The admin endpoints, as people and scripts call them.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod client;

use client::{HAIKU, Mock, NOVA, hello};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use mock_bedrock::{Config, FaultPlan, FaultRule, Quota};
use serde_json::Value;
use spanproof_schemas::ledger::Record;
use spanproof_schemas::speed::Speed;

const LEDGER: &str = "/_spanproof/ledger";

fn start(kept_records: usize) -> Mock {
    Mock::with(Config { speed: Speed::Max, kept_records, ..Config::default() })
}

/// Calls with known statuses, one after another.
async fn calls(mock: &Mock) {
    for (model, segment, status) in [
        (HAIKU, "converse", 200),
        (NOVA, "converse", 200),
        (HAIKU, "converse-stream", 200),
        ("nothing.like-it", "converse", 400),
    ] {
        let answered = mock.post(&format!("/model/{model}/{segment}"), &[], &hello()).await;
        assert_eq!(answered.status, status);
    }
}

async fn page(mock: &Mock, query: &str) -> Value {
    let answered = mock.ask("GET", &format!("{LEDGER}?{query}")).await;
    assert_eq!(answered.status, 200, "{:?}", answered.body);
    answered.json()
}

fn sequences(page: &Value) -> Vec<u64> {
    let exchanges = page["exchanges"].as_array().unwrap();
    exchanges.iter().map(|exchange| exchange["sequence"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn health_says_who_is_there() {
    let mock = start(0);
    let answered = mock.ask("GET", "/_spanproof/health").await;
    assert_eq!(answered.status, 200);
    let health = answered.json();
    assert_eq!(health["status"], "ok");
    assert_eq!(health["open_exchanges"], 0);
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(health["open_streams"], 0);
    assert!(mock.exchanges().await.is_empty(), "what is asked of the mock itself is no exchange");
}

#[tokio::test]
async fn the_ledger_is_filtered() {
    let mock = start(100);
    calls(&mock).await;
    assert_eq!(sequences(&page(&mock, "").await), [0, 1, 2, 3]);
    assert_eq!(sequences(&page(&mock, "operation=ConverseStream").await), [2]);
    let haiku = "model=anthropic.claude-3-haiku-20240307-v1%3A0";
    assert_eq!(sequences(&page(&mock, haiku).await), [0, 2]);
    assert_eq!(sequences(&page(&mock, "model=anthropic.*").await), [0, 2]);
    assert_eq!(sequences(&page(&mock, "model=*like*").await), [3]);
    assert_eq!(sequences(&page(&mock, "status=400").await), [3]);
    assert_eq!(sequences(&page(&mock, "since=2&status=200").await), [2]);
}

#[tokio::test]
async fn the_newest_records_are_asked_for_by_their_count() {
    let mock = start(100);
    calls(&mock).await;
    let last = page(&mock, "last=2").await;
    assert_eq!((sequences(&last), &last["next"]), (vec![2, 3], &4.into()));
    assert_eq!(sequences(&page(&mock, "last=1&status=200").await), [2]);
    assert_eq!(sequences(&page(&mock, "last=9").await), [0, 1, 2, 3]);
    let mut body = mock.open("GET", &format!("{LEDGER}?follow=true&last=1"), "").await.into_body();
    let mut text = String::new();
    lines(&mut body, &mut text, 2).await;
    assert!(text.contains(r#""sequence":3"#), "{text}");
}

/// A model of inference profiles is found by its base id, too.
#[tokio::test]
async fn a_model_is_found_by_its_base_id_and_by_the_id_that_was_sent() {
    let mock = start(100);
    let path = "/model/us.amazon.nova-lite-v1%3A0/converse";
    assert_eq!(mock.post(path, &[], &hello()).await.status, 200);
    for model in ["us.amazon.nova-lite-v1%3A0", "amazon.nova-lite-v1%3A0", "us.*", "amazon.*"] {
        assert_eq!(sequences(&page(&mock, &format!("model={model}")).await), [0], "{model}");
    }
    assert!(sequences(&page(&mock, "model=anthropic.*").await).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_has_its_answer_finds_it_in_the_ledger() {
    let mock = start(10);
    for (count, fault) in ["", "no-metadata", "stream:throttlingException", "unknown-event"]
        .into_iter()
        .cycle()
        .take(40)
        .enumerate()
    {
        let headers = [("x-spanproof-fault", fault)];
        let headers = if fault.is_empty() { &[][..] } else { &headers };
        mock.post(&format!("/model/{HAIKU}/converse-stream"), headers, &hello()).await;
        let last = page(&mock, "last=1").await;
        assert_eq!(sequences(&last), [count as u64], "{fault}");
    }
}

#[tokio::test]
async fn the_paths_below_a_test_s_endpoint_are_those_below_the_server_s() {
    let mock = start(100);
    let endpoint = "/_spanproof/tests/a%20b";
    mock.post(&format!("{endpoint}/model/{NOVA}/converse"), &[], &hello()).await;
    mock.post(&format!("/model/{NOVA}/converse"), &[], &hello()).await;
    let of_test = mock.ask("GET", &format!("{endpoint}/_spanproof/ledger")).await.json();
    assert_eq!(sequences(&of_test), [0]);
    let plan = r#"{"rules":[{"fault":"AccessDeniedException"}]}"#;
    let faults = format!("{endpoint}/_spanproof/faults");
    assert_eq!(mock.send_with("PUT", &faults, plan).await.status, 204);
    assert_eq!([status(&mock, "a%20b").await, status(&mock, "").await], [403, 200]);
    for path in ["health", "metrics"] {
        assert_eq!(mock.ask("GET", &format!("{endpoint}/_spanproof/{path}")).await.status, 200);
    }
    let unknown = mock.ask("GET", &format!("{endpoint}/_spanproof/ledgers")).await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.json()["error"].as_str().unwrap().contains("ledgers"));
}

#[tokio::test]
async fn the_ledger_is_paged_and_says_what_made_room() {
    let mock = start(3);
    calls(&mock).await;
    let first = page(&mock, "limit=2").await;
    assert_eq!((sequences(&first), &first["missed"]), (vec![1, 2], &1.into()));
    let second = page(&mock, &format!("limit=2&after={}", first["next"])).await;
    assert_eq!((sequences(&second), &second["missed"]), (vec![3], &0.into()));
    let third = page(&mock, &format!("limit=2&after={}", second["next"])).await;
    assert_eq!((sequences(&third), &third["next"]), (vec![], &second["next"]));
}

/// Reads lines until there are `count`.
async fn lines(body: &mut Incoming, text: &mut String, count: usize) {
    while text.lines().count() < count {
        let frame = body.frame().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
    }
}

#[tokio::test]
async fn followers_get_a_ledger_that_grows_and_ends_with_the_server() {
    let mock = start(100);
    calls(&mock).await;
    let mut body =
        mock.open("GET", &format!("{LEDGER}?follow=true&status=200"), "").await.into_body();
    let mut text = String::new();
    lines(&mut body, &mut text, 4).await;
    calls(&mock).await;
    lines(&mut body, &mut text, 7).await;
    let records: Vec<Record> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(matches!(records[0], Record::Run(_)), "{text}");
    let all = mock.ledger.records();
    let served: Vec<&Record> = all
        .iter()
        .filter(|record| match record {
            Record::Run(_) => true,
            Record::Exchange(exchange) => exchange.status == 200,
        })
        .collect();
    assert_eq!(records.iter().collect::<Vec<_>>(), served);
    mock.server.shutdown().await.unwrap();
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn a_follower_that_wants_so_many_gets_so_many() {
    let mock = start(100);
    calls(&mock).await;
    let answered = mock.ask("GET", &format!("{LEDGER}?follow=true&limit=2&after=1")).await;
    assert!(answered.is_whole);
    let text = std::str::from_utf8(&answered.body).unwrap();
    let sequences: Vec<Value> = text
        .lines()
        .skip(1)
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["sequence"].clone())
        .collect();
    assert_eq!(sequences, [1, 2]);
}

#[tokio::test]
async fn metrics_count_what_was_served() {
    let mock = start(100);
    calls(&mock).await;
    let answered = mock.ask("GET", "/_spanproof/metrics").await;
    assert_eq!(answered.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = std::str::from_utf8(&answered.body).unwrap();
    let output = |line: &str| line.contains("kind=\"output\"");
    let charged: u64 = mock.ledger.exchanges().iter().map(|it| it.usage.output_tokens).sum();
    let told: u64 = text
        .lines()
        .filter(|line| output(line))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
        .sum();
    assert!(charged > 0);
    assert_eq!(told, charged);
    // How many tokens there were is the answers' matter, and how many exchanges have just not ended
    // is chance.
    let shape: Vec<String> = text
        .lines()
        .map(|line| match line.rsplit_once(' ') {
            Some((name, _)) if name.starts_with("mock_bedrock_tokens") => format!("{name} …"),
            Some((name, _)) if name.starts_with("mock_bedrock_open") => format!("{name} …"),
            _ => line.to_owned(),
        })
        .collect();
    insta::assert_snapshot!(shape.join("\n"));
}

#[tokio::test]
async fn a_reset_forgets_one_test_or_all() {
    let mock = start(100);
    let long = "The harbour is deep. ".repeat(1_000);
    let body = format!(
        r#"{{"system":[{{"text":"{long}"}},{{"cachePoint":{{"type":"default"}}}}],
            "messages":[{{"role":"user","content":[{{"text":"How deep?"}}]}}]}}"#
    );
    let model = "us.anthropic.claude-3-7-sonnet-20250219-v1:0";
    // One test is named by its path, the other by a header.
    let read = async || {
        let (a, b) = (
            format!("/_spanproof/tests/a%20b/model/{model}/converse"),
            format!("/model/{model}/converse"),
        );
        let a = mock.post(&a, &[], &body);
        let b = mock.post(&b, &[("x-spanproof-test", "b")], &body);
        [a.await, b.await].map(|it| it.json()["usage"]["cacheReadInputTokens"] != 0)
    };
    assert_eq!(read().await, [false, false]);
    assert_eq!(read().await, [true, true]);
    // Wait until the last of them is there.
    mock.ask("GET", &format!("{LEDGER}?follow=true&limit=1&after=3")).await;
    assert_eq!(sequences(&page(&mock, "test=a+b").await), [0, 2]);
    assert_eq!(mock.ask("POST", "/_spanproof/tests/a%20b/reset").await.status, 204);
    assert_eq!(sequences(&page(&mock, "").await), [1, 3]);
    assert_eq!(read().await, [false, true]);
    assert_eq!(mock.ask("POST", "/_spanproof/reset").await.status, 204);
    assert_eq!(read().await, [false, false]);
    let of_test = mock.ask("GET", "/_spanproof/tests/b/ledger?follow=true&limit=1").await;
    let text = std::str::from_utf8(&of_test.body).unwrap();
    assert!(text.contains("\"test_id\":\"b\""), "{text}");
}

#[tokio::test]
async fn open_streams_are_counted_until_they_end() {
    let mock = Mock::with(Config { speed: Speed::REAL, ..Config::default() });
    let path = format!("/model/{HAIKU}/converse-stream");
    let mut streams = Vec::new();
    for _ in 0..2 {
        let mut body = mock.send(&path, &[], &hello()).await.into_body();
        body.frame().await.unwrap().unwrap();
        streams.push(body);
    }
    let open = async || {
        let health = mock.ask("GET", "/_spanproof/health").await.json();
        (health["open_exchanges"].clone(), health["open_streams"].clone())
    };
    assert_eq!(open().await, (2.into(), 2.into()));
    let metrics = mock.ask("GET", "/_spanproof/metrics").await;
    let metrics = std::str::from_utf8(&metrics.body).unwrap();
    assert!(metrics.contains("mock_bedrock_open_streams 2\n"), "{metrics}");
    let frames = metrics.split("stream_lateness_seconds_count ").nth(1).unwrap();
    assert!(frames.lines().next().unwrap().parse::<u64>().unwrap() >= 2, "{metrics}");
    streams.clear();
    // The server notices in its own time that a client has left.
    while open().await != (0.into(), 0.into()) {
        tokio::task::yield_now().await;
    }
}

/// The status of a request of `test`, or of none.
async fn status(mock: &Mock, test: &str) -> u16 {
    let prefix = if test.is_empty() { String::new() } else { format!("/_spanproof/tests/{test}") };
    mock.post(&format!("{prefix}/model/{NOVA}/converse"), &[], &hello()).await.status.as_u16()
}

#[tokio::test]
async fn plans_of_faults_hold_for_all_or_for_one_test() {
    let mock = start(0);
    let plan = |fault: &str| format!(r#"{{"rules":[{{"fault":"{fault}"}}]}}"#);
    let (all, a) = ("/_spanproof/faults", "/_spanproof/tests/a/faults");
    assert_eq!(mock.send_with("PUT", all, &plan("ThrottlingException")).await.status, 204);
    assert_eq!(mock.send_with("PUT", a, &plan("AccessDeniedException")).await.status, 204);
    assert_eq!(mock.ask("GET", a).await.json()["rules"][0]["fault"], "AccessDeniedException");
    assert_eq!(status(&mock, "").await, 429);
    assert_eq!(status(&mock, "a").await, 403);
    assert_eq!(status(&mock, "b").await, 429);
    // A test is shown what holds for it: the common plan while it has none, and not even that once
    // its own is empty.
    let b = "/_spanproof/tests/b/faults";
    assert_eq!(mock.ask("GET", b).await.json()["rules"][0]["fault"], "ThrottlingException");
    assert_eq!(mock.send_with("PUT", b, r#"{"rules":[]}"#).await.status, 204);
    assert_eq!(mock.ask("GET", b).await.json()["rules"], serde_json::json!([]));
    assert_eq!(status(&mock, "b").await, 200);
    assert_eq!(mock.ask("DELETE", all).await.status, 204);
    assert_eq!(status(&mock, "").await, 200);
    assert_eq!(status(&mock, "a").await, 403);
    assert_eq!(mock.ask("POST", "/_spanproof/tests/a/reset").await.status, 204);
    assert_eq!(status(&mock, "a").await, 200);

    let wrong = mock.send_with("PUT", all, &plan("NoSuchException")).await;
    assert_eq!(wrong.status, 400);
    let error = wrong.json()["error"].as_str().unwrap().to_owned();
    assert!(error.contains("rules[0]") && error.contains("NoSuchException"), "{error}");
    let idle = r#"{"rules":[{"fault":"bad-crc","operation":"Converse"}]}"#;
    let wrong = mock.send_with("PUT", all, idle).await;
    assert_eq!(wrong.status, 400);
    let error = wrong.json()["error"].as_str().unwrap().to_owned();
    assert!(error.contains("`bad-crc` never strikes Converse"), "{error}");
    for body in ["", "[{}]", r#"{"rule":[]}"#] {
        let wrong = mock.send_with("PUT", all, body).await;
        assert_eq!(wrong.status, 400, "{body}");
    }
    assert_eq!(mock.ask("POST", all).await.header("allow"), Some("GET, PUT, DELETE"));
}

#[tokio::test]
async fn a_reset_brings_back_the_plan_that_the_server_began_with() {
    let rule = FaultRule { fault: "ThrottlingException".to_owned(), ..FaultRule::default() };
    let faults = FaultPlan { rules: vec![FaultRule { times: Some(1), ..rule }] };
    let mock = Mock::with(Config { speed: Speed::Max, faults, ..Config::default() });
    assert_eq!([status(&mock, "").await, status(&mock, "").await], [429, 200]);
    assert_eq!(mock.ask("POST", "/_spanproof/reset").await.status, 204);
    assert_eq!([status(&mock, "").await, status(&mock, "").await], [429, 200]);
    assert_eq!(mock.ask("DELETE", "/_spanproof/faults").await.status, 204);
    assert_eq!(mock.ask("POST", "/_spanproof/reset").await.status, 204);
    assert_eq!([status(&mock, "").await, status(&mock, "").await], [429, 200]);
}

#[tokio::test]
async fn a_reset_fills_the_buckets() {
    let quotas = vec![Quota { requests_per_minute: Some(1), ..Quota::default() }];
    let mock = Mock::with(Config { speed: Speed::Max, quotas, ..Config::default() });
    for test in ["", "a"] {
        assert_eq!([status(&mock, test).await, status(&mock, test).await], [200, 429]);
    }
    assert_eq!(mock.ask("POST", "/_spanproof/tests/a/reset").await.status, 204);
    assert_eq!([status(&mock, "").await, status(&mock, "a").await], [429, 200]);
    assert_eq!(mock.ask("POST", "/_spanproof/reset").await.status, 204);
    assert_eq!([status(&mock, "").await, status(&mock, "a").await], [200, 200]);
}

#[tokio::test]
async fn bad_requests_are_told_what_is_wrong() {
    let mock = start(10);
    let mut told = Vec::new();
    for (method, path) in [
        ("GET", "/_spanproof/"),
        ("GET", "/_spanproof/nonsense"),
        ("GET", "/_spanproof/tests"),
        ("POST", "/_spanproof/health"),
        ("DELETE", "/_spanproof/ledger"),
        ("GET", "/_spanproof/reset"),
        ("GET", "/_spanproof/ledger?limit=0"),
        ("GET", "/_spanproof/ledger?limit=many"),
        ("GET", "/_spanproof/ledger?last=many"),
        ("GET", "/_spanproof/ledger?last=1&limit=1"),
        ("GET", "/_spanproof/ledger?status=2xx"),
        ("GET", "/_spanproof/ledger?operation=Guess"),
        ("GET", "/_spanproof/ledger?status=70000"),
        ("GET", "/_spanproof/ledger?since=-1"),
        ("GET", "/_spanproof/ledger?follow=yes"),
        ("GET", "/_spanproof/ledger?form=xml"),
    ] {
        let answered = mock.ask(method, path).await;
        assert!(answered.status.is_client_error());
        told.push(format!(
            "{method} {path}: {} {}",
            answered.status.as_u16(),
            answered.json()["error"].as_str().unwrap()
        ));
    }
    let none = start(0).ask("GET", LEDGER).await;
    told.push(format!("{}: {}", none.status, none.json()["error"].as_str().unwrap()));
    insta::assert_snapshot!(told.join("\n"));
}
