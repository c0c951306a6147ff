//! What rules return, and how findings are counted and kept.

use std::borrow::Cow;
use std::collections::BTreeMap;

use spanproof_schemas::report::{Example, FindingGroup, Level, Subject};

use crate::rules::Rule;

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

/// Findings by rule, level and message: exact counts, a few examples.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    groups: BTreeMap<(std::cmp::Reverse<Level>, &'static str, Cow<'static, str>), Group>,
}

#[derive(Debug, Default)]
struct Group {
    count: u64,
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
}

impl Tally {
    /// Counts a finding of `rule` at its default level or the one of `fixed`.
    pub(crate) fn add(
        &mut self,
        rule: &'static Rule,
        fixed: Option<Level>,
        finding: Finding,
        subject: impl FnOnce() -> Subject,
    ) {
        let level = fixed.or(finding.level).unwrap_or(rule.level);
        let key = (std::cmp::Reverse(level), rule.id, finding.message);
        let group = self.groups.entry(key).or_default();
        group.count += 1;
        let mut example = Example {
            subject: finding.subject.unwrap_or_else(subject),
            attribute: finding.attribute.map(Cow::into_owned),
            expected: finding.expected,
            actual: finding.actual,
        };
        bound(&mut example);
        group.keep(example);
    }

    /// Whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Adds what another tally counted.
    pub(crate) fn merge(&mut self, other: Tally) {
        for (key, more) in other.groups {
            let group = self.groups.entry(key).or_default();
            group.count += more.count;
            more.examples.into_iter().for_each(|example| group.keep(example));
        }
    }

    /// The groups, worst first, then by rule id and message; `mask` sees every text of telemetry.
    pub(crate) fn into_groups(self, mask: impl Fn(&mut String)) -> Vec<FindingGroup> {
        let groups = self.groups.into_iter().map(|((level, rule, message), mut group)| {
            for example in &mut group.examples {
                for_each_text(example, &mask);
            }
            FindingGroup {
                rule: rule.to_owned(),
                level: level.0,
                count: group.count,
                message: message.into_owned(),
                examples: group.examples,
            }
        });
        groups.collect()
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
