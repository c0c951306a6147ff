//! Fault plans: which requests are struck by which faults.

use serde::{Deserialize, Serialize};
use spanproof_schemas::ledger::Operation;

use super::{Attempts, named};
use crate::catalogue;

/// Faults and the requests that they strike, as a file states them. Of the rules that strike a
/// request, the first wins.
///
/// ```
/// use mock_bedrock::FaultPlan;
///
/// let plan: FaultPlan = serde_json::from_str(
///     r#"{"rules": [
///         {"fault": "ThrottlingException", "attempts": 1, "rate": 0.05},
///         {"fault": "cut", "operation": "ConverseStream", "call": 3}
///     ]}"#,
/// )?;
/// plan.validate()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultPlan {
    /// The rules, the more important ones first.
    #[serde(default)]
    pub rules: Vec<FaultRule>,
}

/// One fault and what it strikes: requests that meet every condition stated, and that the fault
/// fits. A fault of streams does not fit a buffered operation, and an exception fits only where the
/// service declares it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// What goes wrong, by its name in the header `x-spanproof-fault`, attempts included.
    pub fault: String,
    /// The model: its base id or the id as sent, with `*` for any text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// Which of the calls that meet the other conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Calls>,
    /// The `amz-sdk-invocation-id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invocation_id: Option<String>,
    /// The attempts of a call. Default all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<Attempts>,
    /// A text that the prompt contains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// The test that the request belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
    /// The share of calls, from 0 to 1, drawn by the seed and the number of the call: all attempts
    /// of a call have the same fate. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// The most requests to strike. Default without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
}

/// Calls by their number, from 1, among those that a rule matches, for each test by itself. The
/// attempts of a call share its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields, expecting = "a call is a number from 1, or {every: number}")]
pub enum Calls {
    /// The call of that number.
    Nth(u64),
    /// Every so many calls.
    Every {
        /// How many calls there are from one to the next.
        every: u64,
    },
}

/// A rule that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rules[{rule}]: {problem}")]
pub struct FaultPlanError {
    /// Its place in the plan, from 0.
    pub rule: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl FaultPlan {
    /// Checks what the types do not.
    ///
    /// # Errors
    ///
    /// The first rule that names no fault, or has a number out of its range.
    pub fn validate(&self) -> Result<(), FaultPlanError> {
        for (rule, stated) in self.rules.iter().enumerate() {
            stated.check().map_err(|problem| FaultPlanError { rule, problem })?;
        }
        Ok(())
    }
}

impl FaultPlan {
    /// The rules that can never strike, as they stand: of a fault that the operation they name
    /// cannot have, or for a model that there is not. A server that starts with them tells of them; a
    /// plan put in force by a request is refused for them.
    #[must_use]
    pub fn idle(&self) -> Vec<FaultPlanError> {
        let rules = self.rules.iter().enumerate();
        rules
            .filter_map(|(rule, stated)| Some(FaultPlanError { rule, problem: stated.idle()? }))
            .collect()
    }
}

impl FaultRule {
    /// Why it can never strike.
    fn idle(&self) -> Option<String> {
        let (name, _) = Attempts::split(&self.fault).ok()?;
        let operations = named::operations(name);
        if let Some(operation) = self.operation
            && !operations.contains(&operation)
        {
            let fitting: Vec<&str> = operations.iter().map(|it| it.name()).collect();
            return Some(format!(
                "`{name}` never strikes {}, only {}",
                operation.name(),
                fitting.join(", ")
            ));
        }
        let model = self.model.as_ref().filter(|pattern| !catalogue::may_name(pattern))?;
        Some(format!(
            "no model fits `{model}`; ListFoundationModels lists them, and `*` is any text"
        ))
    }

    fn check(&self) -> Result<(), String> {
        let (name, _) = Attempts::split(&self.fault)?;
        named::check(name)?;
        if let Some(rate) = self.rate
            && !(0.0..=1.0).contains(&rate)
        {
            return Err(format!("rate: {rate} is no share; write a number from 0 to 1"));
        }
        if matches!(self.call, Some(Calls::Nth(0) | Calls::Every { every: 0 })) {
            return Err("call: calls are counted from 1".to_owned());
        }
        if self.times == Some(0) {
            return Err("times: a rule that never strikes; leave it out instead".to_owned());
        }
        Ok(())
    }
}

impl Calls {
    pub(super) fn contains(self, number: u64) -> bool {
        match self {
            Calls::Nth(nth) => nth == number,
            Calls::Every { every } => every > 0 && number.is_multiple_of(every),
        }
    }
}
