//! The rules. One file each, `<group>/<name>.rs`, with documentation, metadata and check together;
//! [`RULES`] lists them.

mod behaviour;
mod cardinality;
mod content;
mod deprecation;
mod events;
mod kind;
mod limits;
mod metrics;
mod naming;
mod presence;
mod redaction;
mod resource;
mod snapshot;
mod status;
mod streaming;
mod trace;
mod truth;
mod types;
mod usage;
mod values;

#[cfg(test)]
mod tests;

use spanproof_schemas::report::Level;

use crate::behaviour::Behaviour;
use crate::finding::Finding;
use crate::snapshot::Snapshot;
use crate::view::{
    CallView, ContentView, EventView, MetricView, PointView, RunView, ScopeView, SpanView,
    StandingView,
};

/// A rule: what it checks, how grave its findings are, and why.
#[derive(Debug)]
pub struct Rule {
    /// `group/name`
    pub id: &'static str,
    /// One line.
    pub summary: &'static str,
    /// How grave a finding is, unless the finding says otherwise.
    pub level: Level,
    /// What the rule rests on.
    pub basis: Basis,
    /// The first version of the conventions that it applies to, where it is not all of them.
    pub since: Option<&'static str>,
    /// The last version of the conventions that it applies to, where it is not all of them.
    pub until: Option<&'static str>,
    /// The rule's page.
    pub docs: Docs,
    /// What it checks, by scope.
    pub checks: &'static [Check],
}

/// What a rule rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// A MUST, or a requirement level of Required, with the place it stands in.
    Must(&'static str),
    /// A SHOULD, with the place it stands in.
    Should(&'static str),
    /// The ledger: what was asked and served.
    Truth,
    /// Telemetry of the same run, which says the same thing in two places.
    Agreement(&'static str),
    /// What SDKs and stores of telemetry keep by default, with the limit.
    Limit(&'static str),
    /// The user's policy.
    Policy,
}

impl Basis {
    /// The basis in words.
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Basis::Must(place) => format!("a MUST of the conventions: {place}"),
            Basis::Should(place) => format!("a SHOULD of the conventions: {place}"),
            Basis::Truth => "ground truth: the ledger of what was served".to_owned(),
            Basis::Agreement(between) => format!("telemetry agrees with itself: {between}"),
            Basis::Limit(limit) => format!("what stores and SDKs keep: {limit}"),
            Basis::Policy => "your policy, from `spanproof.toml` or its default".to_owned(),
        }
    }
}

/// The page of a rule, in Markdown under fixed headings.
#[derive(Clone, Copy, Debug)]
pub struct Docs {
    /// What the rule looks at, and what it leaves alone.
    pub what_it_checks: &'static str,
    /// What goes wrong otherwise.
    pub why: &'static str,
    /// Telemetry that the rule finds fault with.
    pub example: &'static str,
    /// What to change.
    pub how_to_mend: &'static str,
}

/// A check, by what it sees.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// One GenAI span.
    Span(fn(&SpanView<'_>) -> Vec<Finding>),
    /// Anything that text can stand in.
    Content(fn(&ContentView<'_>) -> Vec<Finding>),
    /// One event of the conventions for GenAI, a log record or an event of a span.
    Event(fn(&EventView<'_>) -> Vec<Finding>),
    /// One export of a GenAI metric.
    Metric(fn(&MetricView<'_>) -> Vec<Finding>),
    /// One set of attributes of a GenAI metric's points.
    Point(fn(&PointView<'_>) -> Vec<Finding>),
    /// One call of the ledger with its span.
    Call(fn(&CallView<'_>) -> Vec<Finding>),
    /// One instrumentation scope with everything it emitted.
    Scope(fn(&ScopeView<'_>) -> Vec<Finding>),
    /// One GenAI span beside the ledger and in its trace.
    Standing(fn(&StandingView<'_>) -> Vec<Finding>),
    /// The command with instrumentation beside the same without.
    Behaviour(fn(&Behaviour) -> Vec<Finding>),
    /// The telemetry beside its snapshot.
    Snapshot(fn(&Snapshot) -> Vec<Finding>),
    /// The whole run.
    Run(fn(&RunView<'_>) -> Vec<Finding>),
}

/// Every rule, by id.
pub static RULES: &[&Rule] = &[
    &behaviour::exception::RULE,
    &behaviour::exit_status::RULE,
    &behaviour::extra_request::RULE,
    &behaviour::missing_request::RULE,
    &behaviour::output::RULE,
    &behaviour::request::RULE,
    &behaviour::request_order::RULE,
    &behaviour::retries::RULE,
    &behaviour::stream_reading::RULE,
    &cardinality::metric_attribute::RULE,
    &cardinality::series::RULE,
    &content::messages::RULE,
    &content::retrieval_documents::RULE,
    &content::system_instructions::RULE,
    &content::tool_call::RULE,
    &content::tool_definitions::RULE,
    &content::truncated_json::RULE,
    &deprecation::attribute::RULE,
    &events::body::RULE,
    &events::choices::RULE,
    &events::deprecated::RULE,
    &events::name::RULE,
    &events::required_attribute::RULE,
    &events::severity::RULE,
    &events::structured_content::RULE,
    &events::trace_context::RULE,
    &kind::span_kind::RULE,
    &limits::attribute_count::RULE,
    &limits::attribute_length::RULE,
    &limits::dropped::RULE,
    &metrics::buckets::RULE,
    &metrics::duration_count::RULE,
    &metrics::duration_sum::RULE,
    &metrics::error_type::RULE,
    &metrics::model::RULE,
    &metrics::orchestration_duration::RULE,
    &metrics::temporality::RULE,
    &metrics::time_to_first_chunk::RULE,
    &metrics::token_sum::RULE,
    &metrics::unit::RULE,
    &metrics::values::RULE,
    &naming::duplicate_attribute::RULE,
    &naming::span_name::RULE,
    &naming::unknown_attribute::RULE,
    &naming::unknown_metric::RULE,
    &presence::recommended_attribute::RULE,
    &presence::required_attribute::RULE,
    &presence::undecided_condition::RULE,
    &redaction::content_hash::RULE,
    &redaction::content_leak::RULE,
    &redaction::credential::RULE,
    &redaction::personal_data::RULE,
    &resource::dialect::RULE,
    &resource::mixed_dialect::RULE,
    &resource::schema_url::RULE,
    &resource::scope_name::RULE,
    &snapshot::unchanged::RULE,
    &status::error_type::RULE,
    &status::ok_not_set::RULE,
    &streaming::span_end::RULE,
    &streaming::time_to_first_chunk::RULE,
    &trace::agent_parent::RULE,
    &trace::parent_call::RULE,
    &trace::request_context::RULE,
    &truth::content::RULE,
    &truth::duplicate_span::RULE,
    &truth::error_type::RULE,
    &truth::finish_reasons::RULE,
    &truth::missing_span::RULE,
    &truth::operation::RULE,
    &truth::parity::RULE,
    &truth::phantom_span::RULE,
    &truth::request_model::RULE,
    &truth::request_parameters::RULE,
    &truth::response::RULE,
    &truth::span_start::RULE,
    &truth::suppressed_span::RULE,
    &truth::system_prompt::RULE,
    &truth::tool_calls::RULE,
    &truth::unended_span::RULE,
    &types::attribute_type::RULE,
    &usage::agent_usage::RULE,
    &usage::breakdown::RULE,
    &usage::cache_tokens::RULE,
    &usage::input_tokens::RULE,
    &usage::output_tokens::RULE,
    &usage::reasoning_tokens::RULE,
    &values::enum_member::RULE,
    &values::placeholder::RULE,
    &values::range::RULE,
    &values::span_ids::RULE,
    &values::span_times::RULE,
];

impl Rule {
    /// Where the conventions speak of what the rule asks, by its group.
    #[must_use]
    pub fn reference(&self) -> &'static str {
        let group = self.id.split('/').next().unwrap_or_default();
        match group {
            "metrics" | "cardinality" => {
                "https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/"
            }
            "events" | "content" | "redaction" => {
                "https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/"
            }
            "status" => "https://opentelemetry.io/docs/specs/semconv/general/recording-errors/",
            "resource" => "https://opentelemetry.io/docs/specs/otel/schemas/",
            "trace" | "kind" => "https://opentelemetry.io/docs/specs/otel/trace/api/",
            "types" | "limits" => "https://opentelemetry.io/docs/specs/otel/common/",
            "usage" | "truth" | "streaming" | "behaviour" => {
                "https://opentelemetry.io/docs/specs/semconv/gen-ai/aws-bedrock/"
            }
            _ => "https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/",
        }
    }
}

/// The rule with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}
