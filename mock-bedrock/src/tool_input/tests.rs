use proptest::prelude::*;
use serde_json::{Value, json};

use super::sample;
use crate::draw::{Purpose, generator};

/// A value for `schema`, checked by an independent validator.
fn checked(schema: &Value, key: u64) -> Value {
    let value = sample(schema, &mut generator(key, Purpose::ToolInput), None)
        .unwrap_or_else(|| panic!("nothing satisfies {schema}"));
    let validator = jsonschema::options().should_validate_formats(true).build(schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{value} for {schema}: {errors:?}");
    value
}

#[test]
fn schemas_as_tools_have_them() {
    for schema in [
        json!({"type": "object"}),
        json!(true),
        json!({}),
        json!({"const": {"a": 1}}),
        json!({"type": ["null", "integer"]}),
        json!({"type": "object", "properties": {"unit": {"enum": ["c", "f"]}}, "required": ["unit", "other"]}),
        json!({"type": "object", "required": ["x"], "additionalProperties": {"type": "integer"}}),
        json!({"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 50}, "uniqueItems": true, "minItems": 3}),
        json!({"type": "array", "prefixItems": [{"type": "string"}, {"type": "null"}], "items": false, "maxItems": 2}),
        json!({"type": "string", "minLength": 40, "maxLength": 41}),
        json!({"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5}),
        json!({"type": "integer", "multipleOf": 7, "minimum": 100}),
        json!({"type": "number", "multipleOf": 0.5, "minimum": 0.2}),
        json!({"type": "number", "exclusiveMinimum": 0, "maximum": 0.5}),
        json!({"oneOf": [false, {"type": "integer"}]}),
        json!({"type": "object", "anyOf": [{"required": ["a"], "properties": {"a": {"type": "boolean"}}}]}),
        json!({"allOf": [{"type": "object", "properties": {"a": {"type": "integer"}}}, {"required": ["a"]}]}),
        json!({"$defs": {"city": {"type": "string", "minLength": 2}}, "type": "object", "properties": {"city": {"$ref": "#/$defs/city"}}, "required": ["city"]}),
        json!({"$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}, "n": {"type": "integer"}}, "required": ["n"]}}, "$ref": "#/$defs/node"}),
    ] {
        for key in 0..20 {
            checked(&schema, key);
        }
    }
    for format in [
        "date",
        "date-time",
        "time",
        "duration",
        "email",
        "hostname",
        "uri",
        "ipv4",
        "ipv6",
        "uuid",
    ] {
        checked(&json!({"type": "string", "format": format}), 1);
    }
}

#[test]
fn what_nothing_satisfies_is_told_and_hostile_schemas_end() {
    for schema in [
        json!(false),
        json!({"enum": []}),
        json!({"$ref": "#/nowhere"}),
        json!({"$ref": "https://example.com/schema"}),
        json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "allOf": [{"$ref": "#/$defs/a"}]}),
        json!({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}),
        json!({"type": "array", "minItems": 1_000_000_000_000_u64}),
        json!({"type": "object", "minProperties": 1_000_000_000_000_u64}),
        json!({"type": "string", "minLength": 1_000_000_000_000_u64}),
        json!({"type": "integer", "minimum": 5, "maximum": 4}),
    ] {
        assert_eq!(sample(&schema, &mut generator(1, Purpose::ToolInput), None), None, "{schema}");
    }
}

#[test]
fn the_marker_goes_into_a_free_text_only() {
    let planted = |schema: Value| {
        let marker = Some("SPMC0".to_owned());
        sample(&schema, &mut generator(1, Purpose::ToolInput), marker)
            .unwrap()
            .to_string()
            .contains("SPMC0")
    };
    assert!(planted(
        json!({"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]})
    ));
    assert!(!planted(
        json!({"type": "object", "properties": {"q": {"enum": ["a"]}}, "required": ["q"]})
    ));
    assert!(!planted(json!({"type": "string", "maxLength": 3})));
}

fn schemas() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        (-50..50_i64, 0..100_i64).prop_map(|(least, width)| json!({"type": "integer", "minimum": least, "maximum": least + width})),
        (-50.0..50.0_f64, 0.1..100.0_f64).prop_map(|(least, width)| json!({"type": "number", "exclusiveMinimum": least, "maximum": least + width})),
        (0..30_usize, 0..30_usize).prop_map(|(least, more)| json!({"type": "string", "minLength": least, "maxLength": least + more})),
        prop::collection::vec("[a-z]{1,5}", 1..4).prop_map(|members| json!({"enum": members})),
        Just(json!({"type": "boolean"})),
        Just(json!({"type": "null"})),
        Just(json!({"const": 7})),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        prop_oneof![
            (inner.clone(), 0..3_u64, 0..3_u64).prop_map(|(items, least, more)| {
                json!({"type": "array", "items": items, "minItems": least, "maxItems": least + more})
            }),
            prop::collection::btree_map("[a-z]{1,6}", (inner.clone(), any::<bool>()), 0..4).prop_map(|members| {
                let required: Vec<&String> =
                    members.iter().filter(|(_, (_, is_required))| *is_required).map(|(name, _)| name).collect();
                let properties: serde_json::Map<String, Value> =
                    members.iter().map(|(name, (schema, _))| (name.clone(), schema.clone())).collect();
                json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
            }),
            prop::collection::vec(inner, 1..3).prop_map(|branches| json!({"anyOf": branches})),
        ]
    })
}

proptest! {
    #[test]
    fn arguments_satisfy_their_schema(schema in schemas(), key in any::<u64>()) {
        checked(&schema, key);
    }
}
