//! What a trace looks like around its calls, and how calls are served that no service answers: for
//! synthetic spans, which no client makes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use spanproof_schemas::semconv::SpanKind;

use super::Weighted;

/// The spans of a trace, beside that of the call itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceShape {
    /// The attributes of the resource, drawn once for a plan.
    pub resource: BTreeMap<String, AttributeValue>,
    /// The span around everything, such as that of an HTTP request. Without it the first call is the
    /// root of its trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<SpanShape>,
    /// What comes before the call, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Step>,
    /// The agent that makes the call, and others after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Agent>,
    /// Whether the HTTP request of each call of a model has a span of its own below it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub http_client: bool,
    /// What the root and the calls of a model have beside the rest, drawn once for a trace: whom
    /// and what the calls are for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, AttributeValue>,
}

/// A span that is not one of a model call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpanShape {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: SpanKind,
    /// How long it takes, without what is within it.
    pub seconds: Spread,
    /// Its attributes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, AttributeValue>,
}

/// Something that is done before the call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// A text is embedded, by one of the mix's models that do.
    Embeddings,
    /// Anything else.
    Span(SpanShape),
}

/// An agent in the application: it asks a model, runs the tools that the model asks for, and asks
/// again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// Its name.
    pub name: String,
    /// How often it asks the model, the last time included.
    pub calls: Vec<Weighted<u32>>,
    /// How long a tool takes.
    pub tool_seconds: Spread,
}

/// A log-normal distribution by its median.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The standard deviation of the logarithm.
    pub sigma: f64,
}

/// The value of an attribute: always the same, or drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AttributeValue {
    /// Always this.
    Bool(bool),
    /// Always this.
    Int(i64),
    /// Always this.
    Double(f64),
    /// Always this.
    Text(String),
    /// Another each time.
    Drawn(DrawnValue),
}

/// How a value is drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum DrawnValue {
    /// One of these, all equally likely.
    OneOf(Vec<String>),
    /// A text out of so many different ones.
    Numbered(Numbered),
    /// So many of these.
    List {
        /// How many.
        length: u32,
        /// What they begin with.
        prefix: String,
        /// How many different ones there are.
        of: u64,
    },
    /// A whole number from the first to the second, both included.
    Integer([i64; 2]),
    /// A number from the first to the second.
    Number([f64; 2]),
    /// Another each time.
    Random(RandomText),
    /// What the tenant who makes the call is called: this, and its number.
    Tenant(String),
    /// What the call is made for: this, and one of [`Scenario::features`].
    ///
    /// [`Scenario::features`]: super::Scenario::features
    Feature(String),
}

/// Texts that differ by a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbered {
    /// What they begin with.
    pub prefix: String,
    /// How many different ones there are.
    pub of: u64,
}

/// A text that no other is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RandomText {
    /// A random UUID.
    Uuid,
    /// Sixteen hexadecimal digits.
    Hex16,
}

/// How calls are served.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serving {
    /// How many of the calls with a cached prefix find it in the cache; the others write it.
    pub cache_hit_share: f64,
    /// How long the first chunk takes to come.
    pub first_chunk_seconds: Spread,
    /// How fast the rest comes.
    pub tokens_per_second: Spread,
}
