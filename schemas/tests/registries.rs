//! What holds of every committed registry of the semantic conventions.

mod support;

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use spanproof_schemas::semconv::{
    AttributeType, Condition, Deprecation, History, Registry, Requirement, SpanKind, Status,
    Version,
};
use support::{assert_accepts, assert_refuses_spoiled, validator};

fn version(text: &str) -> Version {
    text.parse().expect("a known version")
}

fn registries() -> Vec<Registry> {
    Version::all().map(Version::registry).collect()
}

/// The requirement levels of every signal, with the signal's name.
fn requirements(registry: &Registry) -> Vec<(&str, &str, Requirement)> {
    let spans = registry.spans.iter().map(|(name, span)| (name, &span.attributes));
    let metrics = registry.metrics.iter().map(|(name, metric)| (name, &metric.attributes));
    let events = registry.events.iter().map(|(name, event)| (name, &event.attributes));
    spans
        .chain(metrics)
        .chain(events)
        .flat_map(|(name, attributes)| {
            attributes.iter().map(|(key, level)| (name.as_str(), key.as_str(), *level))
        })
        .collect()
}

#[test]
fn every_file_of_the_folder_is_compiled_in() {
    let folder = format!("{}/semconv", env!("CARGO_MANIFEST_DIR"));
    let files: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.strip_suffix(".json").map(str::to_owned)
        })
        .collect();
    let versions: BTreeSet<String> =
        Version::all().map(|version| version.as_str().to_owned()).collect();
    assert_eq!(files, versions);
    for version in Version::all() {
        assert_eq!(version.registry().version, version.as_str());
    }
}

#[test]
fn versions_are_in_order() {
    let known: Vec<&str> = Version::all().map(Version::as_str).collect();
    assert_eq!(
        known,
        [
            "1.28.0",
            "1.30.0",
            "1.34.0",
            "1.36.0",
            "1.37.0",
            "1.38.0",
            "1.39.0",
            "1.40.0",
            "1.41.1",
            "genai-dev"
        ]
    );
    assert_eq!(Version::LATEST, version("1.41.1"));
    assert!(Version::GENAI_DEV > Version::LATEST);
    for version in Version::all() {
        assert_eq!(version.registry().status, version.status(), "{version}");
        assert_eq!(version.status() == Status::Released, version <= Version::LATEST, "{version}");
    }
    assert_eq!(Version::LATEST_WITH_SYSTEM, version("1.36.0"));
}

#[test]
fn an_unknown_version_is_refused_with_the_known_ones() {
    let error = "1.99.0".parse::<Version>().unwrap_err().to_string();
    assert!(error.contains("`1.99.0`") && error.contains("1.36.0, 1.37.0"), "{error}");
}

#[test]
fn registries_are_what_their_schema_says() {
    let schema = validator("semconv");
    for registry in registries() {
        assert_accepts(&schema, &serde_json::to_value(&registry).unwrap());
    }
    // One is enough to see that the schema is strict, and the first is the smallest.
    let smallest = serde_json::to_value(Version::all().next().unwrap().registry()).unwrap();
    assert_refuses_spoiled(&schema, &smallest, &[]);
}

#[test]
fn the_conditions_of_the_schema_are_those_of_the_registry() {
    let written = |condition: &Condition| {
        serde_json::to_value(condition).unwrap().as_str().unwrap().to_owned()
    };
    let schema: Value = serde_json::from_str(include_str!("../semconv.schema.json")).unwrap();
    let conditions = schema["$defs"]["condition"]["enum"].as_array().unwrap();
    let used: BTreeSet<String> = registries()
        .iter()
        .flat_map(|registry| requirements(registry))
        .filter_map(|(_, _, level)| match level {
            Requirement::ConditionallyRequired(condition)
            | Requirement::RecommendedIf(condition) => Some(condition),
            _ => None,
        })
        .map(|condition| written(&condition))
        .collect();
    let known: BTreeSet<String> =
        conditions.iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    assert_eq!(used, known);
    assert_eq!(Condition::ALL.iter().map(written).collect::<BTreeSet<String>>(), known);
}

#[test]
fn signals_refer_to_attributes_of_their_registry() {
    for registry in registries() {
        for (signal, attribute, _) in requirements(&registry) {
            assert!(
                registry.attributes.contains_key(attribute),
                "{}: `{signal}` refers to `{attribute}`",
                registry.version
            );
        }
    }
}

#[test]
fn members_are_of_the_type_of_their_enumeration() {
    for registry in registries() {
        for (name, attribute) in &registry.attributes {
            let values: BTreeSet<&str> =
                attribute.members.iter().map(|member| member.value.as_str()).collect();
            assert_eq!(values.len(), attribute.members.len(), "{name} has a member twice");
            match attribute.value_type {
                AttributeType::Int => {
                    assert!(values.iter().all(|value| value.parse::<i64>().is_ok()), "{name}");
                }
                AttributeType::String => {}
                _ => assert!(values.is_empty(), "{name} is no enumeration"),
            }
        }
        for name in ["gen_ai.operation.name", "gen_ai.token.type", "error.type", "rpc.system"] {
            let has_members =
                registry.attributes.get(name).is_none_or(|known| !known.members.is_empty());
            assert!(has_members, "{}: {name} has no members", registry.version);
        }
    }
}

#[test]
fn what_is_renamed_is_renamed_to_something_known() {
    for registry in registries() {
        for (name, attribute) in &registry.attributes {
            // Names of other areas may be renamed to what is not kept here.
            if !name.starts_with("gen_ai.") {
                continue;
            }
            if let Some(new) = attribute.deprecated.as_ref().and_then(|d| d.renamed_to.as_ref()) {
                let known = registry.attributes.contains_key(new);
                assert!(known, "{}: {name} -> {new}", registry.version);
            }
        }
    }
}

#[test]
fn spans_have_kinds_and_names() {
    for registry in registries() {
        for (id, span) in &registry.spans {
            assert!(!span.kinds.is_empty(), "{}: {id}", registry.version);
            assert!(!span.name_patterns.is_empty(), "{}: {id}", registry.version);
        }
    }
    for text in ["1.36.0", "1.41.1"] {
        let bedrock = &version(text).registry().spans["aws.bedrock.client"];
        assert_eq!(bedrock.kinds, [SpanKind::Client, SpanKind::Internal]);
        assert_eq!(bedrock.name_patterns, ["{gen_ai.operation.name} {gen_ai.request.model}"]);
        assert_eq!(
            bedrock.attributes["aws.bedrock.guardrail.id"],
            Requirement::ConditionallyRequired(Condition::GuardrailInRequest)
        );
        assert_eq!(
            bedrock.attributes["error.type"],
            Requirement::ConditionallyRequired(Condition::OnError)
        );
    }
}

#[test]
fn the_provider_moved_from_system_to_provider_name() {
    let old = Version::LATEST_WITH_SYSTEM.registry();
    assert_eq!(old.attributes["gen_ai.system"].deprecated, None);
    assert!(!old.attributes.contains_key("gen_ai.provider.name"));
    let span = &old.spans["aws.bedrock.client"];
    assert_eq!(span.attributes["gen_ai.system"], Requirement::Required);

    let new = Version::LATEST.registry();
    let renamed_to = Some("gen_ai.provider.name".to_owned());
    assert_eq!(new.attributes["gen_ai.system"].deprecated, Some(Deprecation { renamed_to }));
    let span = &new.spans["aws.bedrock.client"];
    assert_eq!(span.attributes["gen_ai.provider.name"], Requirement::Required);
    assert!(!span.attributes.contains_key("gen_ai.system"));

    for registry in [&old, &new] {
        let name =
            if registry.version == "1.36.0" { "gen_ai.system" } else { "gen_ai.provider.name" };
        let members = &registry.attributes[name].members;
        assert!(members.iter().any(|member| member.value == "aws.bedrock"));
    }
}

#[test]
fn token_and_duration_histograms_have_their_unit_and_boundaries() {
    for registry in registries() {
        let tokens = if registry.status == Status::Released {
            "gen_ai.client.token.usage"
        } else {
            "gen_ai.client.inference.operation.input_tokens"
        };
        for (name, unit, first, last) in [
            (tokens, "{token}", 1.0, 67_108_864.0),
            ("gen_ai.client.operation.duration", "s", 0.01, 81.92),
        ] {
            let metric = &registry.metrics[name];
            assert_eq!((metric.instrument.as_str(), metric.unit.as_str()), ("histogram", unit));
            assert_eq!(metric.boundaries.first(), Some(&first));
            assert_eq!(metric.boundaries.last(), Some(&last));
            assert!(metric.boundaries.is_sorted());
        }
    }
}

#[test]
fn history_tells_since_when_a_name_exists() {
    let history = History::read();
    assert_eq!(history.first_with_attribute("gen_ai.system"), Version::all().next());
    let first = history.first_with_attribute("gen_ai.provider.name");
    assert_eq!(first, Some(version("1.37.0")));
    let cached = history.first_with_attribute("gen_ai.usage.cache_read.input_tokens");
    assert_eq!(cached, Some(version("1.40.0")));
    let chunk = history.first_with_metric("gen_ai.client.operation.time_to_first_chunk");
    assert_eq!(chunk, Some(version("1.41.1")));
    let details = history.first_with_event("gen_ai.client.inference.operation.details");
    assert_eq!(details, Some(version("1.37.0")));
    assert_eq!(history.first_with_attribute("gen_ai.unheard_of"), None);
    let written = history.first_with_attribute("gen_ai.usage.cache_write.input_tokens");
    assert_eq!(written, Some(Version::GENAI_DEV));
    // Deprecated names stay: nothing that was once there goes.
    assert_eq!(history.with_attribute("gen_ai.prompt").len(), Version::all().count());
}

/// The span type that describes a chat with Bedrock, in every version.
#[test]
fn every_version_has_a_span_type_for_each_operation_of_bedrock() {
    for registry in registries() {
        for operation in ["chat", "text_completion"] {
            let types: Vec<&str> = registry
                .spans
                .iter()
                .filter(|(_, span)| span.operations.contains(operation))
                .filter(|(_, span)| {
                    span.fixed.is_empty() || span.fixed.values().any(|value| value == "aws.bedrock")
                })
                .map(|(id, _)| id.as_str())
                .collect();
            assert!(!types.is_empty(), "{}: nothing describes {operation}", registry.version);
        }
    }
    let dev = Version::GENAI_DEV.registry();
    let bedrock = &dev.spans["aws.bedrock.gen_ai.client.inference"];
    assert_eq!(bedrock.refines.as_deref(), Some("gen_ai.client.inference"));
    assert_eq!(bedrock.fixed["gen_ai.provider.name"], "aws.bedrock");
    // What it overrides, what it adds, and what it has of the type it refines.
    assert_eq!(bedrock.attributes["gen_ai.request.top_k"], Requirement::Recommended);
    assert_eq!(
        bedrock.attributes["aws.bedrock.guardrail.id"],
        Requirement::ConditionallyRequired(Condition::GuardrailInRequest)
    );
    assert_eq!(
        bedrock.attributes["gen_ai.request.stream"],
        Requirement::ConditionallyRequired(Condition::Streaming)
    );
    assert!(bedrock.at_creation.contains("server.address"));
    assert_eq!(
        dev.spans["gen_ai.plan.internal"].name_patterns,
        ["plan {gen_ai.agent.name}", "plan"]
    );
}

#[test]
fn content_names_its_schema_and_is_sensitive() {
    for text in ["1.37.0", "1.41.1", "genai-dev"] {
        let messages = &version(text).registry().attributes["gen_ai.input.messages"];
        assert_eq!(messages.json_schema.as_deref(), Some("gen-ai-input-messages.json"), "{text}");
        assert!(messages.sensitive, "{text}");
    }
    let variable = &Version::GENAI_DEV.registry().attributes["gen_ai.prompt.variable"];
    assert_eq!((variable.template, variable.value_type), (true, AttributeType::String));
}

#[test]
fn successors_are_names_of_their_registry() {
    for registry in registries() {
        let all = [
            (&registry.successors.attributes, registry.attributes.keys().collect::<Vec<_>>()),
            (&registry.successors.spans, registry.spans.keys().collect()),
            (&registry.successors.metrics, registry.metrics.keys().collect()),
        ];
        for (successors, known) in all {
            for successor in successors.values().flatten() {
                assert!(known.contains(&&successor.name), "{}: {successor:?}", registry.version);
                let span = successor.only_on.as_ref();
                assert!(span.is_none_or(|span| registry.spans.contains_key(span)));
            }
        }
    }
}
