//! The same telemetry is the same text, and other telemetry another.

use std::collections::BTreeSet;

use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::Withheld;
use super::sample::{attribute, exports, log, logs, metric, metrics, span, text as string, traces};
use super::text;
use crate::capture::{Export, arbitrary};

/// Calls `ids` with every id of a trace or span, and `time` with every time. Times are halved
/// first, so that there is room to move them.
fn change(export: &mut Export, mut ids: impl FnMut(&mut Vec<u8>), mut time: impl FnMut(&mut u64)) {
    let mut time = |at: &mut u64| {
        *at >>= 1;
        time(at);
    };
    match export {
        Export::Traces(request) => {
            let scopes = request.resource_spans.iter_mut().flat_map(|it| &mut it.scope_spans);
            for span in scopes.flat_map(|scope| &mut scope.spans) {
                [&mut span.trace_id, &mut span.span_id, &mut span.parent_span_id]
                    .into_iter()
                    .for_each(&mut ids);
                [&mut span.start_time_unix_nano, &mut span.end_time_unix_nano]
                    .into_iter()
                    .for_each(&mut time);
                for link in &mut span.links {
                    [&mut link.trace_id, &mut link.span_id].into_iter().for_each(&mut ids);
                }
                span.events.iter_mut().for_each(|event| time(&mut event.time_unix_nano));
            }
        }
        Export::Logs(request) => {
            let scopes = request.resource_logs.iter_mut().flat_map(|it| &mut it.scope_logs);
            for record in scopes.flat_map(|scope| &mut scope.log_records) {
                [&mut record.trace_id, &mut record.span_id].into_iter().for_each(&mut ids);
                [&mut record.time_unix_nano, &mut record.observed_time_unix_nano]
                    .into_iter()
                    .for_each(&mut time);
            }
        }
        Export::Metrics(request) => {
            let scopes = request.resource_metrics.iter_mut().flat_map(|it| &mut it.scope_metrics);
            for metric in scopes.flat_map(|scope| &mut scope.metrics) {
                metric.data.iter_mut().for_each(|data| points(data, &mut time));
            }
        }
    }
}

fn points(data: &mut Data, time: &mut impl FnMut(&mut u64)) {
    macro_rules! move_all {
        ($points:expr) => {
            for point in $points {
                time(&mut point.start_time_unix_nano);
                time(&mut point.time_unix_nano);
            }
        };
    }
    match data {
        Data::Gauge(it) => move_all!(&mut it.data_points),
        Data::Sum(it) => move_all!(&mut it.data_points),
        Data::Histogram(it) => move_all!(&mut it.data_points),
        Data::ExponentialHistogram(it) => move_all!(&mut it.data_points),
        Data::Summary(it) => move_all!(&mut it.data_points),
    }
}

/// Every item in an export of its own.
fn split(export: Export) -> Vec<Export> {
    let mut single = Vec::new();
    match export {
        Export::Traces(request) => {
            for resource in &request.resource_spans {
                for scope in &resource.scope_spans {
                    for span in &scope.spans {
                        let mut one = request.clone();
                        let mut only = resource.clone();
                        only.scope_spans = vec![scope.clone()];
                        only.scope_spans[0].spans = vec![span.clone()];
                        only.scope_spans[0].spans[0].attributes.reverse();
                        one.resource_spans = vec![only];
                        single.push(Export::Traces(one));
                    }
                }
            }
        }
        Export::Logs(request) => {
            for resource in &request.resource_logs {
                for scope in &resource.scope_logs {
                    for record in &scope.log_records {
                        let mut one = request.clone();
                        let mut only = resource.clone();
                        only.scope_logs = vec![scope.clone()];
                        only.scope_logs[0].log_records = vec![record.clone()];
                        one.resource_logs = vec![only];
                        single.push(Export::Logs(one));
                    }
                }
            }
        }
        Export::Metrics(request) => {
            for resource in &request.resource_metrics {
                for scope in &resource.scope_metrics {
                    for metric in &scope.metrics {
                        let mut one = request.clone();
                        let mut only = resource.clone();
                        only.scope_metrics = vec![scope.clone()];
                        only.scope_metrics[0].metrics = vec![metric.clone()];
                        one.resource_metrics = vec![only];
                        single.push(Export::Metrics(one));
                    }
                }
            }
        }
    }
    single
}

/// Exports whose resources and scopes all have some telemetry.
fn some() -> impl Strategy<Value = Vec<Export>> {
    vec(arbitrary::export(), 0..5)
        .prop_map(|exports| exports.into_iter().flat_map(split).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn neither_order_nor_ids_nor_times_nor_exports_show(
        (telemetry, shuffled) in some().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        key in 1_u8..,
        later in 0_u64..1 << 60,
    ) {
        let mut telemetry = [exports(), telemetry].concat();
        let mut other: Vec<Export> = shuffled.into_iter().chain(exports()).flat_map(split).collect();
        for export in &mut telemetry {
            change(export, |_| {}, |_| {});
        }
        // Some come twice, as when an answer to an exporter is lost.
        other.extend(other.first().cloned());
        for export in &mut other {
            change(
                export,
                |id| id.iter_mut().for_each(|byte| *byte ^= key),
                |time| *time += later,
            );
        }
        prop_assert_eq!(text(telemetry, Withheld::default()), text(other, Withheld::default()));
    }
}

/// The call that succeeded, changed.
fn with_call(change: impl Fn(&mut Span)) -> Vec<Export> {
    let mut all = exports();
    let Export::Traces(request) = &mut all[0] else { unreachable!() };
    change(&mut request.resource_spans[0].scope_spans[0].spans[0]);
    all
}

fn with(more: Export) -> Vec<Export> {
    [exports(), vec![more]].concat()
}

/// What means something else than the sample does.
fn mutants() -> Vec<(&'static str, Vec<Export>)> {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let tokens = |value: Value| {
        with_call(move |call| {
            call.attributes[1] = attribute("gen_ai.usage.input_tokens", value.clone());
        })
    };
    let mut without_schema = exports();
    if let Export::Traces(request) = &mut without_schema[0] {
        request.resource_spans[0].scope_spans[0].schema_url.clear();
    }
    let mut other_resource = exports();
    if let Export::Logs(request) = &mut other_resource[3] {
        request.resource_logs[0].resource = None;
    }
    let mut other_body = exports();
    other_body[3] = logs(vec![log("four rivers")]);
    let mut unit = exports();
    unit[2] = metrics(vec![
        metric("gen_ai.client.token.usage", "token", 24.0),
        metric("gen_ai.client.operation.duration", "s", 0.5),
    ]);
    let mut sum = exports();
    sum[2] = metrics(vec![
        metric("gen_ai.client.token.usage", "{token}", 48.0),
        metric("gen_ai.client.operation.duration", "s", 0.5),
    ]);
    let mut missing_metric = exports();
    missing_metric[2] = metrics(vec![metric("gen_ai.client.token.usage", "{token}", 24.0)]);
    vec![
        ("another name", with_call(|call| call.name.push('!'))),
        ("another kind", with_call(|call| call.kind = 1)),
        ("another number", tokens(Value::IntValue(13))),
        ("a double for an integer", tokens(Value::DoubleValue(12.0))),
        ("a string for an integer", tokens(string("12"))),
        (
            "an array for an integer",
            with_call(|call| {
                call.attributes[1] = attribute("gen_ai.usage.input_tokens", string("[12]"));
            }),
        ),
        ("no attribute", with_call(|call| drop(call.attributes.remove(1)))),
        (
            "a port as a string",
            with_call(|call| {
                call.attributes[7] = attribute("server.port", string("43123"));
            }),
        ),
        ("no time to the first chunk", with_call(|call| drop(call.attributes.remove(4)))),
        (
            "a status",
            with_call(|call| {
                call.status = Some(Status { code: 1, ..Status::default() });
            }),
        ),
        ("an event", with_call(|call| call.events.push(Event::default()))),
        ("a root for a child", with_call(|call| call.parent_span_id.clear())),
        ("another parent", with_call(|call| call.parent_span_id = 3_u64.to_be_bytes().to_vec())),
        ("another trace", with_call(|call| call.trace_id = 2_u128.to_be_bytes().to_vec())),
        ("dropped attributes", with_call(|call| call.dropped_attributes_count = 1)),
        ("dropped events", with_call(|call| call.dropped_events_count = 1)),
        ("dropped links", with_call(|call| call.dropped_links_count = 1)),
        ("a child", with(traces("application", vec![span(1, 10, 1, "step", 1)]))),
        (
            "two children that are alike",
            with(traces("application", [10, 11].map(|id| span(1, id, 1, "step", 1)).to_vec())),
        ),
        ("one more trace of a kind", with(traces("application", vec![span(5, 1, 0, "health", 1)]))),
        ("another scope", with(traces("other", vec![span(5, 1, 0, "health", 1)]))),
        ("no schema URL", without_schema),
        ("another resource", other_resource),
        ("another body", other_body),
        ("another unit", unit),
        ("another sum", sum),
        ("no metric", missing_metric),
        ("one more log record", {
            let later = LogRecord { time_unix_nano: 5, ..log("three rivers") };
            with(logs(vec![later]))
        }),
    ]
}

#[test]
fn whatever_means_something_else_is_another_text() {
    let mut texts = BTreeSet::from([text(exports(), Withheld::default())]);
    for (what, mutant) in mutants() {
        assert!(texts.insert(text(mutant, Withheld::default())), "{what} does not show");
    }
}
