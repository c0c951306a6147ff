//! What changed from one version of the conventions to another: the table of a migration.

mod compare;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Event, Metric, Registry, SpanType, Status, Successor, Successors, Version};
use compare::{attribute_details, compare, event_details, metric_details, span_details};

/// What changed between two versions, by signal, then kind of change, then name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Diff {
    /// The version before.
    pub from: String,
    /// The version after.
    pub to: String,
    /// The changes.
    pub changes: Vec<Change>,
}

/// One change of one name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What the name is a name of.
    pub signal: Signal,
    /// What happened to it.
    pub kind: ChangeKind,
    /// The name; of something new, the new one, and else the one in the version before.
    pub name: String,
    /// What stands for it now, for what was renamed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<Successor>,
    /// What else about it is different.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Detail>,
}

/// What a name is a name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// An attribute, on whichever signal.
    Attribute,
    /// A span type.
    Span,
    /// A metric.
    Metric,
    /// An event.
    Event,
}

/// What happened to a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It has another name, or several.
    Renamed,
    /// Its values have another type, unit or instrument.
    Retyped,
    /// It is gone, and nothing stands for it.
    Removed,
    /// It is still there, is not to be used, and nothing stands for it.
    Deprecated,
    /// It was not there before.
    New,
    /// It has the same name and type, and differs in its details.
    Changed,
}

/// A fact that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detail {
    /// Which fact, such as `unit`, `value` or the name of an attribute.
    pub what: String,
    /// What it was; nothing for what is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What it is; nothing for what is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl Diff {
    /// What changed between two known versions, in either direction.
    ///
    /// # Panics
    ///
    /// As [`Version::registry`] does.
    #[must_use]
    pub fn between(from: Version, to: Version) -> Diff {
        if from > to {
            return Diff::between(to, from).reversed();
        }
        let later = Version::all().filter(|version| *version > from && *version <= to);
        let steps: Vec<Successors> = later.map(|version| version.registry().successors).collect();
        Diff::of(&from.registry(), &to.registry(), &steps)
    }

    /// What changed between two registries. `steps` are the successors that each version after
    /// `from` names, up to and with `to`, oldest first.
    #[must_use]
    pub fn of(from: &Registry, to: &Registry, steps: &[Successors]) -> Diff {
        let renames = attribute_renames(from, to, steps);
        let mut changes = Vec::new();
        compare(
            Signal::Attribute,
            (&from.attributes, &to.attributes),
            &renames,
            attribute_details,
            &mut changes,
        );
        let spans = follow(steps.iter().map(|step| &step.spans));
        let with = |old: &SpanType, new: &SpanType| span_details(old, new, &renames);
        compare(Signal::Span, (&from.spans, &to.spans), &spans, with, &mut changes);
        let metrics = follow(steps.iter().map(|step| &step.metrics));
        let with = |old: &Metric, new: &Metric| metric_details(old, new, &renames);
        compare(Signal::Metric, (&from.metrics, &to.metrics), &metrics, with, &mut changes);
        let with = |old: &Event, new: &Event| event_details(old, new, &renames);
        compare(Signal::Event, (&from.events, &to.events), &Renames::new(), with, &mut changes);
        // What one of the two does not describe at all is neither gone nor new.
        changes.retain(|change| {
            let is_described =
                |registry: &Registry| describes(registry, change.signal, &change.name);
            is_described(from) && is_described(to)
        });
        changes.sort();
        Diff { from: from.version.clone(), to: to.version.clone(), changes }
    }

    /// The names that `name` has become, where it was renamed.
    #[must_use]
    pub fn successors(&self, signal: Signal, name: &str) -> &[Successor] {
        self.changes
            .iter()
            .find(|change| change.signal == signal && change.name == name)
            .map_or(&[], |change| &change.to)
    }

    /// The same changes, made undone.
    fn reversed(self) -> Diff {
        let mut changes: Vec<Change> = self.changes.into_iter().flat_map(reverse).collect();
        changes.sort();
        merge_renames(&mut changes);
        Diff { from: self.to, to: self.from, changes }
    }
}

/// Whether a registry describes the area that a name belongs to. The GenAI conventions in
/// development have left those at large, whose other areas they refer to and do not describe.
fn describes(registry: &Registry, signal: Signal, name: &str) -> bool {
    const AREAS: [&str; 4] = ["gen_ai.", "aws.bedrock.", "openai.", "azure.ai."];
    registry.status == Status::Released
        || match signal {
            Signal::Attribute => AREAS.iter().any(|area| name.starts_with(area)),
            Signal::Span | Signal::Metric | Signal::Event => !name.starts_with("mcp."),
        }
}

fn reverse(change: Change) -> Vec<Change> {
    let details: Vec<Detail> = change
        .details
        .into_iter()
        .map(|Detail { what, from, to }| Detail { what, from: to, to: from })
        .collect();
    let kind = match change.kind {
        ChangeKind::Renamed => {
            let back = |to: Successor| Change {
                signal: change.signal,
                kind: ChangeKind::Renamed,
                name: to.name,
                to: vec![Successor { name: change.name.clone(), only_on: to.only_on }],
                details: details.clone(),
            };
            return change.to.into_iter().map(back).collect();
        }
        ChangeKind::Removed | ChangeKind::Deprecated => ChangeKind::New,
        ChangeKind::New => ChangeKind::Removed,
        kind @ (ChangeKind::Retyped | ChangeKind::Changed) => kind,
    };
    vec![Change { signal: change.signal, kind, name: change.name, to: Vec::new(), details }]
}

/// Two names that become one come back as one name that becomes two.
fn merge_renames(changes: &mut Vec<Change>) {
    changes.dedup_by(|later, first| {
        let is_same = later.kind == ChangeKind::Renamed
            && first.kind == ChangeKind::Renamed
            && (later.signal, &later.name) == (first.signal, &first.name);
        if is_same {
            first.to.append(&mut later.to);
        }
        is_same
    });
}

/// Successors by former name.
type Renames = BTreeMap<String, Vec<Successor>>;

/// What names have become after several steps of renaming.
fn follow<'a>(steps: impl Iterator<Item = &'a Renames>) -> Renames {
    let mut renames = Renames::new();
    for step in steps {
        for successors in renames.values_mut() {
            *successors = successors
                .iter()
                .flat_map(|successor| match step.get(&successor.name) {
                    Some(next) => next.clone(),
                    None => vec![successor.clone()],
                })
                .collect();
        }
        for (name, successors) in step {
            renames.entry(name.clone()).or_insert_with(|| successors.clone());
        }
    }
    renames
}

/// What attributes have become: what the deprecations say, and what the versions name besides.
fn attribute_renames(from: &Registry, to: &Registry, steps: &[Successors]) -> Renames {
    let mut renames = follow(steps.iter().map(|step| &step.attributes));
    for (name, attribute) in &to.attributes {
        let was_current = from.attributes.get(name).is_some_and(|old| old.deprecated.is_none());
        let Some(deprecation) = attribute.deprecated.as_ref().filter(|_| was_current) else {
            continue;
        };
        if let Some(new) = &deprecation.renamed_to {
            let successor = Successor { name: new.clone(), only_on: None };
            renames.entry(name.clone()).or_insert_with(|| vec![successor]);
        }
    }
    renames
}
