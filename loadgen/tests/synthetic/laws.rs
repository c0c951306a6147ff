//! What holds of synthetic spans whatever they say.

use std::collections::{BTreeMap, BTreeSet};

use loadgen::Scenario;
use loadgen::otlp::Limits;
use loadgen::synthetic::{Dialogue, MessageForm, Traces};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
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

/// The messages that the model's spans of each session say they were asked with, in order of time.
fn asked_by_session(traces: &Traces) -> BTreeMap<String, Vec<serde_json::Value>> {
    let mut sessions = BTreeMap::<String, Vec<(u64, serde_json::Value)>>::new();
    for (_, span) in all_spans(traces, Limits::default()) {
        let text = |name: &str| {
            let attribute = span.attributes.iter().find(|attribute| attribute.key == name)?;
            match attribute.value.as_ref()?.value.as_ref()? {
                Value::StringValue(text) => Some(text.clone()),
                _ => None,
            }
        };
        let Some(messages) = text("gen_ai.input.messages") else { continue };
        let session = text("gen_ai.conversation.id").unwrap();
        let messages = serde_json::from_str(&messages).unwrap();
        sessions.entry(session).or_default().push((span.start_time_unix_nano, messages));
    }
    let in_order = sessions.into_iter().map(|(session, mut calls)| {
        calls.sort_by_key(|(at, _)| *at);
        (session, calls.into_iter().map(|(_, messages)| messages).collect())
    });
    in_order.collect()
}

#[test]
fn traces_of_a_session_repeat_what_was_said_in_those_before_them() {
    let dialogue = Dialogue { content: ContentPolicy::Full, ..Dialogue::default() };
    for name in ["chat", "rag"] {
        let mut scenario = Scenario::named(name).unwrap();
        scenario.sessions.as_mut().unwrap().open = 6;
        scenario.faults.clear();
        let mut repeated = 0;
        for calls in asked_by_session(&traces(scenario, 150, "", dialogue)).values() {
            for two in calls.windows(2) {
                let (one, next) = (two[0].as_array().unwrap(), two[1].as_array().unwrap());
                assert_eq!(next[..one.len()], one[..]);
                assert_eq!(next.len(), one.len() + 2);
                repeated += 1;
            }
        }
        assert!(repeated > 15, "{name}: {repeated} calls repeat others");
    }
}

#[test]
fn an_answer_stands_in_later_traces_as_it_was_said() {
    let dialogue = Dialogue { content: ContentPolicy::Full, ..Dialogue::default() };
    let mut scenario = Scenario::named("chat").unwrap();
    scenario.sessions.as_mut().unwrap().open = 4;
    scenario.faults.clear();
    let traces = traces(scenario, 120, "", dialogue);
    let said = asked_by_session(&traces);
    let answers: BTreeSet<String> = all_spans(&traces, Limits::default())
        .into_iter()
        .flat_map(|(_, span)| span.attributes)
        .filter(|attribute| attribute.key == "gen_ai.output.messages")
        .filter_map(|attribute| match attribute.value?.value? {
            Value::StringValue(text) => Some(text),
            _ => None,
        })
        .map(|text| {
            let mut messages: serde_json::Value = serde_json::from_str(&text).unwrap();
            messages[0].as_object_mut().unwrap().remove("finish_reason");
            messages[0].to_string()
        })
        .collect();
    let mut stood = 0;
    for calls in said.values().filter(|calls| calls.len() > 1) {
        let known = calls[0].as_array().unwrap().len();
        for message in calls[calls.len() - 1].as_array().unwrap()[known..].iter().step_by(2) {
            assert!(answers.contains(&message.to_string()), "{message}");
            stood += 1;
        }
    }
    assert!(stood > 20, "{stood} answers stand in later traces");
}

#[test]
fn a_call_reads_from_the_cache_what_the_call_before_it_in_the_trace_read_and_wrote() {
    let mut scenario = Scenario::named("agent").unwrap();
    scenario.faults.clear();
    scenario.cached_prefix.share = 1.0;
    scenario.serving.cache_hit_share = 1.0;
    let traces = traces(scenario, 150, "", Dialogue::default());
    let mut calls = BTreeMap::<Vec<u8>, Vec<Span>>::new();
    for (_, span) in all_spans(&traces, Limits::default()) {
        if span.name.starts_with("chat ") {
            calls.entry(span.trace_id.clone()).or_default().push(span);
        }
    }
    let tokens = |span: &Span, prefix: &str| {
        let attribute = span.attributes.iter().find(|attribute| attribute.key.starts_with(prefix));
        match attribute.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
            Some(Value::IntValue(tokens)) => *tokens,
            _ => 0,
        }
    };
    let mut followed = 0;
    for calls in calls.values_mut() {
        calls.sort_by_key(|span| span.start_time_unix_nano);
        for two in calls.windows(2) {
            let read = |span| tokens(span, "gen_ai.usage.cache_read.");
            let written = |span| {
                tokens(span, "gen_ai.usage.cache_creation.")
                    + tokens(span, "gen_ai.usage.cache_write.")
            };
            if read(&two[0]) + written(&two[0]) == 0 {
                continue;
            }
            assert_eq!(read(&two[1]), read(&two[0]) + written(&two[0]));
            followed += 1;
        }
    }
    assert!(followed > 40, "{followed} calls follow another in their trace");
}
