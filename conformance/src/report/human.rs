//! For people: the verdict first, then what happened, then what was found, worst first.

mod expected;
mod findings;
mod load;

use std::fmt::Write as _;

use spanproof_schemas::report::{Cost, Join, JoinMeans, Report, RuleState, Telemetry};

use super::Style;
use super::headline::{Outcome, headline, late, outcome};
use super::number::{self, counted, dollars, grouped};
use super::text::{shortened, titled, wrapped};

const RED: &str = "1;31";
const GREEN: &str = "1;32";
const YELLOW: &str = "1;33";

/// Where the text of a block begins, after its title.
const INDENT: usize = 12;
/// The columns of the token table.
const FIGURE: usize = 16;

/// The report as text of at most 80 columns. No line begins with text of telemetry, so that none
/// can pass for a command to the machine that logs it.
#[must_use]
pub fn human(report: &Report, style: Style) -> String {
    let mut out = verdict(report, style);
    out.push('\n');
    if let Some(load) = &report.load {
        out.push_str(&load::block(load, style));
    }
    out.push_str(&block("telemetry", &telemetry(report.telemetry)));
    if !report.semconv.is_empty() {
        out.push_str(&block("judged by", &judged_by(report)));
    }
    if let Some(join) = &report.join {
        out.push_str(&block("calls", &joined(join)));
    }
    if !report.rules.is_empty() {
        out.push_str(&block("rules", &rules(report)));
    }
    if !report.telemetry.is_empty() || report.join.is_some() {
        out.push_str(&tokens(report));
    }
    out.push_str(&expected::broken(report, style));
    out.push_str(&findings::findings(report, style));
    out.push_str(&expected::held(report, style));
    out
}

fn verdict(report: &Report, style: Style) -> String {
    let colour = match outcome(report) {
        Outcome::Good => GREEN,
        Outcome::Bad => RED,
        Outcome::Odd => YELLOW,
    };
    wrapped(&headline(report), 0).lines().map(|line| paint(line, colour, style) + "\n").collect()
}

/// `text` between the escape sequences of `colour`, where the style has colours.
pub(super) fn paint(text: &str, colour: &str, style: Style) -> String {
    match style {
        Style::Plain => text.to_owned(),
        Style::Coloured => format!("\u{1b}[{colour}m{text}\u{1b}[0m"),
    }
}

/// `title`, then `text` broken into lines beside it.
fn block(title: &str, text: &str) -> String {
    titled(title, text, 0, INDENT)
}

/// How many rules there are, by what became of them: those without anything to look at are no proof
/// of anything.
fn rules(report: &Report) -> String {
    let count = |state| report.rules.iter().filter(|rule| rule.state == state).count() as u64;
    let mut text = format!("{} checked", grouped(count(RuleState::Checked)));
    for (state, words) in
        [(RuleState::NothingToCheck, "without anything to check"), (RuleState::Off, "off")]
    {
        let count = count(state);
        if count > 0 {
            let _ = write!(text, ", {} {words}", grouped(count));
        }
    }
    text
}

fn telemetry(telemetry: Telemetry) -> String {
    format!(
        "{} ({} of model calls), {}, {}",
        counted(telemetry.spans, "span"),
        grouped(telemetry.gen_ai_spans),
        counted(telemetry.metric_points, "metric point"),
        counted(telemetry.log_records, "log record"),
    )
}

fn judged_by(report: &Report) -> String {
    let versions: Vec<String> = report
        .semconv
        .iter()
        .map(|(version, spans)| format!("semconv {version} ({})", counted(*spans, "span")))
        .collect();
    versions.join(", ")
}

fn joined(join: &Join) -> String {
    let mut text = format!("{} of {} matched", grouped(join.matched), grouped(join.calls));
    for (index, (means, count)) in join.by.iter().filter(|(_, count)| **count > 0).enumerate() {
        let by = match means {
            JoinMeans::InvocationId => "invocation id",
            JoinMeans::TraceContext => "trace context",
            JoinMeans::ResponseId => "response id",
            JoinMeans::TimeOverlap => "time, model and operation",
        };
        let lead = if index == 0 { " (" } else { ", " };
        let _ = write!(text, "{lead}{} by {by}", grouped(*count));
    }
    if join.by.values().any(|count| *count > 0) {
        text.push(')');
    }
    let _ = write!(
        text,
        "; {} without a span, {} without a call",
        counted(join.unmatched_calls, "call"),
        counted(join.unmatched_spans, "span"),
    );
    if let Some(late) = late(join) {
        let _ = write!(text, "; {late}");
    }
    text
}

/// Served beside reported; only what was reported when no ledger says what was served.
fn tokens(report: &Report) -> String {
    let has_truth = report.join.is_some();
    let served = |text: String| has_truth.then_some(text);
    let mut out = row("tokens", served("served".to_owned()), "reported", "difference");
    for tokens in number::tokens(report.usage) {
        let difference = if has_truth { tokens.difference } else { String::new() };
        let name = format!("  {}", tokens.kind);
        out.push_str(&row(&name, served(tokens.served), &tokens.reported, &difference));
    }
    if let Some(cost) = &report.cost {
        out.push_str(&cost_rows(cost));
    }
    out
}

fn cost_rows(cost: &Cost) -> String {
    let off = cost.reported_usd - cost.served_usd;
    // Half a millionth of a dollar is rounding.
    let off = match off {
        off if off.abs() < 5e-7 => "0".to_owned(),
        off if off > 0.0 => format!("+{}", dollars(off)),
        off => dollars(off),
    };
    let [served, reported] = [cost.served_usd, cost.reported_usd].map(dollars);
    let mut out = row("cost", Some(served), &reported, &off);
    let mut note = format!("at the prices of {}", cost.prices_as_of);
    if !cost.unpriced_models.is_empty() {
        let models: Vec<String> =
            cost.unpriced_models.iter().map(|model| shortened(model, 60)).collect();
        let _ = write!(note, "; no price for {}", models.join(", "));
    }
    out.push_str(&wrapped(&note, INDENT));
    out
}

fn row(name: &str, served: Option<String>, reported: &str, difference: &str) -> String {
    let name_width = 16;
    match served {
        Some(served) => {
            format!(
                "{name:<name_width$}{served:>FIGURE$}{reported:>FIGURE$}{difference:>FIGURE$}\n"
            )
        }
        None => format!("{name:<name_width$}{reported:>FIGURE$}\n"),
    }
}
