//! That what a plan draws at random follows the distributions it is said to, by tests of goodness
//! of fit. Each fails by chance for one seed in a thousand; the seeds are fixed, so none does.

use super::*;
use crate::scenario::{Lengths, Quantile, StopReason};

/// The normal deviate that one in a thousand exceeds.
const ONE_IN_A_THOUSAND: f64 = 3.09;

#[test]
fn poisson_calls_fall_evenly_on_the_day() {
    let plan = plan_of("poisson", "flat", "1");
    let shares: Vec<f64> = seconds(&plan).iter().map(|at| at / DAY.as_secs_f64()).collect();
    assert_follows(shares, |share| share);
}

#[test]
fn hours_have_the_calls_of_the_day_curve() {
    for name in ["conversation", "coding", "coding-weekend"] {
        let plan = plan_of("poisson", name, "1");
        let mut calls = [0.0; 24];
        for at in plan.planned().map(|planned| planned.at) {
            calls[usize::try_from(at.as_secs() / 3_600).unwrap()] += 1.0;
        }
        let curve: DayCurve = name.parse().unwrap();
        let shares: Vec<f64> = (0..24).map(|hour| curve.multiplier(hour)).collect();
        assert_in_shares(&calls, &shares);
    }
}

#[test]
fn gaps_follow_their_distributions() {
    let exponential = |x: f64| 1.0 - (-x).exp();
    assert_follows(gaps(&plan_of("poisson", "flat", "1"), 0), exponential);
    // Gaps are in units of their mean; a gamma distribution of shape k and mean 1 has scale 1/k.
    assert_follows(gaps(&plan_of("gamma:0.5", "flat", "1"), 0), |x| gamma(0.5, 0.5 * x));
    assert_follows(gaps(&plan_of("gamma:3", "flat", "1"), 0), |x| gamma(3.0, 3.0 * x));
    // A Weibull distribution of shape k and scale 1 has the mean gamma(1 + 1/k), which is 2 here.
    let weibull = |x: f64| 1.0 - (-(2.0 * x).sqrt()).exp();
    assert_follows(gaps(&plan_of("weibull:0.5", "flat", "1"), 0), weibull);
}

#[test]
fn gaps_vary_as_the_shape_of_a_gamma_process_says() {
    for (process, variation) in [("gamma:0.25", 2.0), ("gamma:1", 1.0), ("gamma:4", 0.5)] {
        let gaps = gaps(&plan_of(process, "flat", "1"), 0);
        let squares: f64 = gaps.iter().map(|gap| (gap - 1.0).powi(2)).sum();
        let seen = (squares / count(gaps.len())).sqrt();
        assert!((seen / variation - 1.0).abs() < 0.03, "{process}: {seen}, not {variation}");
    }
}

#[test]
fn tenants_come_in_their_shares_and_each_keeps_its_bursts() {
    let plan = plan_of("gamma:0.5", "flat", "12");
    assert_follows(gaps(&plan, 0), |x| gamma(0.5, 0.5 * x));

    let plan = plan_of("poisson", "flat", "12");
    let mut calls = [0.0; 12];
    for planned in plan.planned().take(5_000) {
        calls[planned.tenant as usize] += 1.0;
    }
    let zipf: Vec<f64> = (1..=12).map(|rank| f64::from(rank).powf(-1.2)).collect();
    assert_in_shares(&calls, &zipf);
}

#[test]
fn the_parts_of_the_mix_come_in_their_shares() {
    let plan = plan(11);
    let mut calls = vec![0.0; CHAT.mix.len()];
    for k in 0..20_000 {
        let target = plan.shape(k).target;
        calls[CHAT.mix.iter().position(|other| other == target).unwrap()] += 1.0;
    }
    let weights: Vec<f64> = CHAT.mix.iter().map(|target| target.weight).collect();
    assert_in_shares(&calls, &weights);
}

#[test]
fn lengths_of_prompts_follow_the_mixture() {
    let plan = plan(13);
    let lengths: Vec<u32> = prompts(&plan).map(|(prompt, _)| prompt).collect();
    assert_lengths_follow(&lengths, &CHAT.prompt_tokens);
}

#[test]
fn lengths_of_answers_follow_the_mixture() {
    let plan = plan(13);
    let shapes = (0..20_000).map(|k| plan.shape(k));
    let whole = shapes.filter_map(|shape| shape.answer).filter(|answer| {
        // One that its limit ends is as long as that.
        answer.stop != StopReason::MaxTokens
    });
    let lengths: Vec<u32> = whole.map(|answer| answer.tokens).collect();
    assert_lengths_follow(&lengths, &CHAT.answers.output_tokens);
}

#[test]
fn lengths_come_between_measured_quantiles_in_their_shares() {
    let measured = [(0.05, 181), (0.25, 396), (0.5, 1020), (0.75, 1189), (0.99, 4142)];
    let quantiles = measured.map(|(at, tokens)| Quantile { at, tokens });
    let lengths =
        Lengths { mixture: vec![], quantiles: quantiles.to_vec(), least: 20, most: 5_000 };
    let scenario = Scenario { prompt_tokens: lengths, ..CHAT.clone() };
    let plan = Plan::new(PlanConfig { scenario, ..config(19) }).unwrap();
    let lengths: Vec<u32> = prompts(&plan).map(|(prompt, _)| prompt).collect();
    let mut between = [0.0; 6];
    for length in &lengths {
        between[measured.iter().filter(|(_, tokens)| length > tokens).count()] += 1.0;
    }
    assert_in_shares(&between, &[0.05, 0.2, 0.25, 0.25, 0.24, 0.01]);
    // The middle of a part, by its logarithm, halves it.
    let middle = f64::from(396 * 1020).sqrt();
    let below = lengths.iter().filter(|length| (397..1021).contains(*length));
    let below = below.filter(|length| f64::from(**length) < middle).count();
    assert_in_shares(&[count(below), between[2] - count(below)], &[1.0, 1.0]);
}

#[test]
fn answers_end_in_the_shares_of_their_reasons() {
    for scenario in [CHAT.clone(), Scenario::named("agent").unwrap()] {
        let reasons = scenario.answers.stop_reasons.clone();
        let plan = Plan::new(PlanConfig { scenario, ..config(23) }).unwrap();
        let mut ends = vec![0.0; reasons.len()];
        for shape in (0..20_000).map(|k| plan.shape(k)) {
            let Some(answer) = shape.answer else { continue };
            ends[reasons.iter().position(|reason| reason.value == answer.stop).unwrap()] += 1.0;
            // The call lets it end so, and in no other way that the mock might choose.
            if answer.stop != StopReason::ToolUse {
                let at_limit = answer.tokens == shape.max_tokens;
                assert_eq!(at_limit, answer.stop == StopReason::MaxTokens);
            }
            assert!(answer.stop != StopReason::ToolUse || shape.tools.is_some());
            assert!(answer.stop != StopReason::StopSequence || shape.stop_sequences.is_some());
            assert!(
                answer.stop == StopReason::ToolUse || !shape.tools.is_some_and(|tools| tools.any)
            );
        }
        let weights: Vec<f64> = reasons.iter().map(|reason| reason.weight).collect();
        assert_in_shares(&ends, &weights);
    }
}

#[test]
fn what_is_drawn_for_a_call_is_independent() {
    let plan = plan_of("poisson", "flat", "1");
    let drawn: Vec<(u32, u32)> = prompts(&plan).collect();
    let prompt = |index: usize| f64::from(drawn[index].0);
    let limit = |index: usize| f64::from(drawn[index].1);
    let gaps = gaps(&plan, 0);
    let range = 0..drawn.len() - 1;
    let pair = |one: &dyn Fn(usize) -> f64, other: &dyn Fn(usize) -> f64| {
        range.clone().map(|index| (one(index), other(index))).collect::<Vec<_>>()
    };
    // The lengths of what goes in and of what may come out, as in public traces.
    assert_independent(&pair(&prompt, &limit));
    // Of one call and the next.
    assert_independent(&pair(&prompt, &|index| prompt(index + 1)));
    // Of a call and when it comes.
    assert_independent(&pair(&prompt, &|index| gaps[index]));
    assert_independent(&pair(&|index| gaps[index], &|index| gaps[index + 1]));
}

fn plan_of(arrivals: &str, day_curve: &str, tenants: &str) -> Plan {
    let day = AtRate {
        arrivals: arrivals.parse().unwrap(),
        shape: RateShape { day_curve: day_curve.parse().unwrap(), ..RateShape::default() },
        tenants: tenants.parse().unwrap(),
        ..day()
    };
    Plan::new(at_rate(17, day)).unwrap()
}

fn seconds(plan: &Plan) -> Vec<f64> {
    plan.planned().map(|planned| planned.at.as_secs_f64()).collect()
}

/// The gaps between the calls of one tenant, in units of their mean.
fn gaps(plan: &Plan, tenant: u32) -> Vec<f64> {
    let of_tenant = plan.planned().filter(|planned| planned.tenant == tenant);
    let times: Vec<f64> = of_tenant.map(|planned| planned.at.as_secs_f64()).collect();
    let mean = (times[times.len() - 1] - times[0]) / count(times.len() - 1);
    times.windows(2).map(|two| (two[1] - two[0]) / mean).collect()
}

/// How long the prompts of the first calls that have one are, and their answers.
fn prompts(plan: &Plan) -> impl Iterator<Item = (u32, u32)> {
    let shapes = (0..20_000).map(|k| plan.shape(k));
    shapes.filter_map(|shape| Some((shape.prompt_tokens, shape.answer?.tokens)))
}

/// Holds that `sample` follows the cumulative `distribution`, by Kolmogorov and Smirnov.
#[track_caller]
fn assert_follows(mut sample: Vec<f64>, distribution: impl Fn(f64) -> f64) {
    sample.sort_by(f64::total_cmp);
    let n = count(sample.len());
    let furthest = sample.iter().enumerate().map(|(index, value)| {
        let (below, with, expected) =
            (count(index) / n, count(index + 1) / n, distribution(*value));
        (expected - below).max(with - expected)
    });
    assert_near(furthest.fold(0.0, f64::max), n);
}

/// Holds that `seen` follow a mixture, clipped.
#[track_caller]
fn assert_lengths_follow(seen: &[u32], lengths: &Lengths) {
    let n = count(seen.len());
    // Lengths are whole numbers, so the steps are compared where they are, and not where lengths
    // beyond the clips are put.
    let furthest = (lengths.least..lengths.most).map(|length| {
        let below = seen.iter().filter(|other| **other <= length).count();
        (count(below) / n - mixture(lengths, f64::from(length) + 0.5)).abs()
    });
    assert_near(furthest.fold(0.0, f64::max), n);
}

/// Holds that two distributions may be the same that are `distance` apart in a sample of `n`.
#[track_caller]
fn assert_near(distance: f64, n: f64) {
    let critical = 1.949 / n.sqrt();
    assert!(distance < critical, "{distance} is not below {critical}");
}

/// Holds that `counts` are in the proportions of `shares`, by a chi-square test.
#[track_caller]
fn assert_in_shares(counts: &[f64], shares: &[f64]) {
    let (all, sum) = (counts.iter().sum::<f64>(), shares.iter().sum::<f64>());
    let expected = shares.iter().map(|share| all * share / sum);
    let terms = counts.iter().zip(expected).map(|(count, expected)| {
        assert!(expected >= 5.0, "{expected} are too few for the test");
        (count - expected).powi(2) / expected
    });
    assert_chi_square(terms.sum(), count(counts.len() - 1));
}

/// Holds that the members of `pairs` are independent, by a chi-square test of their quarters.
#[track_caller]
fn assert_independent(pairs: &[(f64, f64)]) {
    let quarter = |member: fn(&(f64, f64)) -> f64| {
        let mut sorted: Vec<f64> = pairs.iter().map(member).collect();
        sorted.sort_by(f64::total_cmp);
        let bounds = [1, 2, 3].map(|quarter| sorted[sorted.len() * quarter / 4]);
        move |pair| bounds.iter().filter(|bound| member(pair) >= **bound).count()
    };
    let (row, column) = (quarter(|pair| pair.0), quarter(|pair| pair.1));
    let mut table = [[0.0; 4]; 4];
    for pair in pairs {
        table[row(pair)][column(pair)] += 1.0;
    }
    let rows = table.map(|row| row.iter().sum::<f64>());
    let columns = [0, 1, 2, 3].map(|column| table.iter().map(|row| row[column]).sum::<f64>());
    let mut chi_square = 0.0;
    for (row, in_row) in table.iter().zip(rows) {
        for (seen, in_column) in row.iter().zip(columns) {
            let expected = in_row * in_column / count(pairs.len());
            // Where many values are equal, a quarter may be empty.
            if expected > 0.0 {
                chi_square += (seen - expected).powi(2) / expected;
            }
        }
    }
    assert_chi_square(chi_square, 9.0);
}

/// Holds that `value` is not above what one in a thousand of its distribution exceeds, which
/// Wilson and Hilferty's approximation gives.
#[track_caller]
fn assert_chi_square(value: f64, degrees: f64) {
    let spread = 2.0 / (9.0 * degrees);
    let critical = degrees * (1.0 - spread + ONE_IN_A_THOUSAND * spread.sqrt()).powi(3);
    assert!(value < critical, "{value} is not below {critical}");
}

/// The distribution of a scenario's lengths before they are clipped.
fn mixture(lengths: &Lengths, length: f64) -> f64 {
    let sum: f64 = lengths.mixture.iter().map(|part| part.weight).sum();
    let parts = lengths.mixture.iter();
    parts.map(|part| part.weight * normal((length / part.median).ln() / part.sigma)).sum::<f64>()
        / sum
}

/// The standard normal distribution.
fn normal(deviate: f64) -> f64 {
    // Further out the series is too small for its type.
    let deviate = deviate.clamp(-30.0, 30.0);
    0.5 + 0.5 * gamma(0.5, deviate * deviate / 2.0).copysign(deviate)
}

/// The gamma distribution of scale 1 and of a shape that is 0.5 or whole: its series, of which all
/// terms are above zero.
fn gamma(shape: f64, x: f64) -> f64 {
    let gamma_of_shape = match shape {
        0.5 => std::f64::consts::PI.sqrt(),
        _ => (1_u32..9).map(f64::from).take_while(|factor| *factor < shape).product(),
    };
    let mut term = x.powf(shape) * (-x).exp() / (gamma_of_shape * shape);
    let mut sum = 0.0;
    let mut next = shape + 1.0;
    while next < 2.0 * x + 200.0 {
        sum += term;
        term *= x / next;
        next += 1.0;
    }
    sum
}

#[expect(clippy::cast_precision_loss, reason = "counts of tests are small")]
fn count(of: usize) -> f64 {
    of as f64
}
