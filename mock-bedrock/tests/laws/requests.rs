//! Requests in the space of Converse's shape, as far as a model takes them.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use super::catalogue::{Model, that};

/// A model that answers Converse, and a body that it takes.
pub(crate) fn converse() -> impl Strategy<Value = (Model, Value)> {
    converse_with(0)
}

/// The same, of a model that takes at least so many tokens.
pub(crate) fn converse_with(window: u64) -> impl Strategy<Value = (Model, Value)> {
    select(that(|model| model.supports("converse") && model.context_window >= window))
        .prop_flat_map(|model| (Just(model.clone()), body(model)))
}

/// Sequences that come up in answers often, seldom and never.
pub(crate) fn stop_sequences(most: usize) -> impl Strategy<Value = Vec<String>> {
    let known = select(vec!["e", "the ", ".", ", ", "harbour", "zzz", "é", "\"", "}"]);
    let sequence = prop_oneof![known.prop_map(ToOwned::to_owned), "[a-z]{1,3}"];
    prop::collection::vec(sequence, 0..=most)
}

/// A text with something in it besides blanks, of which many fit into `window` tokens.
pub(crate) fn text(window: u64) -> impl Strategy<Value = String> {
    let most_words = usize::try_from(window / 300).unwrap().min(1_500);
    prop_oneof![
        4 => "[a-zA-Z][a-zA-Z0-9 ,.?\"\\\\\n]{0,80}",
        1 => "\\PC{1,40}",
        1 => (1..=most_words).prop_map(|words| "harbour ".repeat(words)),
    ]
    .prop_filter("blank", |text| !text.trim().is_empty())
}

fn body(model: Model) -> impl Strategy<Value = Value> {
    let config = (
        prop::option::of(1..=model.max_output_tokens.min(400)),
        prop::option::of(0.0..=1.0_f64),
        prop::option::of(0.0..=1.0_f64),
        prop::option::of(stop_sequences(if model.supports("stop_sequences") { 4 } else { 0 })),
    );
    let system = prop::option::of(prop::collection::vec(text(model.context_window), 1..3))
        .prop_map({
            let takes = model.supports("system");
            move |system| system.filter(|_| takes)
        });
    let tools = prop::collection::vec(tool(), 0..3).prop_map({
        let takes = model.supports("tools") && model.supports("stream_tools");
        move |tools| if takes { tools } else { Vec::new() }
    });
    let rest = (any::<bool>(), any::<bool>(), any::<bool>(), 0..3_u8);
    (messages(&model), config, system, tools, any::<Index>(), rest).prop_map(
        move |(messages, (max, temperature, top_p, stops), system, tools, choice, rest)| {
            let mut body = json!({ "messages": messages });
            let mut config = Map::new();
            put(&mut config, "maxTokens", max);
            put(&mut config, "temperature", temperature);
            put(&mut config, "topP", top_p);
            // An empty list of stop sequences is still a list that the model may not take.
            put(&mut config, "stopSequences", stops.filter(|stops| !stops.is_empty()));
            if !config.is_empty() {
                body["inferenceConfig"] = config.into();
            }
            if let Some(system) = system {
                body["system"] = system.into_iter().map(|text| json!({ "text": text })).collect();
            }
            if !tools.is_empty() {
                body["toolConfig"] = tool_config(&model, tools, choice);
            }
            let (stop_sequence, optimized, tier, metadata) = rest;
            if stop_sequence {
                body["additionalModelResponseFieldPaths"] = json!(["/stop_sequence"]);
            }
            if optimized {
                body["performanceConfig"] = json!({ "latency": "optimized" });
            }
            if tier {
                body["serviceTier"] = json!({ "type": "flex" });
            }
            if metadata > 0 {
                body["requestMetadata"] = json!({ "a": "b" });
            }
            body
        },
    )
}

fn put<T: Into<Value>>(object: &mut Map<String, Value>, key: &str, value: Option<T>) {
    if let Some(value) = value {
        object.insert(key.to_owned(), value.into());
    }
}

fn tool_config(model: &Model, mut tools: Vec<Value>, choice: Index) -> Value {
    for (number, tool) in tools.iter_mut().enumerate() {
        tool["toolSpec"]["name"] = format!("tool_{number}").into();
    }
    let mut choices = vec![Value::Null, json!({ "auto": {} })];
    if model.supports("choose_any") {
        choices.push(json!({ "any": {} }));
    }
    if model.supports("choose_tool") {
        choices.push(json!({ "tool": { "name": "tool_0" } }));
    }
    let mut config = json!({ "tools": tools });
    match choices.swap_remove(choice.index(choices.len())) {
        Value::Null => {}
        choice => config["toolChoice"] = choice,
    }
    config
}

fn tool() -> impl Strategy<Value = Value> {
    (prop::option::of(text(4_096)), schema()).prop_map(|(description, schema)| {
        let mut spec = json!({ "name": "", "inputSchema": { "json": schema } });
        if let Some(description) = description {
            spec["description"] = description.into();
        }
        json!({ "toolSpec": spec })
    })
}

/// The schema of a tool's arguments: an object of anything, as deep as people write them.
pub(crate) fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({ "type": "string" })),
        (0..5_u64, 5..20_u64).prop_map(
            |(least, most)| json!({ "type": "string", "minLength": least, "maxLength": most })
        ),
        prop::collection::vec("[a-z]{1,6}", 1..4).prop_map(|values| json!({ "enum": values })),
        (-50..50_i64, 0..50_i64).prop_map(
            |(least, span)| json!({ "type": "integer", "minimum": least, "maximum": least + span })
        ),
        Just(json!({ "type": "number" })),
        Just(json!({ "type": "boolean" })),
        Just(json!({ "type": ["string", "null"] })),
        Just(json!({ "const": { "a": [1, "é"] } })),
    ];
    let inner = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), 0..3_u64).prop_map(
                |(items, least)| json!({ "type": "array", "items": items, "minItems": least })
            ),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|any| json!({ "anyOf": any })),
            object(inner),
        ]
    });
    object(inner)
}

fn object(member: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let member = (member, any::<bool>());
    (prop::collection::btree_map("[a-z_é]{1,8}", member, 0..4), any::<bool>()).prop_map(
        |(members, open)| {
            let required: Vec<&String> = members
                .iter()
                .filter(|(_, (_, required))| *required)
                .map(|(name, _)| name)
                .collect();
            let mut schema = json!({ "type": "object", "required": required, "properties": {} });
            for (name, (member, _)) in &members {
                schema["properties"][name] = member.clone();
            }
            if !open {
                schema["additionalProperties"] = false.into();
            }
            schema
        },
    )
}

/// Turns that alternate, from a user's to a user's.
fn messages(model: &Model) -> impl Strategy<Value = Vec<Value>> + use<> {
    let said = text(model.context_window);
    let thought = prop::option::of(text(model.context_window));
    let round = (said, thought, user(model), any::<bool>());
    let uses_tools = model.supports("tools");
    (user(model), prop::collection::vec(round, 0..3)).prop_map(move |(first, rounds)| {
        let mut messages = vec![json!({ "role": "user", "content": first })];
        for (number, (said, thought, mut next, calls)) in rounds.into_iter().enumerate() {
            let mut content = Vec::new();
            if let Some(thought) = thought {
                let reasoning = json!({ "text": thought, "signature": "c2ln" });
                content.push(json!({ "reasoningContent": { "reasoningText": reasoning } }));
            }
            content.push(json!({ "text": said }));
            if calls && uses_tools {
                let id = format!("tooluse_{number}");
                content.push(json!({
                    "toolUse": { "toolUseId": id, "name": "tool_0", "input": { "a": said } }
                }));
                let result = json!([{ "json": { "a": 1 } }, { "text": "found" }]);
                let result = json!({ "toolUseId": id, "status": "success", "content": result });
                next.insert(0, json!({ "toolResult": result }));
            }
            messages.push(json!({ "role": "assistant", "content": content }));
            messages.push(json!({ "role": "user", "content": next }));
        }
        messages
    })
}

/// What a user says: a text, and what else the model takes.
fn user(model: &Model) -> impl Strategy<Value = Vec<Value>> + use<> {
    let mut kinds = vec![
        json!({ "cachePoint": { "type": "default" } }),
        json!({ "cachePoint": { "type": "default", "ttl": "1h" } }),
    ];
    if model.takes("IMAGE") {
        kinds.push(json!({ "image": { "format": "png", "source": { "bytes": "aGk=" } } }));
    }
    if model.takes("VIDEO") {
        let source = json!({ "s3Location": { "uri": "s3://bucket/key" } });
        kinds.push(json!({ "video": { "format": "mp4", "source": source } }));
    }
    // A document is more than the half of what some models take.
    if model.supports("documents") && model.context_window > 16_384 {
        let source = json!({ "bytes": "aGk=" });
        kinds.push(json!({ "document": { "format": "pdf", "name": "a", "source": source } }));
    }
    let kinds = prop::collection::vec(select(kinds), 0..3);
    (text(model.context_window), kinds).prop_map(|(text, mut rest)| {
        rest.insert(0, json!({ "text": text }));
        rest
    })
}
