//! Spans.

use prost::{DecodeError, Message as _};
use spanproof_schemas::report::Subject;

use crate::catalogue::{Conventions, Name, SpanType, catalogue};
use crate::dialect::{self, Fingerprint};
use crate::expectation::Place;
use crate::field::{Field, Fields};
use crate::intake::Intake;
use crate::model::{FinishReasons, Node, ReportedUsage, Role, Sampling, SpanFacts, SpanId, hex};
use crate::notable::Notable;
use crate::otlp::{
    Event, ExportTraceServiceRequest, InstrumentationScope, Span, SpanKind, Status, StatusCode,
    Value,
};
use crate::redaction::Redaction;
use crate::span_type::{role, span_type};
use crate::symbol::{Symbol, Symbols};
use crate::view::{Carrier, Item, Seen, SpanView};
use crate::window::Came;
use crate::wire::{self, Recycled};

use super::events::Emitted;

/// Where spans come from.
#[derive(Clone, Copy)]
struct Origin<'a> {
    scope: &'a str,
    scope_symbol: Symbol,
    schema_url: Symbol,
    stated: Option<&'static Conventions>,
}

impl Intake {
    /// Takes in spans.
    pub fn traces(&mut self, request: &ExportTraceServiceRequest) {
        let mut seen = Vec::new();
        for resource_spans in &request.resource_spans {
            self.resource(resource_spans.resource.as_ref());
            for scope_spans in &resource_spans.scope_spans {
                let url = super::schema_url(&scope_spans.schema_url, &resource_spans.schema_url);
                let origin = self.origin(scope_spans.scope.as_ref(), url);
                for span in &scope_spans.spans {
                    self.span(span, &super::names(&span.attributes), origin, &mut seen);
                }
            }
        }
    }

    /// Takes in the protobuf encoding of an export request of spans, at less cost than decoding it
    /// first.
    ///
    /// # Errors
    ///
    /// If it is none. The spans before the fault have been taken in.
    pub fn traces_protobuf(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        let Some(outline) = wire::outline(bytes) else {
            self.traces(&ExportTraceServiceRequest::decode(bytes)?);
            return Ok(());
        };
        let mut recycled = std::mem::take(&mut self.recycled);
        let done = self.outlined(&outline, &mut recycled);
        self.recycled = recycled;
        done
    }

    fn outlined(
        &mut self,
        outline: &[wire::ResourceSpans<'_>],
        recycled: &mut Recycled,
    ) -> Result<(), DecodeError> {
        let mut memory = Vec::new();
        for resource_spans in outline {
            self.resource(resource_spans.resource.as_ref());
            for scope_spans in &resource_spans.scopes {
                let url = super::schema_url(scope_spans.schema_url, resource_spans.schema_url);
                let origin = self.origin(scope_spans.scope.as_ref(), url);
                for bytes in &scope_spans.spans {
                    let (span, names) = recycled.read(bytes)?;
                    let mut seen = emptied(memory);
                    self.span(span, names, origin, &mut seen);
                    memory = emptied(seen);
                }
            }
        }
        Ok(())
    }

    fn origin<'a>(&mut self, scope: Option<&'a InstrumentationScope>, url: &str) -> Origin<'a> {
        Origin {
            scope: scope.map_or("", |scope| &scope.name),
            scope_symbol: self.scope(scope),
            schema_url: self.symbols.intern(url),
            stated: catalogue().stated_by(url),
        }
    }

    fn span<'a>(
        &mut self,
        span: &'a Span,
        names: &[Option<&'static Name>],
        origin: Origin<'_>,
        seen: &mut Vec<Seen<'a>>,
    ) {
        seen.clear();
        self.telemetry.spans += 1;
        let id = SpanId::new(&span.trace_id, &span.span_id);
        let mut fields = Fields::default();
        let (fingerprint, mut notable) = super::gather(&span.attributes, names, seen, &mut fields);
        let described = role(span.kind(), &fields).map(|role| {
            let semconv = dialect::judged(self.settings.semconv, origin.stated, fingerprint);
            let provider = &self.settings.provider;
            (role, semconv, span_type(semconv, span.kind(), &fields, provider))
        });
        let place = || Place {
            subject: Subject {
                trace_id: Some(hex(&id.trace)),
                span_id: Some(hex(&id.span)),
                span_name: Some(span.name.clone()),
                scope: Some(origin.scope.to_owned()).filter(|scope| !scope.is_empty()),
                ..Subject::default()
            },
            span_type: described.and_then(|(_, _, of)| of).map(|span_type| &*span_type.id),
            operations: [fields.text(Field::Operation), None],
            models: [fields.text(Field::RequestModel), None],
        };
        let mut found = self.search(Item::Span(span, seen, notable), place);
        let Some((role, semconv, span_type)) = described else {
            if self.is_joined {
                let parent = SpanId::new(&[], &span.parent_span_id).span;
                let start = span.start_time_unix_nano;
                self.nodes.push(Node { id, parent, start, generation: 0 });
            }
            return;
        };
        if role.is_model_call() {
            self.telemetry.gen_ai_spans += 1;
        }
        let noted = Noted { role, fingerprint, semconv, span_type };
        let scope_place = self.note_scope(origin, noted, seen);
        if !matches!(role, Role::Foreign(_)) {
            for seen in seen.iter_mut() {
                let Some(name) = seen.name else {
                    notable |= Notable::UNDEFINED;
                    continue;
                };
                notable |= name.notable_in(semconv.index);
                seen.definition = name.in_version(semconv.index);
                if let Some(definition) = seen.definition {
                    notable |= Notable::of_type(seen.value, definition);
                }
            }
            let contents = self.contents(seen, &fields, false);
            match self.settings.redaction {
                Redaction::ContentAllowed if !contents.is_empty() => {
                    self.attachments.note_content(id, &contents);
                }
                Redaction::HashOnly => self.attachments.note_hashes(id, seen),
                _ => {}
            }
            let view = SpanView {
                span,
                role,
                semconv,
                span_type,
                attributes: seen,
                notable,
                fields,
                contents: &contents,
                settings: &self.settings,
            };
            self.looks.spans += 1;
            self.coverage.span(&view);
            for check in &self.active.span {
                let findings = (check.check)(&view);
                // Even to drop what is left of an empty list takes its time.
                if findings.is_empty() {
                    continue;
                }
                for finding in findings {
                    self.tally.add(&check.rule, finding, place);
                    found.push(check.id());
                }
            }
            for event in &span.events {
                self.span_event(event, span, origin);
            }
        }
        let origin = (origin.scope_symbol, scope_place);
        let facts = facts(span, id, role, semconv, origin, &fields, &mut self.symbols);
        let found = match found.as_slice() {
            [] => Symbol::EMPTY,
            _ => self.symbols.intern(&together(found)),
        };
        self.spans.push(SpanFacts { span_type, found, ..facts });
    }

    fn span_event(&mut self, event: &Event, span: &Span, origin: Origin<'_>) {
        if !super::events::is_judged(&event.name) {
            return;
        }
        self.event(&Emitted {
            name: &event.name,
            attributes: &event.attributes,
            body: None,
            carrier: Carrier::Span(span),
            span: SpanId::new(&span.trace_id, &span.span_id),
            scope: origin.scope,
            time_unix_nanos: event.time_unix_nano,
            stated: origin.stated,
        });
    }

    fn note_scope(&mut self, origin: Origin<'_>, noted: Noted, seen: &[Seen<'_>]) -> usize {
        let place = self.scopes.place(origin.scope_symbol, origin.schema_url);
        let facts = self.scopes.at(place);
        if let Role::Foreign(vocabulary) = noted.role {
            *facts.foreign.entry(vocabulary).or_default() += 1;
            facts.fingerprint.foreign = facts.fingerprint.foreign.or(noted.fingerprint.foreign);
            return place;
        }
        facts.spans += 1;
        facts.fingerprint = facts.fingerprint.and(noted.fingerprint);
        for vocabulary in noted.fingerprint.foreign.vocabularies() {
            *facts.beside.entry(vocabulary).or_default() += 1;
        }
        if noted.semconv.version < self.settings.least_version() {
            *facts.older.entry(noted.semconv.index).or_default() += 1;
        }
        if let Some(span_type) = noted.span_type {
            facts.note_span_type(span_type);
        }
        for name in seen.iter().filter_map(|seen| seen.name).filter(|name| name.is_gen_ai) {
            facts.names.insert(name.id);
        }
        place
    }
}

/// Each rule once, between spaces. There are few combinations, however many spans.
fn together(mut rules: Vec<&'static str>) -> String {
    rules.sort_unstable();
    rules.dedup();
    rules.join(" ")
}

/// The memory of a list for another one that borrows from elsewhere. Collecting in place is what
/// keeps it.
#[expect(clippy::unnecessary_filter_map, reason = "a filter cannot change what items borrow")]
fn emptied<'a>(mut seen: Vec<Seen<'_>>) -> Vec<Seen<'a>> {
    seen.clear();
    seen.into_iter().filter_map(|_| None).collect()
}

/// What a scope keeps of a span.
#[derive(Clone, Copy)]
struct Noted {
    role: Role,
    fingerprint: Fingerprint,
    semconv: &'static Conventions,
    span_type: Option<&'static SpanType>,
}

/// Longer ids name no call, and are not kept.
const LONGEST_ID: usize = 256;

fn facts(
    span: &Span,
    id: SpanId,
    role: Role,
    semconv: &Conventions,
    (scope, scope_place): (Symbol, usize),
    fields: &Fields<'_>,
    symbols: &mut Symbols,
) -> SpanFacts {
    let first_count = |names: [Field; 3]| names.iter().find_map(|name| fields.count(*name));
    let langfuse = langfuse_usage(fields);
    let usage = ReportedUsage {
        input: first_count([
            Field::InputTokens,
            Field::FormerInputTokens,
            Field::ForeignInputTokens,
        ])
        .or(langfuse.input),
        output: first_count([
            Field::OutputTokens,
            Field::FormerOutputTokens,
            Field::ForeignOutputTokens,
        ])
        .or(langfuse.output),
        cache_read: fields.count(Field::CacheReadTokens),
        cache_write: fields.count(Field::CacheWriteTokens),
        reasoning: fields.count(Field::ReasoningTokens),
    };
    let finish_reasons = finish_reasons(fields, symbols);
    let mut symbol = |text: Option<&str>| text.map(|text| symbols.intern(text));
    let boxed = |field| fields.text(field).filter(|id| id.len() <= LONGEST_ID).map(Into::into);
    SpanFacts {
        id,
        parent: SpanId::new(&[], &span.parent_span_id).span,
        start: span.start_time_unix_nano,
        end: span.end_time_unix_nano,
        name: symbol(Some(&span.name)).unwrap_or(Symbol::EMPTY),
        scope,
        kind: SpanKind::try_from(span.kind).unwrap_or(SpanKind::Unspecified),
        status: span.status.as_ref().map_or(StatusCode::Unset, Status::code),
        role,
        scope_place,
        semconv: semconv.index,
        operation: symbol(fields.text(Field::Operation)),
        model: symbol(
            [Field::RequestModel, Field::ForeignModel, Field::DatadogModel]
                .into_iter()
                .find_map(|field| fields.text(field)),
        ),
        provider: symbol(fields.text(Field::Provider).or(fields.text(Field::System))),
        error_type: symbol(fields.text(Field::ErrorType)),
        finish_reasons,
        usage,
        response_model: symbol(fields.text(Field::ResponseModel)),
        sampling: sampling(fields),
        time_to_first_chunk: fields.number(Field::TimeToFirstChunk).and_then(nanos),
        response_id: boxed(Field::ResponseId),
        request_id: boxed(Field::RequestId),
        invocation_id: boxed(Field::InvocationId),
        stream: match fields.get(Field::Stream) {
            Some(Value::BoolValue(stream)) => Some(*stream),
            _ => None,
        },
        has_guardrail: fields.text(Field::Guardrail).is_some(),
        found: Symbol::EMPTY,
        span_type: None,
        present: fields.present(),
        came: Came::default(),
        lacks_inner: false,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "see Sampling")]
fn sampling(fields: &Fields<'_>) -> Sampling {
    let half = |field| fields.number(field).map(|value| value as f32);
    Sampling {
        max_tokens: fields.count(Field::MaxTokens).and_then(|max| u32::try_from(max).ok()),
        temperature: half(Field::Temperature),
        top_p: half(Field::TopP),
        top_k: half(Field::TopK),
    }
}

/// Seconds as nanoseconds; nothing for what is no duration.
fn nanos(seconds: f64) -> Option<u64> {
    std::time::Duration::try_from_secs_f64(seconds)
        .ok()
        .and_then(|duration| u64::try_from(duration.as_nanos()).ok())
}

/// Token counts as Langfuse has them: one attribute, whose text is an object of counts.
fn langfuse_usage(fields: &Fields<'_>) -> LangfuseUsage {
    fields
        .text(Field::LangfuseUsage)
        .filter(|text| text.len() <= LONGEST_USAGE)
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

/// An object of counts is short.
const LONGEST_USAGE: usize = 4096;

#[derive(Default, serde::Deserialize)]
struct LangfuseUsage {
    input: Option<u64>,
    output: Option<u64>,
}

fn finish_reasons(fields: &Fields<'_>, symbols: &mut Symbols) -> FinishReasons {
    if !fields.has(Field::FinishReasons) {
        let foreign = fields.text(Field::ForeignFinishReason);
        let one = |reason| FinishReasons::Array([Some(symbols.intern(reason))].into());
        return foreign.map_or(FinishReasons::Absent, one);
    }
    match fields.get(Field::FinishReasons) {
        Some(Value::ArrayValue(array)) => FinishReasons::Array(
            array
                .values
                .iter()
                .map(|value| crate::value::text(value.value.as_ref()))
                .map(|text| text.map(|text| symbols.intern(text)))
                .collect(),
        ),
        other => FinishReasons::NotArray(symbols.intern(&crate::value::render(other))),
    }
}
