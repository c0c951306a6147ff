//! JUnit XML, as Jenkins, GitLab and others read it: a test case for each rule, so that a rule that
//! found nothing shows as one that was checked, and one with nothing to look at, or whose findings are
//! all expected, as skipped.

use std::borrow::Cow;
use std::fmt::Write as _;

use quick_xml::escape::escape;
use spanproof_schemas::report::{
    Deviation, Example, FindingGroup, Gate, Report, RuleOutcome, RuleState, Verdict,
};

use super::expected::{count, taken, why, written};
use super::headline::headline;
use super::load;
use super::number::counted;
use super::place::{excerpt, looked_at, place};
use super::text::{shortened, visible};
use super::tree::tree;

/// How many examples of a group stand in a failure.
const EXAMPLES: usize = 3;

/// The columns of a drawn trace, and of a value.
const WIDTH: usize = 100;

/// A test suite with its cases.
struct Suite<'a> {
    name: &'a str,
    cases: Vec<Case<'a>>,
}

struct Case<'a> {
    name: Cow<'a, str>,
    outcome: CaseOutcome,
    /// What was looked at, and findings that fail nothing.
    output: String,
}

enum CaseOutcome {
    Passed,
    /// A message in one line, and the text.
    Failed(String, String),
    Error(String),
    Skipped(Cow<'static, str>),
}

/// The report as JUnit XML.
#[must_use]
pub fn junit(report: &Report) -> String {
    let mut suites = vec![Suite { name: "spanproof", cases: vec![captured(report)] }];
    if let Some(load) = report.load.as_ref().filter(|load| !load.gates.is_empty()) {
        suites.push(Suite { name: "load", cases: load.gates.iter().map(gate).collect() });
    }
    if !report.deviations.is_empty() {
        suites.push(Suite {
            name: "expected",
            cases: report.deviations.iter().map(expected).collect(),
        });
    }
    for rules in report.rules.chunk_by(|one, other| group(&one.id) == group(&other.id)) {
        let name = rules.first().map_or("", |rule| group(&rule.id));
        suites.push(Suite { name, cases: rules.iter().map(|rule| case(report, rule)).collect() });
    }
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for suite in &suites {
        push_suite(suite, &mut out);
    }
    out.push_str("</testsuites>\n");
    out
}

/// The rule's group.
fn group(id: &str) -> &str {
    id.split('/').next().unwrap_or_default()
}

/// Nothing checked is no pass: without telemetry every rule is skipped, and this fails.
fn captured(report: &Report) -> Case<'static> {
    let outcome = match report.verdict {
        Verdict::NothingCaptured => CaseOutcome::Error(headline(report)),
        Verdict::NotJudged => CaseOutcome::Skipped(headline(report).into()),
        Verdict::Conforms | Verdict::Findings => CaseOutcome::Passed,
    };
    Case { name: "telemetry was captured".into(), outcome, output: headline(report) }
}

fn gate(gate: &Gate) -> Case<'_> {
    let said = load::gate(gate);
    let outcome = if gate.is_met {
        CaseOutcome::Passed
    } else {
        CaseOutcome::Failed(said.clone(), gate.advice.clone().unwrap_or_default())
    };
    Case { name: gate.name.as_str().into(), outcome, output: said }
}

fn case<'a>(report: &Report, rule: &'a RuleOutcome) -> Case<'a> {
    let own: Vec<&FindingGroup> =
        report.findings.iter().filter(|group| group.rule == rule.id).collect();
    let (failing, others): (Vec<&FindingGroup>, Vec<&FindingGroup>) =
        own.into_iter().partition(|group| group.level >= report.fail_on);
    let mut output = format!("{}\n", rule.summary);
    if rule.state == RuleState::Checked {
        let _ = writeln!(output, "looked at {}", looked_at(rule));
    }
    for group in others {
        output.push_str(&text(report, group));
    }
    let outcome = match (rule.state, failing.first()) {
        (_, Some(first)) => {
            let count = failing.iter().fold(0, |sum: u64, group| sum.saturating_add(group.count));
            let mut text: String = failing.iter().map(|group| text(report, group)).collect();
            let RuleOutcome { id, why, how_to_mend, .. } = rule;
            let _ = write!(text, "why: {why}\n\nhow to mend: {how_to_mend}\n");
            let _ = writeln!(text, "\nspanproof explain {id}");
            let message = format!("{} ({})", first.message, counted(count, "finding"));
            CaseOutcome::Failed(message, text)
        }
        (RuleState::NothingToCheck, None) => {
            CaseOutcome::Skipped("there was nothing to check".into())
        }
        (RuleState::Off, None) => {
            CaseOutcome::Skipped("the configuration turns the rule off".into())
        }
        (RuleState::Checked, None) if rule.findings == 0 && rule.expected > 0 => {
            CaseOutcome::Skipped(all_expected(report, rule).into())
        }
        (RuleState::Checked, None) => CaseOutcome::Passed,
    };
    Case { name: rule.id.as_str().into(), outcome, output }
}

/// That all findings of a rule are expected, and by what.
fn all_expected(report: &Report, rule: &RuleOutcome) -> String {
    let mut text = format!("expected: {}", counted(rule.expected, "finding"));
    for deviation in &report.deviations {
        if deviation.findings.iter().any(|group| group.rule == rule.id) {
            let _ = write!(text, "\n{}: {}", written(deviation), why(deviation));
        }
    }
    text
}

/// An expected deviation: what no longer holds fails.
fn expected(deviation: &Deviation) -> Case<'_> {
    let outcome = match &deviation.problem {
        Some(problem) => CaseOutcome::Failed(problem.clone(), format!("{}\n", written(deviation))),
        None => CaseOutcome::Passed,
    };
    let mut output = format!("{}: {}\n", count(deviation), why(deviation));
    for group in &deviation.findings {
        let _ = writeln!(
            output,
            "{}: {} ({})",
            group.rule,
            group.message,
            counted(group.count, "time")
        );
    }
    let name = format!("{} {}", written(deviation), taken(deviation));
    Case { name: name.into(), outcome, output }
}

/// A group of findings as text.
fn text(report: &Report, group: &FindingGroup) -> String {
    let FindingGroup { level, message, count, .. } = group;
    let mut out = format!("{}: {message} ({})\n", level.as_str(), counted(*count, "time"));
    for (at, example) in group.examples.iter().take(EXAMPLES).enumerate() {
        let found = place(&example.subject);
        let mut parts: Vec<String> =
            found.iter().map(|(label, value)| format!("{label} {value}")).collect();
        if let Some(name) = &example.subject.span_name {
            parts.insert(0, format!("\"{name}\""));
        }
        let _ = writeln!(out, "  {}", parts.join(", "));
        if at == 0 {
            out.push_str(&drawing(report, example));
        }
        for (label, value) in [
            ("attribute", &example.attribute),
            ("expected", &example.expected),
            ("actual", &example.actual),
        ] {
            if let Some(value) = value {
                let _ = writeln!(out, "    {label} {}", shortened(value, WIDTH));
            }
        }
    }
    out.push('\n');
    out
}

fn drawing(report: &Report, example: &Example) -> String {
    let (Some(excerpt), Some(marked)) = (excerpt(report, example), &example.subject.span_id) else {
        return String::new();
    };
    let lines = tree(excerpt, marked, WIDTH);
    lines.iter().flat_map(|line| ["    ", line.text.as_str(), "\n"]).collect()
}

fn push_suite(suite: &Suite<'_>, out: &mut String) {
    let count =
        |is: fn(&CaseOutcome) -> bool| suite.cases.iter().filter(|case| is(&case.outcome)).count();
    let _ = writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
        attribute(suite.name),
        suite.cases.len(),
        count(|outcome| matches!(outcome, CaseOutcome::Failed(..))),
        count(|outcome| matches!(outcome, CaseOutcome::Error(_))),
        count(|outcome| matches!(outcome, CaseOutcome::Skipped(_))),
    );
    for case in &suite.cases {
        push_case(suite.name, case, out);
    }
    out.push_str("  </testsuite>\n");
}

fn push_case(suite: &str, case: &Case<'_>, out: &mut String) {
    let class = match suite {
        "spanproof" => suite.to_owned(),
        group => format!("spanproof.{group}"),
    };
    let _ = writeln!(
        out,
        "    <testcase classname=\"{}\" name=\"{}\">",
        attribute(&class),
        attribute(&case.name)
    );
    let _ = match &case.outcome {
        CaseOutcome::Passed => Ok(()),
        CaseOutcome::Failed(message, text) => writeln!(
            out,
            "      <failure message=\"{}\" type=\"finding\">{}</failure>",
            attribute(message),
            content(text)
        ),
        CaseOutcome::Error(message) => writeln!(
            out,
            "      <error message=\"{}\" type=\"nothing captured\"/>",
            attribute(message)
        ),
        CaseOutcome::Skipped(why) => {
            writeln!(out, "      <skipped>{}</skipped>", content(why))
        }
    };
    let _ = writeln!(out, "      <system-out>{}</system-out>", content(&case.output));
    out.push_str("    </testcase>\n");
}

/// Text as the value of an attribute.
fn attribute(text: &str) -> String {
    escape(visible(text)).into_owned()
}

/// Text between tags; its lines stay.
fn content(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(visible).collect();
    escape(lines.join("\n")).into_owned()
}
