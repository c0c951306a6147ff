//! A guardrail made ready to look at texts.

use regex::Regex;

use super::config::{Action, Guardrail, RegexEntity, Sides};
use super::words::Phrase;

/// A configuration, with its words and patterns made ready.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) config: Guardrail,
    /// As the configured words, in their order.
    pub(super) words: Vec<Phrase>,
    /// As the configured patterns, in their order.
    pub(super) regexes: Vec<Option<Regex>>,
}

/// Whose text is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Input,
    Output,
}

impl Compiled {
    /// A pattern that is none finds nothing: [`Guardrail::validate`] told of it.
    pub(crate) fn of(config: &Guardrail) -> Self {
        let words = config.word_policy_config.iter().flat_map(|policy| &policy.words_config);
        Compiled {
            words: words.map(|word| Phrase::of(&word.text)).collect(),
            regexes: regexes(config).map(|entity| Regex::new(&entity.pattern).ok()).collect(),
            config: config.clone(),
        }
    }

    /// The patterns, each with what it finds, where it looks at `source`.
    pub(super) fn regexes(
        &self,
        source: Source,
    ) -> impl Iterator<Item = (&RegexEntity, Option<&Regex>, Action)> {
        regexes(&self.config).zip(&self.regexes).filter_map(move |(entity, regex)| {
            let action = entity.sides.of_sensitive(source, entity.action)?;
            Some((entity, regex.as_ref(), action))
        })
    }
}

fn regexes(config: &Guardrail) -> impl Iterator<Item = &RegexEntity> {
    config.sensitive_information_policy_config.iter().flat_map(|policy| &policy.regexes_config)
}

impl Sides {
    /// What a rule does to texts of `source`, if it looks at them; it blocks unless told otherwise.
    pub(super) fn of(self, source: Source) -> Option<Action> {
        let (enabled, action) = self.on(source);
        (enabled != Some(false)).then_some(action.unwrap_or(Action::Block))
    }

    /// The same for sensitive information: `base` holds where no side has an action of its own, but
    /// prompts are masked only when their own action says so.
    pub(super) fn of_sensitive(self, source: Source, base: Action) -> Option<Action> {
        let (enabled, action) = self.on(source);
        if enabled == Some(false) {
            return None;
        }
        match (action, base, source) {
            (Some(action), _, _) => Some(action),
            (None, Action::Anonymize, Source::Input) => None,
            (None, base, _) => Some(base),
        }
    }

    fn on(self, source: Source) -> (Option<bool>, Option<Action>) {
        match source {
            Source::Input => (self.input_enabled, self.input_action),
            Source::Output => (self.output_enabled, self.output_action),
        }
    }
}
