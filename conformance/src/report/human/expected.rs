//! What is expected to be found: first what no longer holds, and after the findings what does.

use spanproof_schemas::report::{Deviation, Report};

use super::paint;
use crate::report::Style;
use crate::report::expected::{self, baselines, count, entries, of_kinds, taken, why, written};
use crate::report::number::grouped;
use crate::report::text::{shortened, titled, wrapped};

/// Where text stands.
const INDENT: usize = 2;
/// Where values stand, behind their titles.
const VALUE: usize = 15;

pub(super) fn broken(report: &Report, style: Style) -> String {
    let broken = expected::broken(report);
    broken
        .map(|(deviation, problem)| {
            headed("error", "31", &written(deviation), style)
                + &wrapped(problem, INDENT)
                + &titled("entry", &taken(deviation), INDENT, VALUE)
                + &reason(deviation)
        })
        .collect()
}

pub(super) fn held(report: &Report, style: Style) -> String {
    let entries = entries(report).map(|deviation| {
        let mut out = headed("expected", "32", &written(deviation), style);
        out.push_str(&wrapped(&format!("{} ({})", taken(deviation), count(deviation)), INDENT));
        for group in &deviation.findings {
            let message = format!("{}: {} ({}×)", group.rule, group.message, grouped(group.count));
            out.push_str(&titled("found", &message, INDENT, VALUE));
        }
        out + &reason(deviation)
    });
    let baselines = baselines(report).into_iter().map(|(file, found)| {
        headed("expected", "32", file, style)
            + &wrapped(&format!("{}, as the baseline counts them", of_kinds(found)), INDENT)
    });
    entries.chain(baselines).collect()
}

fn headed(word: &str, colour: &str, place: &str, style: Style) -> String {
    let word = paint(word, colour, style);
    format!("\n{word} {}\n", paint(&shortened(place, 60), "1", style))
}

fn reason(deviation: &Deviation) -> String {
    match deviation.reason {
        Some(_) => titled("reason", &why(deviation), INDENT, VALUE),
        None => String::new(),
    }
}
