use spanproof_schemas::semconv::{
    AttributeType, Condition, Deprecation, Registry, Requirement, SpanKind,
};

use super::{files, number, prose, resolve, source};

fn resolved(text: &str) -> Registry {
    resolve::registry("9.9.9", source::parse(text).unwrap()).unwrap()
}

fn refused(text: &str) -> String {
    let error = source::parse(text)
        .and_then(|groups| resolve::registry("9.9.9", groups))
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
    let span = &registry.spans["span.test"];
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
    assert_eq!(registry.spans.keys().collect::<Vec<_>>(), ["span.gen_ai.test"]);
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
    assert_eq!(header.value_type, AttributeType::Template);
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
    let child = &registry.spans["span.child"];
    assert_eq!(
        child.name_patterns,
        ["{gen_ai.operation.name} {gen_ai.request.model}", "{gen_ai.operation.name}"]
    );
    assert_eq!(child.kinds, [SpanKind::Client, SpanKind::Internal]);
    assert_eq!(registry.spans["span.base"], *child);
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
    let wanted = files::render(&[registry]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    files::write(folder.path(), &wanted).unwrap();
    assert!(files::differences(folder.path(), &wanted).unwrap().is_empty());

    let registry = wanted["9.9.9.json"].replacen("\"9.9.9\"", "\"9.9.8\"", 1);
    std::fs::write(folder.path().join("9.9.9.json"), registry).unwrap();
    std::fs::write(folder.path().join("1.0.0.json"), "{}").unwrap();
    std::fs::remove_file(folder.path().join("files.rs")).unwrap();
    let differences = files::differences(folder.path(), &wanted).unwrap().join("\n");
    insta::assert_snapshot!(differences, @r"
    schemas/semconv/9.9.9.json differs from its source at line 2
    schemas/semconv/files.rs is missing
    schemas/semconv/1.0.0.json has no source
    ");

    files::write(folder.path(), &wanted).unwrap();
    assert!(files::differences(folder.path(), &wanted).unwrap().is_empty());
}

#[test]
fn versions_are_three_numbers() {
    assert_eq!(number("1.41.1"), Some([1, 41, 1]));
    for text in ["genai-dev", "1.41", "1.41.1.0", "1.x.1", ""] {
        assert_eq!(number(text), None, "{text}");
    }
}
