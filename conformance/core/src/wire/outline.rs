//! The outer messages of an export of spans, around spans that are not read yet.

use prost::Message as _;

use super::message::{Content, Message};
use crate::otlp::{InstrumentationScope, Resource};

/// The spans of one resource.
#[derive(Debug, Default)]
pub(crate) struct ResourceSpans<'a> {
    pub(crate) resource: Option<Resource>,
    pub(crate) schema_url: &'a str,
    pub(crate) scopes: Vec<ScopeSpans<'a>>,
}

/// The spans of one scope.
#[derive(Debug, Default)]
pub(crate) struct ScopeSpans<'a> {
    pub(crate) scope: Option<InstrumentationScope>,
    pub(crate) schema_url: &'a str,
    /// One message each.
    pub(crate) spans: Vec<&'a [u8]>,
}

/// The outer messages of an export request; nothing for what prost must judge.
pub(crate) fn outline(bytes: &[u8]) -> Option<Vec<ResourceSpans<'_>>> {
    let mut all = Vec::new();
    let mut request = Message::new(bytes);
    while !request.is_at_end() {
        match request.field()? {
            (1, Content::Bytes(bytes)) => all.push(resource_spans(bytes)?),
            (1, _) => return None,
            _ => {}
        }
    }
    Some(all)
}

fn resource_spans(bytes: &[u8]) -> Option<ResourceSpans<'_>> {
    let mut out = ResourceSpans::default();
    let mut message = Message::new(bytes);
    while !message.is_at_end() {
        match message.field()? {
            (1, Content::Bytes(bytes)) => out.resource.get_or_insert_default().merge(bytes).ok()?,
            (2, Content::Bytes(bytes)) => out.scopes.push(scope_spans(bytes)?),
            (3, Content::Bytes(bytes)) => out.schema_url = str::from_utf8(bytes).ok()?,
            (1..=3, _) => return None,
            _ => {}
        }
    }
    Some(out)
}

fn scope_spans(bytes: &[u8]) -> Option<ScopeSpans<'_>> {
    let mut out = ScopeSpans::default();
    let mut message = Message::new(bytes);
    while !message.is_at_end() {
        match message.field()? {
            (1, Content::Bytes(bytes)) => out.scope.get_or_insert_default().merge(bytes).ok()?,
            (2, Content::Bytes(bytes)) => out.spans.push(bytes),
            (3, Content::Bytes(bytes)) => out.schema_url = str::from_utf8(bytes).ok()?,
            (1..=3, _) => return None,
            _ => {}
        }
    }
    Some(out)
}
