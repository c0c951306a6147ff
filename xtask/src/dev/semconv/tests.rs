use spanproof_schemas::semconv::{
    AttributeType, Condition, Deprecation, Registry, Requirement, SpanKind,
};

use super::files::Extent;
use super::{checkout, facts, files, number, prose, resolve, source};

fn resolved(text: &str) -> Registry {
    resolve::registry("9.9.9", source::parse(text).unwrap(), None).unwrap()
}

fn refused(text: &str) -> String {
    let error = source::parse(text)
        .and_then(|groups| resolve::registry("9.9.9", groups, None))
        .expect_err("these sources should not resolve");
    format!("{error:#}")
}

/// Attributes that the tests below refer to.
const ATTRIBUTES: &str = "
groups:
  - id: registry.test
    type: attribute_group
    attributes:
      - {id: gen_ai.request.model, type: string}
      - {id: gen_ai.operation.name, type: {members: [{id: a, value: chat}, {id: b, value: plan}]}}
      - {id: gen_ai.tool.name, type: string}
      - {id: server.port, type: int}
      - {id: server.address, type: string}
      - {id: db.name, type: string}
";

#[test]
fn the_nearest_level_counts_along_a_chain_of_ancestors() {
    let registry = resolved(&format!(
        "{ATTRIBUTES}
  - id: far
    type: attribute_group
    attributes:
      - {{ref: gen_ai.request.model, requirement_level: opt_in}}
      - {{ref: server.port, requirement_level: {{conditionally_required: 'If `server.address` is set.'}}}}
      - {{ref: server.address}}
  - id: near
    type: attribute_group
    extends: far
    attributes:
      - {{ref: gen_ai.request.model, requirement_level: {{recommended: When available}}}}
      - {{ref: gen_ai.operation.name, requirement_level: required}}
  - id: span.test
    type: span
    span_kind: client
    extends: near
    attributes:
      - {{ref: gen_ai.operation.name}}
"
    ));
    let span = &registry.spans["test"];
    let levels: Vec<_> =
        span.attributes.iter().map(|(name, level)| (name.as_str(), *level)).collect();
    assert_eq!(
        levels,
        [
            ("gen_ai.operation.name", Requirement::Required),
            ("gen_ai.request.model", Requirement::RecommendedIf(Condition::IfAvailable)),
            ("server.address", Requirement::Recommended),
            ("server.port", Requirement::ConditionallyRequired(Condition::IfServerAddress)),
        ]
    );
}

#[test]
fn only_gen_ai_signals_are_kept_and_the_attributes_they_refer_to() {
    let registry = resolved(&format!(
        "{ATTRIBUTES}
  - id: span.database
    type: span
    extends: group.left.out
    attributes: [{{ref: db.name}}]
  - id: span.gen_ai.test
    type: span
    attributes: [{{ref: gen_ai.request.model}}]
"
    ));
    assert_eq!(registry.spans.keys().collect::<Vec<_>>(), ["gen_ai.test"]);
    assert!(!registry.attributes.contains_key("db.name"));
    assert!(registry.attributes.contains_key("server.port"));
}

#[test]
fn an_enumeration_has_the_type_and_the_values_of_its_members() {
    let registry = resolved(
        "
groups:
  - id: registry.test
    type: attribute_group
    attributes:
      - id: rpc.code
        type: {members: [{id: ok, value: 0}, {id: cancelled, value: 1}]}
      - id: gen_ai.kind
        type:
          members:
            - {id: old, value: new, deprecated: {reason: renamed, renamed_to: new}}
            - {id: new, value: new}
            - {id: gone, value: gone, deprecated: {reason: obsoleted, note: no more}}
      - {id: gen_ai.header, type: 'template[string[]]', deprecated: Replaced by `gen_ai.kind`.}
",
    );
    let code = &registry.attributes["rpc.code"];
    assert_eq!(code.value_type, AttributeType::Int);
    assert_eq!(code.members.iter().map(|m| m.value.as_str()).collect::<Vec<_>>(), ["0", "1"]);
    let kind = &registry.attributes["gen_ai.kind"];
    assert_eq!(kind.value_type, AttributeType::String);
    let members: Vec<_> =
        kind.members.iter().map(|m| (m.value.as_str(), m.deprecated.clone())).collect();
    let gone = Deprecation { renamed_to: None };
    assert_eq!(members, [("new", None), ("gone", Some(gone))]);
    let header = &registry.attributes["gen_ai.header"];
    assert_eq!((header.template, header.value_type), (true, AttributeType::StringArray));
    let renamed_to = Some("gen_ai.kind".to_owned());
    assert_eq!(header.deprecated, Some(Deprecation { renamed_to }));
}

#[test]
fn a_span_inherits_name_and_other_kind_from_the_span_it_extends() {
    let registry = resolved(&format!(
        "{ATTRIBUTES}
  - id: span.base
    type: span
    span_kind: client
    note: |
      The **span name** SHOULD be `{{gen_ai.operation.name}} {{gen_ai.request.model}}`, and
      `{{gen_ai.operation.name}}` otherwise.

      **Span kind** SHOULD be `CLIENT` and MAY be set to `INTERNAL`.
    attributes: [{{ref: gen_ai.request.model}}]
  - id: span.child
    type: span
    extends: span.base
    span_kind: client
"
    ));
    let child = &registry.spans["child"];
    assert_eq!(
        child.name_patterns,
        ["{gen_ai.operation.name} {gen_ai.request.model}", "{gen_ai.operation.name}"]
    );
    assert_eq!(child.kinds, [SpanKind::Client, SpanKind::Internal]);
    assert_eq!(child.refines.as_deref(), Some("base"));
    let base = &registry.spans["base"];
    assert_eq!((&base.name_patterns, &base.kinds), (&child.name_patterns, &child.kinds));
}

#[test]
fn metrics_and_events_go_by_their_own_names() {
    let registry = resolved(&format!(
        "{ATTRIBUTES}
  - id: metric.usage
    type: metric
    metric_name: gen_ai.client.token.usage
    instrument: histogram
    unit: '{{token}}'
    attributes: [{{ref: gen_ai.request.model}}]
  - id: event.old
    type: event
    name: gen_ai.old
    deprecated: {{reason: uncategorized, note: gone}}
    attributes: [{{ref: gen_ai.request.model}}]
"
    ));
    let usage = &registry.metrics["gen_ai.client.token.usage"];
    assert_eq!((usage.instrument.as_str(), usage.unit.as_str()), ("histogram", "{token}"));
    assert_eq!(usage.boundaries.last(), Some(&67_108_864.0));
    assert_eq!(registry.events["gen_ai.old"].deprecated, Some(Deprecation::default()));
}

#[test]
fn what_cannot_be_resolved_is_named() {
    let span = |rest: &str| format!("{ATTRIBUTES}\n  - id: span.gen_ai.test\n    {rest}\n");
    insta::assert_snapshot!(
        refused(&span("extends: nowhere")),
        @"in group `span.gen_ai.test`: `span.gen_ai.test` extends `nowhere`, which is nowhere"
    );
    insta::assert_snapshot!(
        refused(&span("extends: span.gen_ai.test")),
        @"`span.gen_ai.test` extends itself by way of `span.gen_ai.test`"
    );
    insta::assert_snapshot!(
        refused(&span("attributes: [{ref: gen_ai.unheard_of}]")),
        @"in group `span.gen_ai.test`: `gen_ai.unheard_of` is not defined anywhere"
    );
    insta::assert_snapshot!(
        refused(&span(
            "attributes: [{ref: server.port, requirement_level: {recommended: If the moon is full.}}]"
        )),
        @"in group `span.gen_ai.test`: in attribute `server.port` of `span.gen_ai.test`: unknown condition `if the moon is full`: say what it comes to in CONDITIONS of the importer"
    );
    insta::assert_snapshot!(
        refused(&span("note: The span name SHOULD be `{gen_ai.unheard_of}`.")),
        @"in group `span.gen_ai.test`: span name `{gen_ai.unheard_of}` refers to `gen_ai.unheard_of`, which is no attribute"
    );
    insta::assert_snapshot!(
        refused(&span("attributes: [{requirement_level: required}]")),
        @"an attribute of group `span.gen_ai.test` has to have either `id` or `ref`"
    );
}

#[test]
fn span_names_are_read_out_of_sentences() {
    let cases = [
        ("Nothing about names.", vec![]),
        ("**Span name:** see the other page, `elsewhere`.", vec![]),
        (
            "`gen_ai.operation.name` SHOULD be `x`.\n**Span name** SHOULD be `x {a.b}`.",
            vec!["x {a.b}"],
        ),
        (
            "The **span name** SHOULD be `x {a.b}` if\nthere is one. Else it SHOULD be `x`.\n\nIt SHOULD be `y`.",
            vec!["x {a.b}", "x"],
        ),
        (
            "**Span name** SHOULD follow the format `{m} {target}` where target SHOULD match `{a}` \
             or `{b}`. Without `target`, the name SHOULD be `{m}`.",
            vec!["{m} {a}", "{m} {b}", "{m}"],
        ),
    ];
    for (text, patterns) in cases {
        assert_eq!(prose::name_patterns(text), patterns, "{text}");
    }
}

#[test]
fn a_replacement_is_a_name_and_nothing_else() {
    let cases = [
        ("Replaced by `a.b`.", Some("a.b")),
        ("Replaced by `a.b` attribute.", Some("a.b")),
        ("Replaced by `a.b`, which has moved to the [other](https://c) repository.", Some("a.b")),
        ("Replaced by a.b", Some("a.b")),
        ("Use 'a.b' instead.", Some("a.b")),
        ("Replaced by `a.b` on client spans and `c.d` on server spans.", None),
        ("Split to `a.b` and `c.d`.", None),
        ("Removed, no replacement at this time.", None),
    ];
    for (sentence, name) in cases {
        assert_eq!(prose::replacement(sentence).as_deref(), name, "{sentence}");
    }
}

#[test]
fn a_check_names_what_an_import_would_change() {
    let registry = resolved(ATTRIBUTES);
    let folder = tempfile::tempdir().unwrap();
    let all = Extent::All;
    let wanted = files::render(&[registry], all, folder.path()).unwrap();
    let differences = || files::differences(folder.path(), &wanted, all).unwrap();
    files::write(folder.path(), &wanted, all).unwrap();
    assert!(differences().is_empty());

    let registry = wanted["9.9.9.json"].replacen("\"9.9.9\"", "\"9.9.8\"", 1);
    std::fs::write(folder.path().join("9.9.9.json"), registry).unwrap();
    std::fs::write(folder.path().join("1.0.0.json"), "{}").unwrap();
    std::fs::remove_file(folder.path().join("files.rs")).unwrap();
    insta::assert_snapshot!(differences().join("\n"), @r"
    schemas/semconv/9.9.9.json differs from its source at line 2
    schemas/semconv/files.rs is missing
    schemas/semconv/1.0.0.json has no source
    ");

    files::write(folder.path(), &wanted, all).unwrap();
    assert!(differences().is_empty());
}

#[test]
fn one_checkout_is_added_and_leaves_the_others_alone() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["1.9.0.json", "1.10.0.json", "genai-dev.json"] {
        std::fs::write(folder.path().join(name), "{}").unwrap();
    }
    let wanted = files::render(&[resolved(ATTRIBUTES)], Extent::One, folder.path()).unwrap();
    files::write(folder.path(), &wanted, Extent::One).unwrap();
    assert!(files::differences(folder.path(), &wanted, Extent::One).unwrap().is_empty());
    let list = std::fs::read_to_string(folder.path().join("files.rs")).unwrap();
    let versions: Vec<&str> = list
        .lines()
        .filter_map(|line| line.trim().strip_prefix("(\"")?.split('"').next())
        .collect();
    // Releases by their numbers, then what is in development.
    assert_eq!(versions, ["1.9.0", "1.10.0", "9.9.9", "genai-dev"]);
    assert!(folder.path().join("1.9.0.json").exists());
}

/// The same facts as in the other format, with groups referred to and a refinement.
const SECOND_FORMAT: &str = "
file_format: definition/2
attributes:
  - {key: gen_ai.request.model, type: string, stability: development, brief: x}
  - {key: gen_ai.operation.name, type: {members: [{id: a, value: chat}]}}
  - key: gen_ai.input.messages
    type: any
    note: |
      Follow the [schema](/docs/gen-ai/gen-ai-input-messages.json).

      > [!WARNING]
      > It is likely to contain sensitive information.
  - {key: gen_ai.provider.name, type: string}
  - {key: server.address, type: string}
  - {key: server.port, type: int}
attribute_groups:
  - id: attributes.address
    visibility: internal
    attributes:
      - ref: server.address
      - ref: server.port
        requirement_level: {conditionally_required: 'If `server.address` is set.'}
  - id: attributes.common
    visibility: internal
    attributes:
      - ref_group: attributes.address
      - {ref: gen_ai.request.model, requirement_level: recommended}
spans:
  - type: gen_ai.test.client
    kind: client
    name: {note: '{gen_ai.operation.name} {gen_ai.request.model}'}
    stability: development
    note: The `gen_ai.operation.name` SHOULD be `chat`.
    attributes:
      - ref_group: attributes.common
      - {ref: gen_ai.provider.name, requirement_level: required}
      - {ref: server.address, sampling_relevant: true}
span_refinements:
  - id: acme.test.client
    ref: gen_ai.test.client
    note: '`gen_ai.provider.name` MUST be set to `\"acme\"`.'
    attributes:
      - {ref: gen_ai.request.model, requirement_level: required}
metrics:
  - name: gen_ai.test.time
    instrument: histogram
    unit: s
    annotations: {code_generation: {metric_value_type: double}}
    note: It SHOULD be reported for streaming calls and SHOULD NOT be reported otherwise.
    attributes: [{ref_group: attributes.address}]
metric_refinements:
  - {id: acme.time, ref: gen_ai.test.time, attributes: [{ref: gen_ai.request.model}]}
events:
  - {name: gen_ai.test.happened, attributes: [{ref: gen_ai.input.messages, requirement_level: opt_in}]}
";

#[test]
fn the_second_format_says_the_same_in_other_words() {
    let registry = resolved(SECOND_FORMAT);
    assert_eq!(
        registry.spans.keys().collect::<Vec<_>>(),
        ["acme.test.client", "gen_ai.test.client"]
    );
    let span = &registry.spans["gen_ai.test.client"];
    let levels: Vec<_> =
        span.attributes.iter().map(|(name, level)| (name.as_str(), *level)).collect();
    let port = Requirement::ConditionallyRequired(Condition::IfServerAddress);
    assert_eq!(
        levels,
        [
            ("gen_ai.provider.name", Requirement::Required),
            ("gen_ai.request.model", Requirement::Recommended),
            ("server.address", Requirement::Recommended),
            ("server.port", port),
        ]
    );
    assert_eq!(span.name_patterns, ["{gen_ai.operation.name} {gen_ai.request.model}"]);
    assert_eq!(span.operations.iter().collect::<Vec<_>>(), ["chat"]);
    assert_eq!(span.at_creation.iter().collect::<Vec<_>>(), ["server.address"]);

    let refined = &registry.spans["acme.test.client"];
    assert_eq!(refined.refines.as_deref(), Some("gen_ai.test.client"));
    assert_eq!(refined.fixed["gen_ai.provider.name"], "acme");
    assert_eq!(refined.attributes["gen_ai.request.model"], Requirement::Required);
    assert_eq!(refined.attributes["server.port"], port);
    assert_eq!((&refined.kinds, &refined.operations), (&span.kinds, &span.operations));

    let metric = &registry.metrics["gen_ai.test.time"];
    assert_eq!((metric.value_type, metric.streaming_only), (Some(AttributeType::Double), true));
    assert_eq!(metric.attributes["server.port"], port);
    assert!(registry.events.contains_key("gen_ai.test.happened"));
    let messages = &registry.attributes["gen_ai.input.messages"];
    assert_eq!(messages.json_schema.as_deref(), Some("gen-ai-input-messages.json"));
    assert!(messages.sensitive);
}

#[test]
fn an_unknown_format_is_named() {
    insta::assert_snapshot!(
        refused("file_format: definition/3\nspans: []\n"),
        @"unknown file format `definition/3`; `groups` and `definition/2` are read"
    );
}

#[test]
fn what_has_only_moved_is_not_deprecated() {
    let registry = resolved(
        "
groups:
  - id: registry.test
    type: attribute_group
    attributes:
      - id: gen_ai.moved
        type: string
        deprecated: {reason: uncategorized, note: 'Moved to the [GenAI](https://x) repository.'}
      - id: gen_ai.gone
        type: string
        deprecated: {reason: uncategorized, note: 'Replaced by `gen_ai.moved`, which has moved to there.'}
",
    );
    assert_eq!(registry.attributes["gen_ai.moved"].deprecated, None);
    let renamed_to = Some("gen_ai.moved".to_owned());
    assert_eq!(registry.attributes["gen_ai.gone"].deprecated, Some(Deprecation { renamed_to }));
}

#[test]
fn a_checkout_of_the_genai_conventions_builds_on_the_newest_release() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    std::fs::create_dir(&model).unwrap();
    let url = "https://opentelemetry.io/schemas/gen-ai-dev/1.50.0-dev";
    std::fs::write(model.join("manifest.yaml"), format!("schema_url: {url}\n")).unwrap();
    let spans = "
file_format: definition/2
attributes:
  - {key: gen_ai.operation.name, type: {members: [{id: a, value: chat}]}}
spans:
  - type: gen_ai.test.client
    kind: client
    name: {note: '{gen_ai.operation.name}'}
    attributes: [{ref: gen_ai.operation.name}, {ref: server.address}]
";
    std::fs::write(model.join("spans.yaml"), spans).unwrap();
    let registry = checkout(folder.path(), None).unwrap();
    assert_eq!((registry.version.as_str(), registry.schema_url.as_str()), ("genai-dev", url));
    // Defined in the conventions at large, and referred to here.
    assert!(registry.attributes.contains_key("server.address"));
    // A name of the release that is there no more is known, and not to be used.
    assert!(registry.attributes["gen_ai.response.id"].deprecated.is_some());
    assert!(registry.attributes["gen_ai.operation.name"].deprecated.is_none());

    std::fs::write(
        model.join("manifest.yaml"),
        "schema_url: https://x/schemas/1.45.0-unreleased\n",
    )
    .unwrap();
    let error = format!("{:#}", checkout(folder.path(), None).unwrap_err());
    assert_eq!(
        error,
        "`1.45.0-unreleased` is not a version such as `1.44.0`: name it by --version"
    );
}

/// As small as a file of facts can be.
fn facts_with(changes: &str) -> String {
    format!(
        "
attributes:
  gen_ai.operation.name: {{type: enum, members: [chat], open: true}}
  gen_ai.request.top_k: {{type: int}}
  gen_ai.prompt.variable: {{type: 'template[string]', sensitive: true}}
  gen_ai.old: {{type: string, deprecated: {{renamed_to: gen_ai.operation.name}}}}
spans:
  gen_ai.client.test:
    kind: [client, internal]
    operations: [chat]
    name: 'chat {{gen_ai.agent.name}}'
    name_fallback: chat
    attributes: {{gen_ai.operation.name: required, gen_ai.request.top_k: {{conditionally_required: choice_count_not_1}}}}
refinements:
  acme.gen_ai.client.test: {{base: gen_ai.client.test, fixed: {{gen_ai.provider.name: acme}}, attributes: {{gen_ai.request.top_k: recommended}}}}
metrics:
  gen_ai.client.test.time: {{instrument: histogram, unit: s, value_type: double, attributes: {{}}, buckets: [1, 2], only: streaming, span: gen_ai.client.test}}
  gen_ai.client.test.count: {{instrument: counter, unit: '{{token}}', value_type: int, attributes: {{}}}}
metric_refinements:
  acme: {{adds: {{gen_ai.old: recommended}}, metrics: [gen_ai.client.test.count]}}
events: {{gen_ai.happened: {{level: opt_in, severity: DEBUG, attributes: {{}}}}}}
changes_since_1_41: [{changes}]
"
    )
}

#[test]
fn facts_in_our_own_words_are_a_registry() {
    let text = facts_with(
        "{kind: renamed, what: span gen_ai.test.client, to: gen_ai.client.test}, \
         {kind: renamed, what: metric gen_ai.time for test, to: gen_ai.client.test.time}, \
         {kind: removed, what: metric gen_ai.all, to: gen_ai.client.test.* and more}, \
         {kind: renamed, what: gen_ai.x on the test span, to: gen_ai.request.top_k}, \
         {kind: added, what: attribute gen_ai.request.top_k, to: null}",
    );
    let registry = facts::registry("genai-dev", &text).unwrap();
    let refined = &registry.spans["acme.gen_ai.client.test"];
    assert_eq!(refined.name_patterns, ["chat {gen_ai.agent.name}", "chat"]);
    assert_eq!(refined.attributes["gen_ai.request.top_k"], Requirement::Recommended);
    assert_eq!(refined.attributes["gen_ai.operation.name"], Requirement::Required);
    assert_eq!(
        registry.spans["gen_ai.client.test"].attributes["gen_ai.request.top_k"],
        Requirement::ConditionallyRequired(Condition::ChoiceCountNotOne)
    );
    assert_eq!(
        registry.metrics["gen_ai.client.test.count"].attributes["gen_ai.old"],
        Requirement::RecommendedIf(Condition::IfApplicable)
    );
    assert!(registry.metrics["gen_ai.client.test.time"].streaming_only);
    assert!(registry.events["gen_ai.happened"].opt_in);
    let successors = serde_json::to_value(&registry.successors).unwrap();
    assert_eq!(
        successors,
        serde_json::json!({
            "attributes": {
                "gen_ai.x": [{"name": "gen_ai.request.top_k", "only_on": "gen_ai.client.test"}]
            },
            "spans": {"gen_ai.test.client": [{"name": "gen_ai.client.test"}]},
            "metrics": {
                "gen_ai.all": [
                    {"name": "gen_ai.client.test.count"},
                    {"name": "gen_ai.client.test.time"}
                ],
                "gen_ai.time": [
                    {"name": "gen_ai.client.test.time", "only_on": "gen_ai.client.test"}
                ]
            }
        })
    );
}

#[test]
fn facts_that_contradict_themselves_are_named() {
    let error = |text: &str| format!("{:#}", facts::registry("genai-dev", text).unwrap_err());
    insta::assert_snapshot!(
        error(&facts_with("{kind: renamed, what: span gen_ai.a, to: gen_ai.nowhere}")),
        @"`span gen_ai.a` has become `gen_ai.nowhere`, which is nowhere"
    );
    insta::assert_snapshot!(
        error(&facts_with("").replace("choice_count_not_1", "full_moon")),
        @"in span `gen_ai.client.test`: in attribute `gen_ai.request.top_k`: unknown condition `full_moon`: add it to the conditions"
    );
    insta::assert_snapshot!(
        error(&facts_with("").replace("base: gen_ai.client.test", "base: gen_ai.nowhere")),
        @"in span `acme.gen_ai.client.test`: it refines `gen_ai.nowhere`, which is nowhere"
    );
}

#[test]
fn versions_are_three_numbers() {
    assert_eq!(number("1.41.1"), Some([1, 41, 1]));
    for text in ["genai-dev", "1.41", "1.41.1.0", "1.x.1", ""] {
        assert_eq!(number(text), None, "{text}");
    }
}
