//! Where reports go.

use std::fs;
use std::path::PathBuf;

use super::samples::conforming;
use crate::report::{Format, ReportTarget, Style, human};

#[test]
fn targets_are_a_format_and_perhaps_a_path() {
    let parse = str::parse::<ReportTarget>;
    for format in Format::ALL {
        assert_eq!(parse(format.as_str()), Ok(ReportTarget { format, path: None }));
    }
    let path = Some(PathBuf::from("out/a=b.json"));
    assert_eq!(parse("json=out/a=b.json"), Ok(ReportTarget { format: Format::Json, path }));
    insta::assert_snapshot!(parse("xml=report.xml").unwrap_err(), @"unknown report format `xml`; known are human, json, jsonl, markdown, junit, sarif, github, html, each with or without `=PATH`");
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
