use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message as _;

use super::Recycled;
use crate::catalogue::catalogue;
use crate::otlp::{AnyValue, ArrayValue, Event, KeyValue, KeyValueList, Link, Span, Status, Value};

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{0,3}", "\\PC{0,12}", "x{5000,5001}"]
}

fn value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        3 => text().prop_map(Value::StringValue),
        1 => any::<bool>().prop_map(Value::BoolValue),
        2 => any::<i64>().prop_map(Value::IntValue),
        1 => any::<f64>().prop_map(Value::DoubleValue),
        1 => vec(any::<u8>(), 0..9).prop_map(Value::BytesValue),
        1 => any::<i32>().prop_map(Value::StringValueStrindex),
    ];
    let any_value = |value| AnyValue { value };
    let leaf = proptest::option::of(leaf).prop_map(any_value);
    leaf.prop_recursive(3, 12, 4, move |inner| {
        let list = vec((text(), inner.clone()), 0..3).prop_map(|entries| {
            let entry = |(key, value)| KeyValue { key, value: Some(value), ..KeyValue::default() };
            KeyValueList { values: entries.into_iter().map(entry).collect() }
        });
        prop_oneof![
            3 => vec(inner, 0..4).prop_map(|values| Value::ArrayValue(ArrayValue { values })),
            1 => list.prop_map(Value::KvlistValue),
        ]
        .prop_map(move |value| any_value(Some(value)))
    })
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let key = prop_oneof![
        Just("gen_ai.request.model".to_owned()),
        Just("gen_ai.response.finish_reasons".to_owned()),
        text(),
    ];
    let attribute = (key, proptest::option::of(value()), 0..2_i32)
        .prop_map(|(key, value, key_strindex)| KeyValue { key, value, key_strindex });
    vec(attribute, 0..6)
}

fn span() -> impl Strategy<Value = Span> {
    let id = || vec(any::<u8>(), 0..17);
    let event = (text(), attributes()).prop_map(|(name, attributes)| Event {
        name,
        attributes,
        ..Event::default()
    });
    let link = (id(), attributes()).prop_map(|(trace_id, attributes)| Link {
        trace_id,
        attributes,
        ..Link::default()
    });
    let status = (text(), any::<i32>()).prop_map(|(message, code)| Status { message, code });
    (
        (id(), id(), id(), text(), text()),
        any::<(i32, u32, u64, u64, u32, u32, u32)>(),
        attributes(),
        (vec(event, 0..2), vec(link, 0..2), proptest::option::of(status)),
    )
        .prop_map(|(texts, numbers, attributes, (events, links, status))| Span {
            trace_id: texts.0,
            span_id: texts.1,
            parent_span_id: texts.2,
            trace_state: texts.3,
            name: texts.4,
            kind: numbers.0,
            flags: numbers.1,
            start_time_unix_nano: numbers.2,
            end_time_unix_nano: numbers.3,
            dropped_attributes_count: numbers.4,
            dropped_events_count: numbers.5,
            dropped_links_count: numbers.6,
            attributes,
            events,
            links,
            status,
        })
}

/// Reads messages one after the other, each as prost does.
fn check(messages: &[Vec<u8>]) -> Result<(), TestCaseError> {
    let mut recycled = Recycled::default();
    for bytes in messages {
        match (recycled.read(bytes), Span::decode(bytes.as_slice())) {
            (Ok((span, names)), Ok(expected)) => {
                // As bytes, for no number is the same as itself.
                prop_assert_eq!(span.encode_to_vec(), expected.encode_to_vec());
                prop_assert_eq!(names.len(), span.attributes.len());
                for (name, attribute) in names.iter().zip(&span.attributes) {
                    let known = catalogue().name_or_family(&attribute.key);
                    prop_assert_eq!(name.map(|name| name.id), known.map(|name| name.id));
                }
            }
            (Err(error), Err(expected)) => prop_assert_eq!(error, expected),
            (read, expected) => {
                prop_assert!(false, "{:?} instead of {:?}", read.err(), expected.err());
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn spans_are_read_as_prost_reads_them_whatever_came_before(spans in vec(span(), 1..6)) {
        check(&spans.iter().map(prost::Message::encode_to_vec).collect::<Vec<_>>())?;
    }

    #[test]
    fn damaged_spans_are_read_as_prost_reads_them(
        spans in vec((span(), any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..6),
    ) {
        let damaged = spans.iter().map(|(span, at, byte, is_cut)| {
            let mut bytes = span.encode_to_vec();
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                if *is_cut { bytes.truncate(at) } else { bytes[at] = *byte }
            }
            bytes
        });
        check(&damaged.collect::<Vec<_>>())?;
    }

    #[test]
    fn fields_that_come_twice_are_read_as_prost_reads_them(spans in vec(span(), 2..4)) {
        let together = spans.iter().flat_map(prost::Message::encode_to_vec).collect();
        check(&[together, spans[0].encode_to_vec()])?;
    }
}
