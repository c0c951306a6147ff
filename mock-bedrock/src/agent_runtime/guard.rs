//! A guardrail that a request of the agent runtime names.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::asked::Asked;
use crate::constraint;
use crate::error::ServiceError;
use crate::guardrail::{Done, How, Looked, Named, Source, assess};

/// `guardrailConfiguration`. Knowledge bases call its id otherwise than agents do.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GuardrailConfiguration {
    #[serde(alias = "guardrailId")]
    guardrail_identifier: Option<String>,
    guardrail_version: Option<String>,
}

/// A guardrail that looks at what is said.
#[derive(Debug)]
pub(crate) struct Guard<'s> {
    named: Named<'s>,
    how: How,
}

/// What a guardrail makes of a text.
#[derive(Debug)]
pub(crate) struct Verdict {
    done: Done,
    /// The text as it goes on: masked, or the guardrail's message in its place.
    pub(crate) text: String,
    /// What was found, as agents tell it.
    pub(crate) assessment: Value,
    /// How long it took.
    pub(crate) took: Duration,
}

impl Verdict {
    /// Whether the text goes no further.
    pub(crate) fn blocks(&self) -> bool {
        self.done == Done::Blocked
    }

    /// The word of the agent runtime for what was done.
    pub(crate) fn action(&self) -> &'static str {
        if self.done == Done::None { "NONE" } else { "INTERVENED" }
    }
}

impl<'s> Guard<'s> {
    /// The guardrail that `configuration` names, which the exchange gets to know.
    ///
    /// # Errors
    ///
    /// A `ValidationException` for a configuration without an id or a version, and what the service
    /// says of a guardrail that it does not know.
    pub(crate) fn of(
        asked: &mut Asked<'s>,
        configuration: Option<&GuardrailConfiguration>,
    ) -> Result<Option<Self>, ServiceError> {
        let Some(configuration) = configuration else { return Ok(None) };
        let at = "guardrailConfiguration";
        let id = configuration.guardrail_identifier.as_deref();
        let id = constraint::required(&format!("{at}.guardrailId"), id)?;
        let version = configuration.guardrail_version.as_deref();
        let version = constraint::required(&format!("{at}.guardrailVersion"), version)?;
        asked.exchange.parameters.guardrail_id = Some(id.to_owned());
        let service = asked.service;
        let how = How {
            source: Source::Input,
            is_full: false,
            masks: true,
            quirks: service.quirks,
            seed: service.config.seed,
        };
        Ok(Some(Guard { named: service.guardrails.find(id, version)?, how }))
    }

    /// Looks at what a client says.
    pub(crate) fn input(&self, text: &str) -> Verdict {
        self.look(text, Source::Input, &self.named.guardrail.config.blocked_input_messaging)
    }

    /// Looks at what a model says.
    pub(crate) fn output(&self, text: &str) -> Verdict {
        self.look(text, Source::Output, &self.named.guardrail.config.blocked_outputs_messaging)
    }

    fn look(&self, text: &str, source: Source, message: &str) -> Verdict {
        let looked = Looked {
            texts: vec![text],
            total_chars: text.chars().count() as u64,
            ..Looked::default()
        };
        let outcome = assess(&self.named, &looked, How { source, ..self.how });
        let text = match outcome.done {
            Done::None => text.to_owned(),
            Done::Anonymized => outcome.masked.into_iter().collect(),
            Done::Blocked => message.to_owned(),
        };
        let took = outcome.assessment.invocation_metrics.guardrail_processing_latency;
        Verdict {
            done: outcome.done,
            text,
            assessment: told(outcome.assessment.sorted()),
            took: Duration::from_millis(took),
        }
    }
}

/// An assessment with what the agent runtime tells of one: findings that did something, by policy,
/// without what only the model runtime states.
fn told(assessment: Value) -> Value {
    let Value::Object(policies) = assessment else { return Value::Object(Map::new()) };
    let told = policies.into_iter().filter(|(name, _)| {
        matches!(
            name.as_str(),
            "contentPolicy" | "sensitiveInformationPolicy" | "topicPolicy" | "wordPolicy"
        )
    });
    let told = told.filter_map(|(name, policy)| {
        let Value::Object(lists) = policy else { return None };
        let lists: Map<String, Value> = lists
            .into_iter()
            .filter_map(|(name, findings)| {
                let Value::Array(findings) = findings else { return None };
                let findings: Vec<Value> = findings.into_iter().filter_map(finding).collect();
                (!findings.is_empty()).then_some((name, Value::Array(findings)))
            })
            .collect();
        (!lists.is_empty()).then_some((name, Value::Object(lists)))
    });
    Value::Object(told.collect())
}

fn finding(finding: Value) -> Option<Value> {
    let Value::Object(mut finding) = finding else { return None };
    let acted =
        matches!(finding.get("action").and_then(Value::as_str), Some("BLOCKED" | "ANONYMIZED"));
    for member in ["detected", "filterStrength"] {
        finding.remove(member);
    }
    acted.then_some(Value::Object(finding))
}
