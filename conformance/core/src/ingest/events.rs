//! GenAI events, whatever carries them.

use spanproof_schemas::content::Kind;
use spanproof_schemas::report::Subject;
use spanproof_schemas::time::UnixNanos;

use crate::catalogue::{Conventions, VersionSet, catalogue};
use crate::dialect::{self, Fingerprint};
use crate::expectation::Place;
use crate::field::{Field, Fields};
use crate::held::Held;
use crate::identity;
use crate::intake::Intake;
use crate::model::{SpanId, hex};
use crate::otlp::{KeyValue, Value};
use crate::redaction::{Allowance, Redaction};
use crate::settings::Choice;
use crate::view::{Carrier, EventView};

/// An event, and where it comes from.
#[derive(Clone, Copy)]
pub(super) struct Emitted<'a> {
    pub(super) name: &'a str,
    pub(super) attributes: &'a [KeyValue],
    pub(super) body: Option<&'a Value>,
    pub(super) carrier: Carrier<'a>,
    /// The span whose ids it carries; zero for none.
    pub(super) span: SpanId,
    pub(super) scope: &'a str,
    pub(super) time_unix_nanos: UnixNanos,
    pub(super) stated: Option<&'static Conventions>,
}

/// Whether an event with this name is one of the conventions for GenAI.
pub(super) fn is_judged(name: &str) -> bool {
    name.starts_with("gen_ai.")
}

impl Intake {
    /// Checks an event and notes what it tells of its span.
    pub(super) fn event(&mut self, from: &Emitted<'_>) {
        let mut seen = Vec::new();
        let mut fields = Fields::default();
        let names =
            super::gather(from.attributes, &super::names(from.attributes), &mut seen, &mut fields)
                .0;
        // An event of no version shows nothing of the one that is spoken.
        let defined = catalogue().event(from.name);
        let defined_in = if defined.oldest().is_some() { defined } else { VersionSet::ALL };
        let fingerprint = names.and(Fingerprint { defined_in, ..Fingerprint::default() });
        let shows_era = fingerprint.has_system || fingerprint.has_provider;
        let current = catalogue().current_event(from.name);
        let released = current.and(catalogue().releases());
        let current = catalogue().newest_of(released).or(catalogue().newest_of(current));
        let semconv = match self.settings.semconv {
            // Nothing but its name tells of its era.
            Choice::Auto if from.stated.is_none() && !shows_era => {
                current.unwrap_or_else(|| catalogue().newest_release())
            }
            choice => dialect::judged(choice, from.stated, fingerprint),
        };
        for seen in &mut seen {
            seen.definition = seen.name.and_then(|name| name.in_version(semconv.index));
        }
        let in_log = matches!(from.carrier, Carrier::Log(_));
        let mut contents = self.contents(&seen, &fields, in_log);
        let body_kind =
            Kind::ALL.into_iter().find(|kind| kind.is_body() && kind.name() == from.name);
        if let (Some(kind), Some(body)) = (body_kind, from.body) {
            contents.push(Held::new(kind, body));
        }
        if from.span != SpanId::default() {
            let attributes = identity::of_attributes(from.attributes);
            let body = from.body.map(identity::of_value);
            let identity = identity::of((from.name, from.time_unix_nanos, attributes, body));
            self.attachments.note_event(from.span, from.name, identity, from.scope);
            match self.settings.redaction {
                Redaction::HashOnly => self.attachments.note_hashes(from.span, &seen),
                redaction
                    if redaction.allowance(in_log) == Allowance::Anything
                        && !contents.is_empty() =>
                {
                    self.attachments.note_content(from.span, &contents);
                }
                _ => {}
            }
        }
        let view = EventView {
            name: from.name,
            carrier: from.carrier,
            semconv,
            definition: catalogue().event_in(from.name, semconv.index),
            attributes: &seen,
            fields,
            contents: &contents,
            settings: &self.settings,
        };
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let is_zero = from.span == SpanId::default();
        let place = || Place {
            subject: Subject {
                trace_id: (!is_zero).then(|| hex(&from.span.trace)),
                span_id: (!is_zero).then(|| hex(&from.span.span)),
                event: some(from.name),
                scope: some(from.scope),
                ..Subject::default()
            },
            span_type: None,
            operations: [view.fields.text(Field::Operation), None],
            models: [view.fields.text(Field::RequestModel), None],
        };
        self.looks.events += 1;
        for check in &self.active.event {
            for finding in (check.check)(&view) {
                self.tally.add(&check.rule, finding, place);
            }
        }
    }
}
