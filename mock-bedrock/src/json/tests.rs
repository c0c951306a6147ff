use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;

use super::*;

fn ours(value: &impl Serialize) -> String {
    let mut out = Vec::new();
    write(&mut out, value).unwrap();
    String::from_utf8(out).unwrap()
}

fn theirs(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

/// One of everything that `serde` derives.
#[derive(Clone, Debug, Serialize)]
struct Everything {
    text: String,
    letter: char,
    bytes: Vec<u8>,
    small: (i8, i16, i32, i64, i128),
    large: (u8, u16, u32, u64, u128),
    fractions: (f32, f64),
    truth: bool,
    nothing: (),
    perhaps: Option<Box<Everything>>,
    variants: Vec<Variants>,
    by_number: BTreeMap<i64, String>,
    by_truth: BTreeMap<bool, u8>,
    #[serde(skip_serializing_if = "String::is_empty")]
    absent: String,
    #[serde(flatten)]
    more: BTreeMap<String, u8>,
}

#[derive(Clone, Debug, Serialize)]
struct Pair(u8, String);

#[derive(Clone, Debug, Serialize)]
struct Wrapped(String);

#[derive(Clone, Debug, Serialize)]
enum Variants {
    Unit,
    Newtype(String),
    Tuple(u8, String),
    Struct { member: Pair, wrapped: Wrapped },
    Empty {},
}

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "record", rename_all = "snake_case")]
enum Tagged {
    Small(Inner),
    Large(Box<Inner>),
}

#[derive(Clone, Debug, Serialize)]
struct Inner {
    member: String,
}

fn variants() -> impl Strategy<Value = Variants> {
    prop_oneof![
        Just(Variants::Unit),
        Just(Variants::Empty {}),
        any::<String>().prop_map(Variants::Newtype),
        any::<(u8, String)>().prop_map(|(number, text)| Variants::Tuple(number, text)),
        any::<(u8, String, String)>().prop_map(|(number, text, wrapped)| Variants::Struct {
            member: Pair(number, text),
            wrapped: Wrapped(wrapped)
        }),
    ]
}

fn everything() -> impl Strategy<Value = Everything> {
    (
        (
            any::<String>(),
            any::<char>(),
            prop::collection::vec(any::<u8>(), 0..4),
            any::<bool>(),
            any::<String>(),
        ),
        (any::<(i8, i16, i32, i64, i128)>(), any::<(u8, u16, u32, u64, u128)>()),
        // Not numbers and infinite ones too.
        (any::<u32>().prop_map(f32::from_bits), any::<u64>().prop_map(f64::from_bits)),
        prop::collection::vec(variants(), 0..4),
        (
            prop::collection::btree_map(any::<i64>(), any::<String>(), 0..3),
            prop::collection::btree_map(any::<bool>(), any::<u8>(), 0..3),
            prop::collection::btree_map(any::<String>(), any::<u8>(), 0..3),
        ),
    )
        .prop_map(|(texts, (small, large), fractions, variants, maps)| Everything {
            text: texts.0,
            letter: texts.1,
            bytes: texts.2,
            small,
            large,
            fractions,
            truth: texts.3,
            nothing: (),
            perhaps: None,
            variants,
            by_number: maps.0,
            by_truth: maps.1,
            absent: texts.4,
            more: maps.2,
        })
}

proptest! {
    #[test]
    fn every_value_is_written_as_serde_json_writes_it(outer in everything(), inner in everything()) {
        let value = Everything { perhaps: Some(Box::new(inner)), ..outer };
        prop_assert_eq!(ours(&value), theirs(&value));
        let tagged = [
            Tagged::Small(Inner { member: value.text.clone() }),
            Tagged::Large(Box::new(Inner { member: value.absent.clone() })),
        ];
        prop_assert_eq!(ours(&tagged), theirs(&tagged));
    }

    #[test]
    fn every_text_is_written_as_serde_json_writes_it(
        bytes in prop::collection::vec(prop_oneof![0..0x80_u8, Just(b'"'), Just(b'\\'), Just(b'a')], 0..70),
        wide in any::<String>(),
    ) {
        let text = String::from_utf8(bytes).unwrap() + &wide;
        prop_assert_eq!(ours(&text), theirs(&text));
    }
}

#[test]
fn text_that_is_json_already_is_written_as_it_is() {
    let raw = RawValue::from_string(r#"{"b": [1, "\u00e9"], "a": null}"#.to_owned()).unwrap();
    let value = HashMap::from([("raw", Some(raw))]);
    assert_eq!(ours(&value), r#"{"raw":{"b": [1, "\u00e9"], "a": null}}"#);
    let value: Value = serde_json::from_str(r#"{"a":[1,-2,3.5,{"b":[],"c":{}},"x"]}"#).unwrap();
    assert_eq!(ours(&value), theirs(&value));
}

#[test]
fn keys_that_are_no_texts_are_refused() {
    let mut out = Vec::new();
    for value in [HashMap::from([(Some(vec![1]), 1)]), HashMap::from([(None, 1)])] {
        assert!(write(&mut out, &value).is_err());
        assert!(serde_json::to_string(&value).is_err());
    }
}
