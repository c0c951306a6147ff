//! What the load generator planned and did.

use std::fmt::Write as _;

use spanproof_schemas::report::{Load, Quantiles};

use super::{GREEN, INDENT, RED, Style, block as titled, paint};
use crate::report::load::{books, calls, ends, gate, measured, peak, rate, spend, storage};
use crate::report::number::milliseconds;
use crate::report::text::wrapped;

pub(super) fn block(load: &Load, style: Style) -> String {
    let mut out = titled("load", &calls(load));
    let measured = measured(load);
    if !measured.is_empty() {
        let _ = writeln!(out, "{:INDENT$}{:<16}{:>10}{:>12}{:>12}", "", "", "p50", "p99", "max");
    }
    for (name, quantiles) in measured {
        let Quantiles { p50, p99, max } = quantiles;
        let [p50, p99, max] = [p50, p99, max].map(milliseconds);
        let _ = writeln!(out, "{:INDENT$}{name:<16}{p50:>10}{p99:>12}{max:>12}", "");
    }
    let told = [
        ("rate", rate(load)),
        ("peak", peak(load)),
        ("answers", ends(load)),
        ("spend", spend(load)),
        ("storage", storage(load)),
        ("books", books(load)),
    ];
    for (title, text) in told {
        if let Some(text) = text {
            out.push_str(&titled(title, &text));
        }
    }
    for (index, told) in load.gates.iter().enumerate() {
        let title = if index == 0 { "gates" } else { "" };
        let colour = if told.is_met { GREEN } else { RED };
        let text = wrapped(&gate(told), INDENT);
        for (line, text) in text.lines().enumerate() {
            let title = if line == 0 { title } else { "" };
            let _ = writeln!(out, "{title:<INDENT$}{}", paint(text.trim_start(), colour, style));
        }
    }
    out
}
