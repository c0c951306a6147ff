use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use proptest::prelude::*;
use spanproof_schemas::worker::Operation;

use super::*;
use crate::capabilities::{Family, Feature};
use crate::fault::Fault;
use crate::scenario::Weighted;
use crate::{DayCurve, ReplayConfig};

/// Read once, for the sake of the tests that make many plans.
static CHAT: LazyLock<Scenario> = LazyLock::new(|| Scenario::named("chat").unwrap());

mod chance;
mod fit;
mod sessions;

const DAY: Duration = Duration::from_hours(24);

fn config(seed: u64) -> PlanConfig {
    PlanConfig {
        scenario: CHAT.clone(),
        capabilities: Capabilities::all(),
        seed,
        timing: Timing::AtRate(day()),
        most_calls: None,
        shard: Shard::WHOLE,
    }
}

/// A day of 80,000 evenly spaced calls.
fn day() -> AtRate {
    AtRate::even("80000/day".parse().unwrap(), DAY)
}

fn at_rate(seed: u64, at_rate: AtRate) -> PlanConfig {
    PlanConfig { timing: Timing::AtRate(at_rate), ..config(seed) }
}

fn plan(seed: u64) -> Plan {
    Plan::new(config(seed)).unwrap()
}

#[test]
fn a_day_has_exactly_its_rate_of_calls() {
    let processes = ["constant", "poisson", "gamma:0.5", "weibull:0.5"].into_iter().cycle();
    let days = DayCurve::names().filter(|name| !name.ends_with("-week"));
    for (arrivals, day_curve) in processes.zip(days) {
        let shape = RateShape { day_curve: day_curve.parse().unwrap(), ..RateShape::default() };
        let day = AtRate { arrivals: arrivals.parse().unwrap(), shape, ..day() };
        let scenario = Scenario { sessions: None, ..CHAT.clone() };
        let plan = Plan::new(PlanConfig { scenario, ..at_rate(1, day) }).unwrap();
        assert_eq!((plan.calls(), plan.planned().count()), (80_000, 80_000));
    }
}

#[test]
fn a_limit_keeps_the_first_calls_as_they_are() {
    let bursty = AtRate { arrivals: Arrivals::Gamma(0.4), tenants: "9".parse().unwrap(), ..day() };
    let whole = Plan::new(at_rate(1, bursty.clone())).unwrap();
    let limited = Plan::new(PlanConfig { most_calls: Some(200), ..at_rate(1, bursty) }).unwrap();
    assert_eq!(limited.calls(), 200);
    assert!(limited.planned().eq(whole.planned().take(200)));
    let last = limited.planned().last().unwrap();
    assert_eq!(limited.call(&last), whole.call(&last));
}

#[test]
fn a_trace_gives_times_and_lengths() {
    let trace = "0,7,1\n1.5,900,33\n60,12000,4096\n";
    let trace = Trace::read(trace.as_bytes(), ReplayConfig::default()).unwrap();
    let timing = Timing::Replayed(trace);
    let plan = Plan::new(PlanConfig { timing, ..config(1) }).unwrap();
    let at: Vec<Duration> = plan.planned().map(|planned| planned.at).collect();
    assert_eq!(at, [0, 1_500, 60_000].map(Duration::from_millis));
    let lengths = |plan: &Plan| {
        let of = |planned: Planned| {
            let shape = plan.shape(&planned);
            let tokens = shape.answer.map_or(shape.max_tokens, |answer| answer.tokens);
            (shape.prompt_tokens(), tokens)
        };
        plan.planned().map(of).collect::<Vec<_>>()
    };
    assert_eq!(lengths(&plan), [(7, 1), (900, 33), (12_000, 4_096)]);
}

#[test]
fn the_first_calls_of_a_seed_never_change() {
    let plan = plan(1);
    let calls: Vec<Call> = plan
        .planned()
        .take(4)
        .map(|planned| {
            let mut call = plan.call(&planned);
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
        at_rate(1, AtRate::even("1/day".parse().unwrap(), Duration::from_mins(1))),
        at_rate(1, AtRate::even("1000000/s".parse().unwrap(), DAY)),
        PlanConfig { most_calls: Some(2), shard: "2/3".parse().unwrap(), ..config(1) },
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
    for call in plan.planned().take(calls as usize).map(|planned| plan.call(&planned)) {
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
    let planned = plan.planned().take(5_000);
    let mut lengths: Vec<u32> =
        planned.map(|planned| plan.shape(&planned).prompt_tokens()).collect();
    lengths.sort_unstable();
    assert!((200..600).contains(&lengths[2_500]), "median {}", lengths[2_500]);
    assert!(lengths[4_999] <= 14_000);
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
    for call in plan.planned().take(2_000).map(|planned| plan.call(&planned)) {
        assert_eq!(call.operation, Operation::InvokeModel);
        assert_eq!(Family::of(&call.model_id), Some(Family::Claude));
        assert!(call.headers.is_empty());
        let members: Vec<&str> =
            call.request.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["anthropic_version", "max_tokens", "messages"]);
        assert_eq!(call.request["messages"].as_array().unwrap().len(), 1);
    }
}

fn written(config: PlanConfig) -> (String, PlanSummary) {
    let mut lines = Vec::new();
    let summary = Plan::new(config).unwrap().write(&mut lines).unwrap();
    (String::from_utf8(lines).unwrap(), summary)
}

#[test]
fn the_lines_of_a_plan_satisfy_their_schema_and_say_what_its_calls_are() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema = std::fs::read(folder.join("../schemas/plan-line.schema.json")).unwrap();
    let schema = serde_json::from_slice(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for scenario in Scenario::names() {
        let scenario = Scenario::named(scenario).unwrap();
        let config = PlanConfig { scenario, most_calls: Some(2_000), ..config(1) };
        let plan = Plan::new(config.clone()).unwrap();
        let (lines, _) = written(config);
        for (planned, line) in plan.planned().zip(lines.lines()) {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            let wrong: Vec<String> =
                validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{line}: {wrong:#?}");
            let call = plan.call(&planned);
            assert_eq!(value["call"], call.call);
            assert_eq!(value["model"], call.model_id);
            assert_eq!(value["operation"], call.operation.name());
            let fault = Fault::of(&call).map(|fault| fault.to_string());
            assert_eq!(value["fault"].as_str(), fault.as_deref());
            let body = &call.request;
            let limit = body.pointer("/inferenceConfig/maxTokens").or(body.get("max_tokens"));
            assert_eq!(value.get("max_tokens"), limit, "{line}");
            let offers = body.get("toolConfig").or(body.get("tools")).is_some();
            assert_eq!(value.get("tool_choice").is_some(), offers, "{line}");
        }
    }
}

#[test]
fn a_plan_is_written_with_its_members_in_order() {
    let (lines, summary) = written(PlanConfig { most_calls: Some(6), ..config(1) });
    insta::assert_snapshot!(format!("{lines}\n{summary}"));
    for line in lines.lines() {
        // A map of serde_json has its members in the order of their names.
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value.to_string(), line);
    }
}

#[test]
fn a_table_has_the_members_of_the_lines() {
    for scenario in Scenario::names() {
        let scenario = Scenario::named(scenario).unwrap();
        let config = PlanConfig { scenario, most_calls: Some(300), ..config(1) };
        let (lines, summary) = written(config.clone());
        let mut table = Vec::new();
        let written = Plan::new(config).unwrap().write_table(&mut table, 128).unwrap();
        assert_eq!(written.hash(), summary.hash());
        let read = SerializedFileReader::new(bytes::Bytes::from(table)).unwrap();
        assert_eq!(read.num_row_groups(), 3);
        let mut rows = read.get_row_iter(None).unwrap();
        for line in lines.lines() {
            let mut row = rows.next().unwrap().unwrap().to_json_value();
            // What a line does not have is null in a table.
            row.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            assert_eq!(row, serde_json::from_str::<serde_json::Value>(line).unwrap());
        }
        assert!(rows.next().is_none());
    }
}

#[test]
fn a_day_in_bursts_sums_up_to_this() {
    let day = AtRate {
        arrivals: Arrivals::Gamma(0.5),
        shape: RateShape { day_curve: "coding".parse().unwrap(), ..RateShape::default() },
        tenants: "20".parse().unwrap(),
        ..day()
    };
    let summary = Plan::new(at_rate(1, day)).unwrap().write(io::sink()).unwrap();
    assert_eq!(summary.calls(), 80_000);
    insta::assert_snapshot!(summary);
}

#[test]
fn a_summary_tells_the_lengths_of_long_prompts_as_they_are() {
    let scenario = Scenario::named("long-context").unwrap();
    let plan = Plan::new(PlanConfig { scenario, most_calls: Some(2_000), ..config(1) }).unwrap();
    let shapes = plan.planned().map(|planned| plan.shape(&planned));
    let mut lengths: Vec<u32> = shapes.map(|shape| shape.prompt_tokens()).collect();
    lengths.sort_unstable();
    let median = f64::from(lengths[1_000]);
    assert!(median > 5_000.0);
    let summary = plan.write(io::sink()).unwrap().to_string();
    let prompts = summary.lines().find_map(|line| line.strip_prefix("prompts")).unwrap();
    let told: f64 = prompts.split_whitespace().next().unwrap().parse().unwrap();
    assert!((told / median - 1.0).abs() < 0.01, "{told}, not {median}");
}

proptest! {
    #[test]
    fn the_hashes_and_lines_of_all_shards_are_those_of_the_whole(
        seed: u64, tenants in 1_u32..6, count in 1_u64..=8, most in 8_u64..60,
    ) {
        let bursty = AtRate {
            arrivals: Arrivals::Gamma(0.3),
            tenants: tenants.to_string().parse().unwrap(),
            ..AtRate::even("1/s".parse().unwrap(), Duration::from_mins(1))
        };
        let config = PlanConfig { most_calls: Some(most), ..at_rate(seed, bursty) };
        let (whole, summary) = written(config.clone());
        let (mut together, mut hash) = (Vec::new(), PlanHash::default());
        for index in 0..count {
            let shard = format!("{index}/{count}").parse().unwrap();
            let (lines, summary) = written(PlanConfig { shard, ..config.clone() });
            prop_assert_eq!(lines.lines().count() as u64, summary.calls());
            hash = hash.plus(summary.hash());
            together.extend(lines.lines().map(str::to_owned));
        }
        let call = |line: &String| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["call"].as_u64()
        };
        together.sort_by_key(call);
        prop_assert_eq!(hash, summary.hash());
        prop_assert!(together.iter().map(String::as_str).eq(whole.lines()));
        let other = written(PlanConfig { seed: seed ^ 1, ..config }).1;
        prop_assert_ne!(other.hash(), summary.hash());
    }

    #[test]
    fn a_feature_left_out_leaves_the_rest_of_a_call_alone(seed: u64, k in 0_usize..200) {
        let mut config = config(seed);
        config.capabilities.features.retain(|feature| *feature != Feature::StopSequences);
        let (with, without) = (plan(seed), Plan::new(config).unwrap());
        let planned = with.planned().nth(k).unwrap();
        prop_assert_eq!(without.planned().nth(k).unwrap(), planned);
        let mut with = with.call(&planned);
        for pointer in ["", "/inferenceConfig"] {
            if let Some(members) = with.request.pointer_mut(pointer).and_then(|at| at.as_object_mut()) {
                members.remove("stop_sequences");
                members.remove("stopSequences");
            }
        }
        // An answer that would have ended at one ends of itself.
        for (_, value) in &mut with.headers {
            *value = value.replace("stop_sequence", "end_turn");
        }
        prop_assert_eq!(without.call(&planned), with);
    }

    #[test]
    fn calls_do_not_depend_on_the_order_of_asking(
        seed: u64, ks in proptest::collection::vec(0_usize..200, 1..8),
    ) {
        let (one, other) = (plan(seed), plan(seed));
        let all: Vec<Planned> = one.planned().take(200).collect();
        let forward: Vec<_> = ks.iter().map(|k| one.call(&all[*k])).collect();
        let mut backward: Vec<_> = ks.iter().rev().map(|k| other.call(&all[*k])).collect();
        backward.reverse();
        prop_assert_eq!(forward, backward);
    }

    #[test]
    fn shards_hold_the_calls_of_the_whole_plan(
        seed: u64, process in 0_usize..4, tenants in 1_u32..9, count in 1_u64..9, most in 9_u64..99,
    ) {
        let arrivals = ["constant", "poisson", "gamma:0.3", "weibull:0.6"][process];
        let length = Duration::from_mins(1);
        let minute = AtRate {
            arrivals: arrivals.parse().unwrap(),
            tenants: tenants.to_string().parse().unwrap(),
            ..AtRate::even("1/s".parse().unwrap(), length)
        };
        let config = PlanConfig { most_calls: Some(most), ..at_rate(seed, minute) };
        let whole: Vec<Planned> = Plan::new(config.clone()).unwrap().planned().collect();
        prop_assert_eq!(whole.len() as u64, most.min(60));
        prop_assert!(whole.is_sorted_by_key(|planned| planned.at));
        prop_assert!(whole.iter().all(|planned| planned.at <= length));
        let mut together = Vec::new();
        for index in 0..count {
            let shard = format!("{index}/{count}").parse().unwrap();
            let plan = Plan::new(PlanConfig { shard, ..config.clone() }).unwrap();
            let part: Vec<Planned> = plan.planned().collect();
            prop_assert_eq!(part.len() as u64, plan.calls());
            together.extend(part);
        }
        together.sort_by_key(|planned| planned.call);
        prop_assert_eq!(together, whole);
    }

    #[test]
    fn what_is_said_in_a_call_holds_a_marker_of_its_own(seed: u64, k in 0_usize..200) {
        let plan = plan(seed);
        let stem = marker_stem(MarkerKind::Prompt, seed);
        let marker = |planned: &Planned| format!("{stem}{}. ", base36(planned.place.position()));
        let all: Vec<Planned> = plan.planned().take(200).collect();
        let text = plan.call(&all[k]).request.to_string();
        let said = text.matches(&stem).count();
        let shape = plan.shape(&all[k]);
        prop_assert_eq!(said, usize::try_from(shape.messages).unwrap().div_ceil(2));
        prop_assert_eq!(text.matches(&marker(&all[k])).count(), 1);
        // Of other calls, it holds those of its session alone.
        let others = all.iter().filter(|other| other.place.session != all[k].place.session);
        for other in others {
            prop_assert!(!text.contains(&marker(other)));
        }
    }

    #[test]
    fn what_is_said_in_a_call_holds_one_planted_value(seed: u64, k in 0_usize..200) {
        let plan = plan(seed);
        let planned = plan.planned().nth(k).unwrap();
        let Some(said) = plan.messages(&planned, &plan.shape(&planned)).pop() else {
            return Err(TestCaseError::fail("no message"));
        };
        let (prompt::Message::Asks(text) | prompt::Message::Returns { text, .. }) = said else {
            return Err(TestCaseError::fail("the model has the last word"));
        };
        let planted = Planted::all(MarkerKind::Prompt, seed);
        let held = planted.iter().filter(|planted| text.contains(&planted.value));
        prop_assert_eq!(held.count(), 1);
    }

    #[test]
    fn base_36_reads_back(number: u64) {
        prop_assert_eq!(u64::from_str_radix(&base36(number), 36).unwrap(), number);
    }
}
