//! The sources as they are written: groups of attributes in YAML, of which only facts are read.
//!
//! There are two formats, side by side in one folder since 1.42: files with `groups`, and files
//! with `file_format: definition/2`, which [`super::definition`] turns into groups.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_norway::Value;

use super::definition;

/// A group: a set of attributes, a span, a metric or an event.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Group {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: GroupKind,
    pub(super) extends: Option<String>,
    /// Groups whose attributes it has too: those of `ref_group` in the second format.
    #[serde(skip)]
    pub(super) includes: Vec<String>,
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
    pub(super) annotations: Annotations,
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
    #[serde(alias = "key")]
    pub(super) id: Option<String>,
    #[serde(rename = "ref")]
    pub(super) reference: Option<String>,
    #[serde(rename = "type")]
    pub(super) value_type: Option<Type>,
    pub(super) requirement_level: Option<Value>,
    pub(super) sampling_relevant: bool,
    pub(super) deprecated: Option<Deprecation>,
    pub(super) note: String,
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
        #[serde(default)]
        note: String,
    },
    Sentence(String),
}

/// Remarks for generators of code, of which one is a fact: the type of a metric's values.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Annotations {
    pub(super) code_generation: CodeGeneration,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CodeGeneration {
    pub(super) metric_value_type: Option<String>,
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
            && !is_manifest(&path)
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

/// The groups of one file, whichever its format.
pub(super) fn parse(text: &str) -> Result<Vec<Group>> {
    let file: Value = serde_norway::from_str(text)?;
    let groups = match file.get("file_format").and_then(Value::as_str) {
        Some(format) if definition::is_read(format) => definition::groups(file)?,
        Some(format) => {
            bail!("unknown file format `{format}`; `groups` and `definition/2` are read")
        }
        None => serde_norway::from_value::<File>(file)?.groups,
    };
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

/// What a checkout says of itself, in `model/manifest.yaml`.
#[derive(Deserialize)]
pub(super) struct Manifest {
    /// Such as `https://opentelemetry.io/schemas/1.44.0`.
    pub(super) schema_url: String,
}

/// The manifest of a checkout, if it has one.
pub(super) fn manifest(model: &Path) -> Result<Option<Manifest>> {
    let path = model.join("manifest.yaml");
    if !path.exists() {
        return Ok(None);
    }
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    serde_norway::from_str(&text)
        .map(Some)
        .with_context(|| format!("cannot understand `{}`", path.display()))
}

fn is_manifest(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem == "manifest" || stem == "registry_manifest")
}
