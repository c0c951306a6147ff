//! Sensitive information in texts: found, and masked.

use std::collections::HashSet;

use super::assess::How;
use super::assessment::{Done, PiiFinding, RegexFinding, Sensitive};
use super::compiled::{Compiled, Source};
use super::config::{Action, PiiEntity};
use super::pii::{self, Found, PiiType};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Sighted {
    pii: Vec<PiiFinding>,
    regexes: Vec<RegexFinding>,
    pub(super) done: Done,
    /// The texts, masks in place.
    pub(super) masked: Vec<String>,
}

/// A rule by its place: of the kinds of personal data, or of the patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Pii(usize),
    Regex(usize),
}

/// Whether a guardrail looks for personal data in texts of `source`.
pub(super) fn looks(guardrail: &Compiled, source: Source) -> bool {
    entities(guardrail).any(|entity| entity.sides.of_sensitive(source, entity.action).is_some())
}

/// Looks at texts. What is blocked is not masked too: neither here when something else `is_blocked`
/// already, nor beside a finding that blocks.
pub(super) fn look(guardrail: &Compiled, texts: &[&str], how: How, is_blocked: bool) -> Sighted {
    let pii: Vec<(&PiiEntity, Action)> = entities(guardrail)
        .filter_map(|entity| Some((entity, entity.sides.of_sensitive(how.source, entity.action)?)))
        .collect();
    let regexes: Vec<_> = guardrail.regexes(how.source).collect();
    let found: Vec<Vec<Found<Rule>>> = texts
        .iter()
        .map(|text| {
            let mut found = Vec::new();
            for (n, (entity, _)) in pii.iter().enumerate() {
                find(entity, Rule::Pii(n), text, &mut found);
            }
            for (n, (_, regex, _)) in regexes.iter().enumerate() {
                found.extend(regex.iter().flat_map(|regex| {
                    let matches = regex.find_iter(text).filter(|found| !found.is_empty());
                    let kind = Rule::Regex(n);
                    matches.map(move |found| Found { kind, range: found.range(), confidence: 1.0 })
                }));
            }
            pii::without_overlaps(found)
        })
        .collect();
    let action = |rule: Rule| match rule {
        Rule::Pii(n) => pii[n].1,
        Rule::Regex(n) => regexes[n].2,
    };
    let blocks = is_blocked || found.iter().flatten().any(|one| action(one.kind) == Action::Block);
    let done = |rule: Rule| match action(rule) {
        Action::Block => Some(Done::Blocked),
        Action::Anonymize if blocks || !how.masks => None,
        Action::Anonymize => Some(Done::Anonymized),
        Action::None => Some(Done::None),
    };
    let mut sighted = Sighted::default();
    let mut known = HashSet::new();
    for (text, found) in texts.iter().zip(&found) {
        let mut masked = String::with_capacity(text.len());
        let mut from = 0;
        for one in found {
            let Some(done) = done(one.kind) else { continue };
            let entity = &text[one.range.clone()];
            sighted.done = sighted.done.max(done);
            let (is_pii, n) = match one.kind {
                Rule::Pii(n) => (true, n),
                Rule::Regex(n) => (false, n),
            };
            if done == Done::Anonymized {
                masked.push_str(&text[from..one.range.start]);
                from = one.range.end;
                masked.push('{');
                masked.push_str(&if is_pii {
                    pii[n].0.r#type.name()
                } else {
                    regexes[n].0.name.clone()
                });
                masked.push('}');
            }
            if !known.insert((is_pii, n, entity)) {
                continue;
            }
            let r#match = entity.to_owned();
            if is_pii {
                let r#type = pii[n].0.r#type;
                sighted.pii.push(PiiFinding { r#type, r#match, action: done, detected: true });
            } else {
                let entity = regexes[n].0;
                sighted.regexes.push(RegexFinding {
                    name: entity.name.clone(),
                    regex: entity.pattern.clone(),
                    r#match,
                    action: done,
                    detected: true,
                });
            }
        }
        masked.push_str(&text[from..]);
        sighted.masked.push(masked);
    }
    if how.is_full {
        sighted.add_absent(pii.iter().map(|(entity, _)| entity.r#type));
    }
    sighted
}

impl Sighted {
    /// Adds the kinds of personal data that were looked for in vain: the full scope has them, and
    /// has no patterns.
    fn add_absent(&mut self, kinds: impl Iterator<Item = PiiType>) {
        for r#type in kinds {
            if self.pii.iter().all(|found| found.r#type != r#type) {
                let (r#match, action) = (String::new(), Done::None);
                self.pii.push(PiiFinding { r#type, r#match, action, detected: false });
            }
        }
    }

    /// As the assessment states it, if there is anything to state.
    pub(super) fn stated(&self, omits_empty_lists: bool) -> Option<Sensitive> {
        if self.pii.is_empty() && self.regexes.is_empty() {
            return None;
        }
        let (pii, regexes) = (self.pii.clone(), self.regexes.clone());
        Some(Sensitive {
            pii_entities: (!omits_empty_lists || !pii.is_empty()).then_some(pii),
            regexes: (!omits_empty_lists || !regexes.is_empty()).then_some(regexes),
        })
    }
}

fn find(entity: &PiiEntity, rule: Rule, text: &str, found: &mut Vec<Found<Rule>>) {
    let mut by_form = Vec::new();
    entity.r#type.find(text, &mut by_form);
    found.extend(by_form.into_iter().map(|one| Found {
        kind: rule,
        range: one.range,
        confidence: one.confidence,
    }));
    if !entity.values.is_empty() {
        pii::find_listed(rule, &entity.values, text, found);
    }
}

fn entities(guardrail: &Compiled) -> impl Iterator<Item = &PiiEntity> {
    let policy = guardrail.config.sensitive_information_policy_config.iter();
    policy.flat_map(|policy| &policy.pii_entities_config)
}
