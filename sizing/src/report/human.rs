//! For people, at most 80 columns wide.

use std::fmt::Write as _;

use spanproof_schemas::forecast::Forecast;
use spanproof_schemas::size::SizeReport;

use super::terminal::plain;
use super::words::{self, Table};

const WIDTH: usize = 80;

/// The report about a block.
pub(super) fn block(report: &SizeReport) -> String {
    let mut text = format!("{}\n", plain(&words::block_title(report)));
    let _ = writeln!(text, "{}", words::block_summary(report));
    for table in words::block_tables(report) {
        put_table(&mut text, &table);
    }
    let notes = report.limited.as_ref().map(words::block_notes).unwrap_or_default();
    put_notes(&mut text, &notes);
    text
}

/// The forecast of a load.
pub(super) fn load(forecast: &Forecast) -> String {
    let mut text = format!("{}\n", plain(&words::load_title(forecast)));
    put_wrapped(&mut text, "", &words::load_summary(forecast));
    for table in words::load_tables(forecast) {
        put_table(&mut text, &table);
    }
    let hits = words::hits(forecast);
    text.push_str(if hits.is_empty() { "\nNo limit is hit.\n" } else { "\nLimits that are hit\n" });
    for hit in hits {
        put_wrapped(&mut text, "  ", &plain(&hit.what()));
        put_wrapped(&mut text, "    ", &hit.so());
    }
    put_notes(&mut text, &words::load_notes(forecast));
    text
}

/// A table whose columns are as wide as what is in them; what does not fit is cut in the first.
fn put_table(text: &mut String, table: &Table) {
    text.push('\n');
    if !table.caption.is_empty() {
        let _ = writeln!(text, "{}", table.caption);
    }
    let lines: Vec<Vec<String>> = std::iter::once(&table.heads)
        .chain(&table.rows)
        .map(|row| row.iter().map(|cell| plain(cell)).collect())
        .collect();
    let cell_width =
        |line: &Vec<String>, column: usize| line.get(column).map_or(0, |cell| cell.chars().count());
    let mut widths: Vec<usize> = (0..table.heads.len())
        .map(|column| lines.iter().map(|line| cell_width(line, column)).max().unwrap_or(0))
        .collect();
    let others: usize = widths.iter().skip(1).map(|width| width + 2).sum();
    let heads_are_short = others < WIDTH - 8;
    if !heads_are_short {
        // Long heads stand above one another, numbered.
        for (number, head) in table.heads.iter().enumerate().skip(1) {
            let _ = writeln!(text, "  {number} {head}");
        }
        let renamed = Table {
            caption: String::new(),
            heads: std::iter::once(table.heads[0].clone())
                .chain((1..table.heads.len()).map(|number| number.to_string()))
                .collect(),
            rows: table.rows.clone(),
        };
        put_table(text, &renamed);
        return;
    }
    widths[0] = widths[0].min(WIDTH - others);
    for line in lines {
        let mut row = String::new();
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            if column == 0 {
                let cell: String = cell.chars().take(*width).collect();
                let _ = write!(row, "{cell:width$}");
            } else {
                let _ = write!(row, "  {cell:>width$}");
            }
        }
        let _ = writeln!(text, "{}", row.trim_end());
    }
}

fn put_notes(text: &mut String, notes: &[String]) {
    if !notes.is_empty() {
        text.push('\n');
    }
    for note in notes {
        put_wrapped(text, "", &plain(note));
    }
}

/// `paragraph` in lines that begin with `margin`.
fn put_wrapped(text: &mut String, margin: &str, paragraph: &str) {
    let mut line = margin.to_owned();
    for word in paragraph.split(' ') {
        if line.len() > margin.len() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(text, "{line}");
            margin.clone_into(&mut line);
        }
        if line.len() > margin.len() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(text, "{line}");
}
