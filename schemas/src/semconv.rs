//! The semantic-convention registries: facts per version, as `cargo xtask dev semconv import` resolved them.
//!
//! A registry file under `semconv/` holds names, types, enum members, requirement levels with
//! condition codes, span kinds and name patterns, metrics, events and deprecations: facts, not the
//! prose of the conventions.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use files::FILES;
pub use history::History;

#[path = "../semconv/files.rs"]
mod files;
mod history;

/// One version of the conventions, resolved: references followed, `extends` applied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// The version, such as `1.41.1`.
    pub version: String,
    /// The schema URL that telemetry of this version should state.
    pub schema_url: String,
    /// Attributes by name, deprecated ones included.
    pub attributes: BTreeMap<String, Attribute>,
    /// Span types by id, such as `span.aws.bedrock.client`.
    pub spans: BTreeMap<String, SpanType>,
    /// Metrics by name.
    pub metrics: BTreeMap<String, Metric>,
    /// Events by name.
    pub events: BTreeMap<String, Event>,
}

/// An attribute of the registry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// What values it takes.
    #[serde(rename = "type")]
    pub value_type: AttributeType,
    /// Known values, for enumerations; empty for the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Member>,
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
    /// A family of keys under one prefix, such as `aws.request.header.<key>`.
    Template,
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
    /// Name patterns in order of preference, such as `{gen_ai.operation.name} {gen_ai.request.model}`;
    /// empty where the conventions state none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub name_patterns: Vec<String>,
    /// Requirement level by attribute name.
    pub attributes: BTreeMap<String, Requirement>,
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

/// A metric that the conventions describe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// `histogram`, `counter`, `updowncounter` or `gauge`.
    pub instrument: String,
    /// The UCUM unit, such as `s` or `{token}`.
    pub unit: String,
    /// Requirement level by attribute name.
    pub attributes: BTreeMap<String, Requirement>,
    /// Advised explicit bucket boundaries, where the conventions state them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub boundaries: Vec<f64>,
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
    /// Set when the event is deprecated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<Deprecation>,
}

/// How much an attribute is required, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Requirement {
    /// Always.
    Required,
    /// Whenever the condition holds.
    ConditionallyRequired(Condition),
    /// By default.
    Recommended,
    /// By default, whenever the condition holds.
    RecommendedIf(Condition),
    /// Only when the user asks for it.
    OptIn,
}

/// When a conditional requirement applies. The engine decides those it can from the span and the
/// ledger, and says what it cannot decide as information.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The operation ended in an error.
    OnError,
    /// The value is available to the instrumentation.
    IfAvailable,
    /// The concept applies to the operation or to the provider.
    IfApplicable,
    /// `server.address` is set too.
    IfServerAddress,
    /// The request is streaming.
    Streaming,
    /// The request carries a choice count other than 1.
    ChoiceCountNotOne,
    /// The request carries a seed.
    SeedInRequest,
    /// The request asks for an output format.
    OutputFormatInRequest,
    /// The request names a guardrail. The conventions list `aws.bedrock.guardrail.id` as required
    /// without a condition, which cannot be meant for calls without a guardrail.
    GuardrailInRequest,
    /// The span's kind is CLIENT.
    ClientSpan,
    /// `exception.message` is not set.
    NoExceptionMessage,
    /// `exception.type` is not set.
    NoExceptionType,
    /// A condition that neither span nor ledger can decide.
    Undecidable,
}

/// A version of the conventions that spanproof knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(usize);

impl Version {
    /// The newest version.
    pub const LATEST: Version = Version(FILES.len() - 1);

    /// The last version in which the provider is `gen_ai.system`, which many libraries stay at.
    pub const LATEST_WITH_SYSTEM: Version = Version::known("1.36.0");

    /// The version of that text, for constants: an unknown one does not compile.
    const fn known(text: &str) -> Version {
        let mut index = 0;
        while !same(FILES[index].0.as_bytes(), text.as_bytes()) {
            index += 1;
        }
        Version(index)
    }

    /// Every known version, oldest first.
    pub fn all() -> impl DoubleEndedIterator<Item = Version> {
        (0..FILES.len()).map(Version)
    }

    /// The text of the version, such as `1.41.1`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        FILES[self.0].0
    }

    /// Reads this version's registry.
    ///
    /// # Panics
    ///
    /// If the registry file compiled into this crate is not a registry, which a test rules out.
    #[must_use]
    pub fn registry(self) -> Registry {
        let (version, text) = FILES[self.0];
        serde_json::from_str(text)
            .unwrap_or_else(|error| panic!("semconv/{version}.json is not a registry: {error}"))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A version that spanproof does not know.
#[derive(Debug, thiserror::Error)]
#[error("unknown semantic-convention version `{given}`; known are {known}")]
pub struct UnknownVersion {
    given: String,
    known: String,
}

impl FromStr for Version {
    type Err = UnknownVersion;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        Version::all().find(|version| version.as_str() == given).ok_or_else(|| UnknownVersion {
            given: given.to_owned(),
            known: Version::all().map(Version::as_str).collect::<Vec<_>>().join(", "),
        })
    }
}

/// Whether two texts are the same, in constants.
const fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut index = 0;
    while index < one.len() {
        if one[index] != other[index] {
            return false;
        }
        index += 1;
    }
    true
}
