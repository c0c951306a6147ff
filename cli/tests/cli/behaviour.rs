//! `run --compare-uninstrumented` with an application and an instrumentation that misbehaves.

#![expect(clippy::unwrap_used, reason = "it is part of tests")]

use std::collections::BTreeSet;
use std::fs;

use crate::spanproof::{Ended, Folder, report};

/// A wrapper such as those of the field: `opentelemetry-instrument --how HOW python3 app.py`.
const WRAPPER: &str = "#!/bin/sh\nexport HOW=\"$2\"\nshift 2\nexec \"$@\"\n";

fn folder() -> Folder {
    let folder = Folder::new();
    fs::write(folder.path("app.py"), include_str!("app.py")).unwrap();
    let wrapper = folder.path("opentelemetry-instrument");
    fs::write(&wrapper, WRAPPER).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

fn compared(folder: &Folder, more: &[&str]) -> Ended {
    let arguments = ["run", "--compare-uninstrumented", "--report", "json=r.json"];
    folder.spanproof(&[&arguments, more].concat())
}

fn instrumented(folder: &Folder, how: &str) -> Ended {
    compared(folder, &["--", "./opentelemetry-instrument", "--how", how, "python3", "app.py"])
}

/// The rules about behaviour that found something.
fn found(folder: &Folder) -> BTreeSet<String> {
    let report = report(folder, "r.json");
    let groups = report["findings"].as_array().into_iter().flatten();
    let rules = groups.filter_map(|group| group["rule"].as_str());
    let own = rules.filter_map(|rule| rule.strip_prefix("behaviour/"));
    own.map(ToOwned::to_owned).collect()
}

#[test]
fn each_misbehaviour_is_found_by_its_rule_and_by_no_other_and_none_where_there_is_none() {
    for (how, rules) in [
        ("well", &[][..]),
        // Another request has another answer, which shows.
        ("body", &["output", "request"]),
        ("header", &["request"]),
        ("skips", &["missing-request"]),
        ("repeats", &["extra-request"]),
        ("retries", &["retries"]),
        ("drains", &["stream-reading"]),
        ("order", &["request-order"]),
        ("answer", &["output"]),
        ("logs", &["exception"]),
        ("raises", &["exception", "exit-status"]),
    ] {
        let folder = folder();
        let ended = instrumented(&folder, how);
        assert!(ended.stderr.contains("is without `./opentelemetry-instrument --how"), "{ended}");
        let rules: BTreeSet<String> = rules.iter().map(|rule| (*rule).to_owned()).collect();
        assert_eq!(found(&folder), rules, "{how}: {ended}");
        // A failure that instrumentation alone brings about is a finding, not the command's.
        assert_eq!(ended.code, Some(1), "{how}: {ended}");
    }
}

#[test]
fn a_command_that_fails_by_itself_could_not_be_judged() {
    let folder = folder();
    let words = ["--", "./opentelemetry-instrument", "--how", "well", "python3", "app.py", "fail"];
    let ended = compared(&folder, &words);
    assert_eq!((ended.code, found(&folder).len()), (Some(3), 0), "{ended}");
    assert!(ended.stderr.contains("ValueError: the application's own"), "{ended}");
}

#[test]
fn a_command_that_stays_instrumented_is_refused_until_somebody_says_how_it_is_not() {
    let folder = folder();
    fs::write(folder.path("my-wrapper"), WRAPPER).unwrap();
    let words = ["--", "sh", "./my-wrapper", "--how", "header", "python3"];
    // It honours the variable, so that nothing else is needed.
    let ended = compared(&folder, &[&words[..], &["app.py"]].concat());
    assert_eq!(found(&folder), BTreeSet::from(["request".to_owned()]), "{ended}");
    assert!(ended.stderr.contains("nothing in the command is known to instrument"), "{ended}");

    let deaf = include_str!("app.py").replace("SPANPROOF_UNINSTRUMENTED", "NOTHING");
    fs::write(folder.path("deaf.py"), deaf).unwrap();
    let deaf = [&words[..], &["deaf.py"]].concat();
    let ended = compared(&folder, &deaf);
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stderr.contains("still emits GenAI spans (1)"), "{ended}");

    let how = ["--uninstrumented", "python3 deaf.py"];
    let ended = compared(&folder, &[&how[..], &deaf].concat());
    assert_eq!(found(&folder), BTreeSet::from(["request".to_owned()]), "{ended}");
}
