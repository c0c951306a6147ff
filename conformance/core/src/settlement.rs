//! The end of a run: which findings are expected, and which expectations hold.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use spanproof_schemas::baseline::Counted;
use spanproof_schemas::glob;
use spanproof_schemas::report::{DeviationState, FindingGroup};

use crate::expectation::{Expectation, Expectations, Line, Taker, counted, line};
use crate::finding::{Group, GroupKey, Tally};

/// What became of an expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Whether it holds, or why it does not.
    pub state: DeviationState,
    /// How many findings match it.
    pub found: u64,
    /// Those that are expected by it: none where there are more than it says, or where it is
    /// expired.
    pub findings: Vec<FindingGroup>,
}

/// Findings, by whether they are expected.
#[derive(Debug, Default)]
pub(crate) struct Settlement {
    pub(crate) findings: Vec<FindingGroup>,
    /// For each deviation of the user's, in their order.
    pub(crate) deviations: Vec<Expected>,
    /// For each line of the baseline, in their order.
    pub(crate) baseline: Vec<(Counted, Expected)>,
}

type Groups = BTreeMap<GroupKey, Group>;

/// Says of everything found whether it is expected; `mask` sees every text of telemetry.
pub(crate) fn settle(tally: Tally, all: &Expectations, mask: impl Fn(&mut String)) -> Settlement {
    let (groups, shadowed) = tally.into_groups();
    let rules: BTreeSet<&'static str> = groups.keys().map(|((_, rule, _), _)| *rule).collect();
    let mut unexpected = Groups::new();
    let mut by_deviation: Vec<Groups> = all.deviations.iter().map(|_| Groups::new()).collect();
    let mut by_line: BTreeMap<Line, Groups> = BTreeMap::new();
    for ((key, taker), group) in groups {
        let place = match taker {
            Taker::Nobody => &mut unexpected,
            Taker::Deviation(at) => &mut by_deviation[at],
            Taker::Baseline(mut kind) => {
                kind.texts().for_each(&mask);
                by_line.entry((Cow::Borrowed(key.1), key.0.0, kind)).or_default()
            }
        };
        place.entry(key).or_default().merge(group);
    }
    let mut settle = |groups: Groups, state: DeviationState| {
        let found = count(&groups);
        let mut taken = Vec::new();
        if matches!(state, DeviationState::More | DeviationState::Expired) {
            absorb(&mut unexpected, groups);
        } else {
            taken = findings(groups, &mask);
        }
        Expected { state, found, findings: taken }
    };
    let deviations = all.deviations.iter().zip(by_deviation).enumerate();
    let deviations = deviations.map(|(at, (deviation, groups))| {
        let has_rule = rules.iter().any(|rule| glob::fits(&deviation.rule, rule));
        let absence = match has_rule {
            false => DeviationState::Stale,
            true if shadowed.contains(&at) => DeviationState::Shadowed,
            true => DeviationState::Unmatched,
        };
        let state = deviation_state(deviation, count(&groups), absence);
        settle(groups, state)
    });
    let deviations = deviations.collect();
    let mut baseline = Vec::new();
    let expected = all.baseline.as_ref().map(|baseline| baseline.counted.as_ref());
    match expected {
        None => {}
        Some(Some(lines)) => {
            for known in lines {
                let (line, expected) = line(known);
                let has_rule = rules.contains(&*line.0);
                let groups = by_line.remove(&line).unwrap_or_default();
                let state = line_state(expected, count(&groups), has_rule);
                baseline.push((known.clone(), settle(groups, state)));
            }
        }
        Some(None) => {
            for (line, groups) in std::mem::take(&mut by_line) {
                let line = counted(line, count(&groups));
                baseline.push((line, settle(groups, DeviationState::Met)));
            }
        }
    }
    for groups in by_line.into_values() {
        absorb(&mut unexpected, groups);
    }
    Settlement { findings: findings(unexpected, mask), deviations, baseline }
}

fn deviation_state(deviation: &Expectation, found: u64, absence: DeviationState) -> DeviationState {
    if deviation.is_expired && (found > 0 || deviation.least == 0) {
        DeviationState::Expired
    } else if found == 0 && deviation.least > 0 {
        absence
    } else if found < deviation.least {
        DeviationState::Fewer
    } else if deviation.most.is_some_and(|most| found > most) {
        DeviationState::More
    } else {
        DeviationState::Met
    }
}

fn line_state(expected: u64, found: u64, has_rule: bool) -> DeviationState {
    match found {
        0 if has_rule => DeviationState::Unmatched,
        0 => DeviationState::Stale,
        found if found < expected => DeviationState::Fewer,
        found if found > expected => DeviationState::More,
        _ => DeviationState::Met,
    }
}

fn count(groups: &Groups) -> u64 {
    groups.values().map(|group| group.count).sum()
}

fn absorb(all: &mut Groups, groups: Groups) {
    for (key, group) in groups {
        all.entry(key).or_default().merge(group);
    }
}

fn findings(groups: Groups, mask: impl Fn(&mut String)) -> Vec<FindingGroup> {
    groups.into_iter().map(|(key, group)| group.into_finding(key, &mask)).collect()
}
