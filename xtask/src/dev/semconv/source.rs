//! The sources as they are written: groups of attributes in YAML, of which only facts are read.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_norway::Value;

/// A group: a set of attributes, a span, a metric or an event.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Group {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: GroupKind,
    pub(super) extends: Option<String>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) deprecated: Option<Deprecation>,
    /// Of spans.
    pub(super) span_kind: Option<String>,
    pub(super) brief: String,
    pub(super) note: String,
    /// Of metrics.
    pub(super) metric_name: Option<String>,
    pub(super) instrument: Option<String>,
    pub(super) unit: Option<String>,
    /// Of events.
    pub(super) name: Option<String>,
}

/// What a group describes. A group that does not say is a span: so it was in the first versions of
/// the format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum GroupKind {
    AttributeGroup,
    #[default]
    Span,
    Metric,
    Event,
    Entity,
    /// What entities were called first.
    Resource,
}

/// An attribute that a group defines (`id`) or takes from another (`ref`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Attribute {
    pub(super) id: Option<String>,
    #[serde(rename = "ref")]
    pub(super) reference: Option<String>,
    #[serde(rename = "type")]
    pub(super) value_type: Option<Type>,
    pub(super) requirement_level: Option<Value>,
    pub(super) deprecated: Option<Deprecation>,
}

/// The type of an attribute.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Type {
    /// By name, such as `string[]`.
    Named(String),
    /// An enumeration.
    Enumeration { members: Vec<Member> },
}

/// A member of an enumeration.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Member {
    pub(super) value: MemberValue,
    #[serde(default)]
    pub(super) deprecated: Option<Deprecation>,
}

/// The value of a member, which also gives the enumeration its type.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum MemberValue {
    Int(i64),
    Text(String),
}

/// A deprecation: a sentence at first, since 1.31 a reason and the new name.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Deprecation {
    Structured {
        #[serde(default)]
        renamed_to: Option<String>,
    },
    Sentence(String),
}

#[derive(Deserialize)]
struct File {
    groups: Vec<Group>,
}

/// The groups of every YAML file under `model`, files in the order of their paths.
pub(super) fn read(model: &Path) -> Result<Vec<Group>> {
    let mut groups = Vec::new();
    let mut entries = fs::read_dir(model)
        .with_context(|| format!("cannot read the folder `{}`", model.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            groups.extend(read(&path)?);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml")
        {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read `{}`", path.display()))?;
            groups.extend(
                parse(&text).with_context(|| format!("cannot understand `{}`", path.display()))?,
            );
        }
    }
    Ok(groups)
}

/// The groups of one file.
pub(super) fn parse(text: &str) -> Result<Vec<Group>> {
    let File { groups } = serde_norway::from_str(text)?;
    for group in &groups {
        for attribute in &group.attributes {
            ensure!(
                attribute.id.is_some() != attribute.reference.is_some(),
                "an attribute of group `{}` has to have either `id` or `ref`",
                group.id
            );
        }
    }
    Ok(groups)
}
