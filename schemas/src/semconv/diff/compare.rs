//! Comparing what two versions say of the same name, or of a name and its successor.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Attribute, Event, Metric, Requirement, SpanType, Successor};
use super::{Change, ChangeKind, Detail, Renames, Signal};

/// Something that a version may have deprecated.
pub(super) trait Named {
    fn is_deprecated(&self) -> bool;
}

impl Named for Attribute {
    fn is_deprecated(&self) -> bool {
        self.deprecated.is_some()
    }
}

impl Named for SpanType {
    fn is_deprecated(&self) -> bool {
        self.deprecated.is_some()
    }
}

impl Named for Metric {
    fn is_deprecated(&self) -> bool {
        self.deprecated.is_some()
    }
}

impl Named for Event {
    fn is_deprecated(&self) -> bool {
        self.deprecated.is_some()
    }
}

/// How two of one name, or of two names, differ.
#[derive(Debug, Default)]
pub(super) struct Differences {
    /// In type, unit or instrument.
    of_type: Vec<Detail>,
    others: Vec<Detail>,
}

impl Differences {
    fn all(self) -> Vec<Detail> {
        [self.of_type, self.others].concat()
    }
}

pub(super) fn compare<T: Named>(
    signal: Signal,
    (from, to): (&BTreeMap<String, T>, &BTreeMap<String, T>),
    renames: &Renames,
    differences: impl Fn(&T, &T) -> Differences,
    changes: &mut Vec<Change>,
) {
    let mut successors_of_all: BTreeSet<&str> = BTreeSet::new();
    let mut push = |kind, name: &str, to, details| {
        changes.push(Change { signal, kind, name: name.to_owned(), to, details });
    };
    for (name, old) in from.iter().filter(|(_, old)| !old.is_deprecated()) {
        let successors: Vec<Successor> = renames.get(name).into_iter().flatten().cloned().collect();
        let known: Vec<Successor> =
            successors.into_iter().filter(|new| to.contains_key(&new.name)).collect();
        let is_renamed = !known.is_empty();
        if is_renamed {
            successors_of_all.extend(
                to.keys()
                    .map(String::as_str)
                    .filter(|key| known.iter().any(|new| new.name == *key)),
            );
            // What became several, or only in part another, is nothing to compare with one.
            let details = match &known[..] {
                [Successor { name, only_on: None }] => differences(old, &to[name]).all(),
                _ => Vec::new(),
            };
            push(ChangeKind::Renamed, name, known, details);
        }
        match to.get(name) {
            Some(new) if !new.is_deprecated() => {
                let Differences { of_type, others } = differences(old, new);
                if !of_type.is_empty() {
                    push(ChangeKind::Retyped, name, Vec::new(), [of_type, others].concat());
                } else if !others.is_empty() {
                    push(ChangeKind::Changed, name, Vec::new(), others);
                }
            }
            _ if is_renamed => {}
            Some(_) => push(ChangeKind::Deprecated, name, Vec::new(), Vec::new()),
            None => push(ChangeKind::Removed, name, Vec::new(), Vec::new()),
        }
    }
    for (name, _) in to.iter().filter(|(_, new)| !new.is_deprecated()) {
        let was_current = from.get(name).is_some_and(|old| !old.is_deprecated());
        if !was_current && !successors_of_all.contains(name.as_str()) {
            push(ChangeKind::New, name, Vec::new(), Vec::new());
        }
    }
}

pub(super) fn attribute_details(old: &Attribute, new: &Attribute) -> Differences {
    let type_of = |attribute: &Attribute| {
        let name = attribute.value_type.as_str();
        if attribute.template { format!("template[{name}]") } else { name.to_owned() }
    };
    let current = |attribute: &Attribute| -> BTreeSet<String> {
        let members = attribute.members.iter().filter(|member| member.deprecated.is_none());
        members.map(|member| member.value.clone()).collect()
    };
    let word = |is_sensitive: bool| is_sensitive.then(|| "sensitive".to_owned());
    let mut others = Vec::new();
    others.extend(sets("value", &current(old), &current(new)));
    others.extend(differ("schema", old.json_schema.clone(), new.json_schema.clone()));
    others.extend(differ("content", word(old.sensitive), word(new.sensitive)));
    Differences {
        of_type: differ("type", Some(type_of(old)), Some(type_of(new))).into_iter().collect(),
        others,
    }
}

pub(super) fn span_details(old: &SpanType, new: &SpanType, renames: &Renames) -> Differences {
    let kinds = |span: &SpanType| {
        Some(span.kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" or "))
    };
    let mut others = Vec::new();
    others.extend(differ("kind", kinds(old), kinds(new)));
    let patterns = |span: &SpanType| Some(span.name_patterns.join(" or "));
    others.extend(differ("span name", patterns(old), patterns(new)));
    others.extend(sets("operation", &old.operations, &new.operations));
    others.extend(requirements(&old.attributes, &new.attributes, renames));
    Differences { of_type: Vec::new(), others }
}

pub(super) fn metric_details(old: &Metric, new: &Metric, renames: &Renames) -> Differences {
    let mut of_type = Vec::new();
    of_type.extend(differ(
        "instrument",
        Some(old.instrument.clone()),
        Some(new.instrument.clone()),
    ));
    of_type.extend(differ("unit", Some(old.unit.clone()), Some(new.unit.clone())));
    let mut others = Vec::new();
    let boundaries =
        |metric: &Metric| metric.boundaries.first().map(|_| format!("{:?}", metric.boundaries));
    others.extend(differ("boundaries", boundaries(old), boundaries(new)));
    others.extend(requirements(&old.attributes, &new.attributes, renames));
    Differences { of_type, others }
}

pub(super) fn event_details(old: &Event, new: &Event, renames: &Renames) -> Differences {
    let mut others = Vec::new();
    others.extend(differ("severity", old.severity.clone(), new.severity.clone()));
    others.extend(requirements(&old.attributes, &new.attributes, renames));
    Differences { of_type: Vec::new(), others }
}

/// Attributes that came, went or are required in another way; one that has another name is neither.
fn requirements(
    old: &BTreeMap<String, Requirement>,
    new: &BTreeMap<String, Requirement>,
    renames: &Renames,
) -> Vec<Detail> {
    let now = |name: &str| {
        let successors = renames.get(name).into_iter().flatten();
        successors.map(|new| new.name.clone()).find(|successor| new.contains_key(successor))
    };
    let mut details = Vec::new();
    let mut met: BTreeSet<String> = BTreeSet::new();
    for (name, level) in old {
        let name =
            if new.contains_key(name) { name.clone() } else { now(name).unwrap_or(name.clone()) };
        let level_now = new.get(&name).map(|level| level.describe());
        details.extend(differ(&name, Some(level.describe()), level_now));
        met.insert(name);
    }
    for (name, level) in new.iter().filter(|(name, _)| !met.contains(*name)) {
        details.extend(differ(name, None, Some(level.describe())));
    }
    details.sort();
    details
}

/// What is only in one of two sets.
fn sets(what: &str, old: &BTreeSet<String>, new: &BTreeSet<String>) -> Vec<Detail> {
    let gone = old.difference(new).map(|value| (Some(value.clone()), None));
    let come = new.difference(old).map(|value| (None, Some(value.clone())));
    gone.chain(come).map(|(from, to)| Detail { what: what.to_owned(), from, to }).collect()
}

fn differ(what: &str, from: Option<String>, to: Option<String>) -> Option<Detail> {
    (from != to).then(|| Detail { what: what.to_owned(), from, to })
}
