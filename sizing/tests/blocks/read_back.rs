//! Whatever is put into a block is in its file, read by another's reader.

use std::fs::File;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use parquet::file::reader::FileReader as _;
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::record::Row;
use proptest::prelude::*;
use sizing::{BlockBuilder, BlockEncoding, BlockFolder, BlockOptions, DedicatedColumn};

use crate::made::{attribute, list, map, request, span, text};

/// The rows of the block of `spans`, as JSON.
fn rows(options: BlockOptions, spans: Vec<Span>) -> Vec<serde_json::Value> {
    let mut builder = BlockBuilder::new(options).unwrap();
    builder.add(request("a service", spans));
    let folder = tempfile::tempdir().unwrap();
    BlockFolder::new(folder.path()).write(builder).unwrap();
    let file = File::open(folder.path().join("data.parquet")).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let rows: Result<Vec<Row>, _> = reader.get_row_iter(None).unwrap().collect();
    rows.unwrap().iter().map(Row::to_json_value).collect()
}

/// The elements of a list of either format: vParquet4 wraps them.
fn spans_of(row: &serde_json::Value) -> Vec<serde_json::Value> {
    let elements = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    elements(&row["rs"])
        .iter()
        .flat_map(|batch| elements(&batch["ss"]))
        .flat_map(|scoped| elements(&scoped["Spans"]))
        .collect()
}

fn options(encoding: BlockEncoding) -> BlockOptions {
    BlockOptions { max_attribute_bytes: None, ..BlockOptions::new(encoding) }
}

#[test]
fn each_type_of_value_has_its_column() {
    let attributes = vec![
        attribute("text", text("a")),
        attribute("texts", list(vec![text("b"), text("c")])),
        attribute("int", Value::IntValue(-7)),
        attribute("ints", list(vec![Value::IntValue(1), Value::IntValue(2)])),
        attribute("double", Value::DoubleValue(0.5)),
        attribute("bool", Value::BoolValue(true)),
        attribute("empty", list(vec![])),
        attribute("mixed", list(vec![text("d"), Value::IntValue(3)])),
        attribute("map", map(vec![("role", text("user"))])),
        KeyValue { key: "nothing".to_owned(), ..KeyValue::default() },
    ];
    let rows = rows(options(BlockEncoding::VParquet5), vec![span(1, 1, 0, attributes)]);
    let spans = spans_of(&rows[0]);
    let lines: Vec<String> = spans[0]["Attrs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attribute| {
            let held = ["Value", "ValueInt", "ValueDouble", "ValueBool", "ValueUnsupported"]
                .iter()
                .filter(|column| match &attribute[**column] {
                    serde_json::Value::Array(values) => !values.is_empty(),
                    value => !value.is_null(),
                })
                .map(|column| format!(" {column}={}", attribute[*column]))
                .collect::<Vec<_>>()
                .concat();
            format!("{} {}{held}", attribute["Key"], attribute["IsArray"])
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    "text" false Value=["a"]
    "texts" true Value=["b","c"]
    "int" false ValueInt=[-7]
    "ints" true ValueInt=[1,2]
    "double" false ValueDouble=[0.5]
    "bool" false ValueBool=[true]
    "empty" true
    "mixed" false ValueUnsupported="{\"arrayValue\":{\"values\":[{\"stringValue\":\"d\"},{\"intValue\":\"3\"}]}}"
    "map" false ValueUnsupported="{\"kvlistValue\":{\"values\":[{\"key\":\"role\",\"value\":{\"stringValue\":\"user\"}}]}}"
    "nothing" false
    "#);
}

#[test]
fn the_tree_of_a_trace_is_numbered() {
    let spans = vec![
        span(9, 1, 0, vec![]),
        span(9, 2, 1, vec![]),
        span(9, 3, 2, vec![]),
        span(9, 4, 1, vec![]),
        // Nothing leads to it.
        span(9, 5, 77, vec![]),
    ];
    let rows = rows(options(BlockEncoding::VParquet5), spans);
    let lines: Vec<String> = spans_of(&rows[0])
        .iter()
        .map(|span| {
            let number = |column: &str| span[column].as_i64().unwrap();
            let [left, right, parent, children] =
                ["NestedSetLeft", "NestedSetRight", "ParentID", "ChildCount"].map(number);
            format!("{}: {left}..{right} below {parent}, {children} below it", span["Name"])
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    "span 1": 1..8 below -1, 2 below it
    "span 2": 2..5 below 1, 1 below it
    "span 3": 3..4 below 2, 0 below it
    "span 4": 6..7 below 1, 0 below it
    "span 5": 0..0 below 0, 0 below it
    "#);
}

#[test]
fn attributes_with_columns_of_their_own_are_not_among_the_others() {
    let attributes = || {
        vec![
            attribute("http.method", text("GET")),
            attribute("http.status_code", Value::IntValue(200)),
            attribute("gen_ai.system", text("aws.bedrock")),
        ]
    };
    for encoding in BlockEncoding::ALL {
        let mut options = options(encoding);
        options.dedicated_columns.push("span.gen_ai.system:blob".parse().unwrap());
        let rows = rows(options, vec![span(1, 1, 0, attributes())]);
        let row = rows[0].to_string();
        assert!(row.contains("GET") && row.contains("aws.bedrock") && row.contains("200"), "{row}");
        assert!(!row.contains("http.method") && !row.contains("gen_ai.system"), "{row}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        "[a-c]{0,3}|.{0,40}".prop_map(|value| text(&value)),
        any::<i64>().prop_map(Value::IntValue),
        any::<f64>().prop_map(Value::DoubleValue),
        any::<bool>().prop_map(Value::BoolValue),
        proptest::collection::vec(any::<u8>(), 0..9).prop_map(Value::BytesValue),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(list),
            proptest::collection::vec(inner, 0..3)
                .prop_map(|values| map(values.into_iter().map(|value| ("key", value)).collect())),
        ]
    })
}

fn any_attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let key = prop_oneof![Just("gen_ai.system"), Just("http.method"), Just("http.status_code")];
    proptest::collection::vec((key, any_value()), 0..6).prop_map(|attributes| {
        attributes.into_iter().map(|(key, value)| attribute(key, value)).collect()
    })
}

fn any_span() -> impl Strategy<Value = Span> {
    let inner = || proptest::collection::vec(any_attributes(), 0..3);
    (0..40_u128, 0..9_u64, 0..9_u64, any_attributes(), inner(), inner(), any::<u64>()).prop_map(
        |(trace, id, parent, attributes, events, links, time)| Span {
            start_time_unix_nano: time,
            events: events
                .into_iter()
                .map(|attributes| Event { attributes, ..Event::default() })
                .collect(),
            links: links
                .into_iter()
                .map(|attributes| Link { attributes, ..Link::default() })
                .collect(),
            ..span(trace, id, parent, attributes)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_span_reads_back(spans in proptest::collection::vec(any_span(), 1..120)) {
        for encoding in BlockEncoding::ALL {
            let mut options = options(encoding);
            options.row_group_bytes = 4_000;
            options.dedicated_columns.push(DedicatedColumn {
                is_blob: true,
                .."span.gen_ai.system".parse().unwrap()
            });
            let traces: std::collections::BTreeSet<_> =
                spans.iter().map(|span| span.trace_id.clone()).collect();
            let rows = rows(options, spans.clone());
            prop_assert_eq!(rows.len(), traces.len());
            let mut starts: Vec<u64> = rows
                .iter()
                .flat_map(spans_of)
                .map(|span| {
                    let start = &span["StartTimeUnixNano"];
                    start.as_u64().unwrap_or_else(|| start.as_i64().unwrap().cast_unsigned())
                })
                .collect();
            let mut sent: Vec<u64> = spans.iter().map(|span| span.start_time_unix_nano).collect();
            starts.sort_unstable();
            sent.sort_unstable();
            prop_assert_eq!(starts, sent);
        }
    }
}
