//! What rules return, and how findings are counted and kept.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use spanproof_schemas::report::{Example, FindingGroup, Level, Subject};

use crate::active::ActiveRule;
use crate::expectation::{Baseline, Found, Kind, Line, Place, Taker};

/// One thing that a rule found.
#[derive(Clone, Debug, Default)]
pub struct Finding {
    /// Graver or milder than the rule's own level.
    pub level: Option<Level>,
    /// What is wrong. Findings with the same message are counted together, so values of telemetry
    /// never stand in it.
    pub message: Cow<'static, str>,
    /// The attribute, field or metric at fault.
    pub attribute: Option<Cow<'static, str>>,
    /// What should have been there.
    pub expected: Option<String>,
    /// What was there.
    pub actual: Option<String>,
    /// What the finding points at, where that is not the item that was checked.
    pub subject: Option<Subject>,
}

impl Finding {
    /// A finding with this message.
    pub fn new(message: impl Into<Cow<'static, str>>) -> Finding {
        Finding { message: message.into(), ..Finding::default() }
    }

    /// Sets the level.
    #[must_use]
    pub fn level(self, level: Level) -> Finding {
        Finding { level: Some(level), ..self }
    }

    /// Names the attribute, field or metric at fault.
    #[must_use]
    pub fn attribute(self, attribute: impl Into<Cow<'static, str>>) -> Finding {
        Finding { attribute: Some(attribute.into()), ..self }
    }

    /// Says what should have been there.
    #[must_use]
    pub fn expected(self, expected: impl Into<String>) -> Finding {
        Finding { expected: Some(expected.into()), ..self }
    }

    /// Says what was there.
    #[must_use]
    pub fn actual(self, actual: impl Into<String>) -> Finding {
        Finding { actual: Some(actual.into()), ..self }
    }

    /// Points at another item than the one checked.
    #[must_use]
    pub fn about(self, subject: Subject) -> Finding {
        Finding { subject: Some(subject), ..self }
    }
}

/// How many examples of a group are kept.
const EXAMPLES: usize = 5;

/// What findings are grouped by: the worst first, then by rule and message.
pub(crate) type GroupKey = (Reverse<Level>, &'static str, Cow<'static, str>);

/// Findings by rule, level, message and who takes them: exact counts, a few examples.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    groups: BTreeMap<(GroupKey, Taker), Group>,
    /// The kinds of finding that the baseline may take: the least, so that the order of ingestion
    /// does not show.
    kinds: BTreeSet<Line>,
    /// The deviations that matched a finding which one before them took.
    shadowed: BTreeSet<usize>,
}

/// How often something was found, and where.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) count: u64,
    /// The least by [`order`], so that the order of ingestion does not show.
    examples: Vec<Example>,
}

impl Group {
    fn keep(&mut self, example: Example) {
        let at = self.examples.partition_point(|kept| order(kept) <= order(&example));
        if at < EXAMPLES {
            self.examples.truncate(EXAMPLES - 1);
            self.examples.insert(at, example);
        }
    }

    pub(crate) fn merge(&mut self, more: Group) {
        self.count += more.count;
        more.examples.into_iter().for_each(|example| self.keep(example));
    }

    /// The group for the report; `mask` sees every text of telemetry.
    pub(crate) fn into_finding(self, key: GroupKey, mask: impl Fn(&mut String)) -> FindingGroup {
        let (level, rule, message) = key;
        let mut examples = self.examples;
        for example in &mut examples {
            for_each_text(example, &mask);
        }
        FindingGroup {
            rule: rule.to_owned(),
            level: level.0,
            count: self.count,
            message: message.into_owned(),
            examples,
        }
    }
}

impl Tally {
    /// Counts a finding of `rule`, made at the place that `place` gives.
    pub(crate) fn add<'a, P: Into<Place<'a>>>(
        &mut self,
        rule: &ActiveRule,
        finding: Finding,
        place: impl FnOnce() -> P,
    ) {
        let level = rule.fixed.or(finding.level).unwrap_or(rule.rule.level);
        let mut place = place().into();
        let subject = std::mem::take(&mut place.subject);
        let mut example = Example {
            subject: finding.subject.unwrap_or(subject),
            attribute: finding.attribute.map(Cow::into_owned),
            expected: finding.expected,
            actual: finding.actual,
        };
        bound(&mut example);
        let found = Found { level, message: &finding.message, example: &example, place: &place };
        let (taker, shadowed) = rule.expected.taker(found);
        self.shadowed.extend(shadowed);
        let key = (Reverse(level), rule.rule.id, finding.message);
        let mut group = Group { count: 1, examples: Vec::new() };
        group.keep(example);
        self.put(key, taker, group);
    }

    fn put(&mut self, key: GroupKey, taker: Taker, group: Group) {
        let taker = match taker {
            Taker::Baseline(kind) if !self.has_room(&key, &kind) => Taker::Nobody,
            taker => taker,
        };
        self.groups.entry((key, taker)).or_default().merge(group);
    }

    /// Whether a kind of finding is among the least, after making room for it if it is.
    fn has_room(&mut self, key: &GroupKey, kind: &Kind) -> bool {
        let (level, rule, _) = key;
        let line: Line = (Cow::Borrowed(*rule), level.0, kind.clone());
        if !self.kinds.insert(line) || self.kinds.len() <= Baseline::MOST_KINDS {
            return true;
        }
        let Some((rule, level, last)) = self.kinds.pop_last() else { return true };
        let is_of_last = |key: &GroupKey, taker: &Taker| {
            key.0.0 == level
                && key.1 == rule
                && matches!(taker, Taker::Baseline(kind) if *kind == last)
        };
        let dropped = self.groups.extract_if(.., |(key, taker), _| is_of_last(key, taker));
        for ((key, _), group) in dropped.collect::<Vec<_>>() {
            self.groups.entry((key, Taker::Nobody)).or_default().merge(group);
        }
        !is_of_last(key, &Taker::Baseline(kind.clone()))
    }

    /// Whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// How much was found.
    pub(crate) fn count(&self) -> u64 {
        self.groups.values().map(|group| group.count).sum()
    }

    /// Adds what another tally counted.
    pub(crate) fn merge(&mut self, other: Tally) {
        self.shadowed.extend(other.shadowed);
        for ((key, taker), group) in other.groups {
            self.put(key, taker, group);
        }
    }

    /// What was found, and the deviations that matched only what one before them took.
    pub(crate) fn into_groups(self) -> (BTreeMap<(GroupKey, Taker), Group>, BTreeSet<usize>) {
        (self.groups, self.shadowed)
    }
}

/// The longest text of an example, in bytes.
const LONGEST: usize = 1024;

/// Cuts what telemetry made long, so that a report stays one that can be read.
fn bound(example: &mut Example) {
    for_each_text(example, |text| {
        if text.len() > LONGEST {
            *text = format!("{}… ({} bytes)", crate::value::cut(text, LONGEST / 8), text.len());
        }
    });
}

fn for_each_text(example: &mut Example, mut change: impl FnMut(&mut String)) {
    let Example { subject, attribute, expected, actual } = example;
    let Subject { span_name, metric, event, scope, .. } = subject;
    for text in [attribute, expected, actual, span_name, metric, event, scope] {
        text.iter_mut().for_each(&mut change);
    }
}

/// What examples are sorted by: calls as they arrived, then the rest by identity.
fn order(example: &Example) -> impl Ord + '_ {
    let Example { subject, attribute, expected, actual } = example;
    (
        (subject.exchange, &subject.metric, &subject.event, &subject.trace_id, &subject.span_id),
        (&subject.scope, &subject.span_name, attribute, expected, actual),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::expectation::{Expectations, RuleExpectations};
    use crate::rules::RULES;

    /// What is found at attributes of these numbers, by who takes it.
    fn tally(numbers: impl Iterator<Item = usize>) -> Tally {
        let baseline = Some(Baseline { least: Level::Information, counted: None });
        let expectations = Expectations { baseline, ..Expectations::default() };
        let expected = Arc::new(RuleExpectations::of(RULES[0].id, &expectations));
        let rule = ActiveRule { rule: RULES[0], fixed: None, expected };
        let mut tally = Tally::default();
        for number in numbers {
            let finding = Finding::new("wrong").attribute(format!("a.{number:05}"));
            tally.add(&rule, finding, Subject::default);
        }
        tally
    }

    fn counts(tally: Tally) -> Vec<(Taker, u64)> {
        let groups = tally.into_groups().0.into_iter();
        groups.map(|((_, taker), group)| (taker, group.count)).collect()
    }

    #[test]
    fn of_too_many_kinds_the_first_are_counted_whatever_the_order() {
        let most = Baseline::MOST_KINDS + 10;
        let ascending = counts(tally((0..most).chain(0..20)));
        assert_eq!(ascending.len(), Baseline::MOST_KINDS + 1);
        assert_eq!(ascending[0], (Taker::Nobody, 10), "those beyond are expected by nobody");
        assert_eq!(counts(tally((0..20).chain((0..most).rev()))), ascending);
        let mut parts = tally((0..most).step_by(2).chain(0..20));
        parts.merge(tally((1..most).step_by(2)));
        assert_eq!(counts(parts), ascending);
    }
}
