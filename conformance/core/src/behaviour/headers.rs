//! Headers that differ.

use super::requests::Call;

/// Headers that differ from request to request, or follow from the rest of it.
const NEVER_COMPARED: &[&str] = &[
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "connection",
    "content-length",
    "content-md5",
    "host",
    "transfer-encoding",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-stainless-read-timeout",
    "x-stainless-retry-count",
    "x-stainless-timeout",
];

/// What instrumentations send along, as is their task.
const PROPAGATION: &[&str] = &[
    "b3",
    "baggage",
    "elastic-apm-traceparent",
    "sentry-trace",
    "traceparent",
    "tracestate",
    "uber-trace-id",
    "x-amzn-trace-id",
    "x-b3-flags",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-spanid",
    "x-b3-traceid",
    "x-datadog-parent-id",
    "x-datadog-sampling-priority",
    "x-datadog-tags",
    "x-datadog-trace-id",
];

/// What says which software sends a request, which instrumentations add to.
const SENDER: &[&str] = &["user-agent", "x-amz-user-agent"];

/// A header that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderChange {
    /// Its name, in lower case.
    pub name: String,
    /// Without instrumentation; nothing where it was not sent.
    pub without: Option<String>,
    /// With.
    pub with: Option<String>,
    /// What it means.
    pub meaning: Meaning,
}

/// What a header that differs means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The service gets something else than the application meant.
    Altered,
    /// It gets something more, or another name of who sends it.
    Beside,
}

pub(super) fn changes(without: &Call, with: &Call) -> Vec<HeaderChange> {
    let mut changes: Vec<HeaderChange> = Vec::new();
    for name in differing(without, with) {
        let before = without.request.headers.get(&name).cloned();
        let after = with.request.headers.get(&name).cloned();
        let meaning = if before.is_none() || SENDER.contains(&name.as_str()) {
            Meaning::Beside
        } else {
            Meaning::Altered
        };
        changes.push(HeaderChange { name, without: before, with: after, meaning });
    }
    changes
}

/// The names of the headers that differ.
pub(super) fn differing(one: &Call, other: &Call) -> Vec<String> {
    let (one, other) = (&one.request.headers, &other.request.headers);
    let mut names: Vec<&String> = one.keys().chain(other.keys()).collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .filter(|name| one.get(*name) != other.get(*name))
        .filter(|name| !NEVER_COMPARED.contains(&name.as_str()))
        .filter(|name| !PROPAGATION.contains(&name.as_str()))
        .cloned()
        .collect()
}
