//! For a job's summary or a comment.

use std::fmt::Write as _;

use spanproof_schemas::forecast::Forecast;
use spanproof_schemas::size::SizeReport;

use super::terminal::plain;
use super::words::{self, Table};

/// The report about a block.
pub(super) fn block(report: &SizeReport) -> String {
    let mut text = format!("## {}\n\n", escaped(&words::block_title(report)));
    let _ = writeln!(text, "{}", words::block_summary(report));
    for table in words::block_tables(report) {
        put_table(&mut text, &table);
    }
    for note in report.limited.as_ref().map(words::block_notes).unwrap_or_default() {
        let _ = writeln!(text, "\n{}", escaped(&note));
    }
    text
}

/// The forecast of a load.
pub(super) fn load(forecast: &Forecast) -> String {
    let mut text = format!("## {}\n\n", escaped(&words::load_title(forecast)));
    let _ = writeln!(text, "{}", escaped(&words::load_summary(forecast)));
    for table in words::load_tables(forecast) {
        put_table(&mut text, &table);
    }
    let hits = words::hits(forecast);
    let heading = if hits.is_empty() { "No limit is hit." } else { "Limits that are hit:\n" };
    let _ = writeln!(text, "\n{heading}");
    for hit in hits {
        let _ = writeln!(text, "- **{}** — {}", escaped(&hit.what()), escaped(&hit.so()));
    }
    for note in words::load_notes(forecast) {
        let _ = writeln!(text, "\n{}", escaped(&note));
    }
    text
}

fn put_table(text: &mut String, table: &Table) {
    text.push('\n');
    if !table.caption.is_empty() {
        let _ = writeln!(text, "### {}\n", table.caption);
    }
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| escaped(cell)).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    text.push_str(&line(&table.heads));
    let _ = writeln!(text, "| --- |{}", " ---: |".repeat(table.heads.len().saturating_sub(1)));
    for row in &table.rows {
        text.push_str(&line(row));
    }
}

/// `text` on one line, without what Markdown or HTML would take for markup.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in plain(text).chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' | '@' => {
                escaped.push('\\');
                escaped.push(character);
            }
            _ => escaped.push(character),
        }
    }
    escaped
}
