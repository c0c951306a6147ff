//! What a project expects to be found, so that it fails nothing, and what became of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::FindingGroup;

/// A deviation that a project expects: an entry of its configuration or of its baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// What expects it.
    pub source: DeviationSource,
    /// The file that it stands in, as it was named.
    pub file: String,
    /// The line of the file, from 1.
    pub line: u64,
    /// The id of the rule, or a pattern of ids.
    pub rule: String,
    /// What findings must be besides, by the key of the entry.
    pub matching: BTreeMap<String, String>,
    /// Why it is expected; absent in a baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The last day on which it is expected, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// How many findings there must be at least.
    pub least: u64,
    /// How many there may be; absent for any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u64>,
    /// How many there are.
    pub found: u64,
    /// What became of it.
    pub state: DeviationState,
    /// What fails the run, and what to do; absent where nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What was found and is expected by it.
    pub findings: Vec<FindingGroup>,
}

/// What expects a deviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviationSource {
    /// An entry that somebody wrote, with a reason.
    Configuration,
    /// What was found when the baseline was written.
    Baseline,
}

/// What became of an expected deviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviationState {
    /// It was found as often as expected.
    Met,
    /// Its rule found nothing at all.
    Stale,
    /// Its rule found something, and nothing that matches.
    Unmatched,
    /// All that matches is expected by entries before it.
    Shadowed,
    /// Less was found than expected.
    Fewer,
    /// More was found than expected. All of it counts as not expected, since nothing tells which of
    /// it is new.
    More,
    /// Its last day is over. What was found counts as not expected.
    Expired,
}
