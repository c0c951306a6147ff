//! The semantic-convention registries: facts per version, as `cargo xtask dev semconv import` resolved them.
//!
//! A registry file under `semconv/` holds names, types, enum members, requirement levels with
//! condition codes, span kinds and name patterns, metrics, events, deprecations and renames: facts,
//! not the prose of the conventions.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use diff::{Change, ChangeKind, Detail, Diff, Signal};
pub use history::History;
pub use requirement::{Condition, Requirement};
pub use version::{UnknownVersion, Version};

mod diff;
#[path = "../semconv/files.rs"]
mod files;
mod history;
mod requirement;
mod version;

/// One version of the conventions, resolved: references followed, groups and refinements applied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// The version, such as `1.41.1`.
    pub version: String,
    /// Whether it has been released.
    pub status: Status,
    /// The schema URL that telemetry of this version should state.
    pub schema_url: String,
    /// Attributes by name, deprecated ones included.
    pub attributes: BTreeMap<String, Attribute>,
    /// Span types by id, such as `aws.bedrock.client`.
    pub spans: BTreeMap<String, SpanType>,
    /// Metrics by name.
    pub metrics: BTreeMap<String, Metric>,
    /// Events by name.
    pub events: BTreeMap<String, Event>,
    /// What names of earlier versions have become, beside what the deprecations say.
    #[serde(default, skip_serializing_if = "Successors::is_empty")]
    pub successors: Successors,
}

/// Whether a version of the conventions has been released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It has, and stays as it is.
    Released,
    /// It changes until it is.
    InDevelopment,
}

/// An attribute of the registry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// What values it takes.
    #[serde(rename = "type")]
    pub value_type: AttributeType,
    /// Whether the name is the prefix of a family of names, such as `aws.request.header.<key>`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub template: bool,
    /// Known values, for enumerations, which are all open; empty for the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Member>,
    /// The file name of the JSON Schema that its value has to follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json_schema: Option<String>,
    /// Whether the conventions warn that the value may be sensitive.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
    /// Set when the attribute is deprecated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<Deprecation>,
}

/// The type of an attribute's value. An enumeration has the type of its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttributeType {
    /// UTF-8 text.
    String,
    /// A signed 64-bit integer.
    Int,
    /// A double.
    Double,
    /// True or false.
    Boolean,
    /// A list of texts.
    #[serde(rename = "string[]")]
    StringArray,
    /// A list of integers.
    #[serde(rename = "int[]")]
    IntArray,
    /// A list of doubles.
    #[serde(rename = "double[]")]
    DoubleArray,
    /// A list of truth values.
    #[serde(rename = "boolean[]")]
    BooleanArray,
    /// Anything: structured values, on signals that carry them, or JSON text on spans.
    Any,
}

impl AttributeType {
    /// The word for the type, as the conventions write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            AttributeType::String => "string",
            AttributeType::Int => "int",
            AttributeType::Double => "double",
            AttributeType::Boolean => "boolean",
            AttributeType::StringArray => "string[]",
            AttributeType::IntArray => "int[]",
            AttributeType::DoubleArray => "double[]",
            AttributeType::BooleanArray => "boolean[]",
            AttributeType::Any => "any",
        }
    }
}

/// A known value of an enumeration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The value as it stands in telemetry; integers as decimal text.
    pub value: String,
    /// Set when the member is deprecated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<Deprecation>,
}

/// That something is deprecated, and what to use instead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deprecation {
    /// The new name, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_to: Option<String>,
}

/// A kind of span that the conventions describe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpanType {
    /// The kinds it may have; the first is the expected one.
    pub kinds: Vec<SpanKind>,
    /// The values of `gen_ai.operation.name` that it describes; empty for spans of other areas.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub operations: BTreeSet<String>,
    /// Values that tell it from the type it refines, by attribute name; empty where it refines none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fixed: BTreeMap<String, String>,
    /// The type whose other attributes it has too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refines: Option<String>,
    /// Name patterns in order of preference, such as `{gen_ai.operation.name} {gen_ai.request.model}`;
    /// empty where the conventions state none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub name_patterns: Vec<String>,
    /// The attributes that are to be set when the span starts, if they are set at all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub at_creation: BTreeSet<String>,
    /// Requirement level by attribute name.
    pub attributes: BTreeMap<String, Requirement>,
    /// Set when the span type is deprecated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<Deprecation>,
}

/// The kind of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpanKind {
    /// An outgoing call.
    Client,
    /// An incoming call.
    Server,
    /// Work within a process.
    Internal,
    /// A message sent.
    Producer,
    /// A message received.
    Consumer,
}

impl SpanKind {
    /// The kind as the conventions write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            SpanKind::Client => "CLIENT",
            SpanKind::Server => "SERVER",
            SpanKind::Internal => "INTERNAL",
            SpanKind::Producer => "PRODUCER",
            SpanKind::Consumer => "CONSUMER",
        }
    }
}

/// A metric that the conventions describe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// `histogram`, `counter`, `updowncounter` or `gauge`.
    pub instrument: String,
    /// The UCUM unit, such as `s` or `{token}`.
    pub unit: String,
    /// `int` or `double`, where the conventions say which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_type: Option<AttributeType>,
    /// Requirement level by attribute name.
    pub attributes: BTreeMap<String, Requirement>,
    /// Advised explicit bucket boundaries, where the conventions state them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub boundaries: Vec<f64>,
    /// Whether it is recorded for streaming calls only.
    #[serde(default, skip_serializing_if = "is_false")]
    pub streaming_only: bool,
    /// The span type that it is recorded beside, where it has one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<String>,
    /// The span types that it is not recorded beside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_for: Vec<String>,
    /// Set when the metric is deprecated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<Deprecation>,
}

/// An event that the conventions describe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Requirement level by attribute name.
    pub attributes: BTreeMap<String, Requirement>,
    /// The severity of its log records, such as `WARN`, where the conventions state it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Whether it is emitted only when the user asks for it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub opt_in: bool,
    /// Set when the event is deprecated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<Deprecation>,
}

/// What names of earlier versions have become, where no deprecation says so: by former name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Successors {
    /// Attributes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Vec<Successor>>,
    /// Span types.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub spans: BTreeMap<String, Vec<Successor>>,
    /// Metrics.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, Vec<Successor>>,
}

impl Successors {
    /// Whether nothing has another name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty() && self.spans.is_empty() && self.metrics.is_empty()
    }
}

/// A name that stands for an earlier one, or for a part of what that stood for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Successor {
    /// The new name.
    pub name: String,
    /// The span type that it holds for, where it does not hold for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_on: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
