use spanproof_schemas::report::Level;

use crate::dialect::{Dialect, DialectSet};
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{Seen, SpanView};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "resource/mixed-dialect",
    summary: "a span speaks one dialect of the conventions",
    level: Level::Improvement,
    basis: Basis::Should("telemetry schemas, one schema URL for what a scope emits"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The GenAI attributes of every span that are not deprecated in every \
            version, by the dialects in which they are current: that of `gen_ai.system` (up to \
            1.36.0), that of `gen_ai.provider.name` (from 1.37.0 on), and the one in development \
            (genai-dev). A span of which no dialect has every name is a mixture; the finding \
            names the two dialects and the attributes that give each away. Whether a deprecated \
            name does harm is `deprecation/attribute`.",
        why: "A consumer of either dialect finds half of what it looks for, and no schema URL is \
            right: a backend that translates by it breaks the other half. Only a deliberate \
            migration sets both names, and ends.",
        example: "A span with `gen_ai.system`, which 1.37.0 has deprecated, and \
            `gen_ai.input.messages`, which 1.37.0 has introduced.",
        how_to_mend: "Choose a version and use its names for all attributes of the span.",
    },
    checks: &[Check::Span(check)],
};

fn check(view: &SpanView<'_>) -> Vec<Finding> {
    let all = view.attributes.iter().map(dialects).fold(DialectSet::ALL, DialectSet::and);
    if all != DialectSet::NONE {
        return Vec::new();
    }
    let Some((older, newer)) = disjoint(view.attributes) else { return Vec::new() };
    // Names that older dialects share are told by the newest of them, and the other way round.
    let Some((older_dialect, newer_dialect)) = older.iter().last().zip(newer.iter().next()) else {
        return Vec::new();
    };
    let message = format!(
        "the span mixes two dialects of the conventions: {} and {}",
        older_dialect.name(),
        newer_dialect.name()
    );
    vec![
        Finding::new(message)
            .attribute("attributes")
            .expected("names of one dialect")
            .actual(format!("{} beside {}", names(view, older), names(view, newer))),
    ]
}

/// The dialects that an attribute is current in.
fn dialects(seen: &Seen<'_>) -> DialectSet {
    seen.name.map_or(DialectSet::ALL, |name| name.dialects)
}

/// Two sets of dialects that names are current in and that have none in common, older first.
fn disjoint(attributes: &[Seen<'_>]) -> Option<(DialectSet, DialectSet)> {
    let oldest = |set: DialectSet| set.iter().next().unwrap_or(Dialect::Development);
    let mut sets: Vec<DialectSet> = attributes.iter().map(dialects).collect();
    sets.sort_by_key(|set| oldest(*set));
    sets.iter().enumerate().find_map(|(at, older)| {
        let newer = sets[at..].iter().find(|newer| older.and(**newer) == DialectSet::NONE)?;
        Some((*older, *newer))
    })
}

/// The attributes that are current in just these dialects, in the order of the wire.
fn names(view: &SpanView<'_>, set: DialectSet) -> String {
    let of_it = view.attributes.iter().filter(|seen| dialects(seen) == set);
    of_it.map(|seen| seen.key).collect::<Vec<_>>().join(", ")
}
