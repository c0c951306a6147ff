//! For people, at most 80 columns wide.

use std::fmt::Write as _;

use spanproof_schemas::size::{BlockSize, ColumnSize, Limited, SizeReport};

use super::number::{bytes, counted, each, grouped, times};
use super::terminal::plain;

/// How many columns are shown, the largest first.
const SHOWN_COLUMNS: usize = 12;

/// The report for people.
pub(super) fn human(report: &SizeReport) -> String {
    let mut text = String::new();
    let block = &report.block;
    // Writing to a string does not fail.
    let _ = writeln!(text, "{} as one block of {}", plain(&report.source), block.encoding);
    let _ =
        writeln!(text, "{}, {}", counted(report.traces, "trace"), counted(report.spans, "span"));
    files(&mut text, report);
    columns(&mut text, block);
    if let Some(limited) = &report.limited {
        limits(&mut text, limited);
    }
    text
}

fn files(text: &mut String, report: &SizeReport) {
    let block = &report.block;
    let _ = writeln!(text, "\n{:22}{:>14}{:>12}{:>12}", "", "bytes", "per trace", "per span");
    let mut row = |name: &str, size: u64| {
        let per_trace = each(size, report.traces);
        let per_span = each(size, report.spans);
        let _ = writeln!(text, "{name:22}{:>14}{per_trace:>12}{per_span:>12}", grouped(size));
    };
    if let Some(otlp_bytes) = report.otlp_bytes {
        row("OTLP received", otlp_bytes);
    }
    row("data.parquet", block.data_parquet_bytes);
    row("bloom", block.bloom_bytes);
    row("index and meta.json", block.index_bytes + block.meta_bytes);
    row("block", block.total_bytes());
    if let Some(otlp_bytes) = report.otlp_bytes {
        let smaller = times(otlp_bytes, block.total_bytes());
        let _ = writeln!(text, "{:22}{smaller:>14}", "OTLP : block");
    }
}

fn columns(text: &mut String, block: &BlockSize) {
    let mut largest: Vec<&ColumnSize> = block.columns.iter().collect();
    largest.sort_by(|left, right| right.bytes.cmp(&left.bytes).then(left.name.cmp(&right.name)));
    let _ = writeln!(
        text,
        "\n{:44}{:>10}{:>8}{:>16}",
        "largest columns", "bytes", "of file", "compressed"
    );
    for column in largest.iter().take(SHOWN_COLUMNS) {
        let name: String = plain(&column_name(column)).chars().take(43).collect();
        let share = column.bytes * 1_000 / block.data_parquet_bytes.max(1);
        let _ = writeln!(
            text,
            "{name:44}{:>10}{:>6} %{:>15}x",
            bytes(column.bytes),
            format!("{}.{}", share / 10, share % 10),
            times(column.uncompressed_bytes, column.bytes),
        );
    }
    let rest = largest.iter().skip(SHOWN_COLUMNS);
    let rest_bytes = rest.map(|column| column.bytes).sum::<u64>();
    if largest.len() > SHOWN_COLUMNS {
        let others = format!("{} more", largest.len() - SHOWN_COLUMNS);
        let _ = writeln!(text, "{others:44}{:>10}", bytes(rest_bytes));
    }
    let _ = writeln!(text, "{:44}{:>10}", "footer and indexes", bytes(block.footer_bytes));
}

/// The attribute that a column is dedicated to, or its path without what all paths have.
fn column_name(column: &ColumnSize) -> String {
    column.attribute.clone().unwrap_or_else(|| {
        let path = column.name.replace(".list.element", "");
        path.trim_start_matches("rs.").trim_start_matches("ss.").to_owned()
    })
}

fn limits(text: &mut String, limited: &Limited) {
    let Limited { cut_values, trace_too_large_spans, invalid_id_spans } = *limited;
    if *limited != Limited::default() {
        text.push('\n');
    }
    if cut_values > 0 {
        let values = counted(cut_values, "attribute value");
        let _ = writeln!(
            text,
            "{values} cut at Tempo's distributor.max_attribute_bytes: JSON in it\n\
             no longer parses, and nothing but a counter says so. Raise the limit there, and\n\
             size with --max-attribute-bytes 0 to lift it here.",
        );
    }
    if trace_too_large_spans > 0 {
        let spans = counted(trace_too_large_spans, "span");
        let _ = writeln!(
            text,
            "{spans} left out: the trace is beyond Tempo's max_bytes_per_trace.\n\
             Raise it there, and size with --max-trace-bytes 0 to lift it here.",
        );
    }
    if invalid_id_spans > 0 {
        let spans = counted(invalid_id_spans, "span");
        let _ = writeln!(text, "{spans} left out: the trace id is not of 16 bytes.");
    }
}
