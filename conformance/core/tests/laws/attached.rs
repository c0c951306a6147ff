//! Events and content of calls: they may come before their span, after it, twice, and by another
//! way than it.

use conformance_core::{Intake, Judge, Redaction, Settings, otlp};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use spanproof_schemas::ledger::{Answer, MarkerKind, Record, ToolCall, marker_stem};

use crate::made::{EPOCH, Made, exchange, key_value, made, spans, text};
use crate::{export, run};

/// An event of a call, or what stands in its place.
#[derive(Clone, Copy, Debug)]
struct Told {
    /// The call; of one that is not there, the event goes astray.
    call: usize,
    name: &'static str,
    at: u64,
    /// The tools that the answer calls.
    tools: [bool; 3],
    has_marker: bool,
}

fn told() -> impl Strategy<Value = Told> {
    let name = prop::sample::select(vec![
        "gen_ai.choice",
        "gen_ai.user.message",
        "gen_ai.client.inference.operation.details",
    ]);
    (0..5_usize, name, 0..3_u64, any::<[bool; 3]>(), any::<bool>())
        .prop_map(|(call, name, at, tools, has_marker)| Told { call, name, at, tools, has_marker })
}

impl Told {
    fn attributes(self) -> Vec<otlp::KeyValue> {
        let tools = ["a", "b", "c"].into_iter().zip(self.tools).filter(|(_, is_called)| *is_called);
        let parts: Vec<_> = tools
            .map(|(tool, _)| json!({ "type": "tool_call", "id": tool, "name": tool }))
            .collect();
        let output = json!([{ "role": "assistant", "parts": parts, "finish_reason": "stop" }]);
        let said = if self.has_marker { marker() } else { "hello".to_owned() };
        let input = json!([{ "role": "user", "parts": [{ "type": "text", "content": said }] }]);
        vec![
            key_value("gen_ai.output.messages", text(&output.to_string())),
            key_value("gen_ai.input.messages", text(&input.to_string())),
        ]
    }

    fn logs(self) -> otlp::ExportLogsServiceRequest {
        let id = self.call as u64 + 1;
        let record = otlp::LogRecord {
            event_name: self.name.to_owned(),
            time_unix_nano: EPOCH + self.at,
            trace_id: u128::from(id).to_be_bytes().to_vec(),
            span_id: id.to_be_bytes().to_vec(),
            attributes: self.attributes(),
            ..otlp::LogRecord::default()
        };
        let scope_logs =
            vec![otlp::ScopeLogs { log_records: vec![record], ..otlp::ScopeLogs::default() }];
        let resource_logs =
            vec![otlp::ResourceLogs { scope_logs, ..otlp::ResourceLogs::default() }];
        otlp::ExportLogsServiceRequest { resource_logs }
    }
}

#[derive(Clone, Debug)]
enum Sent {
    Span(Box<otlp::Span>),
    Event(Told),
}

impl Sent {
    fn give(&self, judge: &mut Judge) {
        match self {
            Sent::Span(span) => judge.traces(&export((**span).clone())),
            Sent::Event(told) => judge.logs(&told.logs()),
        }
    }

    fn give_part(&self, intake: &mut Intake) {
        match self {
            Sent::Span(span) => intake.traces(&export((**span).clone())),
            Sent::Event(told) => intake.logs(&told.logs()),
        }
    }
}

/// What was planted in the prompt of each call.
fn marker() -> String {
    format!("{}1", marker_stem(MarkerKind::Prompt, 7))
}

fn judge(calls: &[Made]) -> Judge {
    let mut settings = Settings::default();
    settings.redaction = Redaction::ContentAllowed;
    let mut judge = Judge::new(settings);
    judge.ledger(run());
    for (n, made) in calls.iter().enumerate() {
        let mut record = exchange(n, made);
        if let Record::Exchange(exchange) = &mut record {
            exchange.markers = vec![marker()];
            exchange.answer = Some(Answer {
                tool_calls: vec![ToolCall { name: "a".to_owned(), ..ToolCall::default() }],
                ..Answer::default()
            });
        }
        judge.ledger(record);
    }
    judge
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_attached_to_a_call_does_not_depend_on_the_way_it_came(
        (calls, sent, shuffled) in (vec(made(), 1..5), vec(told(), 0..8)).prop_flat_map(|(calls, all)| {
            let mut sent: Vec<Sent> = Vec::new();
            for (n, made) in calls.iter().enumerate() {
                sent.extend(spans(n, made).into_iter().map(|span| Sent::Span(Box::new(span))));
            }
            sent.extend(all.iter().copied().map(Sent::Event));
            // The first event is exported twice.
            sent.extend(all.first().copied().map(Sent::Event));
            (Just(calls), Just(sent.clone()), Just(sent).prop_shuffle())
        }),
        places in vec(0..3_usize, 40),
    ) {
        let mut whole = judge(&calls);
        for sent in &sent {
            sent.give(&mut whole);
        }

        let mut parted = judge(&calls);
        let mut intakes = [parted.intake(), parted.intake(), parted.intake()];
        for (sent, place) in shuffled.iter().zip(places.iter().cycle()) {
            sent.give_part(&mut intakes[*place]);
        }
        for intake in intakes.iter_mut().rev() {
            parted.merge(intake);
        }
        prop_assert_eq!(parted.finish(), whole.finish());
    }
}
