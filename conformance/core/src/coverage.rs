//! Which attributes GenAI spans carry, counted as they come.

use std::collections::BTreeMap;

use spanproof_schemas::report::{AttributeCoverage, Coverage, RequirementLevel};
use spanproof_schemas::semconv::Requirement;

use crate::catalogue::{VersionIndex, catalogue, is_gen_ai};
use crate::view::SpanView;

/// How many names that no version defines are told apart for one span type.
const UNKNOWN_NAMES: usize = 64;

/// What is kept of such a name, in bytes.
const LONGEST_NAME: usize = 256;

/// Attribute counts by version and span type. There are only so many of these, however many spans.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    types: BTreeMap<(VersionIndex, Option<&'static str>), TypeCounts>,
}

#[derive(Debug, Default)]
struct TypeCounts {
    spans: u64,
    /// By the place of the name in the catalogue.
    known: Vec<u64>,
    /// `gen_ai.*` names that no version has.
    unknown: BTreeMap<String, u64>,
}

impl Counts {
    /// Counts the attributes of a span.
    pub(crate) fn span(&mut self, view: &SpanView<'_>) {
        let id = view.span_type.map(|span_type| span_type.id.as_str());
        let counts = self.types.entry((view.semconv.index, id)).or_default();
        counts.spans += 1;
        for seen in view.attributes {
            match seen.name {
                Some(name) => {
                    let place = name.id.place();
                    if place >= counts.known.len() {
                        counts.known.resize(place + 1, 0);
                    }
                    counts.known[place] += 1;
                }
                None if is_gen_ai(seen.key) => counts.unknown(seen.key, 1),
                None => {}
            }
        }
    }

    /// Adds the counts of another part of the telemetry, leaving it without any.
    pub(crate) fn merge(&mut self, other: &mut Counts) {
        for (key, more) in std::mem::take(&mut other.types) {
            let counts = self.types.entry(key).or_default();
            counts.spans += more.spans;
            counts.known.resize(counts.known.len().max(more.known.len()), 0);
            counts.known.iter_mut().zip(more.known).for_each(|(count, more)| *count += more);
            for (name, count) in more.unknown {
                counts.unknown(&name, count);
            }
        }
    }

    /// The counts beside what each span type asks for, by version and span type.
    pub(crate) fn into_coverage(self) -> Vec<Coverage> {
        let types = self.types.into_iter();
        types.map(|((version, span_type), counts)| counts.coverage(version, span_type)).collect()
    }
}

impl TypeCounts {
    fn unknown(&mut self, name: &str, spans: u64) {
        let name = crate::value::cut(name, LONGEST_NAME);
        if let Some(count) = self.unknown.get_mut(name) {
            *count += spans;
        } else if self.unknown.len() < UNKNOWN_NAMES {
            self.unknown.insert(name.to_owned(), spans);
        }
    }

    fn coverage(self, version: VersionIndex, span_type: Option<&'static str>) -> Coverage {
        let semconv = catalogue().conventions(version).version;
        let mut spans: BTreeMap<String, u64> = self.unknown;
        for (place, count) in self.known.iter().enumerate().filter(|(_, count)| **count > 0) {
            spans.insert(catalogue().at(place).text.to_string(), *count);
        }
        let mut registry = semconv.registry();
        let asked = span_type
            .and_then(|id| registry.spans.remove(id))
            .map(|span_type| span_type.attributes)
            .unwrap_or_default();
        for name in asked.keys() {
            spans.entry(name.clone()).or_insert(0);
        }
        let attributes = spans.into_iter().map(|(name, spans)| AttributeCoverage {
            requirement: asked.get(&name).map(|requirement| level(*requirement)),
            name,
            // A span may carry a name twice.
            spans: spans.min(self.spans),
        });
        Coverage {
            semconv: semconv.as_str().to_owned(),
            span_type: span_type.map(ToOwned::to_owned),
            spans: self.spans,
            attributes: attributes.collect(),
        }
    }
}

fn level(requirement: Requirement) -> RequirementLevel {
    match requirement {
        Requirement::Required => RequirementLevel::Required,
        Requirement::ConditionallyRequired(_) => RequirementLevel::ConditionallyRequired,
        Requirement::Recommended | Requirement::RecommendedIf(_) => RequirementLevel::Recommended,
        Requirement::OptIn => RequirementLevel::OptIn,
    }
}
