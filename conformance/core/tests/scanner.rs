//! Markers are found however they are encoded.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use conformance_core::scan::{Encoding, Scanner};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

/// The text in the escapes of JSON, with everything beyond ASCII escaped as Python does.
fn json(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap();
    let mut escaped = String::new();
    for character in quoted.chars() {
        if character.is_ascii() {
            escaped.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                write!(escaped, "\\u{unit:04x}").unwrap();
            }
        }
    }
    escaped
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_marker_is_found_in_every_encoding(
        stem in "[ -~à-ü]{4,16}",
        before in "\\PC{0,20}",
        after in "\\PC{0,20}",
    ) {
        let scanner = Scanner::new(std::slice::from_ref(&stem)).unwrap();
        let text = format!("{before}{stem}{after}");
        prop_assert!(scanner.find(&text).is_some(), "plain");
        prop_assert!(scanner.find(json(&text)).is_some(), "json");
        prop_assert!(scanner.find(STANDARD.encode(&text)).is_some(), "base64");
        prop_assert!(scanner.find(URL_SAFE_NO_PAD.encode(&text)).is_some(), "base64, url-safe");
        let percent = utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string();
        prop_assert!(scanner.find(&percent).is_some(), "percent");
        let unreserved =
            percent.replace("%2D", "-").replace("%5F", "_").replace("%2E", ".").replace("%7E", "~");
        prop_assert!(scanner.find(unreserved).is_some(), "percent, as RFC 3986 has it");
        let lower = percent.split('%').enumerate().map(|(at, part)| match at {
            0 => part.to_owned(),
            _ => format!("%{}{}", part[..2].to_lowercase(), &part[2..]),
        });
        prop_assert!(scanner.find(lower.collect::<String>()).is_some(), "percent, lower case");
    }

    #[test]
    fn other_text_is_left_alone(text in "[a-z ]{0,200}") {
        let stems = ["SPMP0F1E2D3C".to_owned(), "SPMC4B5A6978".to_owned()];
        let scanner = Scanner::new(&stems).unwrap();
        prop_assert_eq!(scanner.find(&text), None);
    }
}

#[test]
fn the_encoding_is_told() {
    let stem = "SPMP0F1E2D3C".to_owned();
    let scanner = Scanner::new(std::slice::from_ref(&stem)).unwrap();
    let encoding = |text: &str| scanner.find(text).map(|leak| leak.encoding);
    assert_eq!(encoding(&format!("a {stem}17")), Some(Encoding::Plain));
    for offset in 0..3 {
        let text = STANDARD.encode(format!("{}{stem}17", "x".repeat(offset)));
        assert_eq!(encoding(&text), Some(Encoding::Base64), "{text}");
    }
}

#[test]
fn stems_that_chance_would_find_are_not_looked_for() {
    assert!(Scanner::new(&[]).is_none());
    assert!(Scanner::new(&["abc".to_owned()]).is_none());
}
