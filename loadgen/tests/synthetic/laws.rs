//! What holds of synthetic spans whatever they say.

use std::collections::{BTreeMap, BTreeSet};

use loadgen::Scenario;
use loadgen::otlp::Limits;
use loadgen::synthetic::{Dialogue, MessageForm, Traces};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use proptest::prelude::*;
use prost::Message;
use spanproof_schemas::content_policy::ContentPolicy;

use super::{MIDNIGHT, requests, traces};

fn spans(request: &[u8]) -> Vec<(String, Span)> {
    let request = ExportTraceServiceRequest::decode(request).unwrap();
    let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    scopes
        .flat_map(|scope| {
            let name = scope.scope.unwrap().name;
            scope.spans.into_iter().map(move |span| (name.clone(), span))
        })
        .collect()
}

fn all_spans(traces: &Traces, limits: Limits) -> Vec<(String, Span)> {
    traces.requests(limits, MIDNIGHT).flat_map(|request| spans(&request.body)).collect()
}

fn sorted(mut spans: Vec<(String, Span)>) -> Vec<(String, Vec<u8>)> {
    spans.sort_by(|a, b| a.1.span_id.cmp(&b.1.span_id));
    spans.into_iter().map(|(scope, span)| (scope, span.encode_to_vec())).collect()
}

#[test]
fn the_generated_types_write_the_same_bytes() {
    for content in ContentPolicy::ALL {
        for messages in [MessageForm::Json, MessageForm::Structured] {
            for scenario in Scenario::names() {
                let dialogue = Dialogue { content, messages, ..Dialogue::default() };
                for request in requests(scenario, 30, dialogue) {
                    let read = ExportTraceServiceRequest::decode(&*request).unwrap();
                    assert!(read.encode_to_vec() == request, "{scenario}, {content}");
                }
            }
        }
    }
}

#[test]
fn a_day_of_rag_is_four_spans_a_trace() {
    let traces = traces(Scenario::named("rag").unwrap(), 500, "", Dialogue::default());
    let spans = all_spans(&traces, Limits::default());
    assert_eq!(spans.len(), 2_000);
    let ids: BTreeSet<&[u8]> = spans.iter().map(|(_, span)| &*span.span_id).collect();
    let trace_ids: BTreeSet<&[u8]> = spans.iter().map(|(_, span)| &*span.trace_id).collect();
    assert_eq!((ids.len(), trace_ids.len()), (2_000, 500));
    let mut names = BTreeMap::<&str, u32>::new();
    for (_, span) in &spans {
        *names.entry(span.name.split(' ').next().unwrap()).or_default() += 1;
    }
    assert_eq!(
        names.into_iter().collect::<Vec<_>>(),
        [("POST", 500), ("chat", 500), ("context_assembly", 500), ("vector_search", 500)]
    );
}

#[test]
fn every_span_lies_within_its_parent() {
    for scenario in Scenario::names() {
        let traces = traces(Scenario::named(scenario).unwrap(), 200, "", Dialogue::default());
        let spans = all_spans(&traces, Limits::default());
        let by_id: BTreeMap<&[u8], &Span> =
            spans.iter().map(|(_, span)| (&*span.span_id, span)).collect();
        for (_, span) in &spans {
            assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
            let Some(parent) = by_id.get(&*span.parent_span_id) else {
                assert!(span.parent_span_id.is_empty(), "{scenario}: {} has no parent", span.name);
                continue;
            };
            assert_eq!(parent.trace_id, span.trace_id);
            assert!(
                parent.start_time_unix_nano <= span.start_time_unix_nano
                    && span.end_time_unix_nano <= parent.end_time_unix_nano,
                "{scenario}: {} is not within {}",
                span.name,
                parent.name
            );
        }
    }
}

#[test]
fn shards_make_the_spans_of_the_whole() {
    let scenario = Scenario::named("agent").unwrap();
    let dialogue = Dialogue { content: ContentPolicy::Full, ..Dialogue::default() };
    let of =
        |shard: &str| all_spans(&traces(scenario.clone(), 60, shard, dialogue), Limits::default());
    let parts = (0..7).flat_map(|index| of(&format!("{index}/7"))).collect();
    assert_eq!(sorted(parts), sorted(of("")));
}

proptest! {
    #[test]
    fn batches_keep_to_their_limits_and_lose_nothing(
        bytes in 200_usize..60_000, most in 1_u64..100,
    ) {
        let traces = traces(Scenario::named("chat").unwrap(), 40, "", Dialogue::default());
        let limits = Limits { bytes, spans: most };
        let mut all = Vec::new();
        for request in traces.requests(limits, MIDNIGHT) {
            let spans = spans(&request.body);
            prop_assert_eq!(spans.len() as u64, request.spans);
            prop_assert!(request.spans <= most);
            prop_assert!(request.body.len() <= bytes || request.spans == 1);
            all.extend(spans);
        }
        prop_assert_eq!(sorted(all), sorted(all_spans(&traces, Limits::default())));
    }
}

#[test]
fn a_trace_made_twice_is_the_same_and_another_is_not() {
    let traces = traces(Scenario::named("chat").unwrap(), 40, "", Dialogue::default());
    let planned: Vec<_> = traces.plan().planned().collect();
    let made = |n: usize| {
        let mut batch = traces.batch(Limits::default());
        let mut generator = traces.generator();
        generator.add(planned[n], MIDNIGHT, &mut batch, &mut |_| unreachable!());
        batch.take().unwrap().body
    };
    assert_eq!(made(3), made(3));
    assert_ne!(made(3), made(4));
}
