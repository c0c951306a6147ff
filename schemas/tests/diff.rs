//! What changed between the committed registries.

mod support;

use spanproof_schemas::semconv::{Change, ChangeKind, Diff, Signal, Version};
use support::{assert_accepts, assert_refuses_spoiled, validator};

fn between(from: &str, to: &str) -> Diff {
    let version = |text: &str| text.parse().expect("a known version");
    Diff::between(version(from), version(to))
}

/// The changes of a name, with what it has become.
fn of<'d>(diff: &'d Diff, signal: Signal, name: &str) -> Vec<(ChangeKind, Vec<&'d str>)> {
    diff.changes
        .iter()
        .filter(|change| change.signal == signal && change.name == name)
        .map(|change| (change.kind, change.to.iter().map(|new| new.name.as_str()).collect()))
        .collect()
}

#[test]
fn nothing_changes_from_a_version_to_itself() {
    for version in Version::all() {
        assert!(Diff::between(version, version).changes.is_empty(), "{version}");
    }
}

#[test]
fn the_provider_is_renamed_and_comes_back() {
    let diff = between("1.36.0", "1.37.0");
    let system = of(&diff, Signal::Attribute, "gen_ai.system");
    assert_eq!(system, [(ChangeKind::Renamed, vec!["gen_ai.provider.name"])]);
    // What something has become is not also new.
    assert_eq!(of(&diff, Signal::Attribute, "gen_ai.provider.name"), []);
    let back = between("1.37.0", "1.36.0");
    let provider = of(&back, Signal::Attribute, "gen_ai.provider.name");
    assert_eq!(provider, [(ChangeKind::Renamed, vec!["gen_ai.system"])]);
    assert_eq!((back.from.as_str(), back.to.as_str()), ("1.37.0", "1.36.0"));
}

#[test]
fn names_are_followed_over_every_version_between() {
    let diff = between("1.28.0", "genai-dev");
    let client = of(&diff, Signal::Span, "gen_ai.client");
    assert_eq!(client, [(ChangeKind::Renamed, vec!["gen_ai.client.inference"])]);
    let openai = of(&diff, Signal::Span, "gen_ai.openai.client");
    assert_eq!(openai, [(ChangeKind::Renamed, vec!["openai.gen_ai.client.inference"])]);
}

#[test]
fn the_conventions_in_development_rename_retype_and_split() {
    let diff = between("1.41.1", "genai-dev");
    let written = of(&diff, Signal::Attribute, "gen_ai.usage.cache_creation.input_tokens");
    assert_eq!(written, [(ChangeKind::Renamed, vec!["gen_ai.usage.cache_write.input_tokens"])]);
    // On retrievals it has a name of its own, elsewhere another type.
    let top_k = of(&diff, Signal::Attribute, "gen_ai.request.top_k");
    assert_eq!(
        top_k,
        [(ChangeKind::Renamed, vec!["gen_ai.retrieval.top_k"]), (ChangeKind::Retyped, vec![])]
    );
    let only_on = &diff.successors(Signal::Attribute, "gen_ai.request.top_k")[0].only_on;
    assert_eq!(only_on.as_deref(), Some("gen_ai.retrieval.client"));
    let bedrock = of(&diff, Signal::Span, "aws.bedrock.client");
    assert_eq!(bedrock, [(ChangeKind::Renamed, vec!["aws.bedrock.gen_ai.client.inference"])]);
    let usage = of(&diff, Signal::Metric, "gen_ai.client.token.usage");
    assert_eq!(usage.len(), 1);
    assert!(usage[0].1.contains(&"gen_ai.client.inference.usage.input_tokens"), "{usage:?}");
    let duration = diff.successors(Signal::Metric, "gen_ai.client.operation.duration");
    assert_eq!(duration[0].only_on.as_deref(), Some("gen_ai.client.inference"));
    let kind_of_token = of(&diff, Signal::Attribute, "gen_ai.token.type");
    assert_eq!(kind_of_token, [(ChangeKind::Deprecated, vec![])]);
}

#[test]
fn every_change_back_undoes_one_there() {
    let known: Vec<Version> = Version::all().collect();
    for pair in known.windows(2) {
        let [older, newer] = [pair[0], pair[1]];
        let (there, back) = (Diff::between(older, newer), Diff::between(newer, older));
        let names = |diff: &Diff, wanted: ChangeKind| {
            let changes = diff.changes.iter().filter(|change| change.kind == wanted);
            changes.map(|change| (change.signal, change.name.clone())).collect::<Vec<_>>()
        };
        assert_eq!(names(&there, ChangeKind::New), names(&back, ChangeKind::Removed), "{newer}");
        assert_eq!(names(&there, ChangeKind::Changed), names(&back, ChangeKind::Changed));
        assert_eq!(names(&there, ChangeKind::Retyped), names(&back, ChangeKind::Retyped));
        let pairs = |diff: &Diff, turned: bool| {
            let renamed = |change: &Change| change.kind == ChangeKind::Renamed;
            let mut pairs: Vec<(Signal, String, String)> = diff
                .changes
                .iter()
                .filter(|change| renamed(change))
                .flat_map(|change| {
                    change.to.iter().map(move |new| {
                        let (from, to) = (change.name.clone(), new.name.clone());
                        if turned { (change.signal, to, from) } else { (change.signal, from, to) }
                    })
                })
                .collect();
            pairs.sort();
            pairs
        };
        assert_eq!(pairs(&there, false), pairs(&back, true), "{newer}");
    }
}

#[test]
fn changes_are_in_order_and_told_once() {
    for from in Version::all() {
        for to in Version::all() {
            let diff = Diff::between(from, to);
            assert!(diff.changes.is_sorted(), "{from} to {to}");
            let keys = |change: &Change| (change.signal, change.kind, change.name.clone());
            let mut told: Vec<_> = diff.changes.iter().map(keys).collect();
            told.dedup();
            assert_eq!(told.len(), diff.changes.len(), "{from} to {to}");
        }
    }
}

#[test]
fn differences_are_what_their_schema_says() {
    let schema = validator("semconv-diff");
    for from in Version::all() {
        for to in Version::all() {
            assert_accepts(&schema, &serde_json::to_value(Diff::between(from, to)).unwrap());
        }
    }
    let diff = serde_json::to_value(between("1.36.0", "1.37.0")).unwrap();
    assert_refuses_spoiled(&schema, &diff, &[]);
}
