//! Against a server that answers as Tempo's API is documented to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use serde_json::json;
use wiremock::matchers::{header, method, path, path_regex};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::*;

/// Traces by id, with the second that each is of.
type Traces = Arc<BTreeMap<String, u64>>;

fn query(server: &MockServer) -> Query {
    Query {
        endpoint: server.uri().parse().unwrap(),
        traceql: "{ span.gen_ai.system = \"aws.bedrock\" }".to_owned(),
        unix_seconds: 0..100_000,
        tenant: None,
        limit: None,
    }
}

fn request_of(id: &str) -> ExportTraceServiceRequest {
    let trace_id = crate::json::hex_bytes(id).unwrap();
    let spans = vec![Span { trace_id, name: "chat".to_owned(), ..Span::default() }];
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }
}

fn number(request: &Request, key: &str) -> u64 {
    let mut pairs = request.url.query_pairs();
    pairs.find(|(name, _)| name == key).unwrap().1.parse().unwrap()
}

/// Answers searches by time, with no more than the limit.
async fn serve_search(server: &MockServer, traces: Traces) {
    let respond = move |request: &Request| {
        let (start, end) = (number(request, "start"), number(request, "end"));
        let limit = usize::try_from(number(request, "limit")).unwrap();
        let found: Vec<_> = traces
            .iter()
            .filter(|(_, second)| (start..end).contains(second))
            .take(limit)
            .map(|(id, _)| json!({"traceID": id.trim_start_matches('0'), "durationMs": 1}))
            .collect();
        ResponseTemplate::new(200).set_body_json(json!({"traces": found, "metrics": {}}))
    };
    Mock::given(method("GET")).and(path("/api/search")).respond_with(respond).mount(server).await;
}

async fn serve_traces(server: &MockServer) {
    let respond = |request: &Request| {
        let id = request.url.path().rsplit('/').next().unwrap();
        let answer = TraceById { trace: Some(request_of(id)), status: 0, message: String::new() };
        ResponseTemplate::new(200).set_body_raw(answer.encode_to_vec(), PROTOBUF)
    };
    Mock::given(method("GET"))
        .and(path_regex("^/api/v2/traces/[0-9a-f]{32}$"))
        .and(header("accept", PROTOBUF))
        .respond_with(respond)
        .mount(server)
        .await;
}

fn traces(seconds: impl IntoIterator<Item = u64>) -> Traces {
    let ids = (1_u64..).zip(seconds).map(|(number, second)| (format!("{number:032x}"), second));
    Arc::new(ids.collect())
}

async fn fetched(query: &Query) -> (Vec<Export>, Result<Fetched, TempoError>) {
    let got = Mutex::new(Vec::new());
    let outcome = fetch(query, &mut |export| got.lock().unwrap().push(export)).await;
    (got.into_inner().unwrap(), outcome)
}

#[tokio::test]
async fn every_trace_that_matches_is_fetched_once() {
    let server = MockServer::start().await;
    serve_search(&server, traces([5, 6, 90_000])).await;
    serve_traces(&server).await;
    let (got, outcome) = fetched(&query(&server)).await;
    assert_eq!(outcome.unwrap(), Fetched { traces: 3, has_more: false });
    let id = |number: u64| Export::Traces(request_of(&format!("{number:032x}")));
    assert_eq!(got, [id(3), id(1), id(2)], "the latest window is first");
    let searched = server.received_requests().await.unwrap();
    let asked = searched[0].url.query_pairs().find(|(key, _)| key == "q").unwrap().1;
    assert_eq!(asked, "{ span.gen_ai.system = \"aws.bedrock\" }");
}

#[tokio::test]
async fn windows_whose_answer_is_full_are_cut_until_none_is() {
    let server = MockServer::start().await;
    let count = 2_500;
    serve_search(&server, traces((0..count).map(|number| number / 10))).await;
    serve_traces(&server).await;
    let (got, outcome) = fetched(&query(&server)).await;
    assert_eq!(outcome.unwrap().traces, 2_500);
    assert_eq!(got.len(), 2_500);
}

#[tokio::test]
async fn a_second_with_too_many_traces_is_an_error() {
    let server = MockServer::start().await;
    serve_search(&server, traces(std::iter::repeat_n(7, search::PAGE_TRACES))).await;
    let error = fetched(&query(&server)).await.1.unwrap_err();
    assert!(matches!(error, TempoError::TooMany { second: 7, .. }), "{error}");
}

#[tokio::test]
async fn a_limit_is_kept_and_said() {
    let server = MockServer::start().await;
    serve_search(&server, traces([1, 2, 3])).await;
    serve_traces(&server).await;
    let (got, outcome) = fetched(&Query { limit: Some(2), ..query(&server) }).await;
    assert_eq!(outcome.unwrap(), Fetched { traces: 2, has_more: true });
    assert_eq!(got.len(), 2);
    let all = fetched(&Query { limit: Some(3), ..query(&server) }).await.1.unwrap();
    assert_eq!(all, Fetched { traces: 3, has_more: false });
}

#[tokio::test]
async fn a_tempo_of_before_the_second_version_is_asked_in_the_first() {
    let server = MockServer::start().await;
    serve_search(&server, traces([1])).await;
    let respond = |request: &Request| {
        let id = request.url.path().rsplit('/').next().unwrap();
        ResponseTemplate::new(200).set_body_raw(request_of(id).encode_to_vec(), PROTOBUF)
    };
    Mock::given(path_regex("^/api/traces/")).respond_with(respond).mount(&server).await;
    assert_eq!(
        fetched(&query(&server)).await.0,
        [Export::Traces(request_of(&format!("{:032x}", 1)))]
    );
}

#[tokio::test]
async fn the_tenant_and_the_prefix_are_on_every_request() {
    let server = MockServer::start().await;
    let nothing = ResponseTemplate::new(200).set_body_json(json!({"metrics": {}}));
    Mock::given(path("/tempo/api/search"))
        .and(header("x-scope-orgid", "team-a"))
        .respond_with(nothing)
        .mount(&server)
        .await;
    let query = Query {
        endpoint: format!("{}/tempo/", server.uri()).parse().unwrap(),
        tenant: Some("team-a".to_owned()),
        ..query(&server)
    };
    assert_eq!(fetched(&query).await.1.unwrap(), Fetched::default());
    let error = fetched(&Query { tenant: Some("a\nb".to_owned()), ..query }).await.1.unwrap_err();
    assert!(matches!(error, TempoError::Tenant(_)), "{error}");
}

#[tokio::test]
async fn refusals_say_what_tempo_said_and_what_to_do() {
    for (status, said, hint) in [
        (400, "invalid TraceQL query: parse error at line 1", ""),
        (401, "no org id", "`--tenant`"),
        (404, "404 page not found", "query frontend"),
        (429, "job queue full", "try again later"),
        (500, "internal", ""),
        (503, "not ready", ""),
    ] {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(status).set_body_string(said);
        Mock::given(method("GET")).respond_with(answer).mount(&server).await;
        let error = fetched(&query(&server)).await.1.unwrap_err().to_string();
        for part in [&status.to_string(), said, hint, "/api/search"] {
            assert!(error.contains(part), "`{part}` is not in {error}");
        }
    }
}

#[tokio::test]
async fn a_trace_that_is_not_there_whole_is_an_error() {
    let server = MockServer::start().await;
    serve_search(&server, traces([1])).await;
    let error = fetched(&query(&server)).await.1.unwrap_err();
    assert!(matches!(error, TempoError::Gone { .. }), "{error}");
    let partial = TraceById { trace: None, status: PARTIAL, message: "too large".to_owned() };
    let answer = ResponseTemplate::new(200).set_body_raw(partial.encode_to_vec(), PROTOBUF);
    Mock::given(path_regex("^/api/v2/traces/")).respond_with(answer).mount(&server).await;
    let error = fetched(&query(&server)).await.1.unwrap_err().to_string();
    assert!(error.contains("too large") && error.contains("max_bytes_per_trace"), "{error}");
}

#[tokio::test]
async fn answers_of_something_else_are_told_from_tempos() {
    let server = MockServer::start().await;
    let page = ResponseTemplate::new(200).set_body_raw("<html>", "text/html");
    Mock::given(method("GET")).respond_with(page).mount(&server).await;
    let error = fetched(&query(&server)).await.1.unwrap_err().to_string();
    assert!(error.contains("text/html") && error.contains("is this a Tempo?"), "{error}");

    let server = MockServer::start().await;
    for body in [json!({"traces": 7}), json!({"traces": [{"traceID": "../admin"}]})] {
        server.reset().await;
        let page = ResponseTemplate::new(200).set_body_json(body);
        Mock::given(method("GET")).respond_with(page).mount(&server).await;
        let error = fetched(&query(&server)).await.1.unwrap_err();
        assert!(matches!(error, TempoError::Undecodable { .. }), "{error}");
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_said() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = MockServer::start().await;
    let query = Query { endpoint: format!("http://{free}").parse().unwrap(), ..query(&server) };
    let error = fetched(&query).await.1.unwrap_err().to_string();
    assert!(error.contains(&free.to_string()) && error.contains("3200"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_tempo_that_never_answers_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let query = Query {
        endpoint,
        traceql: "{}".to_owned(),
        unix_seconds: 0..10,
        tenant: None,
        limit: None,
    };
    let error = fetched(&query).await.1.unwrap_err();
    assert!(matches!(error, TempoError::Timeout { .. }), "{error}");
}

#[test]
fn addresses_are_read_or_said_to_be_none() {
    for good in ["http://localhost:3200", "http://[::1]:3200/tempo", "http://tempo"] {
        assert!(good.parse::<Endpoint>().is_ok(), "{good}");
    }
    for (bad, says) in [
        ("localhost:3200", "no scheme"),
        ("https://tempo", "TLS"),
        ("ftp://tempo", "only http"),
        ("http://me@tempo", "user"),
        ("http://tempo?q=1", "--query"),
        ("http://", ""),
    ] {
        let error = bad.parse::<Endpoint>().unwrap_err().to_string();
        assert!(error.contains(says) && error.contains("http://localhost:3200"), "{error}");
    }
}
