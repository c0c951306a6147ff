//! One trace into the columns.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};

use super::attribute::{Classified, Held, classify, cut, text};
use super::gather::{ResourceSpans, ScopeSpans, Trace, TraceId};
use super::nested_set::{self, Place};
use crate::DedicatedKind;
use crate::column::Column;
use crate::schema::{AttributeColumns, DedicatedLeaf, LeafId, Schema};

/// How deep resources, scopes, spans, and what spans have any number of stand in repetitions.
const RESOURCE: u8 = 1;
const SCOPE: u8 = 2;
const SPAN: u8 = 3;
const EVENT: u8 = 4;

const ERROR: i32 = 2;

/// Adds `trace` to `columns` as a row, and counts the texts that were cut.
pub(crate) fn shred(
    schema: &Schema,
    columns: &mut [Column],
    id: &TraceId,
    trace: &Trace,
    max_attribute_bytes: Option<usize>,
) -> u64 {
    let row = Row { schema, columns, max_attribute_bytes, cut: 0 };
    row.trace(id, trace)
}

struct Row<'a> {
    schema: &'a Schema,
    columns: &'a mut [Column],
    max_attribute_bytes: Option<usize>,
    /// Texts that were cut.
    cut: u64,
}

impl Row<'_> {
    fn trace(mut self, id: &TraceId, trace: &Trace) -> u64 {
        let to = &self.schema.columns;
        let spans: Vec<&Span> = trace.all_spans().collect();
        let places = nested_set::places(&spans);
        let start = spans.iter().map(|span| span.start_time_unix_nano).min().unwrap_or(0);
        let end = spans.iter().map(|span| span.end_time_unix_nano).max().unwrap_or(0);
        let (service, name) = root_names(trace);
        self.bytes(to.trace_id, 0, id);
        self.bytes(to.trace_id_text, 0, hex_without_zeros(id).as_bytes());
        self.int64(to.start, 0, start.cast_signed());
        self.int64(to.end, 0, end.cast_signed());
        self.int64(to.duration, 0, end.saturating_sub(start).cast_signed());
        self.bytes(to.root_service, 0, service.as_bytes());
        self.bytes(to.root_span, 0, name.as_bytes());
        let stats = service_stats(trace);
        let [service_of, spans_of, errors_of] = to.service_stats;
        for (repetition, (service, [spans, errors])) in repetitions(0, RESOURCE).zip(stats) {
            self.bytes(service_of, repetition, service.as_bytes());
            self.int32(spans_of, repetition, spans);
            self.int32(errors_of, repetition, errors);
        }
        let mut places = places.iter();
        for (repetition, batch) in repetitions(0, RESOURCE).zip(&trace.resources) {
            self.resource(repetition, batch);
            for (repetition, scoped) in repetitions(repetition, SCOPE).zip(&batch.scopes) {
                self.scope(repetition, scoped);
                for (repetition, span) in repetitions(repetition, SPAN).zip(&scoped.spans) {
                    let place = places.next().copied().unwrap_or_default();
                    self.span(repetition, span, place);
                }
            }
        }
        self.cut
    }

    fn resource(&mut self, repetition: u8, batch: &ResourceSpans) {
        let to = &self.schema.columns.resource;
        let attributes = &batch.resource.attributes;
        let name = cut(service_name(attributes), self.max_attribute_bytes);
        self.bytes(to.service_name, repetition, name);
        let is_other = |attribute: &&KeyValue| attribute.key != "service.name";
        let others = attributes.iter().filter(is_other);
        self.attributes(to.attributes, &to.dedicated, others, repetition, RESOURCE);
        self.int32(to.dropped, repetition, batch.resource.dropped_attributes_count.cast_signed());
    }

    fn scope(&mut self, repetition: u8, scoped: &ScopeSpans) {
        let to = &self.schema.columns;
        let scope = &scoped.scope;
        self.bytes(to.scope.name, repetition, scope.name.as_bytes());
        self.bytes(to.scope.version, repetition, scope.version.as_bytes());
        self.attributes(to.scope.attributes, &[], scope.attributes.iter(), repetition, SCOPE);
        self.int32(to.scope.dropped, repetition, scope.dropped_attributes_count.cast_signed());
        if let Some(span_count) = to.span_count {
            self.int32(
                span_count,
                repetition,
                i32::try_from(scoped.spans.len()).unwrap_or(i32::MAX),
            );
        }
    }

    fn span(&mut self, repetition: u8, span: &Span, place: Place) {
        let to = &self.schema.columns.span;
        let status = span.status.clone().unwrap_or_default();
        let duration = span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano);
        self.bytes(to.span_id, repetition, &span.span_id);
        self.bytes(to.parent_span_id, repetition, &span.parent_span_id);
        self.int32(to.parent_left, repetition, place.parent_left);
        self.int32(to.left, repetition, place.left);
        self.int32(to.right, repetition, place.right);
        if let Some(child_count) = to.child_count {
            self.int32(child_count, repetition, place.children);
        }
        self.bytes(to.name, repetition, span.name.as_bytes());
        self.int64(to.kind, repetition, span.kind.into());
        self.bytes(to.trace_state, repetition, span.trace_state.as_bytes());
        self.int64(to.start, repetition, span.start_time_unix_nano.cast_signed());
        self.int64(to.duration, repetition, duration.cast_signed());
        self.int64(to.status_code, repetition, status.code.into());
        self.bytes(to.status_message, repetition, status.message.as_bytes());
        self.attributes(to.attributes, &to.dedicated, span.attributes.iter(), repetition, SPAN);
        let dropped = [
            (to.dropped_attributes, span.dropped_attributes_count),
            (to.dropped_events, span.dropped_events_count),
            (to.dropped_links, span.dropped_links_count),
        ];
        for (column, count) in dropped {
            self.int32(column, repetition, count.cast_signed());
        }
        self.events(repetition, span);
        self.links(repetition, span);
        for (seconds, column) in &to.rounded_starts {
            let start = span.start_time_unix_nano / 1_000_000_000 / seconds;
            // As the format has it: a number of 32 bits.
            self.int32(*column, repetition, low_half(start));
        }
    }

    fn events(&mut self, repetition: u8, span: &Span) {
        let to = &self.schema.columns.span.events;
        if span.events.is_empty() {
            let own = [to.since_start, to.name, to.dropped];
            let dedicated = to.dedicated.iter().map(|column| column.id);
            let all = own.into_iter().chain(to.attributes.all()).chain(dedicated);
            all.for_each(|column| self.null(column, repetition, SPAN));
        }
        for (repetition, event) in repetitions(repetition, EVENT).zip(&span.events) {
            let Event { time_unix_nano, name, attributes, dropped_attributes_count } = event;
            let since_start = time_unix_nano.wrapping_sub(span.start_time_unix_nano);
            self.int64(to.since_start, repetition, since_start.cast_signed());
            self.bytes(to.name, repetition, name.as_bytes());
            self.attributes(to.attributes, &to.dedicated, attributes.iter(), repetition, EVENT);
            self.int32(to.dropped, repetition, dropped_attributes_count.cast_signed());
        }
    }

    fn links(&mut self, repetition: u8, span: &Span) {
        let to = &self.schema.columns.span.links;
        if span.links.is_empty() {
            let own = [to.trace_id, to.span_id, to.trace_state, to.dropped];
            let all = own.into_iter().chain(to.attributes.all());
            all.for_each(|column| self.null(column, repetition, SPAN));
        }
        for (repetition, link) in repetitions(repetition, EVENT).zip(&span.links) {
            let Link { trace_id, span_id, trace_state, attributes, .. } = link;
            self.bytes(to.trace_id, repetition, trace_id);
            self.bytes(to.span_id, repetition, span_id);
            self.bytes(to.trace_state, repetition, trace_state.as_bytes());
            self.attributes(to.attributes, &[], attributes.iter(), repetition, EVENT);
            self.int32(to.dropped, repetition, link.dropped_attributes_count.cast_signed());
        }
    }

    /// Attributes of what stands at `repetition`, `depth` repetitions deep: those with columns of
    /// their own there, the rest in rows.
    fn attributes<'a>(
        &mut self,
        to: AttributeColumns,
        dedicated: &[DedicatedLeaf],
        attributes: impl Iterator<Item = &'a KeyValue>,
        repetition: u8,
        depth: u8,
    ) {
        let mut own: Vec<Option<Held<'_>>> = dedicated.iter().map(|_| None).collect();
        let mut repetitions = repetitions(repetition, depth + 1);
        let mut is_empty = true;
        for attribute in attributes {
            let classified = classify(attribute, self.max_attribute_bytes);
            self.cut += u64::from(classified.is_cut);
            let takes = |column: &DedicatedLeaf| column.takes(attribute, &classified);
            if let Some(column) = dedicated.iter().position(takes) {
                own[column] = Some(classified.held);
                continue;
            }
            let at = repetitions.next().unwrap_or(repetition);
            self.attribute(to, &attribute.key, classified, at, depth + 1);
            is_empty = false;
        }
        if is_empty {
            to.all().into_iter().for_each(|column| self.null(column, repetition, depth));
        }
        for (column, held) in dedicated.iter().zip(own) {
            match held {
                Some(Held::Strings(values)) => {
                    self.list(column.id, repetition, depth, values, Self::bytes);
                }
                Some(Held::Ints(values)) => {
                    self.list(column.id, repetition, depth, values, Self::int64);
                }
                _ => self.null(column.id, repetition, depth),
            }
        }
    }

    fn attribute(
        &mut self,
        to: AttributeColumns,
        key: &str,
        Classified { held, is_array, .. }: Classified<'_>,
        repetition: u8,
        depth: u8,
    ) {
        self.bytes(to.key, repetition, key.as_bytes());
        self.columns[to.is_array].bool(repetition, is_array);
        let (mut strings, mut ints, mut doubles, mut bools) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut unsupported = None;
        match held {
            Held::Strings(values) => strings = values,
            Held::Ints(values) => ints = values,
            Held::Doubles(values) => doubles = values,
            Held::Bools(values) => bools = values,
            Held::Unsupported(json) => unsupported = Some(json),
            Held::Nothing => {}
        }
        self.list(to.strings, repetition, depth, strings, Self::bytes);
        self.list(to.ints, repetition, depth, ints, Self::int64);
        self.list(to.doubles, repetition, depth, doubles, Self::double);
        self.list(to.bools, repetition, depth, bools, Self::bool);
        match unsupported {
            Some(json) => self.bytes(to.unsupported, repetition, json.as_bytes()),
            None => self.null(to.unsupported, repetition, depth),
        }
    }

    fn list<T>(
        &mut self,
        column: LeafId,
        repetition: u8,
        depth: u8,
        values: Vec<T>,
        put: fn(&mut Self, LeafId, u8, T),
    ) {
        if values.is_empty() {
            self.null(column, repetition, depth);
        }
        for (repetition, value) in repetitions(repetition, depth + 1).zip(values) {
            put(self, column, repetition, value);
        }
    }

    fn null(&mut self, column: LeafId, repetition: u8, definition: u8) {
        self.columns[column].null(repetition, definition);
    }

    fn bytes(&mut self, column: LeafId, repetition: u8, value: &[u8]) {
        self.columns[column].bytes(repetition, value);
    }

    fn int32(&mut self, column: LeafId, repetition: u8, value: i32) {
        self.columns[column].int32(repetition, value);
    }

    fn int64(&mut self, column: LeafId, repetition: u8, value: i64) {
        self.columns[column].int64(repetition, value);
    }

    fn double(&mut self, column: LeafId, repetition: u8, value: f64) {
        self.columns[column].double(repetition, value);
    }

    fn bool(&mut self, column: LeafId, repetition: u8, value: bool) {
        self.columns[column].bool(repetition, value);
    }
}

impl AttributeColumns {
    fn all(self) -> [LeafId; 7] {
        [
            self.key,
            self.is_array,
            self.strings,
            self.ints,
            self.doubles,
            self.bools,
            self.unsupported,
        ]
    }
}

impl DedicatedLeaf {
    fn takes(&self, attribute: &KeyValue, value: &Classified<'_>) -> bool {
        let is_of_kind = matches!(
            (&value.held, self.kind),
            (Held::Strings(_), DedicatedKind::String) | (Held::Ints(_), DedicatedKind::Int)
        );
        is_of_kind
            && self.key.as_ref() == Some(&attribute.key)
            && (self.is_repeated || !value.is_array)
    }
}

/// The repetition levels of elements: that of the whole for the first, then their own.
fn repetitions(of_whole: u8, own: u8) -> impl Iterator<Item = u8> {
    std::iter::once(of_whole).chain(std::iter::repeat(own))
}

fn service_name(attributes: &[KeyValue]) -> &str {
    attributes.iter().find(|attribute| attribute.key == "service.name").and_then(text).unwrap_or("")
}

/// Service and name of the first span without a parent.
fn root_names(trace: &Trace) -> (&str, &str) {
    for batch in &trace.resources {
        let mut spans = batch.scopes.iter().flat_map(|scoped| &scoped.spans);
        if let Some(root) = spans.find(|span| nested_set::is_root(span)) {
            return (service_name(&batch.resource.attributes), &root.name);
        }
    }
    ("", "")
}

/// How many spans each service has, and how many of them with an error.
fn service_stats(trace: &Trace) -> BTreeMap<&str, [i32; 2]> {
    let mut stats: BTreeMap<&str, [i32; 2]> = BTreeMap::new();
    for batch in &trace.resources {
        let [spans, errors] = stats.entry(service_name(&batch.resource.attributes)).or_default();
        for span in batch.scopes.iter().flat_map(|scoped| &scoped.spans) {
            *spans = spans.saturating_add(1);
            let is_error = span.status.as_ref().is_some_and(|status| status.code == ERROR);
            *errors = errors.saturating_add(i32::from(is_error));
        }
    }
    stats
}

fn hex_without_zeros(id: &TraceId) -> String {
    let number = u128::from_be_bytes(*id);
    format!("{number:x}")
}

fn low_half(number: u64) -> i32 {
    let [a, b, c, d, ..] = number.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}
