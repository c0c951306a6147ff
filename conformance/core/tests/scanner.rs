//! What was planted, and what looks like a credential or personal data, is found however it is
//! encoded; other text is left alone.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use conformance_core::scan::{Encoding, Hits, Plantings, Scanner, Sensitive};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use spanproof_schemas::ledger::{MarkerKind, Planted};

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

fn percent(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn hex(text: &str) -> String {
    conformance_core::model::hex(text.as_bytes())
}

/// A way that text takes before it stands in telemetry.
type Encode = fn(&str) -> String;

const ENCODINGS: [(&str, Encode); 8] = [
    ("plain", str::to_owned),
    ("json", json),
    ("base64", |text| STANDARD.encode(text)),
    ("base64, url-safe", |text| URL_SAFE_NO_PAD.encode(text)),
    ("percent", percent),
    ("percent, lower case", |text| {
        let encoded = percent(text);
        let parts = encoded.split('%').enumerate().map(|(at, part)| match at {
            0 => part.to_owned(),
            _ => format!("%{}{}", part[..2].to_lowercase(), &part[2..]),
        });
        parts.collect()
    }),
    ("hexadecimal", hex),
    ("hexadecimal, upper case", |text| hex(text).to_uppercase()),
];

fn stems(stems: &[&str]) -> Scanner {
    let stems = stems.iter().map(|stem| (*stem).to_owned()).collect();
    Scanner::new(&Plantings { stems, values: Vec::new() })
}

fn hits(scanner: &Scanner, text: &str) -> Hits {
    let mut hits = Hits::default();
    scanner.scan(text.as_bytes(), &mut hits);
    hits
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_marker_is_found_in_every_encoding(
        stem in "[ -~à-ü]{4,16}",
        before in "\\PC{0,20}",
        after in "\\PC{0,20}",
    ) {
        let scanner = stems(&[&stem]);
        let text = format!("{before}{stem}{after}");
        for (name, encode) in ENCODINGS {
            prop_assert!(scanner.find(encode(&text)).is_some(), "{}", name);
        }
        let unreserved = percent(&text)
            .replace("%2D", "-").replace("%5F", "_").replace("%2E", ".").replace("%7E", "~");
        prop_assert!(scanner.find(unreserved).is_some(), "percent, as RFC 3986 has it");
    }

    #[test]
    fn a_marker_is_found_amid_bytes_that_are_no_text(
        before in prop::collection::vec(any::<u8>(), 0..20),
        after in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let bytes = [&before[..], b"SPMP0F1E2D3C17", &after].concat();
        let scanner = stems(&["SPMP0F1E2D3C"]);
        prop_assert!(scanner.find(&bytes).is_some());
        prop_assert!(scanner.find(STANDARD.encode(&bytes)).is_some());
    }

    #[test]
    fn a_marker_is_found_that_was_cut_after_its_eighth_character(length in 8_usize..20) {
        let marker = "SPMP0F1E2D3C000017XY";
        let text = format!("please summarise {}", &marker[..length]);
        for (name, encode) in ENCODINGS {
            prop_assert!(stems(&["SPMP0F1E2D3C"]).find(encode(&text)).is_some(), "{}", name);
        }
    }

    #[test]
    fn a_planted_value_is_known_in_every_encoding_and_in_two_of_them(
        seed: u64,
        kind in 0_usize..8,
        origin in prop::sample::select(&[MarkerKind::Prompt, MarkerKind::Completion]),
        before in "([a-zà-ü]{1,9} ){0,4}",
        after in "( [a-zà-ü]{1,9}){0,4}",
        first in 0..ENCODINGS.len(),
        second in 0..ENCODINGS.len(),
    ) {
        let values = Planted::all(origin, seed);
        let planted = values[kind].clone();
        let scanner = Scanner::new(&Plantings { stems: Vec::new(), values });
        let text = format!("{before}{}{after}", planted.value);
        let encoded = ENCODINGS[second].1(&ENCODINGS[first].1(&text));
        let found = hits(&scanner, &encoded);
        let is_known = found.suspects.iter().any(|suspect| suspect.planted.is_some());
        prop_assert!(is_known, "{} in {}: {:?}", ENCODINGS[first].0, ENCODINGS[second].0, found);
    }

    #[test]
    fn what_is_planted_is_recognised_without_a_ledger_in_its_sentence(
        seed: u64,
        kind in 0_usize..8,
        encoding in 0..ENCODINGS.len(),
    ) {
        let planted = &Planted::all(MarkerKind::Prompt, seed)[kind];
        let text = format!("It is so. {} It was so.", planted.sentence());
        let found = hits(&stems(&[]), &ENCODINGS[encoding].1(&text));
        prop_assert_eq!(found.suspects.len(), 1, "{:?}: {:?}", planted, found);
        prop_assert_eq!(found.suspects[0].planted, None);
    }

    #[test]
    fn other_text_is_left_alone(text in "[a-z ]{0,200}") {
        let scanner = stems(&["SPMP0F1E2D3C", "SPMC4B5A6978"]);
        prop_assert!(hits(&scanner, &text).is_empty());
    }

    #[test]
    fn what_telemetry_is_full_of_is_left_alone(
        trace in "[0-9a-f]{32}",
        span in "[0-9a-f]{16}",
        uuid in "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        nanos in 1_500_000_000_000_000_000_u64..2_500_000_000_000_000_000,
        version in "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,4}(-[a-z]{2,5}\\.[0-9]{1,8})?",
        account in "[0-9]{12}",
        base64 in prop::collection::vec(any::<u8>(), 48).prop_map(|bytes| STANDARD.encode(bytes)),
    ) {
        let scanner = stems(&["SPMP0F1E2D3C", "SPMC4B5A6978"]);
        for text in [
            format!("00-{trace}-{span}-01"),
            uuid,
            format!("{nanos}"),
            format!("{}", nanos / 1_000_000),
            format!("aws-sdk/{version} (linux; {account})"),
            format!("arn:aws:bedrock:us-east-1:{account}:inference-profile/us.amazon.nova-pro-v1:0"),
            base64,
        ] {
            let found = hits(&scanner, &text);
            prop_assert!(found.is_empty(), "{}: {:?}", text, found);
        }
    }

    #[test]
    fn any_bytes_are_searched_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut found = Hits::default();
        let values = Planted::all(MarkerKind::Prompt, 1);
        let plantings = Plantings { stems: vec!["SPMP0F1E2D3C".to_owned()], values };
        Scanner::new(&plantings).scan(&bytes, &mut found);
        prop_assert_eq!(found.marker, None);
    }

    #[test]
    fn any_text_of_numbers_and_signs_is_searched_to_its_end(text in "[0-9@%\\\\+()u./ -]{0,200}") {
        hits(&stems(&[]), &text);
    }
}

#[test]
fn the_encoding_is_told() {
    let scanner = stems(&["SPMP0F1E2D3C"]);
    let encoding = |text: &str| scanner.find(text).map(|leak| leak.encoding);
    assert_eq!(encoding("a SPMP0F1E2D3C17"), Some(Encoding::Plain));
    for offset in 0..3 {
        let text = STANDARD.encode(format!("{}SPMP0F1E2D3C17", "x".repeat(offset)));
        assert_eq!(encoding(&text), Some(Encoding::Base64), "{text}");
    }
    assert_eq!(encoding(&hex("a SPMP0F1E2D3C17")), Some(Encoding::Hex));
}

#[test]
fn a_planted_number_is_known_however_it_is_written() {
    let values = Planted::all(MarkerKind::Prompt, 1);
    let scanner = Scanner::new(&Plantings { stems: Vec::new(), values });
    for (text, kind) in [
        ("+15055550162", Sensitive::Phone),
        ("(505) 555-0162", Sensitive::Phone),
        ("6011-1111-1111-1117", Sensitive::Card),
        ("ssn 985452555", Sensitive::SocialSecurityNumber),
    ] {
        let found = hits(&scanner, text).suspects;
        let is_known = matches!(&found[..], [one] if one.kind == kind && one.planted.is_some());
        assert!(is_known, "{text}: {found:?}");
    }
}

#[test]
fn stems_that_chance_would_find_are_not_looked_for() {
    assert_eq!(stems(&["abc"]).find("an abc of it"), None);
}
