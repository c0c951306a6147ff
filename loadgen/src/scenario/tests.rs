use std::path::Path;

use super::*;

/// The scenario files, parsed as plain values.
fn files() -> impl Iterator<Item = (&'static str, serde_json::Value)> {
    FILES.iter().map(|(name, text)| (*name, serde_norway::from_str(text).unwrap()))
}

#[test]
fn every_file_is_in_the_slice() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut in_folder: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    in_folder.sort();
    assert_eq!(in_folder, Scenario::names().collect::<Vec<_>>());
}

#[test]
fn every_scenario_reads_and_the_default_is_one_of_them() {
    for name in Scenario::names() {
        assert!(Scenario::named(name).is_ok(), "{name}: {:?}", Scenario::named(name));
    }
    assert!(Scenario::names().any(|name| name == DEFAULT_SCENARIO));
}

#[test]
fn every_scenario_satisfies_the_schema() {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/scenario.schema.json");
    let schema = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (name, value) in files() {
        let wrong: Vec<String> =
            validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
        // What the types write is what the schema describes, and nothing more.
        let written = serde_json::to_value(Scenario::named(name).unwrap()).unwrap();
        assert!(validator.is_valid(&written), "{name} as the types write it");
        let mut unknown = value.clone();
        unknown["colour"] = "blue".into();
        assert!(!validator.is_valid(&unknown), "an unknown member is refused");
        let mut missing = value;
        missing.as_object_mut().unwrap().remove("mix");
        missing.as_object_mut().unwrap().remove("extends");
        assert!(!validator.is_valid(&missing), "a missing member is refused");
    }
}

#[test]
fn a_scenario_that_extends_another_differs_in_what_it_says() {
    let chat = Scenario::named("chat").unwrap();
    let extended = "extends: chat\ndescription: Chat that never fails.\nfaults: []\n";
    let expected =
        Scenario { description: "Chat that never fails.".to_owned(), faults: vec![], ..chat };
    assert_eq!(Scenario::read(extended).unwrap(), expected);
}

#[test]
fn an_agent_of_synthetic_spans_uses_tools_as_often_as_answers_of_the_scenario_do() {
    let Scenario { answers, trace, .. } = Scenario::named("agent").unwrap();
    let sum = |of: &dyn Fn(&Weighted<u32>) -> f64| {
        trace.agent.as_ref().unwrap().calls.iter().map(of).sum::<f64>()
    };
    let calls = sum(&|calls| calls.weight * f64::from(calls.value));
    // All calls of a trace but the last.
    let uses = 1.0 - sum(&|calls| calls.weight) / calls;
    let stops = &answers.stop_reasons;
    let planned = stops.iter().find(|stop| stop.value == StopReason::ToolUse).unwrap().weight;
    let planned = planned / stops.iter().map(|stop| stop.weight).sum::<f64>();
    assert!((uses - planned).abs() < 0.005, "{uses}, not {planned}");
}

#[test]
fn what_is_wrong_with_a_scenario_is_told() {
    let chat = text_of("chat").unwrap();
    let said: String = [
        ("weight: 14", "weight: -14"),
        ("share: 0.55", "share: 1.55"),
        ("median: 150", "median: .nan"),
        ("least: 12", "least: 12000"),
        ("{value: 3, weight: 10}", "{value: 300, weight: 10}"),
        ("open: 60", "open: 0"),
        ("{weight: 1, median: 35, sigma: 0.7}", "{weight: 1, median: 35, sigma: -1}"),
        ("share: 0.08", "share: 0.001"),
        ("value: translate", "value: \"translate\\n\""),
        ("sessions:", "content: all\nsessions:"),
        ("features:\n  - {value: chat, weight: 60}\n  - {value: summary, weight: 20}\n  - {value: draft, weight: 15}\n  - {value: translate, weight: 5}", "features: []"),
        ("prompts: 6", "prompts: 0"),
        ("fault: ModelErrorException", "fault: break"),
        ("amazon.titan-embed-text-v1\"", "meta.llama3\""),
        (
            "operation: InvokeModel, model: \"amazon.titan",
            "operation: Converse, model: \"amazon.titan",
        ),
        ("top_k:", "top_q:"),
        ("median: 75,", "median: 0,"),
        ("integer: [90, 4000]", "integer: [90, 40]"),
        ("{feature: \"\"}", "{one_of: []}"),
        ("service.name:", "service.title:"),
        ("most: 1500", "most: 4096"),
        ("value: max_tokens", "value: tired"),
        ("mixture:", "quantiles: [{at: 0.5, tokens: 90}]\n  mixture:"),
        ("prompt_tokens:\n  mixture:\n    - {weight: 0.7, median: 150, sigma: 0.8}\n    - {weight: 0.3, median: 600, sigma: 0.3}",
         "prompt_tokens:\n  quantiles: [{at: 0.5, tokens: 90}, {at: 0.4, tokens: 80}]"),
        ("    - {weight: 0.7, median: 150, sigma: 0.8}\n    - {weight: 0.3, median: 600, sigma: 0.3}\n  least: 12",
         "  quantiles: [{at: 0.5, tokens: 9}]\n  least: 12"),
    ]
    .into_iter()
    .map(|(right, wrong)| {
        assert!(chat.contains(right), "{right}");
        Scenario::read(&chat.replacen(right, wrong, 1)).unwrap_err().to_string()
    })
    .chain(
        ["extends: batch", "extends: 5", "extends: chat\ncolour: blue", "extends: chat\nmix: []",
            "extends: embeddings\ntrace: {resource: {service.name: a}, before: [{step: embeddings}]}"]
            .map(|text| Scenario::read(text).unwrap_err().to_string()),
    )
    .chain([Scenario::named("batch").unwrap_err().to_string()])
    .collect::<Vec<String>>()
    .join("\n");
    insta::assert_snapshot!(said);
}
