//! That what a plan draws at random follows the distributions it is said to, by tests of goodness
//! of fit. Each fails by chance for one seed in a thousand; the seeds are fixed, so none does.

use std::collections::BTreeSet;

use super::fit::{
    assert_chosen, assert_follows, assert_in_shares, assert_independent, assert_lengths_follow,
    assert_ratio, count, gamma, mixture,
};
use super::*;
use crate::scenario::{Chosen, Lengths, Quantile, StopReason, Target};

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
fn tenants_call_independently_of_one_another() {
    // As many gaps of each.
    let plan = plan_of("gamma:0.5", "flat", "2:0");
    let pairs = gaps(&plan, 0).into_iter().zip(gaps(&plan, 1));
    assert_independent(&pairs.collect::<Vec<_>>());

    // Those that call evenly begin anywhere in their first gap, but for the first.
    let plan = plan_of("constant", "flat", "400:0");
    let gap = DAY.as_secs_f64() / 200.0;
    let mut phases = BTreeMap::new();
    for planned in plan.planned().filter(|planned| planned.tenant > 0) {
        phases.entry(planned.tenant).or_insert_with(|| planned.at.as_secs_f64() / gap);
    }
    assert_eq!(phases.len(), 399);
    assert_follows(phases.into_values().collect(), |share| share);
}

#[test]
fn the_parts_of_the_mix_come_in_their_shares() {
    // A session has one target, so that it is sessions that are independent.
    let plan = plan(11);
    let mut sessions = vec![0.0; CHAT.mix.len()];
    for planned in begun(&plan) {
        sessions[plan.shape(&planned).target_index] += 1.0;
    }
    let is_answering = |target: &&Target| target.family().is_some_and(Family::answers_in_words);
    let answering = CHAT.mix.iter().filter(is_answering).count();
    let answers: Vec<usize> =
        (0..CHAT.mix.len()).filter(|index| is_answering(&&CHAT.mix[*index])).collect();
    assert!(answering > 10);
    let of = |values: &[f64]| answers.iter().map(|index| values[*index]).collect::<Vec<_>>();
    let weights: Vec<f64> = CHAT.mix.iter().map(|target| target.weight).collect();
    assert_in_shares(&of(&sessions), &of(&weights));

    let embedding: f64 =
        CHAT.mix.iter().filter(|target| !is_answering(target)).map(|target| target.weight).sum();
    let embeds = plan.planned().filter(|planned| planned.place.embeds).count();
    let rest = weights.iter().sum::<f64>() - embedding;
    assert_in_shares(&[count(embeds), count(80_000 - embeds)], &[embedding, rest]);
}

#[test]
fn lengths_of_prompts_follow_the_mixture() {
    let plan = plan(13);
    let lengths: Vec<u32> =
        begun(&plan).map(|planned| plan.shape(&planned).prompt_tokens()).collect();
    assert_lengths_follow(&lengths, &CHAT.prompt_tokens);
}

#[test]
fn lengths_of_answers_follow_the_mixture() {
    let plan = plan(13);
    let shapes = plan.planned().take(20_000).map(|planned| plan.shape(&planned));
    let whole = shapes.filter_map(|shape| shape.answer).filter(|answer| {
        // One that its limit ends is as long as that.
        answer.stop != StopReason::MaxTokens
    });
    let lengths: Vec<u32> = whole.map(|answer| answer.tokens).collect();
    assert_lengths_follow(&lengths, &CHAT.answers.output_tokens);
}

#[test]
fn lengths_of_texts_to_embed_follow_the_mixture() {
    let plan = plan(13);
    let texts = plan.planned().filter(|planned| planned.place.embeds);
    let lengths: Vec<u32> = texts.map(|planned| plan.shape(&planned).prompt_tokens()).collect();
    assert_lengths_follow(&lengths, &CHAT.embedding_tokens);
}

#[test]
fn lengths_of_later_questions_and_of_what_tools_return_follow_their_mixtures() {
    let scenario = Scenario::named("agent").unwrap();
    let plan = Plan::new(PlanConfig { scenario: scenario.clone(), ..config(13) }).unwrap();
    let said = |is_result: bool| {
        let later = plan.planned().take(40_000).filter(|planned| planned.place.step > 0);
        let of_kind = later.filter(|planned| (planned.place.round > 0) == is_result);
        of_kind.map(|planned| plan.shape(&planned).said_tokens).collect::<Vec<u32>>()
    };
    assert_lengths_follow(&said(false), &scenario.sessions.unwrap().follow_up_tokens);
    assert_lengths_follow(&said(true), &scenario.tools.result_tokens);
}

#[test]
fn lengths_beyond_the_clips_are_cut_and_not_drawn_again() {
    let lengths = Lengths {
        mixture: vec![crate::scenario::LogNormal { weight: 1.0, median: 100.0, sigma: 1.0 }],
        quantiles: Vec::new(),
        least: 50,
        most: 200,
    };
    let below = mixture(&lengths, 50.5);
    let above = 1.0 - mixture(&lengths, 199.5);
    let scenario = Scenario { prompt_tokens: lengths, sessions: None, ..CHAT.clone() };
    let plan = Plan::new(PlanConfig { scenario, ..config(31) }).unwrap();
    let lengths: Vec<u32> = prompts(&plan).map(|(prompt, _)| prompt).collect();
    let at = |clip: u32| count(lengths.iter().filter(|length| **length == clip).count());
    let between = count(lengths.len()) - at(50) - at(200);
    assert_in_shares(&[at(50), between, at(200)], &[below, 1.0 - below - above, above]);
}

#[test]
fn faults_come_in_their_shares() {
    // All calls are streamed, so that each fault can strike any of them.
    let scenario = Scenario::named("streaming").unwrap();
    let faults = scenario.faults.clone();
    let plan = Plan::new(PlanConfig { scenario, ..config(61) }).unwrap();
    let mut seen = vec![0.0; faults.len() + 1];
    for planned in plan.planned() {
        let fault = plan.shape(&planned).fault;
        let place = faults.iter().position(|planned| Some(planned.fault) == fault);
        assert_eq!(place.is_some(), fault.is_some());
        seen[place.unwrap_or(faults.len())] += 1.0;
    }
    let mut shares: Vec<f64> = faults.iter().map(|fault| fault.share).collect();
    shares.push(1.0 - shares.iter().sum::<f64>());
    assert_in_shares(&seen, &shares);
}

#[test]
fn parameters_are_set_in_their_shares_and_have_each_of_their_values() {
    let scenario = Scenario { sessions: None, ..CHAT.clone() };
    let plan = Plan::new(PlanConfig { scenario, ..config(67) }).unwrap();
    let planned: Vec<Planned> = plan.planned().take(30_000).collect();
    let shapes: Vec<_> = planned.iter().map(|planned| plan.shape(planned)).collect();
    let sampling = &CHAT.sampling;
    assert_chosen(&sampling.temperature, shapes.iter().map(|shape| shape.temperature.as_ref()));
    // One of the two is set, as the models ask for.
    let without = shapes.iter().filter(|shape| shape.temperature.is_none());
    assert_chosen(&sampling.top_p, without.map(|shape| shape.top_p.as_ref()));
    let native = shapes.iter().filter(|shape| shape.target.is_native());
    assert_chosen(&sampling.top_k, native.map(|shape| shape.top_k.as_ref()));
    // Those whose answer is to end at one need one.
    let free = shapes
        .iter()
        .filter(|shape| shape.answer.is_some_and(|answer| answer.stop != StopReason::StopSequence));
    let sequences = free.map(|shape| {
        let named = shape.stop_sequences?;
        CHAT.stop_sequences.values.iter().find(|values| values.as_slice() == named)
    });
    assert_chosen(&CHAT.stop_sequences, sequences);
    // Short answers fit each limit.
    let mut limits = vec![0.0; CHAT.max_tokens.len()];
    let least = CHAT.max_tokens.iter().map(|limit| limit.value).min().unwrap();
    for shape in &shapes {
        let Some(answer) = shape.answer else { continue };
        if answer.stop == StopReason::EndTurn && answer.tokens < least {
            let limit = |limit: &Weighted<u32>| limit.value == shape.max_tokens;
            limits[CHAT.max_tokens.iter().position(limit).unwrap()] += 1.0;
        }
    }
    let weights: Vec<f64> = CHAT.max_tokens.iter().map(|limit| limit.weight).collect();
    assert_in_shares(&limits, &weights);
    let traits: Vec<_> = planned.iter().map(|planned| plan.traits(&planned.place)).collect();
    let system = traits.iter().map(|traits| Some(&CHAT.system.values[traits.system?]));
    assert_chosen(&CHAT.system, system);
    let prompts: Vec<usize> = (0..usize::try_from(CHAT.cached_prefix.prompts).unwrap()).collect();
    let prefix = Chosen { share: CHAT.cached_prefix.share, values: prompts };
    assert_chosen(&prefix, traits.iter().map(|traits| traits.shared_prompt.as_ref()));
}

#[test]
fn calls_insist_on_a_tool_in_the_share_of_those_that_use_one() {
    let scenario = Scenario::named("agent").unwrap();
    let share = scenario.tools.any_share;
    let plan = Plan::new(PlanConfig { scenario, ..config(71) }).unwrap();
    let shapes = plan.planned().take(20_000).map(|planned| plan.shape(&planned));
    let mut insisting = [0.0; 2];
    for shape in shapes {
        if shape.answer.is_some_and(|answer| answer.stop == StopReason::ToolUse) {
            insisting[usize::from(shape.tools.unwrap().any)] += 1.0;
        }
    }
    assert_in_shares(&insisting, &[1.0 - share, share]);
}

#[test]
fn lengths_come_between_measured_quantiles_in_their_shares() {
    let measured = [(0.05, 181), (0.25, 396), (0.5, 1020), (0.75, 1189), (0.99, 4142)];
    let quantiles = measured.map(|(at, tokens)| Quantile { at, tokens });
    let lengths =
        Lengths { mixture: vec![], quantiles: quantiles.to_vec(), least: 20, most: 5_000 };
    let scenario = Scenario { prompt_tokens: lengths, sessions: None, ..CHAT.clone() };
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
        for shape in plan.planned().take(20_000).map(|planned| plan.shape(&planned)) {
            let Some(answer) = shape.answer else { continue };
            // Uses of tools come in some sessions alone, and are counted with these below.
            if answer.stop != StopReason::ToolUse {
                ends[reasons.iter().position(|reason| reason.value == answer.stop).unwrap()] += 1.0;
            }
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
        let is_other = |index: &usize| reasons[*index].value != StopReason::ToolUse;
        let others = (0..reasons.len()).filter(is_other);
        let (ends, weights): (Vec<f64>, Vec<f64>) =
            others.map(|index| (ends[index], reasons[index].weight)).unzip();
        assert_in_shares(&ends, &weights);
    }
}

#[test]
fn answers_end_with_a_tool_in_their_share_of_all_calls() {
    for (name, share) in [("chat", 0.06), ("agent", 0.55), ("rag", 0.06)] {
        let plan = plan_of_sessions(Scenario::named(name).unwrap(), 29);
        let uses = |planned: &Planned| {
            let stop = plan.shape(planned).answer.map(|answer| answer.stop);
            f64::from(u8::from(stop == Some(StopReason::ToolUse)))
        };
        let sums = whole_sessions(&plan)
            .into_values()
            .map(|calls| (calls.iter().map(uses).sum(), count(calls.len())));
        assert_ratio(&sums.collect::<Vec<_>>(), share);
    }
}

#[test]
fn sessions_have_turns_in_their_shares() {
    let plan = plan_of_sessions(CHAT.clone(), 31);
    let turns = &CHAT.sessions.as_ref().unwrap().turns;
    let mut seen = vec![0.0; turns.len()];
    for calls in whole_sessions(&plan).values() {
        let last = calls.last().unwrap().place.turn + 1;
        seen[turns.iter().position(|turns| turns.value == last).unwrap()] += 1.0;
    }
    assert_in_shares(&seen, &turns.iter().map(|turns| turns.weight).collect::<Vec<_>>());
}

#[test]
fn a_plan_starts_in_the_midst_of_sessions_as_it_goes_on() {
    // Without tools a turn is a call, and each turn of a session is as likely as any other.
    let mut scenario = CHAT.clone();
    scenario.answers.stop_reasons.retain(|reason| reason.value == StopReason::EndTurn);
    // Written for each of many plans, and of no matter here.
    scenario.cached_prefix.tokens = 0;
    let sessions = scenario.sessions.as_ref().unwrap();
    let turns = sessions.turns.clone();
    let mut first = [0.0; 8];
    for seed in 0..40 {
        let plan = plan_of_sessions(scenario.clone(), seed);
        let mut sessions = BTreeSet::new();
        for planned in plan.planned().take(300) {
            // The first call of each session that goes on.
            if planned.place.session < 60 && sessions.insert(planned.place.session) {
                first[planned.place.turn as usize] += 1.0;
            }
        }
    }
    let reaching = |turn: usize| {
        turns.iter().filter(|turns| turns.value as usize > turn).map(|turns| turns.weight).sum()
    };
    assert_in_shares(&first, &(0..8).map(reaching).collect::<Vec<f64>>());
}

#[test]
fn sessions_repeat_their_share_of_what_prompts_say() {
    // Of fixed lengths, so that the share follows from the turns alone: 100 tokens at first, 40 in
    // each question after it, and 60 in each answer.
    let fixed = |tokens| Lengths {
        mixture: vec![crate::scenario::LogNormal {
            weight: 1.0,
            median: f64::from(tokens),
            sigma: 0.0,
        }],
        quantiles: Vec::new(),
        least: tokens,
        most: tokens,
    };
    let mut scenario = CHAT.clone();
    scenario.answers.stop_reasons.retain(|reason| reason.value == StopReason::EndTurn);
    (scenario.prompt_tokens, scenario.answers.output_tokens) = (fixed(100), fixed(60));
    let sessions = scenario.sessions.as_mut().unwrap();
    sessions.follow_up_tokens = fixed(40);
    let (mut known, mut prompts) = (0.0, 0.0);
    for turns in &sessions.turns {
        for turn in 0..turns.value {
            let before = if turn == 0 { 0.0 } else { f64::from(100 * turn + 60) };
            known += turns.weight * before;
            prompts += turns.weight * (before + if turn == 0 { 100.0 } else { 40.0 });
        }
    }
    let plan = plan_of_sessions(scenario, 37);
    let sums = whole_sessions(&plan).into_values().map(|calls| {
        let shapes = || calls.iter().map(|planned| plan.shape(planned));
        let known: u32 = shapes().map(|shape| shape.known_tokens).sum();
        let prompts: u32 = shapes().map(|shape| shape.prompt_tokens()).sum();
        (f64::from(known), f64::from(prompts))
    });
    assert_ratio(&sums.collect::<Vec<_>>(), known / prompts);
}

#[test]
fn sessions_are_for_features_in_their_shares() {
    let plan = plan_of_sessions(CHAT.clone(), 41);
    let mut seen = vec![0.0; CHAT.features.len()];
    for calls in whole_sessions(&plan).values() {
        let of: std::collections::BTreeSet<&str> =
            calls.iter().map(|planned| plan.shape(planned).feature.unwrap()).collect();
        assert_eq!(of.len(), 1, "a session is for one feature");
        let feature = CHAT.features.iter().position(|feature| of.contains(feature.value.as_str()));
        seen[feature.unwrap()] += 1.0;
    }
    let weights: Vec<f64> = CHAT.features.iter().map(|feature| feature.weight).collect();
    assert_in_shares(&seen, &weights);
}

#[test]
fn sessions_are_independent() {
    let plan = plan_of_sessions(CHAT.clone(), 43);
    let sessions: Vec<Vec<Planned>> = whole_sessions(&plan).into_values().collect();
    let turns = |at: usize| f64::from(sessions[at].last().unwrap().place.turn);
    let shape = |at: usize| plan.shape(&sessions[at][0]);
    let said = |at: usize| f64::from(shape(at).said_tokens);
    let range = 0..sessions.len() - 1;
    let pair = |one: &dyn Fn(usize) -> f64, other: &dyn Fn(usize) -> f64| {
        range.clone().map(|at| (one(at), other(at))).collect::<Vec<_>>()
    };
    // One and the next.
    assert_independent(&pair(&turns, &|at| turns(at + 1)));
    assert_independent(&pair(&said, &|at| said(at + 1)));
    // How long a session is, what it begins with, and by which model it is answered.
    assert_independent(&pair(&turns, &said));
    assert_independent(&pair(&turns, &|at| count(shape(at).target_index)));
    assert_independent(&pair(&said, &|at| count(shape(at).target_index)));
}

#[test]
fn a_session_pauses_while_as_many_calls_arrive_as_sessions_are_open() {
    let plan = plan_of_sessions(CHAT.clone(), 47);
    let open = f64::from(CHAT.sessions.as_ref().unwrap().open);
    let mut last = BTreeMap::new();
    let mut between = [0.0; 12];
    // Calls that embed are of no session.
    let calls = plan.planned().filter(|planned| !planned.place.embeds);
    for (at, planned) in calls.enumerate().take(60_000) {
        let session = planned.place.session;
        if let Some(before) = last.insert(session, at)
            // Long pauses of late sessions are beyond the end.
            && before < 55_000
        {
            between[((at - before - 1) / 20).min(11)] += 1.0;
        }
    }
    // Each call is as likely to be of any session that is open.
    let within = |calls: f64| 1.0 - (1.0 - 1.0 / open).powf(calls);
    let share = |part: u32| match part {
        11 => 1.0 - within(220.0),
        part => within(f64::from(part + 1) * 20.0) - within(f64::from(part) * 20.0),
    };
    assert_in_shares(&between, &(0..12).map(share).collect::<Vec<_>>());
}

#[test]
fn tenants_have_their_share_of_the_sessions_that_are_open() {
    let day = AtRate { tenants: "4:1".parse().unwrap(), arrivals: Arrivals::Poisson, ..day() };
    let plan = Plan::new(at_rate(53, day)).unwrap();
    let mut sessions = vec![BTreeSet::new(); 4];
    for planned in plan.planned().filter(|planned| planned.place.session < 60) {
        sessions[planned.tenant as usize].insert(planned.place.session);
    }
    // 60 by 1, 1/2, 1/3 and 1/4.
    assert_eq!(sessions.iter().map(BTreeSet::len).collect::<Vec<_>>(), [29, 14, 10, 7]);
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

/// A plan of which only the times are of interest.
fn plan_of(arrivals: &str, day_curve: &str, tenants: &str) -> Plan {
    let day = AtRate {
        arrivals: arrivals.parse().unwrap(),
        shape: RateShape { day_curve: day_curve.parse().unwrap(), ..RateShape::default() },
        tenants: tenants.parse().unwrap(),
        ..day()
    };
    let scenario = Scenario { sessions: None, ..CHAT.clone() };
    Plan::new(PlanConfig { scenario, ..at_rate(17, day) }).unwrap()
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

/// How long what is said in the first calls that are answered is, and their answers.
fn prompts(plan: &Plan) -> impl Iterator<Item = (u32, u32)> {
    let shapes = plan.planned().take(20_000).map(|planned| plan.shape(&planned));
    shapes.filter_map(|shape| Some((shape.said_tokens, shape.answer?.tokens)))
}

/// The first calls of the sessions that begin in a plan.
fn begun(plan: &Plan) -> impl Iterator<Item = Planned> {
    plan.planned().filter(|planned| planned.place.step == 0 && !planned.place.embeds)
}

/// A day of one tenant, with sessions that no length ends.
fn plan_of_sessions(mut scenario: Scenario, seed: u64) -> Plan {
    scenario.sessions.as_mut().unwrap().most_tokens = u32::MAX;
    let day = AtRate { arrivals: Arrivals::Poisson, ..day() };
    Plan::new(PlanConfig { scenario, ..at_rate(seed, day) }).unwrap()
}

/// The calls of sessions that begin in the first half of a plan, and so have all of them in it.
fn whole_sessions(plan: &Plan) -> BTreeMap<u64, Vec<Planned>> {
    let mut sessions = BTreeMap::<u64, Vec<Planned>>::new();
    for planned in plan.planned().take(40_000).filter(|planned| !planned.place.embeds) {
        if planned.place.step == 0 && planned.call < 30_000 {
            sessions.insert(planned.place.session, Vec::new());
        }
        if let Some(calls) = sessions.get_mut(&planned.place.session) {
            calls.push(planned);
        }
    }
    sessions
}
