use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use spanproof_schemas::report::{
    Cost, Example, FindingGroup, Join, JoinMeans, Level, Load, Quantiles, REPORT_VERSION, Subject,
    Telemetry, TokenCounts, UsageComparison, Verdict,
};

use super::*;

fn conforming() -> Report {
    let tokens = TokenCounts {
        input_tokens: 41_234_567,
        output_tokens: 9_876_543,
        cache_read_input_tokens: 1_024_000,
        cache_write_input_tokens: 64_000,
    };
    Report {
        version: REPORT_VERSION,
        verdict: Verdict::Conforms,
        fail_on: Level::Violation,
        semconv: BTreeMap::from([("1.41.1".to_owned(), 80_000)]),
        load: Some(Load {
            client: "rust".to_owned(),
            intended: 80_000,
            started: 80_000,
            completed: 79_998,
            failed: 2,
            wall_s: 60.04,
            schedule_lag_ms: Quantiles { p50: 0.02, p99: 0.31, max: 4.2 },
            latency_ms: Quantiles { p50: 1.44, p99: 12.0, max: 142.3 },
            ttft_ms: Quantiles::default(),
        }),
        telemetry: Telemetry {
            spans: 80_000,
            gen_ai_spans: 80_000,
            metric_points: 24,
            log_records: 1,
        },
        join: Some(Join {
            calls: 80_000,
            matched: 80_000,
            unmatched_calls: 0,
            unmatched_spans: 0,
            by: BTreeMap::from([
                (JoinMeans::InvocationId, 79_000),
                (JoinMeans::TraceContext, 1_000),
            ]),
        }),
        findings: Vec::new(),
        usage: UsageComparison { served: tokens, reported: tokens },
        cost: Some(Cost {
            served_usd: 1_234.567,
            reported_usd: 1_234.567,
            prices_as_of: "2026-11-01".to_owned(),
            unpriced_models: Vec::new(),
        }),
        rules: Vec::new(),
        traces: Vec::new(),
        truth: None,
        coverage: Vec::new(),
    }
}

fn with_findings() -> Report {
    let span = Subject {
        trace_id: Some("5b8efff798038103d269b633813fc60c".to_owned()),
        span_id: Some("eee19b7ec3c1b174".to_owned()),
        span_name: Some("chat us.anthropic.claude-3-7-sonnet-20250219-v1:0".to_owned()),
        scope: Some("opentelemetry.instrumentation.botocore".to_owned()),
        ..Subject::default()
    };
    let mut report = conforming();
    report.verdict = Verdict::Findings;
    report.usage.reported.input_tokens -= 1_088_000;
    report.load = None;
    if let Some(cost) = &mut report.cost {
        cost.reported_usd = 1_230.0;
        cost.unpriced_models = vec!["amazon.nova-new-v9:0".to_owned()];
    }
    if let Some(join) = &mut report.join {
        join.matched = 79_993;
        join.unmatched_calls = 7;
    }
    report.findings = vec![
        FindingGroup {
            rule: "naming/span-name".to_owned(),
            level: Level::Improvement,
            count: 3,
            message:
                "the span name is not `{gen_ai.operation.name} {gen_ai.request.model}`, which \
                      dashboards group by and which the conventions say it SHOULD be"
                    .to_owned(),
            examples: Vec::new(),
        },
        FindingGroup {
            rule: "usage/input-tokens".to_owned(),
            level: Level::Violation,
            count: 1_207,
            message: "input tokens on the span differ from those served".to_owned(),
            examples: vec![
                Example {
                    subject: span.clone(),
                    attribute: Some("gen_ai.usage.input_tokens".to_owned()),
                    expected: Some("1036".to_owned()),
                    actual: Some("12".to_owned()),
                };
                4
            ],
        },
        FindingGroup {
            rule: "redaction/content-leak".to_owned(),
            level: Level::Violation,
            count: 1,
            message: "text of a prompt is in telemetry".to_owned(),
            examples: vec![Example {
                subject: span,
                attribute: Some("app.prompt".to_owned()),
                expected: None,
                actual: Some(format!("SPMP…\n\u{1b}[31m{}", "lorem ipsum ".repeat(40))),
            }],
        },
        FindingGroup {
            rule: "truth/missing-span".to_owned(),
            level: Level::Violation,
            count: 7,
            message: "a call that was served has no span".to_owned(),
            examples: vec![Example {
                subject: Subject { exchange: Some(12), ..Subject::default() },
                ..Example::default()
            }],
        },
    ];
    report
}

fn nothing_captured() -> Report {
    let mut report = conforming();
    report.verdict = Verdict::NothingCaptured;
    report.semconv.clear();
    report.telemetry = Telemetry::default();
    report.usage.reported = TokenCounts::default();
    report.cost = None;
    report.load = None;
    report.join = Some(Join { calls: 200, unmatched_calls: 200, ..Join::default() });
    report
}

fn without_ledger() -> Report {
    let mut report = conforming();
    report.usage.served = TokenCounts::default();
    (report.load, report.join, report.cost) = (None, None, None);
    report
}

fn every_report() -> [Report; 4] {
    [conforming(), with_findings(), nothing_captured(), without_ledger()]
}

#[test]
fn a_load_that_conforms() {
    insta::assert_snapshot!(human(&conforming(), Style::Plain), @"
conforms: nothing found in 80,000 calls

load        80,000 calls planned for rust; 80,000 started, 79,998 completed, 2 failed, in 60.0 s
                                   p50         p99         max
            schedule lag       0.02 ms      0.3 ms      4.2 ms
            latency             1.4 ms     12.0 ms      142 ms
telemetry   80,000 spans (80,000 of model calls), 24 metric points, 1 log record
judged by   semconv 1.41.1 (80,000 spans)
calls       80,000 of 80,000 matched (79,000 by invocation id, 1,000 by trace context); 0 calls
            without a span, 0 spans without a call
tokens                    served        reported      difference
  input               41,234,567      41,234,567               0
  output               9,876,543       9,876,543               0
  cache read           1,024,000       1,024,000               0
  cache write             64,000          64,000               0
cost                   $1,234.57       $1,234.57               0
            at the prices of 2026-11-01
");
}

#[test]
fn findings_worst_first() {
    insta::assert_snapshot!(human(&with_findings(), Style::Plain), @r#"
does not conform: 4 rules found 1,215 violations and 3 improvements in 80,000 calls

telemetry   80,000 spans (80,000 of model calls), 24 metric points, 1 log record
judged by   semconv 1.41.1 (80,000 spans)
calls       79,993 of 80,000 matched (79,000 by invocation id, 1,000 by trace context); 7 calls
            without a span, 0 spans without a call
tokens                    served        reported      difference
  input               41,234,567      40,146,567      -1,088,000
  output               9,876,543       9,876,543               0
  cache read           1,024,000       1,024,000               0
  cache write             64,000          64,000               0
cost                   $1,234.57       $1,230.00          -$4.57
            at the prices of 2026-11-01; no price for amazon.nova-new-v9:0

violation usage/input-tokens (1,207×)
  input tokens on the span differ from those served
    "chat us.anthropic.claude-3-7-…", trace 5b8efff798038103d269b633813fc60c, span eee19b7ec3c1b174
      gen_ai.usage.input_tokens: expected 1036, actual 12
    "chat us.anthropic.claude-3-7-…", trace 5b8efff798038103d269b633813fc60c, span eee19b7ec3c1b174
      gen_ai.usage.input_tokens: expected 1036, actual 12
    "chat us.anthropic.claude-3-7-…", trace 5b8efff798038103d269b633813fc60c, span eee19b7ec3c1b174
      gen_ai.usage.input_tokens: expected 1036, actual 12

violation redaction/content-leak (1×)
  text of a prompt is in telemetry
    "chat us.anthropic.claude-3-7-…", trace 5b8efff798038103d269b633813fc60c, span eee19b7ec3c1b174
      app.prompt
      actual SPMP…\n\u{1b}[31mlorem ipsum lorem ipsum lorem ipsum lorem ipsum lorem ipsum lorem …

violation truth/missing-span (7×)
  a call that was served has no span
    ledger sequence 12

improvement naming/span-name (3×)
  the span name is not `{gen_ai.operation.name} {gen_ai.request.model}`, which dashboards group by
  and which the conventions say it SHOULD be

what a rule asks for, why, and how to fix it: spanproof explain usage/input-tokens
"#);
}

#[test]
fn nothing_was_captured() {
    insta::assert_snapshot!(human(&nothing_captured(), Style::Plain), @"
nothing captured: no span, metric point or log record arrived, so nothing was checked, though 200
calls were served; see that the program exports OTLP to the endpoint that spanproof sets
(OTEL_EXPORTER_OTLP_ENDPOINT), and flushes before it ends

telemetry   0 spans (0 of model calls), 0 metric points, 0 log records
calls       0 of 200 matched; 200 calls without a span, 0 spans without a call
tokens                    served        reported      difference
  input               41,234,567               0     -41,234,567
  output               9,876,543               0      -9,876,543
  cache read           1,024,000               0      -1,024,000
  cache write             64,000               0         -64,000
");
}

#[test]
fn a_check_without_a_ledger() {
    insta::assert_snapshot!(human(&without_ledger(), Style::Plain), @"
conforms: nothing found in 80,000 spans

telemetry   80,000 spans (80,000 of model calls), 24 metric points, 1 log record
judged by   semconv 1.41.1 (80,000 spans)
tokens                  reported
  input               41,234,567
  output               9,876,543
  cache read           1,024,000
  cache write             64,000
");
}

#[test]
fn lines_fit_and_carry_no_escape_sequences_unless_asked_for() {
    for report in every_report() {
        let text = human(&report, Style::Plain);
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{line}");
            assert!(!line.chars().any(char::is_control), "{line:?}");
        }
    }
    let coloured = human(&with_findings(), Style::Coloured);
    assert!(coloured.starts_with("\u{1b}[1;31mdoes not conform"));
    let plain = coloured.replace("\u{1b}[1;31m", "").replace("\u{1b}[0m", "");
    let plain = ["31", "33", "36", "1"]
        .iter()
        .fold(plain, |text, colour| text.replace(&format!("\u{1b}[{colour}m"), ""));
    assert_eq!(plain, human(&with_findings(), Style::Plain));
}

#[test]
fn json_reads_back_and_matches_its_schema() {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/report.schema.json");
    let schema = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for report in every_report() {
        let text = json(&report);
        let read: Report = serde_json::from_str(&text).unwrap();
        assert_eq!(read, report);
        let value = serde_json::from_str(&text).unwrap();
        let errors: Vec<String> =
            schema.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
}

#[test]
fn targets_are_a_format_and_perhaps_a_path() {
    let parse = str::parse::<ReportTarget>;
    assert_eq!(parse("human"), Ok(ReportTarget { format: Format::Human, path: None }));
    let path = Some(PathBuf::from("out/a=b.json"));
    assert_eq!(parse("json=out/a=b.json"), Ok(ReportTarget { format: Format::Json, path }));
    insta::assert_snapshot!(parse("xml=report.xml").unwrap_err(), @"unknown report format `xml`; known are human, json, each with or without `=PATH`");
    insta::assert_snapshot!(parse("json=").unwrap_err(), @"no path after `json=`; leave the `=` out for standard output");
}

#[test]
fn a_file_is_replaced_whole_and_never_coloured() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.txt");
    fs::write(&path, "old").unwrap();
    let target = ReportTarget { format: Format::Human, path: Some(path.clone()) };
    let mut output = Vec::new();
    target.write(&conforming(), Style::Coloured, &mut output).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), human(&conforming(), Style::Plain));
    assert_eq!(output, b"");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_path_that_cannot_be_written_is_named() {
    let target: ReportTarget = "json=no/such/folder/report.json".parse().unwrap();
    let error = target.write(&conforming(), Style::Plain, &mut Vec::new()).unwrap_err();
    insta::assert_snapshot!(error, @"cannot write the report to `no/such/folder/report.json`: entity not found");
}
