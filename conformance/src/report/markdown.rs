//! Markdown, as GitHub renders it: for a job's summary, a pull request's comment, a wiki page.

mod escape;
mod expected;

use std::fmt::Write as _;

use spanproof_schemas::report::{
    Cost, Example, FindingGroup, Level, Load, Quantiles, Report, RuleOutcome, RuleState,
};

use self::escape::{code, prose};
use super::answers::{Part, by_model};
use super::headline::{Outcome, headline, late, outcome};
use super::load;
use super::number::{self, Tokens, counted, dollars, grouped, milliseconds};
use super::place::{by_rule, excerpt, found, looked_at, place, rule};
use super::text::shortened;
use super::tree::tree;

/// How many examples of a group are shown.
const EXAMPLES: usize = 3;

/// GitHub refuses summaries beyond a mebibyte; findings that would go beyond this are counted only.
const LONGEST_BYTES: usize = 900 * 1024;

/// The columns of a drawn trace, and of a value.
const WIDTH: usize = 100;

/// The report as Markdown.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let sign = match outcome(report) {
        Outcome::Good => "✅",
        Outcome::Bad => "❌",
        Outcome::Odd => "⚠️",
    };
    let mut out = format!("# {sign} spanproof\n\n**{}**\n", prose(&headline(report)));
    out.push_str(&facts(report));
    if !report.telemetry.is_empty() || report.join.is_some() {
        out.push_str(&tokens(report));
    }
    if let Some(load) = &report.load {
        out.push_str(&measured(load));
        out.push_str(&spend(load));
    }
    out.push_str(&expected::broken(report));
    if !report.findings.is_empty() {
        out.push_str("\n## Findings\n");
    }
    let mut left_out = 0;
    for groups in by_rule(&report.findings) {
        let section = section(report, groups);
        if out.len() + section.len() > LONGEST_BYTES {
            left_out += 1;
        } else {
            out.push_str(&section);
        }
    }
    if left_out > 0 {
        let rules = counted(left_out, "more rule");
        let _ = writeln!(out, "\nand {rules} with findings, which would make this page too long");
    }
    out.push_str(&expected::held(report));
    if !report.rules.is_empty() {
        out.push_str(&rules(&report.rules));
    }
    out
}

fn facts(report: &Report) -> String {
    let telemetry = report.telemetry;
    let mut facts = vec![format!(
        "{} ({} of model calls), {}, {}",
        counted(telemetry.spans, "span"),
        grouped(telemetry.gen_ai_spans),
        counted(telemetry.metric_points, "metric point"),
        counted(telemetry.log_records, "log record"),
    )];
    for (version, spans) in &report.semconv {
        let version = prose(version);
        facts.push(format!("{} judged by semantic conventions {version}", counted(*spans, "span")));
    }
    if let Some(join) = &report.join {
        facts.push(format!(
            "{} of {} matched; {} without a span, {} without a call",
            grouped(join.matched),
            counted(join.calls, "call"),
            counted(join.unmatched_calls, "call"),
            counted(join.unmatched_spans, "span"),
        ));
        facts.extend(late(join));
    }
    if let Some(load) = &report.load {
        facts.push(format!(
            "{} planned for {}, {} completed, {} failed{}",
            counted(load.intended, "call"),
            code(&load.client),
            grouped(load.completed),
            grouped(load.failed),
            load::left_out(load).concat(),
        ));
        let told = [
            load::rate(load),
            load::peak(load),
            load::ends(load),
            load::storage(load),
            load::books(load),
        ];
        facts.extend(told.into_iter().flatten().map(|text| prose(&text)));
        facts.extend(load.gates.iter().map(|gate| prose(&load::gate(gate))));
    }
    format!("\n- {}\n", facts.join("\n- "))
}

/// The times of calls.
fn measured(load: &Load) -> String {
    let measured = load::measured(load);
    if measured.is_empty() {
        return String::new();
    }
    let mut out =
        "\n| times of calls | p50 | p99 | max |\n| --- | ---: | ---: | ---: |\n".to_owned();
    for (name, Quantiles { p50, p99, max }) in measured {
        let [p50, p99, max] = [p50, p99, max].map(milliseconds);
        let _ = writeln!(out, "| {} | {p50} | {p99} | {max} |", name.trim_start());
    }
    out
}

/// What calls cost, going by what the client read.
fn spend(load: &Load) -> String {
    let models = by_model(&load.answers);
    if models.is_empty() {
        return String::new();
    }
    let mut out = "\n| model | calls | tokens in | tokens out | cost |\n| --- | ---: | ---: | ---: | ---: |\n".to_owned();
    for Part { name, calls, tokens, usd } in models {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            code(&name),
            grouped(calls),
            grouped(tokens.all_input_tokens()),
            grouped(tokens.output_tokens),
            usd.map_or_else(|| "–".to_owned(), dollars),
        );
    }
    out
}

fn tokens(report: &Report) -> String {
    let tokens = number::tokens(report.usage);
    if report.join.is_none() {
        let mut out = "\n| tokens | reported |\n| --- | ---: |\n".to_owned();
        for Tokens { kind, reported, .. } in tokens {
            let _ = writeln!(out, "| {kind} | {reported} |");
        }
        return out;
    }
    let mut out =
        "\n| tokens | served | reported | difference |\n| --- | ---: | ---: | ---: |\n".to_owned();
    for Tokens { kind, served, reported, difference, .. } in tokens {
        let _ = writeln!(out, "| {kind} | {served} | {reported} | {difference} |");
    }
    if let Some(cost) = &report.cost {
        let Cost { served_usd, reported_usd, prices_as_of, .. } = cost;
        let [served, reported, off] =
            [*served_usd, *reported_usd, reported_usd - served_usd].map(dollars);
        let prices = prose(prices_as_of);
        let _ = writeln!(out, "| cost at the prices of {prices} | {served} | {reported} | {off} |");
    }
    out
}

/// The findings of one rule at one level.
fn section(report: &Report, groups: &[FindingGroup]) -> String {
    let Some(first) = groups.first() else { return String::new() };
    let sign = match first.level {
        Level::Violation => "🔴",
        Level::Improvement => "🟡",
        Level::Information => "🔵",
    };
    let level = first.level.as_str();
    let mut out = format!("\n### {sign} {level}: {}\n", code(&first.rule));
    for (at, group) in groups.iter().enumerate() {
        let _ = writeln!(out, "\n{} ({})", prose(&group.message), counted(group.count, "time"));
        out.push_str(&examples(report, group, at == 0));
    }
    if let Some(rule) = rule(report, first) {
        let RuleOutcome { why, how_to_mend, reference, .. } = rule;
        let _ = writeln!(out, "\n**Why:** {why}\n\n**How to mend:** {how_to_mend}");
        let explain = code(&format!("spanproof explain {}", first.rule));
        let _ = writeln!(out, "\n[The conventions]({reference}) · {explain}");
    }
    out
}

fn examples(report: &Report, group: &FindingGroup, is_drawn: bool) -> String {
    let shown = group.examples.len().min(EXAMPLES);
    if shown == 0 {
        return String::new();
    }
    let mut out = format!("\n<details><summary>{}</summary>\n", counted(shown as u64, "example"));
    for (at, example) in group.examples.iter().take(EXAMPLES).enumerate() {
        let _ = writeln!(out, "\n{}\n", subject(example));
        if at == 0 && is_drawn {
            out.push_str(&drawing(report, example));
        }
        for (title, value) in [
            ("attribute", &example.attribute),
            ("expected", &example.expected),
            ("actual", &example.actual),
        ] {
            if let Some(value) = value {
                let _ = writeln!(out, "- {title} {}", code(&shortened(value, WIDTH)));
            }
        }
    }
    out.push_str("\n</details>\n");
    out
}

fn subject(example: &Example) -> String {
    let mut parts: Vec<String> = example.subject.span_name.iter().map(|name| code(name)).collect();
    let places = place(&example.subject);
    parts.extend(places.iter().map(|(label, value)| format!("{label} {}", code(value))));
    parts.join(", ")
}

fn drawing(report: &Report, example: &Example) -> String {
    let (Some(excerpt), Some(marked)) = (excerpt(report, example), &example.subject.span_id) else {
        return String::new();
    };
    let lines = tree(excerpt, marked, WIDTH);
    // Each line begins with a sign of the drawing, so that no name can end the block.
    let drawn: Vec<String> = lines.into_iter().map(|line| line.text).collect();
    format!("```text\n{}\n```\n\n", drawn.join("\n"))
}

/// What was checked, whatever came of it.
fn rules(rules: &[RuleOutcome]) -> String {
    let checked = rules.iter().filter(|rule| rule.state == RuleState::Checked).count();
    let mut out = format!(
        "\n<details><summary>{checked} of {} checked</summary>\n\n\
         | | rule | looked at | found |\n| --- | --- | --- | ---: |\n",
        counted(rules.len() as u64, "rule"),
    );
    for rule in rules {
        let (sign, looked_at) = match rule.state {
            RuleState::Checked if rule.findings > 0 => ("✏️", looked_at(rule)),
            RuleState::Checked if rule.expected > 0 => ("☑️", looked_at(rule)),
            RuleState::Checked => ("✅", looked_at(rule)),
            RuleState::NothingToCheck => ("➖", "nothing to check".to_owned()),
            RuleState::Off => ("➖", "off".to_owned()),
        };
        let _ = writeln!(
            out,
            "| {sign} | {}: {} | {looked_at} | {} |",
            code(&rule.id),
            prose(&rule.summary),
            found(rule)
        );
    }
    out.push_str("\n</details>\n");
    out
}
