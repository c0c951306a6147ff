//! The second format of the sources, `file_format: definition/2`: attributes, groups of
//! references and signals stand apart, and refinements name the signal that they refine.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_norway::Value;

use super::source::{Annotations, Attribute, Deprecation, Group, GroupKind};

/// Whether files of that `file_format` are read: `definition/2`, or with the rest of its number.
pub(super) fn is_read(format: &str) -> bool {
    format.strip_prefix("definition/2").is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct File {
    attributes: Vec<Attribute>,
    attribute_groups: Vec<AttributeGroup>,
    spans: Vec<Signal>,
    span_refinements: Vec<Refinement>,
    metrics: Vec<Signal>,
    metric_refinements: Vec<Refinement>,
    events: Vec<Signal>,
}

#[derive(Deserialize)]
struct AttributeGroup {
    id: String,
    #[serde(default)]
    attributes: Vec<Item>,
}

/// A span, a metric or an event.
#[derive(Deserialize)]
struct Signal {
    /// Of spans: what identifies them.
    #[serde(rename = "type")]
    span_type: Option<String>,
    kind: Option<String>,
    name: Option<Name>,
    instrument: Option<String>,
    unit: Option<String>,
    #[serde(default)]
    annotations: Annotations,
    #[serde(default)]
    brief: String,
    #[serde(default)]
    note: String,
    deprecated: Option<Deprecation>,
    #[serde(default)]
    attributes: Vec<Item>,
}

/// The name of a metric or an event; of a span, how it is formed.
#[derive(Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Note { note: String },
}

/// A signal for one provider, say, that has everything of another one but what it says itself.
#[derive(Deserialize)]
struct Refinement {
    id: String,
    #[serde(rename = "ref")]
    reference: String,
    #[serde(default)]
    brief: String,
    #[serde(default)]
    note: String,
    name: Option<Name>,
    deprecated: Option<Deprecation>,
    #[serde(default)]
    attributes: Vec<Item>,
}

/// A reference to a group, or to an attribute.
#[derive(Deserialize)]
#[serde(untagged)]
enum Item {
    Group { ref_group: String },
    Attribute(Box<Attribute>),
}

/// The groups that a file comes to. A refined metric is no metric of its own: what is told apart
/// by the provider has the same name on the wire.
pub(super) fn groups(file: Value) -> Result<Vec<Group>> {
    let file: File = serde_norway::from_value(file)?;
    let mut groups = Vec::new();
    if !file.attributes.is_empty() {
        // Names of groups are names of the sources, so that no other group is called so.
        let first = file.attributes[0].id.clone().unwrap_or_default();
        let id = format!("attributes beginning with {first}");
        let (kind, attributes) = (GroupKind::AttributeGroup, file.attributes);
        groups.push(Group { id, kind, attributes, ..Group::default() });
    }
    for AttributeGroup { id, attributes } in file.attribute_groups {
        let (includes, attributes) = split(attributes);
        let kind = GroupKind::AttributeGroup;
        groups.push(Group { id, kind, includes, attributes, ..Group::default() });
    }
    for span in file.spans {
        let id = span.span_type.clone().context("a span needs `type`")?;
        let note = span_note(span.name, &span.note);
        let (includes, attributes) = split(span.attributes);
        groups.push(Group {
            id: format!("span.{id}"),
            kind: GroupKind::Span,
            includes,
            attributes,
            span_kind: span.kind,
            brief: span.brief,
            note,
            deprecated: span.deprecated,
            ..Group::default()
        });
    }
    for span in file.span_refinements {
        let note = span_note(span.name, &span.note);
        let (includes, attributes) = split(span.attributes);
        groups.push(Group {
            id: format!("span.{}", span.id),
            kind: GroupKind::Span,
            extends: Some(format!("span.{}", span.reference)),
            includes,
            attributes,
            brief: span.brief,
            note,
            deprecated: span.deprecated,
            ..Group::default()
        });
    }
    for metric in file.metrics {
        let name = text(metric.name).context("a metric needs `name`")?;
        let (includes, attributes) = split(metric.attributes);
        groups.push(Group {
            id: format!("metric.{name}"),
            kind: GroupKind::Metric,
            metric_name: Some(name),
            instrument: metric.instrument,
            unit: metric.unit,
            annotations: metric.annotations,
            includes,
            attributes,
            note: metric.note,
            deprecated: metric.deprecated,
            ..Group::default()
        });
    }
    for event in file.events {
        let name = text(event.name).context("an event needs `name`")?;
        let (includes, attributes) = split(event.attributes);
        groups.push(Group {
            id: format!("event.{name}"),
            kind: GroupKind::Event,
            name: Some(name),
            includes,
            attributes,
            note: event.note,
            deprecated: event.deprecated,
            ..Group::default()
        });
    }
    for refinement in file.metric_refinements {
        ensure!(!refinement.reference.is_empty(), "`{}` refines nothing", refinement.id);
    }
    Ok(groups)
}

/// The note on a span, with what is said of its name set before it.
fn span_note(name: Option<Name>, note: &str) -> String {
    match name {
        Some(Name::Note { note: name } | Name::Text(name)) => {
            let begins = name.to_ascii_lowercase().contains("span name");
            let lead = if begins { "" } else { "**Span name** SHOULD be " };
            let name =
                if begins || name.contains('`') { name } else { format!("`{}`", name.trim()) };
            format!("{lead}{name}\n\n{note}")
        }
        None => note.to_owned(),
    }
}

fn text(name: Option<Name>) -> Option<String> {
    match name? {
        Name::Text(name) => Some(name),
        Name::Note { .. } => None,
    }
}

fn split(items: Vec<Item>) -> (Vec<String>, Vec<Attribute>) {
    let (mut groups, mut attributes) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            Item::Group { ref_group } => groups.push(ref_group),
            Item::Attribute(attribute) => attributes.push(*attribute),
        }
    }
    (groups, attributes)
}
