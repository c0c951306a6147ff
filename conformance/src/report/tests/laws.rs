//! Whatever a program puts into its telemetry, a report stays what it is: text cannot become markup,
//! a command, a line, or an escape sequence.

use proptest::prelude::*;
use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};
use serde_json::Value;
use spanproof_schemas::report::Report;

use super::samples::{conforming, telling};
use crate::report::{Format, Style, github, html, human, jsonl, junit, markdown, sarif};

/// What breaks formats.
const FRAGMENTS: &[&str] = &[
    "]]>",
    "-->",
    "<script>",
    "</code>",
    "</details>",
    "<",
    ">",
    "&amp;",
    "&",
    "\"",
    "'",
    "`",
    "```",
    "|",
    "\n",
    "\r",
    "\r\n::error::",
    "::warning::x",
    "##[error]",
    "%0A",
    "%",
    "\u{0}",
    "\u{b}",
    "\u{1b}[2J",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{fffe}",
    "\u{85}",
    "\u{2028}",
    "@everyone",
    "日本語",
    "[x](javascript:1)",
    "#",
    "*",
    "\\",
    "👩‍👩‍👧",
];

/// What breaks formats, between anything at all.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => proptest::sample::select(FRAGMENTS).prop_map(ToOwned::to_owned),
        1 => any::<String>(),
    ];
    proptest::collection::vec(piece, 1..6)
        .prop_map(|pieces| pieces.concat())
        .prop_filter("an empty text is left out, which changes the markup", |text| {
            !text.trim().is_empty()
        })
}

/// What a report shows of telemetry by means of markup, without the text itself.
fn skeleton(page: &str) -> Vec<&str> {
    let opened = page.split('<').skip(1);
    opened.map(|tag| tag.split(['>', ' ']).next().unwrap_or_default()).collect()
}

/// A load in which everything that is text is `name`.
fn loaded(name: &str) -> Report {
    let mut report = conforming();
    let name = || name.to_owned();
    if let Some(load) = &mut report.load {
        load.client = name();
        load.answers.stop_reasons = [(name(), 3)].into();
        load.answers.errors = [(name(), 2)].into();
        for share in &mut load.answers.shares {
            (share.model, share.feature) = (name(), Some(name()));
        }
        load.storage.iter_mut().flat_map(|it| &mut it.policies).for_each(|it| it.policy = name());
        for gate in &mut load.gates {
            (gate.name, gate.asked, gate.seen) = (name(), name(), name());
            gate.advice = Some(name());
        }
        if let Some(books) = &mut load.telemetry {
            books.mismatches = vec![name()];
            books.receivers.iter_mut().for_each(|it| it.receiver = name());
        }
    }
    report
}

proptest! {
    #[test]
    fn hidden_characters_reach_no_format(name in hostile(), value in hostile()) {
        let report = telling(&name, &value);
        for format in Format::ALL {
            let text = format.render(&report, Style::Plain);
            // JSON has escapes of its own for control characters, and programs want the text.
            if matches!(format, Format::Json | Format::Jsonl) {
                let raw = text.chars().find(|sign| *sign < ' ' && *sign != '\n');
                prop_assert_eq!(raw, None, "in {}", format.as_str());
                continue;
            }
            let hidden = text.chars().find(|sign| {
                sign.is_control() && *sign != '\n'
                    || matches!(sign, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}')
            });
            prop_assert_eq!(hidden, None, "in {}", format.as_str());
        }
    }

    #[test]
    fn text_adds_no_tag_to_the_page(name in hostile(), value in hostile()) {
        let page = html(&telling(&name, &value));
        let plain = html(&telling("name", "value"));
        prop_assert_eq!(skeleton(&page), skeleton(&plain));
        prop_assert_eq!(page.matches('"').count(), plain.matches('"').count(), "attributes");
    }

    #[test]
    fn text_of_a_load_adds_no_tag_to_the_page(name in hostile()) {
        let page = html(&loaded(&name));
        let plain = html(&loaded("name"));
        prop_assert_eq!(skeleton(&page), skeleton(&plain));
        prop_assert_eq!(page.matches('"').count(), plain.matches('"').count(), "attributes");
    }

    #[test]
    fn junit_is_well_formed_and_holds_the_text(name in hostile(), value in hostile()) {
        let text = junit(&telling(&name, &value));
        let mut reader = Reader::from_str(&text);
        let mut tags = 0;
        loop {
            match reader.read_event().map_err(|error| TestCaseError::fail(error.to_string()))? {
                Event::Eof => break,
                Event::Start(tag) | Event::Empty(tag) => {
                    tags += 1;
                    for attribute in tag.attributes() {
                        let attribute = attribute.unwrap();
                        attribute.normalized_value(XmlVersion::Explicit1_0).unwrap();
                    }
                }
                _ => {}
            }
        }
        let plain = junit(&telling("name", "value"));
        prop_assert_eq!(tags, skeleton(&plain).iter().filter(|tag| !tag.starts_with(['/', '?'])).count());
    }

    #[test]
    fn text_adds_no_command_and_no_line(name in hostile(), value in hostile()) {
        let report = telling(&name, &value);
        let lines = |text: String| text.lines().count();
        prop_assert_eq!(lines(github(&report)), lines(github(&telling("name", "value"))));
        for line in github(&report).lines() {
            let known = [
                "::error title=",
                "::error file=spanproof.toml,line=",
                "::error file=telemetry-baseline.json,line=",
                "::warning title=",
                "::notice title=",
                "::notice file=spanproof.toml,line=",
                "spanproof ",
            ];
            prop_assert!(known.iter().any(|start| line.starts_with(start)), "{line}");
        }
        // Telemetry in a message of spanproof's own stands at the beginning of a line at times.
        let wrapped = crate::report::text::wrapped(&value, 2);
        let logged = wrapped + &human(&report, Style::Plain) + &markdown(&report);
        for line in logged.lines() {
            let start = line.trim_start();
            prop_assert!(!start.starts_with("::") && !start.starts_with("##["), "{line}");
        }
    }

    #[test]
    fn text_adds_no_markdown(name in hostile(), value in hostile()) {
        let text = markdown(&telling(&name, &value));
        let plain = markdown(&telling("name", "value"));
        prop_assert_eq!(text.lines().count(), plain.lines().count());
        let heads = |text: &str| text.lines().filter(|line| line.starts_with('#')).count();
        prop_assert_eq!(heads(&text), heads(&plain));
    }

    #[test]
    fn json_stays_json(name in hostile(), value in hostile()) {
        let report = telling(&name, &value);
        let log: Value = serde_json::from_str(&sarif(&report)).unwrap();
        let expected: usize = report.deviations.iter().map(|known| known.findings.len()).sum();
        let results = log["runs"][0]["results"].as_array().unwrap().len();
        prop_assert_eq!(results, report.findings.len() + expected);
        let lines = report.findings.len() + report.deviations.len() + 1;
        prop_assert_eq!(jsonl(&report).lines().count(), lines);
    }
}
