//! What a client's program prints, and its comparison with the ledger.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use spanproof_schemas::ledger::{Exchange, Record, Usage};

/// One check, as a program prints it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    /// The number of the fidelity test.
    pub(super) test: u32,
    name: String,
    passed: bool,
    /// Why the check failed, or what was seen.
    #[serde(default)]
    detail: String,
    /// Answers that the SDK parsed whole.
    #[serde(default)]
    pub(super) calls: Vec<Call>,
    /// Calls that must have been tried so often.
    #[serde(default)]
    attempts: Vec<Attempts>,
    /// Request ids that the ledger must have, one exchange each.
    #[serde(default)]
    exchanges: Vec<String>,
}

/// What an SDK made of one answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    model_id: String,
    request_id: String,
    usage: Option<Usage>,
    stop_reason: Option<String>,
}

/// How often a call was tried, by the request id of its last answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attempts {
    request_id: String,
    attempts: usize,
}

/// The checks that a program printed.
///
/// # Errors
///
/// When a line is not a check.
pub(super) fn read(printed: &str) -> Result<Vec<Line>> {
    printed
        .lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("it printed `{line}`")))
        .collect()
}

/// What the mocks served, by request id. A mock's ids are unique; two mocks with one seed draw the
/// same ones.
#[derive(Debug, Default)]
pub(super) struct Served {
    exchanges: HashMap<String, Vec<Exchange>>,
    /// How many exchanges each invocation had.
    tries: BTreeMap<String, Vec<u32>>,
}

impl Served {
    /// Adds the lines of a ledger.
    ///
    /// # Errors
    ///
    /// When a line is not of a ledger.
    pub(super) fn add(&mut self, ledger: &str) -> Result<()> {
        for line in ledger.lines() {
            let Record::Exchange(exchange) = serde_json::from_str(line)? else { continue };
            if let Some(invocation) = &exchange.invocation_id {
                let attempt = exchange.attempt.unwrap_or_default();
                self.tries.entry(invocation.clone()).or_default().push(attempt);
            }
            self.exchanges.entry(exchange.request_id.clone()).or_default().push(*exchange);
        }
        Ok(())
    }

    fn exchanges(&self, request_id: &str) -> &[Exchange] {
        self.exchanges.get(request_id).map_or(&[], Vec::as_slice)
    }
}

impl Line {
    /// What is not as it must be.
    pub(super) fn problems(&self, served: &Served) -> Vec<String> {
        let mut problems = Vec::new();
        if !self.passed {
            problems.push(self.detail.clone());
        }
        problems.extend(self.calls.iter().filter_map(|call| call.problem(served)));
        problems.extend(self.attempts.iter().filter_map(|attempts| attempts.problem(served)));
        let unknown = self.exchanges.iter().filter(|id| served.exchanges(id).is_empty());
        problems.extend(unknown.map(|id| format!("no exchange {id} in the ledger")));
        problems
            .iter()
            .map(|problem| format!("test {}, {}: {problem}", self.test, self.name))
            .collect()
    }
}

impl Call {
    fn problem(&self, served: &Served) -> Option<String> {
        let is_served = |exchange: &Exchange| {
            // Answers do not say how many of the output tokens were thoughts.
            let told = Usage { reasoning_output_tokens: 0, ..exchange.usage };
            self.usage == Some(told)
                && self.stop_reason == exchange.stop_reason
                && self.model_id == exchange.model_id
        };
        let exchanges = served.exchanges(&self.request_id);
        if exchanges.iter().any(is_served) {
            return None;
        }
        let known: Vec<_> = exchanges
            .iter()
            .map(|found| (&found.model_id, found.usage, &found.stop_reason))
            .collect();
        Some(format!("parsed {self:?}, the ledger has {known:?}"))
    }
}

impl Attempts {
    fn problem(&self, served: &Served) -> Option<String> {
        let tries = served
            .exchanges(&self.request_id)
            .iter()
            .filter_map(|exchange| served.tries.get(exchange.invocation_id.as_ref()?))
            .map(|attempts| {
                let mut attempts = attempts.clone();
                attempts.sort_unstable();
                attempts
            });
        let expected: Vec<u32> = (1..).take(self.attempts).collect();
        let found: Vec<Vec<u32>> = tries.collect();
        (!found.contains(&expected))
            .then(|| format!("the attempts of {} are {found:?}, not {expected:?}", self.request_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served() -> Served {
        let exchange = |id: &str, attempt| Exchange {
            request_id: id.to_owned(),
            model_id: "m".to_owned(),
            invocation_id: Some("call".to_owned()),
            attempt: Some(attempt),
            stop_reason: Some("end_turn".to_owned()),
            usage: Usage { input_tokens: 1, output_tokens: 2, ..Usage::default() },
            ..Exchange::default()
        };
        let mut served = Served::default();
        for record in [exchange("a", 1), exchange("b", 2)] {
            let record = Record::Exchange(Box::new(record));
            served.add(&serde_json::to_string(&record).unwrap()).unwrap();
        }
        served
    }

    fn problems(line: &str) -> String {
        read(line).unwrap().iter().flat_map(|line| line.problems(&served())).collect()
    }

    #[test]
    fn what_agrees_with_the_ledger_passes() {
        let line = r#"{"test":1,"name":"n","passed":true,"exchanges":["a"],"attempts":[{"request_id":"b","attempts":2}],
            "calls":[{"model_id":"m","request_id":"b","usage":{"input_tokens":1,"output_tokens":2},"stop_reason":"end_turn"}]}"#;
        assert_eq!(problems(&line.replace('\n', "")), "");
    }

    #[test]
    fn each_kind_of_disagreement_is_found() {
        for (line, problem) in [
            (r#"{"test":1,"name":"n","passed":false,"detail":"why"}"#, "test 1, n: why"),
            (r#"{"test":1,"name":"n","passed":true,"exchanges":["c"]}"#, "no exchange c"),
            (
                r#"{"test":1,"name":"n","passed":true,"attempts":[{"request_id":"a","attempts":3}]}"#,
                "[[1, 2]], not [1, 2, 3]",
            ),
            (
                r#"{"test":1,"name":"n","passed":true,"calls":[{"model_id":"m","request_id":"a","usage":{"input_tokens":1,"output_tokens":3},"stop_reason":"end_turn"}]}"#,
                "parsed Call",
            ),
            (
                r#"{"test":1,"name":"n","passed":true,"calls":[{"model_id":"m","request_id":"a","usage":{"input_tokens":1,"output_tokens":2},"stop_reason":null}]}"#,
                "parsed Call",
            ),
        ] {
            assert!(problems(line).contains(problem), "{line}: {}", problems(line));
        }
        assert!(read("starting up").is_err());
    }
}
