//! A size report is what its JSON Schema says.

mod support;

use spanproof_schemas::size::{BlockSize, ColumnSize, Limited, SIZE_VERSION, SizeReport};
use support::{assert_refuses_spoiled, document, validator};

#[test]
fn a_size_report_is_what_its_schema_says() {
    let schema = validator("size");
    let column = |attribute: Option<&str>| ColumnSize {
        name: "rs.ss.Spans.Attrs.Value".to_owned(),
        attribute: attribute.map(str::to_owned),
        bytes: 1,
        uncompressed_bytes: 2,
        values: u64::MAX,
    };
    let smallest = SizeReport {
        version: SIZE_VERSION,
        source: "a folder".to_owned(),
        traces: 0,
        spans: 0,
        otlp_bytes: None,
        block: BlockSize {
            encoding: "vParquet5".to_owned(),
            data_parquet_bytes: 1,
            footer_bytes: 1,
            bloom_bytes: 102_424,
            index_bytes: 42,
            meta_bytes: 700,
            row_groups: 1,
            columns: Vec::new(),
        },
        limited: None,
    };
    let largest = SizeReport {
        otlp_bytes: Some(u64::MAX),
        block: BlockSize {
            columns: vec![column(None), column(Some("http.method"))],
            ..smallest.block.clone()
        },
        limited: Some(Limited::default()),
        ..smallest.clone()
    };
    for report in [smallest, largest] {
        assert_refuses_spoiled(&schema, &document(&schema, &report), &[]);
    }
}
