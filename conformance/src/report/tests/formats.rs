//! One report in every format, and what each format makes of a run that proves nothing.

use std::fs;
use std::path::Path;

use jsonschema::{Registry, Validator};
use serde_json::Value;
use spanproof_schemas::report::{Level, Report, Verdict};
use spanproof_schemas::report_line::ReportLine;

use super::samples::{conforming, every_report, nothing_captured, with_findings};
use crate::report::{Format, Style, github, html, human, json, jsonl, junit, markdown, sarif};

/// A schema of ours, compiled. It may refer to the one of reports.
fn with_schema(name: &str, check: impl FnOnce(&Validator)) {
    let read = |name: &str| -> Value {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas").join(name);
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    };
    let registry = Registry::new()
        .add("report.schema.json", read("report.schema.json"))
        .unwrap()
        .prepare()
        .unwrap();
    let options = jsonschema::draft202012::options().with_registry(&registry);
    check(&options.build(&read(name)).unwrap());
}

fn errors(schema: &Validator, text: &str) -> Vec<String> {
    let value = serde_json::from_str(text).unwrap();
    schema.iter_errors(&value).map(|error| error.to_string()).collect()
}

#[test]
fn one_report_in_every_format() {
    for format in Format::ALL {
        let text = format.render(&with_findings(), Style::Plain);
        assert!(text.ends_with('\n'), "{} ends a line", format.as_str());
        assert_eq!(text, format.render(&with_findings(), Style::Plain), "the same bytes");
        // People see the first in the tests of the format; the page is looked at in a browser.
        if !matches!(format, Format::Human | Format::Json | Format::Html) {
            insta::assert_snapshot!(format.as_str(), text);
        }
    }
}

#[test]
fn a_missed_gate_of_a_load_fails_what_pipelines_read_and_a_met_one_does_not() {
    let report = conforming();
    assert!(report.load.as_ref().unwrap().gates.iter().any(|gate| gate.is_met));
    let suite: String = junit(&report)
        .lines()
        .skip_while(|line| !line.contains("<testsuite name=\"load\""))
        .take_while(|line| !line.contains("</testsuite>"))
        .map(|line| line.to_owned() + "\n")
        .collect();
    insta::assert_snapshot!("a_missed_gate_in_junit", suite);
    insta::assert_snapshot!("a_missed_gate_in_github", github(&report));
    assert!(markdown(&report).starts_with("# ⚠️ spanproof"));
    assert!(html(&report).contains("<header class=\"odd\">"));
}

#[test]
fn json_reads_back_and_matches_its_schema() {
    with_schema("report.schema.json", |schema| {
        for report in every_report() {
            let text = json(&report);
            let read: Report = serde_json::from_str(&text).unwrap();
            assert_eq!(read, report);
            assert_eq!(errors(schema, &text), Vec::<String>::new());
        }
    });
}

#[test]
fn json_lines_match_their_schema_and_end_with_the_summary() {
    with_schema("report-line.schema.json", |schema| {
        for report in every_report() {
            let text = jsonl(&report);
            let mut last = None;
            for line in text.lines() {
                assert_eq!(errors(schema, line), Vec::<String>::new(), "{line}");
                last = Some(serde_json::from_str::<ReportLine>(line).unwrap());
            }
            let Some(ReportLine::Summary(summary)) = last else { panic!("no summary:\n{text}") };
            assert_eq!(summary.findings, report.findings.len() as u64);
            assert_eq!(summary.deviations, report.deviations.len() as u64);
            let lines = report.findings.len() + report.deviations.len() + 1;
            assert_eq!(text.lines().count(), lines);
        }
    });
}

#[test]
fn nothing_captured_is_no_pass_anywhere() {
    let report = nothing_captured();
    let junit = junit(&report);
    assert!(junit.contains("errors=\"1\"") && junit.contains("<error message=\"nothing captured"));
    assert!(!junit.contains("<failure"), "{junit}");
    let skipped = junit.matches("<skipped").count();
    assert_eq!(skipped, report.rules.len(), "every rule is skipped");
    let sarif: Value = serde_json::from_str(&sarif(&report)).unwrap();
    assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], false);
    assert!(github(&report).starts_with("::error title=spanproof::nothing captured"));
    assert!(markdown(&report).contains("nothing captured"));
}

#[test]
fn what_does_not_fail_the_run_fails_no_test_case() {
    let mut report = with_findings();
    report.deviations.clear();
    report.findings.retain(|group| group.level < Level::Violation);
    assert!(!junit(&report).contains("<failure"));
    report.fail_on = Level::Information;
    assert_eq!(junit(&report).matches("<failure").count(), 2);
}

#[test]
fn annotations_are_bounded_and_the_rest_is_counted() {
    let mut report = with_findings();
    let group = report.findings[0].clone();
    report.findings = (0..25)
        .map(|n| {
            let mut group = group.clone();
            group.message = format!("finding {n}");
            group
        })
        .collect();
    report.deviations.clear();
    let text = github(&report);
    assert_eq!(text.matches("::error ").count(), 10);
    insta::assert_snapshot!(text.lines().nth(9).unwrap(), @"::error title=spanproof::and 16 more of these, with 16 findings; see the report of the run");
}

#[test]
fn fingerprints_do_not_depend_on_the_run() {
    let prints = |report: &Report| -> Vec<Value> {
        let log: Value = serde_json::from_str(&sarif(report)).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap();
        results.iter().map(|result| result["partialFingerprints"].clone()).collect()
    };
    let first = with_findings();
    let mut second = first.clone();
    for example in second.findings.iter_mut().flat_map(|group| &mut group.examples) {
        example.subject.trace_id = Some("f".repeat(32));
        example.actual = Some("7".to_owned());
    }
    assert_eq!(prints(&first), prints(&second));
    let mut all = prints(&first);
    all.sort_by_key(Value::to_string);
    all.dedup();
    let expected: usize = first.deviations.iter().map(|known| known.findings.len()).sum();
    assert_eq!(all.len(), first.findings.len() + expected, "each finding has its own");
}

#[test]
fn what_is_expected_shows_as_such_and_fails_nothing() {
    let mut report = with_findings();
    report.findings.clear();
    report.deviations.retain(|deviation| deviation.problem.is_none());
    report.verdict = Verdict::Conforms;
    let junit = junit(&report);
    assert!(!junit.contains("<failure"), "{junit}");
    assert!(junit.contains("<skipped>expected: 1,212 findings"), "{junit}");
    let sarif: Value = serde_json::from_str(&sarif(&report)).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    assert!(results.iter().all(|result| result["suppressions"][0]["kind"] == "external"));
    let github = github(&report);
    assert!(!github.contains("::error") && github.contains("::notice"), "{github}");
    for text in [markdown(&report), human(&report, Style::Plain)] {
        assert!(text.contains("conforms: nothing found in 80,000 calls, beside 1,212 expected"));
        assert!(text.contains("the profile is cut off the model id until 2.0"), "{text}");
    }
    let page = html(&report);
    assert!(page.contains("id=\"expected\"") && !page.contains("id=\"broken\""), "{page}");
}

#[test]
fn what_no_longer_holds_fails_in_every_format() {
    let mut report = with_findings();
    report.findings.clear();
    report.deviations.retain(|deviation| deviation.problem.is_some());
    let junit = junit(&report);
    assert_eq!(junit.matches("<failure").count(), 2, "{junit}");
    let sarif: Value = serde_json::from_str(&sarif(&report)).unwrap();
    let told = &sarif["runs"][0]["invocations"][0]["toolConfigurationNotifications"];
    let location = &told[0]["locations"][0]["physicalLocation"];
    assert_eq!(location["artifactLocation"]["uri"], "spanproof.toml");
    assert_eq!(location["region"]["startLine"], 13);
    assert!(github(&report).starts_with("::error file=spanproof.toml,line=13,title=spanproof::"));
    for text in [markdown(&report), human(&report, Style::Plain), html(&report)] {
        assert!(text.contains("spanproof.toml:13"), "{text}");
        assert!(text.contains("2 expected deviations no longer hold in 80,000 calls"), "{text}");
    }
}

#[test]
fn a_job_summary_stays_within_what_github_takes() {
    let mut report = with_findings();
    let group = report.findings[0].clone();
    report.findings = (0..3_000)
        .map(|n| {
            let mut group = group.clone();
            group.rule = format!("naming/rule-{n}");
            group.examples[0].actual = Some("x".repeat(500));
            group
        })
        .collect();
    let text = markdown(&report);
    assert!(text.len() < 1024 * 1024, "{} bytes", text.len());
    assert!(text.contains("more rules with findings"));
    assert!(conforming().findings.is_empty() && !markdown(&conforming()).contains("## Findings"));
}
