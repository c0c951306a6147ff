//! The report of a run: what `--report json` writes.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

mod coverage;
mod deviation;
mod load;
mod rule;
mod trace;
mod truth;

pub use coverage::{AttributeCoverage, Coverage, RequirementLevel};
pub use deviation::{Deviation, DeviationSource, DeviationState};
pub use load::{
    AchievedRate, Gate, LagParts, Load, LoadAnswers, LoadMinute, LoadShare, LoadSlice, LoadStorage,
    PolicyStorage, Quantiles, ReceivedSpans, TelemetryBooks,
};
pub use rule::{Checked, RuleOutcome, RuleState};
pub use trace::{ExcerptKind, ExcerptSpan, ExcerptStatus, TraceExcerpt};
pub use truth::{Reported, Served, TruthRow, TruthTable};

/// The version of the report's shape.
pub const REPORT_VERSION: u32 = 3;

/// Everything a run has to say. `report.schema.json` is its JSON Schema.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`REPORT_VERSION`] of the writer.
    pub version: u32,
    /// The outcome in one word.
    pub verdict: Verdict,
    /// The lowest level that fails a run.
    pub fail_on: Level,
    /// The semantic-convention versions that telemetry was judged by, with the number of spans of
    /// each.
    pub semconv: BTreeMap<String, u64>,
    /// What the load generator did; absent for runs without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<Load>,
    /// What was captured.
    pub telemetry: Telemetry,
    /// How calls and spans were brought together; absent without a ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<Join>,
    /// What was found and is not expected, worst first, then by rule id.
    pub findings: Vec<FindingGroup>,
    /// What the project expects to be found: first the entries of its configuration in their order,
    /// then those of its baseline.
    pub deviations: Vec<Deviation>,
    /// Tokens, as the judged version counts them; `served` is all zero without a ledger.
    pub usage: UsageComparison,
    /// What the tokens cost by the dated price table; absent without a ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// Every rule, by id, and what became of it.
    pub rules: Vec<RuleOutcome>,
    /// The traces of the findings' examples, in the order of the findings; the first of them where
    /// there are many.
    pub traces: Vec<TraceExcerpt>,
    /// Calls beside their spans; absent without a ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truth: Option<TruthTable>,
    /// Which attributes GenAI spans carry, by version and span type.
    pub coverage: Vec<Coverage>,
}

/// The outcome of judging.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No finding at or above the level that fails a run, but for those that are expected.
    Conforms,
    /// What was sent went to a receiver that is not ours, so nobody here looked at it; whether it
    /// arrived is told by the books of the load. Or it came, and there was no room to keep it.
    NotJudged,
    /// Findings at or above that level, or an expected deviation that is not what it says.
    Findings,
    /// Nothing was captured, so nothing was checked.
    NothingCaptured,
}

/// How grave a finding is; a later variant is graver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Worth knowing; nothing is wrong.
    Information,
    /// A SHOULD that is not met, or telemetry that could say more.
    Improvement,
    /// A MUST that is not met, or telemetry that is untrue.
    Violation,
}

impl Level {
    /// The word in files, options and output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Information => "information",
            Level::Improvement => "improvement",
            Level::Violation => "violation",
        }
    }
}

/// A text that is not a level.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown level `{0}`; known are violation, improvement and information")]
pub struct UnknownLevel(String);

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Level::Information, Level::Improvement, Level::Violation]
            .into_iter()
            .find(|level| level.as_str() == text)
            .ok_or_else(|| UnknownLevel(text.to_owned()))
    }
}

/// Every finding of one rule with the same message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingGroup {
    /// The rule's id, `group/name`.
    pub rule: String,
    /// How grave it is.
    pub level: Level,
    /// How often it was found.
    pub count: u64,
    /// What is wrong, the same for every finding of the group.
    pub message: String,
    /// The first few, for looking them up.
    pub examples: Vec<Example>,
}

/// One finding, with what it takes to see it in the telemetry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Where it was seen.
    pub subject: Subject,
    /// The attribute, field or metric at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// What should have been there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was there; masked where it is content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
}

/// The item that a finding points at; whichever fields apply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// 32 hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// 16 hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// The span's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_name: Option<String>,
    /// The metric's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The log record's event name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// The instrumentation scope's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The exchange's sequence in the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<u64>,
}

/// How much telemetry was captured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// Spans.
    pub spans: u64,
    /// Of which GenAI client spans: those the rules for model calls judge.
    pub gen_ai_spans: u64,
    /// Metric data points.
    pub metric_points: u64,
    /// Log records.
    pub log_records: u64,
}

impl Telemetry {
    /// Whether nothing at all was captured.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.spans == 0 && self.metric_points == 0 && self.log_records == 0
    }
}

/// How the calls of the ledger and the GenAI spans were brought together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// Calls in the ledger; the attempts of one invocation are one call.
    pub calls: u64,
    /// Calls with a span.
    pub matched: u64,
    /// Calls without one.
    pub unmatched_calls: u64,
    /// GenAI client spans without a call, duplicates of a matched span included.
    pub unmatched_spans: u64,
    /// Of the calls without a span, those that came in so long after their time that the call they
    /// may be an attempt of had been settled: nothing is said against them.
    #[serde(default, skip_serializing_if = "crate::ledger::is_zero")]
    pub late_calls: u64,
    /// Of the spans without a call, those that came in so long after their time, likewise.
    #[serde(default, skip_serializing_if = "crate::ledger::is_zero")]
    pub late_spans: u64,
    /// How many calls were joined by each means.
    pub by: BTreeMap<JoinMeans, u64>,
}

/// The means by which a call was joined to its span, in the order they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinMeans {
    /// The same invocation id on both sides.
    InvocationId,
    /// The request carried the trace context of the span, or of its trace.
    TraceContext,
    /// The same response id or request id on both sides.
    ResponseId,
    /// Overlapping time, the same model and operation.
    TimeOverlap,
}

/// Tokens served beside tokens reported. Calls whose answer broke off before it told its usage were
/// charged for, but no client can report them: they are in neither sum, only in the bill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageComparison {
    /// What the ledger says, counted as the judged version counts.
    pub served: TokenCounts,
    /// What the spans say.
    pub reported: TokenCounts,
    /// Whether nothing can be said of tokens of the prompt cache: no judged version has names for
    /// them, and no span states any all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cache_tokens_unnamed: bool,
}

/// Sums of tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenCounts {
    /// Input tokens; whether cached tokens are among them depends on the judged version.
    pub input_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
    /// Input tokens read from the prompt cache.
    pub cache_read_input_tokens: u64,
    /// Input tokens written to the prompt cache.
    pub cache_write_input_tokens: u64,
}

/// What the tokens cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// The bill for what was served, in US dollars.
    pub served_usd: f64,
    /// The bill as the telemetry would have it, in US dollars.
    pub reported_usd: f64,
    /// The date of the price table, `YYYY-MM-DD`.
    pub prices_as_of: String,
    /// Models without a price, left out of both sums.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unpriced_models: Vec<String>,
}
