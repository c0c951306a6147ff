use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use spanproof_schemas::worker::Operation;

use super::*;
use crate::capabilities::{Family, Feature};
use crate::fault::Fault;

/// Read once, for the sake of the tests that make many plans.
static CHAT: LazyLock<Scenario> = LazyLock::new(|| Scenario::named("chat").unwrap());

const DAY: Duration = Duration::from_hours(24);

fn config(seed: u64) -> PlanConfig {
    PlanConfig {
        scenario: CHAT.clone(),
        capabilities: Capabilities::all(),
        seed,
        rate: "80000/day".parse().unwrap(),
        length: DAY,
        most_calls: None,
        arrivals: Arrivals::Constant,
        day_curve: DayCurve::Flat,
    }
}

fn plan(seed: u64) -> Plan {
    Plan::new(config(seed)).unwrap()
}

#[test]
fn a_day_has_exactly_its_rate_of_calls() {
    for (_, arrivals) in Arrivals::ALL {
        for (_, day_curve) in DayCurve::ALL {
            let plan = Plan::new(PlanConfig { arrivals, day_curve, ..config(1) }).unwrap();
            assert_eq!(plan.calls(), 80_000);
        }
    }
}

#[test]
fn a_limit_keeps_the_first_calls_as_they_are() {
    let limited = Plan::new(PlanConfig { most_calls: Some(200), ..config(1) }).unwrap();
    assert_eq!(limited.calls(), 200);
    assert_eq!(limited.planned(199), plan(1).planned(199));
    assert_eq!(limited.call(199), plan(1).call(199));
}

#[test]
fn the_first_calls_of_a_seed_never_change() {
    let plan = plan(1);
    let calls: Vec<Call> = (0..4)
        .map(|k| {
            let mut call = plan.call(k);
            shorten(&mut call.request);
            call
        })
        .collect();
    insta::assert_snapshot!(serde_json::to_string_pretty(&calls).unwrap());
}

/// Cuts long texts short, so that a person can read the snapshot.
fn shorten(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) if text.len() > 90 => {
            *text = format!("{}... {} characters", &text[..90], text.len());
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(shorten),
        serde_json::Value::Object(members) => members.values_mut().for_each(shorten),
        _ => {}
    }
}

#[test]
fn what_cannot_be_planned_is_told() {
    let mut no_operations = config(1);
    no_operations.capabilities.operations.clear();
    let said: String = [
        PlanConfig { rate: "1/day".parse().unwrap(), length: Duration::from_mins(1), ..config(1) },
        PlanConfig { rate: "1000000/s".parse().unwrap(), ..config(1) },
        PlanConfig { most_calls: Some(0), ..config(1) },
        no_operations,
    ]
    .into_iter()
    .map(|config| Plan::new(config).unwrap_err().to_string())
    .collect::<Vec<String>>()
    .join("\n");
    insta::assert_snapshot!(said);
}

#[test]
fn the_mix_and_the_faults_come_in_their_shares() {
    let (plan, calls) = (plan(3), 20_000_u32);
    let mut targets: BTreeMap<(Operation, String), f64> = BTreeMap::new();
    let mut faults = 0.0;
    for call in (0..u64::from(calls)).map(|k| plan.call(k)) {
        let fault = Fault::of(&call);
        faults += f64::from(u8::from(fault.is_some()));
        *targets.entry((call.operation, call.model_id)).or_default() += 1.0;
    }
    let weights: f64 = CHAT.mix.iter().map(|target| target.weight).sum();
    for target in &CHAT.mix {
        let seen = targets[&(target.operation, target.model.clone())] / f64::from(calls);
        let share = target.weight / weights;
        assert!((seen - share).abs() < 0.01, "{target:?}: {seen}, not {share}");
    }
    // Those that break streams have no effect on other calls.
    let planned: f64 = CHAT.faults.iter().map(|fault| fault.share).sum();
    let share = faults / f64::from(calls);
    assert!((planned - 0.006..planned + 0.003).contains(&share), "{share}, not {planned}");
}

#[test]
fn prompts_are_as_long_as_the_scenario_says() {
    let plan = plan(5);
    let mut lengths: Vec<u32> = (0..5_000).map(|k| plan.shape(k).prompt_tokens).collect();
    lengths.sort_unstable();
    assert!((150..400).contains(&lengths[2_500]), "median {}", lengths[2_500]);
    assert!(lengths[4_999] <= 2_000);
    let shared = plan.shared_prompts.iter().map(String::len).min().unwrap();
    assert!(shared > 1_024 * 5, "{shared} characters may be fewer than 1,024 tokens");
}

#[test]
fn a_client_is_asked_only_for_what_it_can_do() {
    let capabilities = Capabilities {
        operations: vec![Operation::InvokeModel],
        families: vec![Family::Claude],
        features: vec![],
    };
    let plan = Plan::new(PlanConfig { capabilities, ..config(1) }).unwrap();
    for call in (0..2_000).map(|k| plan.call(k)) {
        assert_eq!(call.operation, Operation::InvokeModel);
        assert_eq!(Family::of(&call.model_id), Some(Family::Claude));
        assert!(call.headers.is_empty());
        let members: Vec<&str> =
            call.request.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["anthropic_version", "max_tokens", "messages"]);
        assert_eq!(call.request["messages"].as_array().unwrap().len(), 1);
    }
}

proptest! {
    #[test]
    fn a_feature_left_out_leaves_the_rest_of_a_call_alone(seed: u64, k in 0_u64..80_000) {
        let mut config = config(seed);
        config.capabilities.features.retain(|feature| *feature != Feature::StopSequences);
        let mut with = plan(seed).call(k);
        for pointer in ["", "/inferenceConfig"] {
            if let Some(members) = with.request.pointer_mut(pointer).and_then(|at| at.as_object_mut()) {
                members.remove("stop_sequences");
                members.remove("stopSequences");
            }
        }
        prop_assert_eq!(Plan::new(config).unwrap().call(k), with);
    }

    #[test]
    fn calls_do_not_depend_on_the_order_of_asking(seed: u64, ks in proptest::collection::vec(0_u64..80_000, 1..8)) {
        let mut config = config(seed);
        config.arrivals = Arrivals::Poisson;
        let (one, other) = (Plan::new(config.clone()).unwrap(), Plan::new(config).unwrap());
        let forward: Vec<_> = ks.iter().map(|k| (one.planned(*k), one.call(*k))).collect();
        let mut backward: Vec<_> =
            ks.iter().rev().map(|k| (other.planned(*k), other.call(*k))).collect();
        backward.reverse();
        prop_assert_eq!(forward, backward);
    }

    #[test]
    fn each_prompt_holds_the_marker_of_its_call_and_no_other(seed: u64, k in 0_u64..80_000) {
        let plan = plan(seed);
        let text = plan.call(k).request.to_string();
        let stem = marker_stem(MarkerKind::Prompt, seed);
        prop_assert_eq!(text.matches(&stem).count(), 1);
        let is_whole = text.contains(&format!("{stem}{}. ", base36(k)));
        prop_assert!(is_whole);
    }

    #[test]
    fn each_prompt_says_one_planted_value_and_the_kinds_come_in_turn(seed: u64, k in 0_u64..80_000) {
        let text = plan(seed).call(k).request.to_string();
        let planted = Planted::all(MarkerKind::Prompt, seed);
        let held: Vec<u64> = (0..)
            .zip(&planted)
            .filter(|(_, planted)| {
                let quoted = serde_json::to_string(&planted.value).unwrap();
                text.contains(quoted.trim_matches('"'))
            })
            .map(|(kind, _)| kind)
            .collect();
        prop_assert_eq!(held, [k % 8]);
    }

    #[test]
    fn base_36_reads_back(number: u64) {
        prop_assert_eq!(u64::from_str_radix(&base36(number), 36).unwrap(), number);
    }
}
