//! Which scripted answer a request gets.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use spanproof_schemas::glob;
use spanproof_schemas::ledger::Operation;

use super::file::{Rule, ScriptedAnswers, When};
use super::reply::Reply;
use crate::error::ServiceError;

/// What rules look at in a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) operation: Operation,
    /// As it was sent.
    pub(crate) model_id: &'a str,
    /// The base id behind it.
    pub(crate) served_model: &'a str,
    pub(crate) prompt: &'a str,
    pub(crate) prompt_sha256: &'a str,
    pub(crate) user_messages: u32,
    pub(crate) ends_with_tool_result: bool,
    pub(crate) test: Option<&'a str>,
}

/// The scripted answers of a server, and how often each was given.
#[derive(Debug, Default)]
pub(crate) struct Scripts {
    answers: ScriptedAnswers,
    /// By rule and test.
    given: Mutex<HashMap<(usize, Option<String>), u32>>,
}

impl Scripts {
    pub(crate) fn new(answers: ScriptedAnswers) -> Self {
        Scripts { answers, given: Mutex::default() }
    }

    /// The answer to a request, with the name of its rule, if one is scripted.
    ///
    /// # Errors
    ///
    /// A `ValidationException` when nothing fits and everything has to.
    pub(crate) fn find(&self, facts: &Facts<'_>) -> Result<Option<(&str, &Reply)>, ServiceError> {
        if self.answers.answers.is_empty() && !self.answers.strict {
            return Ok(None);
        }
        let fitting = self.answers.answers.iter().enumerate().filter(|(_, rule)| rule.fits(facts));
        for (number, rule) in fitting {
            if let Some(given) = self.take(number, rule, facts.test) {
                let last = rule.answer.len() - 1;
                let reply = &rule.answer[(given as usize).min(last)];
                return Ok(Some((&rule.name, reply)));
            }
        }
        if self.answers.strict {
            return Err(ServiceError::validation(format!(
                "no scripted answer is left for {} of {}: add a rule that fits, or leave out `strict`",
                facts.operation.name(),
                facts.model_id
            )));
        }
        Ok(None)
    }

    /// Forgets how often answers were given: to one test, or to all.
    pub(crate) fn reset(&self, test: Option<&str>) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        match test {
            Some(test) => given.retain(|(_, of), _| of.as_deref() != Some(test)),
            None => given.clear(),
        }
    }

    /// How often the rule had answered before, if it has not answered often enough.
    fn take(&self, number: usize, rule: &Rule, test: Option<&str>) -> Option<u32> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let count = given.entry((number, test.map(ToOwned::to_owned))).or_default();
        if rule.times.is_some_and(|times| *count >= times) {
            return None;
        }
        let before = *count;
        *count = count.saturating_add(1);
        Some(before)
    }
}

impl Rule {
    fn fits(&self, facts: &Facts<'_>) -> bool {
        let When { operation, model, prompt, prompt_sha256, turn, tool_result, test } = &self.when;
        let fits = |pattern: &String, text: &str| glob::fits(pattern, text);
        operation.as_ref().is_none_or(|operations| operations.contain(facts.operation))
            && model
                .as_ref()
                .is_none_or(|model| fits(model, facts.model_id) || fits(model, facts.served_model))
            && prompt.as_ref().is_none_or(|prompt| facts.prompt.contains(prompt.as_str()))
            && prompt_sha256.as_ref().is_none_or(|hash| hash == facts.prompt_sha256)
            && turn.is_none_or(|turn| turn == facts.user_messages)
            && tool_result.is_none_or(|result| result == facts.ends_with_tool_result)
            && test.as_ref().is_none_or(|test| fits(test, facts.test.unwrap_or_default()))
    }
}
