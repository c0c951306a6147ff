//! What Tempo's limits do, and what long values cost.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::Span;
use sizing::{Block, BlockBuilder, BlockEncoding, BlockError, BlockOptions, DedicatedColumn};

use crate::made::{attribute, list, request, span, text};

fn block(options: BlockOptions, requests: Vec<Vec<Span>>) -> Block {
    let mut builder = BlockBuilder::new(options).unwrap();
    for spans in requests {
        builder.add(request("a service", spans));
    }
    builder.finish().unwrap()
}

fn options() -> BlockOptions {
    BlockOptions::new(BlockEncoding::VParquet5)
}

/// Text of which nothing comes again; `seed` makes it unlike any other.
fn unlike(seed: u64, bytes: usize) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let letters = (0..bytes).map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b' ' + (state % 90) as u8)
    });
    letters.collect()
}

/// `long` among others, which come before and after it: the greatest and the least of a page are
/// in its header, and are short in practice.
fn among_others(key: &str, long: &str) -> Vec<KeyValue> {
    vec![attribute("first", text("")), attribute(key, text(long)), attribute("last", text("~"))]
}

/// Traces of one span with a prompt each.
fn prompts(count: u64, bytes: usize) -> Vec<Vec<Span>> {
    let prompt = |number| {
        let attributes = among_others("gen_ai.prompt", &unlike(number, bytes));
        vec![span(u128::from(number), number, 0, attributes)]
    };
    (1..=count).map(prompt).collect()
}

#[test]
fn text_is_cut_and_lists_are_not() {
    let long = unlike(1, 100_000);
    let mut attributes = among_others("text", &long);
    attributes.push(attribute("list", list(vec![text(&long)])));
    let spans = vec![vec![span(1, 1, 0, attributes)]];
    let cut = block(options(), spans.clone());
    let whole = block(BlockOptions { max_attribute_bytes: None, ..options() }, spans);
    assert_eq!((cut.cut_values, whole.cut_values), (1, 0));
    assert!((98_000..110_000).contains(&value_bytes(&cut)), "{}", value_bytes(&cut));
    // The list says the same as the text, so that it costs as good as nothing when nothing is cut.
    assert!((98_000..110_000).contains(&value_bytes(&whole)), "{}", value_bytes(&whole));
}

/// The column of texts that have none of their own.
fn value_bytes(block: &Block) -> u64 {
    let of_value = |column: &&sizing::ColumnBytes| column.name == "rs.ss.Spans.Attrs.Value";
    block.columns.iter().find(of_value).unwrap().compressed_bytes
}

#[test]
fn what_a_request_says_of_a_trace_beyond_its_limit_is_left_out_whole() {
    let part =
        |id: u64| vec![span(1, id, 0, vec![attribute("text", text(&unlike(id, 128 << 10)))])];
    let limited = options();
    // One span a request: the trace takes them until it is full.
    let one_each = block(limited.clone(), (1..=60).map(part).collect());
    assert_eq!((one_each.spans, one_each.dropped.trace_too_large_spans), (38, 22));
    // All in one: nothing of it is taken.
    let mut builder = BlockBuilder::new(limited).unwrap();
    builder.add(request("a service", (1..=60).flat_map(part).collect()));
    assert!(matches!(builder.finish(), Err(BlockError::NoSpans)));
    let lifted = BlockOptions { max_trace_bytes: None, ..options() };
    assert_eq!(block(lifted, (1..=60).map(part).collect()).spans, 60);
}

#[test]
fn traces_beyond_those_that_may_be_live_are_left_out() {
    let limited = BlockOptions { max_live_traces: Some(10), ..options() };
    let block = block(limited, prompts(25, 10));
    assert_eq!((block.traces, block.dropped.live_traces_spans), (10, 15));
}

#[test]
fn a_row_group_is_cut_when_tempo_takes_it_to_be_full() {
    // A span without attributes is taken for 200 bytes, and text for a twentieth of its own.
    let bare = |number: u64| vec![span(u128::from(number), number, 0, vec![])];
    let cut = |bytes: u64| BlockOptions { row_group_bytes: bytes, ..options() };
    let groups = |bytes, requests| block(cut(bytes), requests).row_groups;
    let resource = 26 + (12 + 11) / 20;
    assert_eq!(groups(5 * (200 + resource), (1..=10).map(bare).collect()), 2);
    assert_eq!(groups(5 * (200 + resource) + 1, (1..=12).map(bare).collect()), 2);
    assert_eq!(groups(5 * (200 + resource) - 1, (1..=12).map(bare).collect()), 3);
    // Prompts that are twenty times as long as a row group may be are one.
    let long = BlockOptions { max_attribute_bytes: None, ..cut(100_000) };
    let block = block(long, prompts(20, 64 << 10));
    assert_eq!(block.row_groups, 1);
    assert!(block.columns.iter().map(|column| column.uncompressed_bytes).sum::<u64>() > 1_200_000);
}

#[test]
fn a_span_without_a_whole_trace_id_is_counted() {
    let mut odd = span(1, 2, 0, vec![]);
    odd.trace_id.pop();
    let block = block(options(), vec![vec![span(1, 1, 0, vec![]), odd]]);
    assert_eq!((block.spans, block.dropped.invalid_id_spans), (1, 1));
}

#[test]
fn nothing_is_no_block() {
    let builder = BlockBuilder::new(options()).unwrap();
    assert!(matches!(builder.finish(), Err(BlockError::NoSpans)));
}

#[test]
fn blobs_of_long_text_cost_several_times_what_they_save() {
    let whole = BlockOptions { max_attribute_bytes: None, ..options() };
    let blob: DedicatedColumn = "span.gen_ai.prompt:blob".parse().unwrap();
    let as_blob = BlockOptions { dedicated_columns: vec![blob], ..whole.clone() };
    let plain: DedicatedColumn = "span.gen_ai.prompt".parse().unwrap();
    let dedicated = BlockOptions { dedicated_columns: vec![plain], ..whole.clone() };
    let sized = |options| block(options, prompts(20, 128 << 10)).data_parquet_bytes;
    let (generic, dedicated, as_blob) = (sized(whole), sized(dedicated), sized(as_blob));
    // Two prompts a page, and in each header the least and the greatest of them twice.
    let headers = 10 * 4 * (128 << 10);
    assert!(as_blob > generic + headers - generic / 4, "{as_blob} {generic}");
    // One page of indexes, with its header; and the footer says both once more.
    let bounds = 6 * (128 << 10);
    assert!((generic + bounds).abs_diff(dedicated) < generic / 50, "{dedicated} {generic}");
}

#[test]
fn text_that_comes_again_far_back_is_stored_once() {
    let shared = unlike(7, 100 << 10);
    let spans = |number: u64| {
        let prompt = format!("{shared}{}", unlike(number, 1_000));
        vec![span(u128::from(number), number, 0, among_others("prompt", &prompt))]
    };
    let whole = BlockOptions { max_attribute_bytes: None, ..options() };
    let block = block(whole, (1..=20).map(spans).collect());
    // Copies of 64 bytes take five each.
    let copies = 19 * (100 << 10) / 64 * 5;
    let expected = (100 << 10) + copies + 20 * 1_000;
    assert!(value_bytes(&block).abs_diff(expected) < expected / 10, "{}", value_bytes(&block));
}

#[test]
fn an_older_format_has_no_columns_for_some_attributes() {
    for column in ["event.exception.message", "span.http.status_code:int"] {
        let mut options = BlockOptions::new(BlockEncoding::VParquet4);
        options.dedicated_columns.push(column.parse().unwrap());
        let error = BlockBuilder::new(options).err().unwrap().to_string();
        assert!(error.contains(column) && error.contains("vParquet5"), "{error}");
    }
}
