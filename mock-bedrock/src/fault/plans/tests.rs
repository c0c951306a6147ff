use proptest::prelude::*;
use spanproof_schemas::ledger::{Operation, Task};

use super::super::Calls;
use super::*;

fn setting(operation: Operation) -> Setting<'static> {
    Setting {
        operation,
        task: Task::Chat,
        streams: operation.is_streamed(),
        model_id: "us.anthropic.claude-x",
    }
}

fn occasion() -> Occasion<'static> {
    Occasion {
        setting: setting(Operation::Converse),
        model: Some("anthropic.claude-x"),
        test: None,
        invocation_id: None,
        attempt: 1,
        prompt: "How deep is the harbour?",
    }
}

fn plans(rules: &str) -> FaultPlans {
    let plan: FaultPlan = serde_json::from_str(&format!("{{\"rules\":[{rules}]}}")).unwrap();
    plan.validate().unwrap();
    FaultPlans::new(7, plan)
}

fn names(plans: &FaultPlans, count: usize, occasion: Occasion<'_>) -> Vec<Option<String>> {
    (0..count).map(|_| plans.strike(occasion).map(|fault| fault.name)).collect()
}

fn strikes(plans: &FaultPlans, count: usize, occasion: Occasion<'_>) -> Vec<usize> {
    let names = names(plans, count, occasion);
    (1..=count).filter(|number| names[number - 1].is_some()).collect()
}

#[test]
fn every_condition_must_be_met() {
    for (rule, struck) in [
        (r#"{"fault":"cut","model":"anthropic.*"}"#, true),
        (r#"{"fault":"cut","model":"us.anthropic.claude-x"}"#, true),
        (r#"{"fault":"cut","model":"amazon.*"}"#, false),
        (r#"{"fault":"cut","operation":"Converse"}"#, true),
        (r#"{"fault":"cut","operation":"InvokeModel"}"#, false),
        (r#"{"fault":"cut","prompt":"harbour"}"#, true),
        (r#"{"fault":"cut","prompt":"Harbour"}"#, false),
        (r#"{"fault":"cut","test":"one"}"#, false),
        (r#"{"fault":"cut","invocation_id":"x"}"#, false),
        (r#"{"fault":"cut","attempts":1}"#, true),
        (r#"{"fault":"cut","attempts":"2-3"}"#, false),
        (r#"{"fault":"cut@2"}"#, false),
        (r#"{"fault":"cut","rate":0}"#, false),
        (r#"{"fault":"stall=5s"}"#, false),
        (r#"{"fault":"ConflictException"}"#, false),
        (r#"{"fault":"cut","model":"anthropic.*","prompt":"fjord"}"#, false),
    ] {
        assert_eq!(plans(rule).strike(occasion()).is_some(), struck, "{rule}");
    }
}

#[test]
fn calls_are_counted_and_the_first_rule_wins() {
    assert_eq!(strikes(&plans(r#"{"fault":"cut","call":3}"#), 6, occasion()), [3]);
    assert_eq!(strikes(&plans(r#"{"fault":"cut","call":{"every":3}}"#), 9, occasion()), [3, 6, 9]);
    assert_eq!(strikes(&plans(r#"{"fault":"cut","times":2}"#), 6, occasion()), [1, 2]);
    let both = plans(r#"{"fault":"cut","call":1},{"fault":"ThrottlingException","call":2}"#);
    let name = |name: &str| Some(name.to_owned());
    assert_eq!(names(&both, 3, occasion()), [name("cut"), name("ThrottlingException"), None]);
}

#[test]
fn the_attempts_of_a_call_share_its_number() {
    let plans = plans(r#"{"fault":"cut","call":2}"#);
    let attempt = |id, attempt| {
        let occasion = Occasion { invocation_id: id, attempt, ..occasion() };
        plans.strike(occasion).is_some()
    };
    assert!(!attempt(Some("a"), 1) && !attempt(Some("a"), 2));
    assert!(attempt(Some("b"), 1) && attempt(Some("b"), 2) && attempt(Some("b"), 3));
    assert!(!attempt(Some("c"), 1));
    assert!(attempt(Some("b"), 4), "a late retry");
}

#[test]
fn a_retry_without_an_id_is_known_by_what_it_asks() {
    let plans = plans(r#"{"fault":"cut","call":1}"#);
    let attempt = |attempt| plans.strike(Occasion { attempt, ..occasion() }).is_some();
    assert!(attempt(1) && attempt(2));
    assert!(!attempt(1), "asked again, not retried");
    assert!(!attempt(2));
}

#[test]
fn tests_do_not_disturb_each_other() {
    let plans = plans(r#"{"fault":"cut","call":2}"#);
    let of = |test| Occasion { test, ..occasion() };
    assert_eq!(strikes(&plans, 3, of(Some("one"))), [2]);
    assert_eq!(strikes(&plans, 3, of(Some("two"))), [2]);
    let own: FaultPlan = serde_json::from_str(r#"{"rules":[{"fault":"cut","call":1}]}"#).unwrap();
    plans.set(Some("one"), own.clone()).unwrap();
    assert_eq!(plans.get(Some("one")), own);
    assert_eq!(strikes(&plans, 3, of(Some("one"))), [1]);
    assert_eq!(strikes(&plans, 3, of(Some("two"))), [] as [usize; 0]);
    plans.set(Some("one"), FaultPlan::default()).unwrap();
    assert_eq!(strikes(&plans, 3, of(Some("one"))), [] as [usize; 0]);
    plans.clear(Some("one"));
    assert_eq!(strikes(&plans, 3, of(Some("one"))), [2], "the common plan again, counted anew");
    plans.clear(None);
    assert_eq!(strikes(&plans, 3, of(None)), [] as [usize; 0]);
    assert_eq!(plans.get(None), FaultPlan::default());
}

#[test]
fn what_no_plan_can_say_is_refused_with_its_place() {
    let mut seen = Vec::new();
    for rule in [
        r#"{"fault":"nonsense"}"#,
        r#"{"fault":"stall=5"}"#,
        r#"{"fault":"cut@x"}"#,
        r#"{"fault":"cut","rate":1.5}"#,
        r#"{"fault":"cut","call":0}"#,
        r#"{"fault":"cut","call":{"every":0}}"#,
        r#"{"fault":"cut","times":0}"#,
    ] {
        let plan = format!(r#"{{"rules":[{{"fault":"cut"}},{rule}]}}"#);
        let plan: FaultPlan = serde_json::from_str(&plan).unwrap();
        let error = FaultPlans::new(0, FaultPlan::default()).set(None, plan).unwrap_err();
        seen.push(error.to_string().chars().take(110).collect::<String>());
    }
    for rule in [
        r#"{"fault":"cut","attempts":"0"}"#,
        r#"{"fault":"cut","attempts":true}"#,
        r#"{"fault":"cut","call":{"each":2}}"#,
        r#"{"fault":"cut","modle":"x"}"#,
        r"{}",
    ] {
        let error = serde_json::from_str::<FaultRule>(rule).unwrap_err();
        seen.push(error.to_string());
    }
    insta::assert_snapshot!(seen.join("\n"));
}

#[test]
fn memory_is_bounded() {
    let plans = plans(r#"{"fault":"cut","call":1}"#);
    for number in 0..3 * REMEMBERED_CALLS {
        let id = number.to_string();
        plans.strike(Occasion { invocation_id: Some(&id), ..occasion() });
    }
    for number in 0..COUNTED_TESTS + 5 {
        let id = number.to_string();
        plans.strike(Occasion { test: Some(&id), ..occasion() });
    }
    let state = plans.lock();
    assert!(state.tallies.len() <= COUNTED_TESTS);
    assert!(state.tallies.values().flatten().all(|tally| {
        tally.numbers.len() <= REMEMBERED_CALLS && tally.order.len() <= REMEMBERED_CALLS
    }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_rate_is_a_share_of_calls_and_the_same_each_time(rate in 0.0..1.0_f64, seed in any::<u64>()) {
        let plan: FaultPlan =
            serde_json::from_str(&format!(r#"{{"rules":[{{"fault":"cut","rate":{rate}}}]}}"#)).unwrap();
        let run = || {
            let plans = FaultPlans::new(seed, plan.clone());
            (0..1_000).map(|number| {
                let id = format!("{number}");
                let occasion = Occasion { invocation_id: Some(&id), ..occasion() };
                let first = plans.strike(occasion).is_some();
                assert_eq!(plans.strike(Occasion { attempt: 2, ..occasion }).is_some(), first);
                first
            }).collect::<Vec<_>>()
        };
        let fates = run();
        prop_assert_eq!(&fates, &run());
        let struck = u32::try_from(fates.iter().filter(|struck| **struck).count()).unwrap();
        prop_assert!((f64::from(struck) / 1_000.0 - rate).abs() < 0.08);
    }

    #[test]
    fn plans_survive_their_file(rate in prop::option::of(0.0..=1.0_f64), call in prop::option::of(1..99_u64), every in any::<bool>(), first in 1..9_u32, more in 0..9_u32) {
        let call = call.map(|call| if every { Calls::Every { every: call } } else { Calls::Nth(call) });
        let attempts = Some(Attempts::parse(&format!("{first}-{}", first + more)).unwrap());
        let rule = FaultRule { fault: "cut".to_owned(), rate, call, attempts, ..FaultRule::default() };
        let plan = FaultPlan { rules: vec![rule] };
        let text = serde_json::to_string(&plan).unwrap();
        prop_assert_eq!(serde_json::from_str::<FaultPlan>(&text).unwrap(), plan);
    }
}
