//! Headers that differ.

use std::borrow::Cow;

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

/// Begins the list of the SDK's features that a sender states.
const FEATURES: &str = "m/";

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

/// What a header states. SDKs in Python list the features that they use, `m/E,N,b`, in the order of a
/// set, which is another in each process.
fn stated<'a>(name: &str, value: Option<&'a String>) -> Option<Cow<'a, str>> {
    let value = value?.as_str();
    if !SENDER.contains(&name) || !value.contains(FEATURES) {
        return Some(value.into());
    }
    let word = |word: &str| match word.strip_prefix(FEATURES) {
        Some(features) => {
            let mut features: Vec<&str> = features.split(',').collect();
            features.sort_unstable();
            format!("{FEATURES}{}", features.join(","))
        }
        None => word.to_owned(),
    };
    Some(value.split(' ').map(word).collect::<Vec<_>>().join(" ").into())
}

/// The names of the headers that differ.
pub(super) fn differing(one: &Call, other: &Call) -> Vec<String> {
    let (one, other) = (&one.request.headers, &other.request.headers);
    let mut names: Vec<&String> = one.keys().chain(other.keys()).collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .filter(|name| stated(name, one.get(*name)) != stated(name, other.get(*name)))
        .filter(|name| !NEVER_COMPARED.contains(&name.as_str()))
        .filter(|name| !PROPAGATION.contains(&name.as_str()))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_features_of_a_sender_says_nothing() {
        let sender = |features: &str| format!("Boto3/1.44 m/{features} cfg/retry-mode#standard");
        let (one, other, more) = (sender("E,N,b"), sender("b,E,N"), sender("b,E,N,Z"));
        assert_eq!(stated("user-agent", Some(&one)), stated("user-agent", Some(&other)));
        assert_ne!(stated("user-agent", Some(&one)), stated("user-agent", Some(&more)));
        assert_ne!(stated("accept", Some(&one)), stated("accept", Some(&other)));
    }
}
