//! What telemetry has to change to speak another version, out of the difference of the two.

use spanproof_schemas::semconv::{ChangeKind, Condition, Diff, Requirement, Signal, Version};

use crate::catalogue::{SpanType, catalogue};

/// The names that telemetry used.
#[derive(Clone, Copy, Debug)]
pub struct Used<'a> {
    /// Attributes.
    pub attributes: &'a [&'a str],
    /// Metrics.
    pub metrics: &'a [&'a str],
    /// The types of its spans, in the version it speaks.
    pub span_types: &'a [&'static SpanType],
}

/// What becomes of the names used from one version to another, a piece for each, and which
/// attributes are required besides; nothing where every name stays.
#[must_use]
pub fn table(from: Version, to: Version, used: Used<'_>) -> Vec<String> {
    let diff = Diff::between(from, to);
    let mut rows: Vec<String> = Vec::new();
    for change in &diff.changes {
        let is_used = match change.signal {
            Signal::Attribute => used.attributes.contains(&change.name.as_str()),
            Signal::Metric => used.metrics.contains(&change.name.as_str()),
            Signal::Span | Signal::Event => false,
        };
        if !is_used {
            continue;
        }
        let name = &change.name;
        let detail = |what: &str| change.details.iter().find(|detail| detail.what == what);
        match change.kind {
            ChangeKind::Renamed => {
                let to: Vec<String> = change
                    .to
                    .iter()
                    .map(|new| match &new.only_on {
                        Some(span) => format!("{} on {span} spans", new.name),
                        None => new.name.clone(),
                    })
                    .collect();
                rows.push(format!("{name} -> {}", to.join(", ")));
            }
            ChangeKind::Removed | ChangeKind::Deprecated => rows.push(format!("{name} is gone")),
            ChangeKind::Retyped => {
                for what in ["type", "unit", "instrument"] {
                    if let Some(detail) = detail(what) {
                        let (from, to) = (detail.from.as_deref(), detail.to.as_deref());
                        let words = (from.unwrap_or("none"), to.unwrap_or("none"));
                        rows.push(format!("{name}: {what} {} -> {}", words.0, words.1));
                    }
                }
            }
            ChangeKind::New | ChangeKind::Changed => {}
        }
    }
    for (name, requirement) in newly_required(to, used) {
        let is_successor = diff
            .changes
            .iter()
            .filter(|change| used.attributes.contains(&change.name.as_str()))
            .any(|change| change.to.iter().any(|new| new.name == name));
        if !is_successor && !used.attributes.contains(&name) {
            rows.push(format!("{name} is {}", requirement.describe()));
        }
    }
    rows
}

/// Attributes that the newer version requires of such spans and the older did not, where it can be
/// told when.
fn newly_required(to: Version, used: Used<'_>) -> Vec<(&'static str, Requirement)> {
    let newer = catalogue().of(to);
    let mut required: Vec<(&'static str, Requirement)> = Vec::new();
    for older in used.span_types {
        for operation in &older.operations {
            let types = newer.span_types_for(operation);
            let same = types.iter().find(|span_type| span_type.provider == older.provider);
            for (id, requirement) in same.iter().flat_map(|span_type| &span_type.required) {
                let was = older.required.iter().any(|(known, _)| known == id);
                let name = &*catalogue().by_id(*id).text;
                let is_told = matches!(
                    requirement,
                    Requirement::Required
                        | Requirement::ConditionallyRequired(Condition::Streaming)
                );
                if is_told && !was && !required.iter().any(|(known, _)| *known == name) {
                    required.push((name, *requirement));
                }
            }
        }
    }
    required.sort_by_key(|(name, _)| *name);
    required
}
