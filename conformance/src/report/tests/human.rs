//! The report for people.

use super::samples::{conforming, every_report, nothing_captured, with_findings, without_ledger};
use crate::report::text::columns;
use crate::report::{Style, human};

#[test]
fn a_load_that_conforms() {
    insta::assert_snapshot!(human(&conforming(), Style::Plain));
}

#[test]
fn findings_worst_first() {
    insta::assert_snapshot!(human(&with_findings(), Style::Plain));
}

#[test]
fn nothing_was_captured() {
    insta::assert_snapshot!(human(&nothing_captured(), Style::Plain));
}

#[test]
fn a_check_without_a_ledger() {
    insta::assert_snapshot!(human(&without_ledger(), Style::Plain));
}

#[test]
fn lines_fit_and_carry_no_escape_sequences_unless_asked_for() {
    for report in every_report() {
        let text = human(&report, Style::Plain);
        for line in text.lines() {
            assert!(columns(line) <= 80, "{line}");
            assert!(!line.chars().any(char::is_control), "{line:?}");
        }
    }
    let coloured = human(&with_findings(), Style::Coloured);
    assert!(coloured.starts_with("\u{1b}[1;31mdoes not conform"));
    let plain = ["1;31", "31", "32", "33", "36", "1", "0"]
        .iter()
        .fold(coloured, |text, colour| text.replace(&format!("\u{1b}[{colour}m"), ""));
    assert_eq!(plain, human(&with_findings(), Style::Plain));
}
