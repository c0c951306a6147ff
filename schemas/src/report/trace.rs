//! Traces around the examples of findings, so that a report can draw them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::time::UnixNanos;

/// A part of a trace: the spans that findings point at, and those around them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceExcerpt {
    /// 32 hex digits.
    pub trace_id: String,
    /// How many spans of the trace were captured, those left out here included.
    pub captured_spans: u64,
    /// Each parent before its children, siblings by start.
    pub spans: Vec<ExcerptSpan>,
}

/// A span of an excerpt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExcerptSpan {
    /// 16 hex digits.
    pub span_id: String,
    /// The parent that the span names, 16 hex digits; absent for a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_span_id: Option<String>,
    /// How many of the excerpt's spans it stands below.
    pub depth: u32,
    /// Whether the parent was captured at all. False for a root of the trace, and for a span whose
    /// parent never arrived.
    pub has_parent: bool,
    /// Its name.
    pub name: String,
    /// The word of OTLP in lower case, such as `client`.
    pub kind: ExcerptKind,
    /// When it started.
    pub start_unix_nanos: UnixNanos,
    /// When it ended.
    pub end_unix_nanos: UnixNanos,
    /// Its status.
    pub status: ExcerptStatus,
    /// The name of its instrumentation scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Of a span that a finding points at, the attributes of the conventions for GenAI, errors and
    /// servers as people read them, content masked. The first of them where there are many.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// The kind of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExcerptKind {
    /// Not said.
    Unspecified,
    /// Work within a process.
    Internal,
    /// An incoming call.
    Server,
    /// An outgoing call.
    Client,
    /// A message sent.
    Producer,
    /// A message received.
    Consumer,
}

impl ExcerptKind {
    /// The word that OpenTelemetry writes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ExcerptKind::Unspecified => "UNSPECIFIED",
            ExcerptKind::Internal => "INTERNAL",
            ExcerptKind::Server => "SERVER",
            ExcerptKind::Client => "CLIENT",
            ExcerptKind::Producer => "PRODUCER",
            ExcerptKind::Consumer => "CONSUMER",
        }
    }
}

/// The status of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExcerptStatus {
    /// Nothing was set.
    Unset,
    /// Explicitly well.
    Ok,
    /// Failed.
    Error,
}

impl ExcerptStatus {
    /// The word that OpenTelemetry writes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ExcerptStatus::Unset => "UNSET",
            ExcerptStatus::Ok => "OK",
            ExcerptStatus::Error => "ERROR",
        }
    }
}
