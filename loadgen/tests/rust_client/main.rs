//! The reference client against the mock and a collector: what it reports is what was served.

#![expect(clippy::unwrap_used, reason = "a test fails by its panic")]

mod collector;
mod exporters;
mod self_test;
mod sessions;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use collector::{Collector, text};
use loadgen::scenario::PlannedFault;
use loadgen::{
    Accounting, AtRate, Capabilities, Client, ClientError, Clock, LoadConfig, LoadOutcome, Plan,
    PlanConfig, RustClient, RustClientConfig, Scenario, Shard, Timing, run,
};
use mock_bedrock::{InMemory, Server};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use spanproof_schemas::ledger::{Exchange, Task};
use spanproof_schemas::semconv::Version;
use spanproof_schemas::speed::Speed;
use spanproof_schemas::worker::{Call, Done, Operation};

/// The seed of the plan and of the mock, which looks for the markers that the plan plants.
const SEED: u64 = 11;

const FAULTS: &[&str] = &[
    "ThrottlingException@1",
    "ThrottlingException",
    "ValidationException",
    "ModelErrorException",
    "stream:throttlingException",
    "stream:modelStreamErrorException",
    "stream:serviceUnavailableException",
    "cut",
];

/// A run of the client against a mock and a collector.
struct Ran {
    exchanges: Vec<Exchange>,
    spans: Vec<(Span, String)>,
    collector: Collector,
    outcome: LoadOutcome,
    port: u16,
}

async fn ran(version: &str, calls: u64, with_content: bool) -> Ran {
    let mut scenario = Scenario::named("chat").unwrap();
    // Enough failures of every kind for a short run.
    scenario.faults = FAULTS
        .iter()
        .map(|fault| PlannedFault { fault: fault.parse().unwrap(), share: 0.03 })
        .collect();
    let at_rate = AtRate::even("80000/day".parse().unwrap(), Duration::from_hours(24));
    let in_flight = LoadConfig::new(Speed::Max).in_flight;
    ran_scenario(scenario, at_rate, version, calls, with_content, in_flight).await
}

async fn ran_scenario(
    scenario: Scenario,
    at_rate: AtRate,
    version: &str,
    calls: u64,
    with_content: bool,
    in_flight: usize,
) -> Ran {
    let plan = Plan::new(PlanConfig {
        scenario,
        capabilities: Capabilities::all(),
        seed: SEED,
        timing: Timing::AtRate(at_rate),
        most_calls: Some(calls),
        shard: Shard::WHOLE,
    })
    .unwrap();
    let ledger = InMemory::default();
    let mock =
        mock_bedrock::Config { seed: SEED, speed: Speed::Max, ..mock_bedrock::Config::default() };
    let mock = Server::start(mock, ledger.clone()).unwrap();
    let (collector, address) = Collector::start().await;
    let client = RustClient::start(RustClientConfig {
        bedrock_endpoint: mock.endpoint(),
        otlp_endpoint: format!("http://{address}"),
        semconv: version.parse::<Version>().unwrap(),
        content: with_content,
        speed: Speed::Max,
        clock: Clock::system(),
    })
    .unwrap();
    let port = mock.address().port();
    let config = LoadConfig { in_flight, ..LoadConfig::new(Speed::Max) };
    let outcome = run(config, plan, client, |_| ()).await;
    mock.shutdown().await.unwrap();
    Ran { exchanges: ledger.exchanges(), spans: collector.spans(), collector, outcome, port }
}

impl Ran {
    /// Each span with the exchanges of its call, by invocation id.
    fn pairs(&self) -> Vec<(&Span, Vec<&Exchange>)> {
        let mut exchanges: BTreeMap<&str, Vec<&Exchange>> = BTreeMap::new();
        for exchange in &self.exchanges {
            exchanges.entry(exchange.invocation_id.as_deref().unwrap()).or_default().push(exchange);
        }
        let pairs: Vec<_> = self
            .spans
            .iter()
            .map(|(span, _)| {
                let id = text(&span.attributes, "spanproof.invocation_id").unwrap();
                (span, exchanges.remove(id.as_str()).unwrap())
            })
            .collect();
        assert!(exchanges.is_empty(), "calls without a span: {exchanges:?}");
        pairs
    }
}

fn number(count: u64) -> String {
    format!("{count} (int)")
}

/// Whether the client was told all that was charged.
fn was_told(exchange: &Exchange) -> bool {
    exchange.exception.is_none() && exchange.delivered && exchange.status == 200
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_has_one_span_that_says_what_was_served() {
    for version in ["1.36.0", "1.37.0", "1.40.0", "1.41.1"] {
        let ran = ran(version, 400, false).await;
        assert_eq!(ran.outcome.broken, None);
        assert_eq!(ran.outcome.statistics.failures(), Vec::<String>::new());
        let load = ran.outcome.statistics.load(ran.outcome.client.clone());
        assert_eq!(load.completed, 400);
        let books = ran.outcome.accounting.unwrap();
        assert_eq!((books.created, books.exported, books.imbalance()), (400, 400, 0));
        assert_eq!(books.mismatch(ran.spans.len() as u64), None);
        assert_eq!(ran.spans.len(), 400);
        let (mut failed, mut retried, mut cached) = (0, 0, 0);
        for (span, exchanges) in ran.pairs() {
            let served = exchanges.last().unwrap();
            check_span(span, served, version, ran.port);
            failed += usize::from(!was_told(served));
            retried += usize::from(exchanges.len() > 1 && was_told(served));
            cached += usize::from(served.usage.cache_read_input_tokens > 0);
        }
        assert!(failed > 10 && retried > 5 && cached > 5, "{failed} {retried} {cached}");
        let url = format!("https://opentelemetry.io/schemas/{version}");
        assert!(ran.spans.iter().all(|(_, schema_url)| *schema_url == url));
    }
}

fn check_span(span: &Span, served: &Exchange, version: &str, port: u16) {
    let get = |name: &str| text(&span.attributes, name);
    let operation = served.task.operation_name();
    assert_eq!(span.name, format!("{operation} {}", served.model_id));
    assert_eq!(span.kind(), SpanKind::Client);
    assert_eq!(get("gen_ai.operation.name").as_deref(), Some(operation));
    let (this, other) = if version == "1.36.0" {
        ("gen_ai.system", "gen_ai.provider.name")
    } else {
        ("gen_ai.provider.name", "gen_ai.system")
    };
    assert_eq!((get(this).as_deref(), get(other)), (Some("aws.bedrock"), None));
    assert_eq!(get("gen_ai.request.model"), Some(served.model_id.clone()));
    assert_eq!(get("server.address").as_deref(), Some("127.0.0.1"));
    assert_eq!(get("server.port"), Some(number(u64::from(port))));
    let context = served.trace_context.as_ref().unwrap();
    assert_eq!(context.span_id, hex(&span.span_id));
    assert_eq!(context.trace_id, hex(&span.trace_id));
    assert!(span.parent_span_id.is_empty());

    let parameters = &served.parameters;
    assert_eq!(get("gen_ai.request.max_tokens"), parameters.max_tokens.map(number));
    assert_eq!(get("gen_ai.request.temperature").is_some(), parameters.temperature.is_some());
    assert_eq!(get("gen_ai.request.top_p").is_some(), parameters.top_p.is_some());
    let top_k = parameters.top_k.map(|top_k| format!("{top_k} (double)"));
    assert_eq!(get("gen_ai.request.top_k"), top_k);
    let stop = (!parameters.stop_sequences.is_empty())
        .then(|| format!("[{}]", parameters.stop_sequences.join(", ")));
    assert_eq!(get("gen_ai.request.stop_sequences"), stop);

    let has_stream_names = version == "1.41.1";
    let is_streamed = served.operation.is_streamed();
    let stream = (is_streamed && has_stream_names).then(|| "true (bool)".to_owned());
    assert_eq!(get("gen_ai.request.stream"), stream);

    let status = span.status.clone().unwrap_or_default();
    if !was_told(served) {
        assert_eq!(status.code(), StatusCode::Error, "{served:?}");
        assert_eq!(status.message, "");
        if let Some(exception) = &served.exception {
            let error = get("error.type").unwrap();
            assert!(error.eq_ignore_ascii_case(exception), "{error} for {exception}");
            assert!(error.starts_with(char::is_uppercase), "{error}");
        } else {
            assert!(get("error.type").is_some());
        }
        assert_eq!(get("gen_ai.usage.output_tokens"), None);
        return;
    }
    assert_eq!((status.code(), get("error.type")), (StatusCode::Unset, None));
    let usage = served.usage;
    let counts_cached = matches!(version, "1.40.0" | "1.41.1");
    let input = if counts_cached { usage.all_input_tokens() } else { usage.input_tokens };
    assert_eq!(get("gen_ai.usage.input_tokens"), Some(number(input)));
    let some = |count: u64| (count > 0 && counts_cached).then_some(count).map(number);
    let read = some(usage.cache_read_input_tokens);
    assert_eq!(get("gen_ai.usage.cache_read.input_tokens"), read);
    let written = some(usage.cache_write_input_tokens);
    assert_eq!(get("gen_ai.usage.cache_creation.input_tokens"), written);
    let generates = served.task != Task::Embeddings;
    let output = generates.then_some(usage.output_tokens).map(number);
    assert_eq!(get("gen_ai.usage.output_tokens"), output);
    let reasons = served.stop_reason.as_ref().filter(|_| generates);
    assert_eq!(get("gen_ai.response.finish_reasons"), reasons.map(|reason| format!("[{reason}]")));
    let first_chunk = get("gen_ai.response.time_to_first_chunk");
    assert_eq!(first_chunk.is_some(), is_streamed && has_stream_names);
    assert!(first_chunk.is_none_or(|value| value.ends_with("(double)")));
    if served.task == Task::Chat {
        assert_eq!(get("gen_ai.response.id"), served.response_id);
        assert_eq!(get("gen_ai.response.model"), served.response_model);
    }
    // A span of a stream ends after its last chunk.
    if let Some(chunks) = served.chunks {
        assert!(span.end_time_unix_nano >= chunks.first_unix_nanos);
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_add_up_to_what_the_spans_say() {
    for version in ["1.36.0", "1.41.1"] {
        let ran = ran(version, 300, false).await;
        let histograms = ran.collector.histograms();
        let names: Vec<(&str, &str)> =
            histograms.iter().map(|(name, unit, _)| (name.as_str(), unit.as_str())).collect();
        let mut expected = vec![
            ("gen_ai.client.operation.duration", "s"),
            ("gen_ai.client.operation.time_per_output_chunk", "s"),
            ("gen_ai.client.operation.time_to_first_chunk", "s"),
            ("gen_ai.client.token.usage", "{token}"),
        ];
        if version == "1.36.0" {
            expected.retain(|(name, _)| !name.contains("chunk"));
        }
        assert_eq!(names, expected);

        let points =
            |name: &str| histograms.iter().find(|histogram| histogram.0 == name).unwrap().2.clone();
        let durations = points("gen_ai.client.operation.duration");
        assert_eq!(durations.iter().map(|point| point.count).sum::<u64>(), 300);
        let with_error =
            durations.iter().filter(|point| text(&point.attributes, "error.type").is_some());
        let failed =
            ran.spans.iter().filter(|(span, _)| text(&span.attributes, "error.type").is_some());
        assert_eq!(with_error.map(|point| point.count).sum::<u64>(), failed.count() as u64);
        assert_eq!(durations[0].explicit_bounds.first(), Some(&0.01));
        assert_eq!(durations[0].explicit_bounds.len(), 14);

        for kind in ["input", "output"] {
            let attribute = format!("gen_ai.usage.{kind}_tokens");
            let of_spans: u32 = ran
                .spans
                .iter()
                .filter_map(|(span, _)| text(&span.attributes, &attribute))
                .map(|tokens| tokens.strip_suffix(" (int)").unwrap().parse::<u32>().unwrap())
                .sum();
            let of_points: f64 = points("gen_ai.client.token.usage")
                .iter()
                .filter(|point| {
                    text(&point.attributes, "gen_ai.token.type").as_deref() == Some(kind)
                })
                .filter_map(|point| point.sum)
                .sum();
            assert!(of_spans > 0 && (of_points - f64::from(of_spans)).abs() < 0.5, "{kind}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_is_on_spans_only_when_asked_for_and_the_version_has_a_place_for_it() {
    let content = ["gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"];
    let shapes = ["input_messages", "output_messages", "system_instructions"].map(content_shape);
    for (version, with_content, has_content) in
        [("1.36.0", true, false), ("1.41.1", false, false), ("1.41.1", true, true)]
    {
        let ran = ran(version, 120, with_content).await;
        for (span, exchanges) in ran.pairs() {
            let served = exchanges.last().unwrap();
            let values: Vec<Option<String>> =
                content.iter().map(|name| text(&span.attributes, name)).collect();
            if !has_content || served.task == Task::Embeddings {
                assert_eq!(values, [None, None, None], "{version}");
                continue;
            }
            for (shape, value) in shapes.iter().zip(&values) {
                let Some(value) = value else { continue };
                let value = serde_json::from_str(value).unwrap();
                let errors: Vec<String> =
                    shape.iter_errors(&value).map(|error| error.to_string()).collect();
                assert_eq!(errors, [""; 0], "{value}");
            }
            let input: serde_json::Value =
                serde_json::from_str(values[0].as_deref().unwrap()).unwrap();
            assert_eq!(input.as_array().unwrap().len(), served.conversation.messages as usize);
            let marker = &served.markers[0];
            assert!(values[0].as_deref().unwrap().contains(marker.as_str()));
            assert_eq!(values[2].is_some(), served.conversation.system_blocks > 0);
            if was_told(served) {
                let output = values[1].as_deref().unwrap();
                let output: serde_json::Value = serde_json::from_str(output).unwrap();
                let parts = output[0]["parts"].as_array().unwrap();
                let is_call = parts.iter().any(|part| part["type"] == "tool_call");
                assert_eq!(is_call, served.stop_reason.as_deref() == Some("tool_use"));
                assert!(
                    parts
                        .iter()
                        .all(|part| part["arguments"].is_null() || part["arguments"].is_object())
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_not_there_fails_calls_and_not_the_client() {
    let (collector, address) = Collector::start().await;
    // A port that was free a moment ago, and that nothing listens on.
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let client = Arc::new(
        RustClient::start(RustClientConfig {
            bedrock_endpoint: format!("http://127.0.0.1:{port}"),
            otlp_endpoint: format!("http://{address}"),
            semconv: Version::LATEST,
            content: false,
            speed: Speed::Max,
            clock: Clock::system(),
        })
        .unwrap(),
    );
    let call = Call {
        call: 0,
        operation: Operation::InvokeModel,
        model_id: "amazon.titan-embed-text-v2:0".to_owned(),
        request: serde_json::json!({ "inputText": "Hello" }),
        headers: vec![],
    };
    let done = client.call(call).await.unwrap();
    assert_eq!(done.error.as_deref(), Some("connection"));
    client.finish().await.unwrap();
    let spans = collector.spans();
    assert_eq!(spans.len(), 1);
    assert_eq!(text(&spans[0].0.attributes, "error.type").as_deref(), Some("connection"));
}

#[tokio::test]
async fn an_address_that_is_none_is_told() {
    let mut config = RustClientConfig {
        bedrock_endpoint: "localhost".to_owned(),
        otlp_endpoint: "http://127.0.0.1:4317".to_owned(),
        semconv: Version::LATEST,
        content: false,
        speed: Speed::Max,
        clock: Clock::system(),
    };
    let said = RustClient::start(config.clone()).err().unwrap().to_string();
    insta::assert_snapshot!(said, @"the client could not start: `localhost` is no address of a server: write such as http://127.0.0.1:8080");
    config.bedrock_endpoint = "http://127.0.0.1:1".to_owned();
    config.otlp_endpoint = "not a url".to_owned();
    let said = RustClient::start(config.clone()).err().unwrap().to_string();
    insta::assert_snapshot!(said, @"the client could not start: `not a url` is no address of a server: write such as http://127.0.0.1:8080");
}

/// The shape of one kind of content, from `schemas/content.schema.json`.
fn content_shape(name: &str) -> jsonschema::Validator {
    let schema = include_str!("../../../schemas/content.schema.json");
    let mut schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let members = schema.as_object_mut().unwrap();
    members.remove("anyOf");
    members.insert("$ref".to_owned(), format!("#/$defs/{name}").into());
    jsonschema::validator_for(&schema).unwrap()
}

/// Shuts the service down before call `last`.
struct Dying {
    client: RustClient,
    mock: Mutex<Option<Server>>,
    last: u64,
}

impl Client for Dying {
    fn name(&self) -> String {
        self.client.name()
    }

    async fn call(&self, call: Call) -> Result<Done, ClientError> {
        if call.call == self.last {
            let mock = self.mock.lock().unwrap().take();
            mock.unwrap().shutdown().await.unwrap();
        }
        self.client.call(call).await
    }

    async fn finish(&self) -> Result<(), ClientError> {
        self.client.finish().await
    }

    fn accounting(&self) -> Option<Accounting> {
        self.client.accounting()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_dies_in_the_middle_fails_the_calls_after_and_no_span_is_lost() {
    let plan = Plan::new(PlanConfig {
        scenario: Scenario { faults: Vec::new(), ..Scenario::named("chat").unwrap() },
        capabilities: Capabilities::all(),
        seed: SEED,
        timing: Timing::AtRate(AtRate::even(
            "80000/day".parse().unwrap(),
            Duration::from_hours(24),
        )),
        most_calls: Some(20),
        shard: Shard::WHOLE,
    })
    .unwrap();
    let config = mock_bedrock::Config { speed: Speed::Max, ..mock_bedrock::Config::default() };
    let mock = Server::start(config, InMemory::default()).unwrap();
    let (collector, address) = Collector::start().await;
    let client = RustClient::start(RustClientConfig {
        bedrock_endpoint: mock.endpoint(),
        otlp_endpoint: format!("http://{address}"),
        semconv: Version::LATEST,
        content: false,
        speed: Speed::Max,
        clock: Clock::system(),
    })
    .unwrap();
    let client = Dying { client, mock: Mutex::new(Some(mock)), last: 12 };
    let config = LoadConfig { in_flight: 1, ..LoadConfig::new(Speed::Max) };
    let outcome = run(config, plan, client, |_| ()).await;
    let load = outcome.statistics.load(outcome.client.clone());
    assert_eq!((load.completed, load.failed, load.not_made()), (12, 8, 0));
    assert_eq!(outcome.broken, None);
    assert!(outcome.statistics.failures()[0].starts_with("call 12 "));
    let books = outcome.accounting.unwrap();
    assert_eq!((books.created, books.exported, books.imbalance()), (20, 20, 0));
    assert_eq!(collector.spans().len(), 20);
}
