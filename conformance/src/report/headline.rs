//! The sentence that says it all.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use spanproof_schemas::report::{FindingGroup, Join, Level, ReceivedSpans, Report, Verdict};

use super::expected::{all_held, broken};
use super::number::{counted, grouped};

/// The verdict and what it rests on: `conforms: nothing found in 80,000 calls`.
pub(super) fn headline(report: &Report) -> String {
    let said = match report.verdict {
        Verdict::Conforms => conforms(report),
        Verdict::NotJudged => not_judged(report),
        Verdict::Findings => does_not_conform(report),
        Verdict::NothingCaptured => nothing_captured(report),
    };
    match missed_gates(report) {
        0 => said,
        missed => format!("{said}; the load missed {}", counted(missed, "gate")),
    }
}

/// What a report is a sign of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It conforms, and the load was as it should be.
    Good,
    /// It does not conform.
    Bad,
    /// Something else than the telemetry is not as it should be.
    Odd,
}

pub(super) fn outcome(report: &Report) -> Outcome {
    match report.verdict {
        Verdict::Conforms if missed_gates(report) == 0 => Outcome::Good,
        Verdict::Findings => Outcome::Bad,
        Verdict::Conforms | Verdict::NotJudged | Verdict::NothingCaptured => Outcome::Odd,
    }
}

fn missed_gates(report: &Report) -> u64 {
    let gates = report.load.iter().flat_map(|load| &load.gates);
    gates.filter(|gate| !gate.is_met).count() as u64
}

/// The verdict in a word or two.
pub(super) fn verdict_words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Conforms => "conforms",
        Verdict::NotJudged => "not judged",
        Verdict::Findings => "does not conform",
        Verdict::NothingCaptured => "nothing captured",
    }
}

fn conforms(report: &Report) -> String {
    let found = match levels(&report.findings) {
        none if none.is_empty() => "nothing found".to_owned(),
        some => some,
    };
    format!("conforms: {found} in {}{}", extent(report), expected(report))
}

fn does_not_conform(report: &Report) -> String {
    let rules: BTreeSet<&str> = report.findings.iter().map(|group| group.rule.as_str()).collect();
    let rules = counted(rules.len() as u64, "rule");
    let levels = levels(&report.findings);
    let broken = match broken(report).count() as u64 {
        0 => String::new(),
        1 => "1 expected deviation no longer holds".to_owned(),
        many => format!("{} expected deviations no longer hold", grouped(many)),
    };
    let found = match (levels.is_empty(), broken.is_empty()) {
        (true, _) => format!("{broken} in {}", extent(report)),
        (false, true) => format!("{rules} found {levels} in {}", extent(report)),
        (false, false) => format!("{rules} found {levels} in {}; {broken}", extent(report)),
    };
    format!("does not conform: {found}{}", expected(report))
}

/// What was found and is expected.
fn expected(report: &Report) -> String {
    match all_held(report) {
        0 => String::new(),
        findings => format!(", beside {}", counted(findings, "expected finding")),
    }
}

fn not_judged(report: &Report) -> String {
    let books = report.load.as_ref().and_then(|load| load.telemetry.as_ref());
    let mut receivers = books.iter().flat_map(|books| &books.receivers);
    if receivers.any(|received| received.receiver == ReceivedSpans::OURS) {
        return "not judged: what was served and received could not all be kept".to_owned();
    }
    let (taken, sent) = books
        .and_then(|books| books.client)
        .map_or((0, 0), |books| (books.exported, books.created));
    format!(
        "not judged: what was sent went to another receiver, which took {} of {}",
        grouped(taken),
        counted(sent, "span")
    )
}

fn nothing_captured(report: &Report) -> String {
    let mut text = "nothing captured: no span, metric point or log record arrived, so nothing was \
                    checked"
        .to_owned();
    if let Some(join) = report.join.as_ref().filter(|join| join.calls > 0) {
        let _ = write!(
            text,
            ", though {} served",
            match join.calls {
                1 => "1 call was".to_owned(),
                calls => format!("{} calls were", grouped(calls)),
            }
        );
    }
    text + "; see that the program exports OTLP to the endpoint that spanproof sets \
            (OTEL_EXPORTER_OTLP_ENDPOINT), and flushes before it ends"
}

/// What was looked at: calls where a ledger knows them, spans otherwise.
fn extent(report: &Report) -> String {
    match &report.join {
        Some(join) => counted(join.calls, "call"),
        None => counted(report.telemetry.spans, "span"),
    }
}

/// How many findings there are of each level, worst first: `214 violations and 3 improvements`.
fn levels(findings: &[FindingGroup]) -> String {
    let counts: Vec<String> = [Level::Violation, Level::Improvement, Level::Information]
        .into_iter()
        .filter_map(|level| {
            let groups = findings.iter().filter(|group| group.level == level);
            let count = groups.fold(0_u64, |sum, group| sum.saturating_add(group.count));
            (count > 0).then(|| match level {
                Level::Information => format!("{} of information", counted(count, "piece")),
                Level::Improvement | Level::Violation => counted(count, level.as_str()),
            })
        })
        .collect();
    match counts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// What came too late for anything to be said against it, if some did.
pub(super) fn late(join: &Join) -> Option<String> {
    let calls = Some(join.late_calls).filter(|count| *count > 0);
    let spans = Some(join.late_spans).filter(|count| *count > 0);
    let counts = [(calls, "call"), (spans, "span")];
    let named = counts.iter().filter_map(|(count, noun)| count.map(|count| counted(count, noun)));
    let late = named.collect::<Vec<_>>().join(" and ");
    (!late.is_empty()).then(|| format!("{late} of these came too late to be judged"))
}
