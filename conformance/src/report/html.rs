//! One page of HTML with everything in it: no request leaves it, and all of it can be read without
//! a script. The script only searches.

mod calls;
mod chart;
mod coverage;
mod expected;
mod findings;
mod load;
mod prose;
mod rules;
mod waterfall;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use spanproof_schemas::report::{Cost, Level, Report, RuleState};

use self::prose::prose;
use super::expected::all_held;
use super::headline::{Outcome, headline, outcome, verdict_words};
use super::number::{self, dollars, grouped};
use super::text::visible;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// What the page may load: nothing but what is in it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// The report as an HTML page.
#[must_use]
pub fn html(report: &Report) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { "spanproof: " (verdict_words(report.verdict)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (header(report))
                main {
                    (overview(report))
                    @if let Some(load) = &report.load { (load::section(load)) }
                    (expected::broken(report))
                    (findings::findings(report))
                    (expected::held(report))
                    @if let Some(table) = &report.truth { (calls::calls(report, table)) }
                    @if !report.coverage.is_empty() { (coverage::coverage(&report.coverage)) }
                    @if !report.rules.is_empty() { (rules::rules(&report.rules)) }
                }
                footer {
                    p { "Written by spanproof " (env!("CARGO_PKG_VERSION")) ". What a rule asks for "
                        "and why: " code { "spanproof explain RULE" } "." }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string() + "\n"
}

fn header(report: &Report) -> Markup {
    let (class, sign) = match outcome(report) {
        Outcome::Good => ("good", "✓"),
        Outcome::Bad => ("bad", "✗"),
        Outcome::Odd => ("odd", "!"),
    };
    let headline = headline(report);
    let (verdict, rest) = headline.split_once(": ").unwrap_or((&headline, ""));
    html! {
        header class=(class) {
            div.bar {
                p.name { "spanproof" }
                nav aria-label="Sections" {
                    @if report.load.is_some() { a href="#load" { "Load" } }
                    @if !report.findings.is_empty() { a href="#findings" { "Findings" } }
                    @if all_held(report) > 0 { a href="#expected" { "Expected" } }
                    @if report.truth.is_some() { a href="#calls" { "Calls" } }
                    @if !report.coverage.is_empty() { a href="#coverage" { "Coverage" } }
                    @if !report.rules.is_empty() { a href="#rules" { "Rules" } }
                }
            }
            h1 { span.sign aria-hidden="true" { (sign) } " " (verdict) }
            p.rest { (rest) }
        }
    }
}

fn overview(report: &Report) -> Markup {
    html! {
        section aria-label="Overview" {
            dl.facts {
                @for (title, value, note) in facts(report) {
                    div { dt { (title) } dd { strong { (value) } @if !note.is_empty() { " " (note) } } }
                }
            }
            @if !report.telemetry.is_empty() || report.join.is_some() { (tokens(report)) }
        }
    }
}

/// Title, figure and what the figure is of.
type Fact = (&'static str, String, String);

fn facts(report: &Report) -> Vec<Fact> {
    let of_level = |level: Level| {
        let groups = report.findings.iter().filter(|group| group.level == level);
        grouped(groups.fold(0, |sum: u64, group| sum.saturating_add(group.count)))
    };
    let mut facts = vec![
        ("Violations", of_level(Level::Violation), String::new()),
        ("Improvements", of_level(Level::Improvement), String::new()),
    ];
    if !report.deviations.is_empty() {
        facts.push(("Expected", grouped(all_held(report)), String::new()));
    }
    if let Some(join) = &report.join {
        let of = format!("of {} joined with a span", grouped(join.calls));
        facts.push(("Calls", grouped(join.matched), of));
    }
    let telemetry = report.telemetry;
    let of = format!("{} of model calls", grouped(telemetry.gen_ai_spans));
    facts.push(("Spans", grouped(telemetry.spans), of));
    facts.push(("Metric points", grouped(telemetry.metric_points), String::new()));
    facts.push(("Log records", grouped(telemetry.log_records), String::new()));
    if !report.rules.is_empty() {
        let checked = report.rules.iter().filter(|rule| rule.state == RuleState::Checked).count();
        let of = format!("of {} had something to check", report.rules.len());
        facts.push(("Rules", grouped(checked as u64), of));
    }
    let versions: Vec<String> = report.semconv.keys().map(|version| visible(version)).collect();
    if !versions.is_empty() {
        facts.push(("Conventions", versions.join(", "), String::new()));
    }
    facts
}

fn tokens(report: &Report) -> Markup {
    let has_truth = report.join.is_some();
    html! {
        div.scroll {
            table.figures {
                caption { @if has_truth { "Tokens served beside tokens reported" } @else { "Tokens reported" } }
                thead { tr {
                    th scope="col" { "tokens" }
                    @if has_truth { th scope="col" { "served" } }
                    th scope="col" { "reported" }
                    @if has_truth { th scope="col" { "difference" } }
                } }
                tbody {
                    @for tokens in number::tokens(report.usage) {
                        tr class=[(has_truth && tokens.differs).then_some("differs")] {
                            th scope="row" { (tokens.kind) }
                            @if has_truth { td { (tokens.served) } }
                            td { (tokens.reported) }
                            @if has_truth { td { (tokens.difference) } }
                        }
                    }
                    @if let Some(cost) = &report.cost { (cost_row(cost)) }
                }
            }
        }
    }
}

fn cost_row(cost: &Cost) -> Markup {
    let off = cost.reported_usd - cost.served_usd;
    html! {
        tr {
            th scope="row" { "cost at the prices of " (prose(&cost.prices_as_of)) }
            td { (dollars(cost.served_usd)) }
            td { (dollars(cost.reported_usd)) }
            td { (dollars(off)) }
        }
    }
}
