//! Laws of what is expected to be found.

use std::collections::BTreeMap;

use conformance_core::{Baseline, Expectation, Expectations, Facet, Judgement, Settings};
use proptest::collection::vec;
use proptest::prelude::*;
use spanproof_schemas::baseline::Counted;
use spanproof_schemas::report::{DeviationState, FindingGroup, Level};

use super::arbitrary::any_span;
use super::made::{call, made};
use super::{Input, inputs, judge_by};

fn judge(inputs: &[Input], expectations: Expectations) -> Judgement {
    let mut settings = Settings::default();
    settings.expectations = expectations;
    judge_by(settings, inputs)
}

/// Calls with spans of which some are wrong, one is lost, and some are no telemetry of ours.
fn wrong() -> impl Strategy<Value = Vec<Input>> {
    let parts = (vec(made(), 2..8), vec(any_span(), 0..4), any::<prop::sample::Index>());
    parts.prop_map(|(mut calls, odd, lost)| {
        for made in &mut calls {
            *made = call(made.start_ms / 200 * 200, 100, made.tie);
        }
        let mut all = inputs(&calls);
        for (at, input) in all.iter_mut().enumerate() {
            if let Input::Span(span) = input
                && at % 4 < 2
            {
                span.attributes.retain(|known| !known.key.ends_with("finish_reasons"));
            }
        }
        all.remove(lost.index(all.len()));
        all.extend(odd.into_iter().map(Input::Span));
        all
    })
}

fn baseline(counted: Option<Vec<Counted>>) -> Expectations {
    let baseline = Baseline { least: Level::Information, counted };
    Expectations { baseline: Some(baseline), ..Expectations::default() }
}

/// The baseline of a run.
fn written(inputs: &[Input]) -> Vec<Counted> {
    let lines = judge(inputs, baseline(None)).baseline;
    lines.into_iter().map(|(counted, _)| counted).collect()
}

fn states(judgement: &Judgement) -> Vec<DeviationState> {
    judgement.baseline.iter().map(|(_, expected)| expected.state).collect()
}

fn holds(judgement: &Judgement) -> bool {
    judgement.findings.is_empty()
        && states(judgement).iter().all(|state| *state == DeviationState::Met)
}

fn counts<'a>(
    groups: impl IntoIterator<Item = &'a FindingGroup>,
) -> BTreeMap<(&'a str, &'a str), u64> {
    let mut counts = BTreeMap::new();
    for group in groups {
        *counts.entry((&*group.rule, &*group.message)).or_default() += group.count;
    }
    counts
}

fn expectation() -> impl Strategy<Value = Expectation> {
    let rules = ["*", "truth/*", "presence/*", "usage/input-tokens", "*span*"];
    let patterns = [
        (Facet::Attribute, "gen_ai.*"),
        (Facet::Scope, "law"),
        (Facet::Operation, "Converse*"),
        (Facet::Model, "*nova*"),
        (Facet::Span, "chat*"),
        (Facet::Message, "*call*"),
    ];
    (
        proptest::sample::select(rules.to_vec()),
        proptest::sample::subsequence(patterns.to_vec(), 0..2),
        0..3_u64,
        proptest::option::of(2..9_u64),
        any::<bool>(),
    )
        .prop_map(|(rule, matching, least, most, is_expired)| Expectation {
            rule: rule.to_owned(),
            matching: matching.into_iter().map(|(key, text)| (key, text.to_owned())).collect(),
            least,
            most,
            is_expired,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_baseline_of_a_capture_holds_for_the_capture_in_any_order(
        (inputs, shuffled) in wrong().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        let lines = written(&inputs);
        prop_assert!(!lines.is_empty(), "a span is lost");
        prop_assert_eq!(&written(&shuffled), &lines);
        let judgement = judge(&shuffled, baseline(Some(lines)));
        prop_assert!(holds(&judgement), "{:?} {:?}", judgement.findings, states(&judgement));
    }

    #[test]
    fn a_finding_more_or_fewer_than_a_baseline_counts_is_told(
        inputs in wrong(),
        place in any::<prop::sample::Index>(),
    ) {
        let lines = written(&inputs);
        let place = place.index(lines.len());

        let mut fewer = lines.clone();
        fewer[place].count += 1;
        let judgement = judge(&inputs, baseline(Some(fewer)));
        prop_assert_eq!(states(&judgement)[place], DeviationState::Fewer);

        let mut without = lines.clone();
        let gone = without.remove(place);
        let judgement = judge(&inputs, baseline(Some(without)));
        let new: u64 = judgement.findings.iter().map(|group| group.count).sum();
        prop_assert_eq!(new, gone.count);

        let mut more = lines;
        more[place].count -= 1;
        let judgement = judge(&inputs, baseline(Some(more)));
        prop_assert!(judgement.findings.iter().all(|group| group.rule == gone.rule));
        prop_assert_eq!(states(&judgement)[place], DeviationState::More);
        prop_assert!(!holds(&judgement));
    }

    #[test]
    fn no_finding_is_lost_whatever_is_expected(
        inputs in wrong(),
        deviations in vec(expectation(), 0..5),
        has_baseline in any::<bool>(),
    ) {
        let baseline = has_baseline.then_some(Baseline { least: Level::Improvement, counted: None });
        let judgement = judge(&inputs, Expectations { deviations, baseline });
        let lines = judgement.baseline.iter().map(|(_, expected)| expected);
        let expected = judgement.deviations.iter().chain(lines);
        let all = judgement.findings.iter().chain(expected.flat_map(|known| &known.findings));
        let plain = judge(&inputs, Expectations::default());
        prop_assert_eq!(counts(all), counts(&plain.findings));
        for (one, other) in judgement.rules.iter().zip(&plain.rules) {
            prop_assert_eq!(one.findings + one.expected, other.findings, "{}", one.id);
        }
    }

    #[test]
    fn the_order_of_telemetry_does_not_show_in_what_is_expected(
        (inputs, shuffled) in wrong().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        deviations in vec(expectation(), 0..5),
    ) {
        let expectations = Expectations { deviations, baseline: None };
        prop_assert_eq!(judge(&inputs, expectations.clone()), judge(&shuffled, expectations));
    }
}
