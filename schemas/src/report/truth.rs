//! Calls of the ledger, each beside its span.

use serde::{Deserialize, Serialize};

use super::{JoinMeans, TokenCounts};

/// What was served beside what was reported, call by call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TruthTable {
    /// Calls of the ledger.
    pub calls: u64,
    /// Of which so many have a finding, be it expected or not.
    pub calls_with_findings: u64,
    /// The first calls, and after these the first with findings, by arrival. Bounded, so that the
    /// report of a long run can be opened.
    pub rows: Vec<TruthRow>,
}

/// A call and its span.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TruthRow {
    /// The sequence of its last exchange in the ledger.
    pub exchange: u64,
    /// How many exchanges the SDK made of it.
    pub attempts: u64,
    /// The API operation, such as `ConverseStream`.
    pub operation: String,
    /// What was asked and served.
    pub served: Served,
    /// What its span says; absent for a call without a span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<Reported>,
    /// The rules that found something on the call or on its span, be it expected or not, by id.
    pub rules: Vec<String>,
}

/// What was asked and served.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Served {
    /// The model id as sent.
    pub model: String,
    /// The HTTP status; 0 for none.
    pub status: u16,
    /// The exception served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// The fault injected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The stop reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
    /// Tokens, as the judged version counts them.
    pub tokens: TokenCounts,
}

/// What a span says of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reported {
    /// How the span was found.
    pub by: JoinMeans,
    /// 32 hex digits.
    pub trace_id: String,
    /// 16 hex digits.
    pub span_id: String,
    /// Its name.
    pub span_name: String,
    /// `gen_ai.request.model`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Whether the span's status is an error.
    pub is_error: bool,
    /// `error.type`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_type: Option<String>,
    /// `gen_ai.response.finish_reasons`; empty where the attribute is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub finish_reasons: Vec<String>,
    /// Input tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Output tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// Input tokens read from the prompt cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read_input_tokens: Option<u64>,
    /// Input tokens written to the prompt cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_input_tokens: Option<u64>,
    /// From start to end.
    pub duration_nanos: u64,
}
