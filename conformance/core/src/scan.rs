//! Finding planted markers in text, however it was encoded on the way.

use std::fmt::Write as _;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// How a marker stood in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As it was planted.
    Plain,
    /// With the escapes of JSON.
    Json,
    /// In base64, of either alphabet.
    Base64,
    /// With the percent escapes of URLs.
    Percent,
}

impl Encoding {
    /// The word for people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Encoding::Plain => "plain",
            Encoding::Json => "JSON-escaped",
            Encoding::Base64 => "base64",
            Encoding::Percent => "percent-encoded",
        }
    }
}

/// Looks for the stems that every planted marker begins with.
#[derive(Debug)]
pub struct Scanner {
    automaton: AhoCorasick,
    patterns: Vec<(Encoding, Origin)>,
    /// The length of the shortest text that is looked for, in bytes.
    shortest: usize,
}

/// Whose text a marker marks, as its stem tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A prompt's.
    Prompt,
    /// A completion's.
    Completion,
    /// The stem is not one of spanproof's own.
    Unknown,
}

impl Origin {
    /// What the beginning of a marker tells.
    pub(crate) fn of(marker: &str) -> Origin {
        match marker.get(..4) {
            Some("SPMP") => Origin::Prompt,
            Some("SPMC") => Origin::Completion,
            _ => Origin::Unknown,
        }
    }
}

/// A marker that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leak {
    /// How it was encoded.
    pub encoding: Encoding,
    /// Whose text it is.
    pub origin: Origin,
}

/// Stems shorter than this would be found by chance in base64.
const SHORTEST_STEM: usize = 4;

impl Scanner {
    /// A scanner for these stems; nothing if none is long enough to look for.
    #[must_use]
    pub fn new(stems: &[String]) -> Option<Scanner> {
        let mut texts: Vec<String> = Vec::new();
        let mut patterns = Vec::new();
        for stem in stems.iter().filter(|stem| stem.len() >= SHORTEST_STEM) {
            let origin = Origin::of(stem);
            for (encoding, text) in encoded(stem) {
                if !texts.contains(&text) {
                    texts.push(text);
                    patterns.push((encoding, origin));
                }
            }
        }
        if texts.is_empty() {
            return None;
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&texts)
            .ok()?;
        let shortest = texts.iter().map(String::len).min().unwrap_or(0);
        Some(Scanner { automaton, patterns, shortest })
    }

    /// The first marker in `text`.
    #[must_use]
    pub fn find(&self, text: impl AsRef<[u8]>) -> Option<Leak> {
        let text = text.as_ref();
        // Most texts of telemetry are shorter than any marker.
        if text.len() < self.shortest {
            return None;
        }
        let found = self.automaton.find(text)?;
        let (encoding, origin) = self.patterns[found.pattern().as_usize()];
        Some(Leak { encoding, origin })
    }

    /// Replaces a text that holds a marker by a note of its length.
    pub(crate) fn mask(&self, text: &mut String) {
        if self.find(text.as_bytes()).is_some() {
            *text = masked(text.len());
        }
    }
}

/// What stands in a report for leaked text.
#[must_use]
pub fn masked(bytes: usize) -> String {
    format!("(masked: {bytes} bytes with a planted marker)")
}

/// What encoders leave as it is beside letters and digits: nothing, the unreserved characters of
/// RFC 3986, those of JavaScript's `encodeURIComponent`, and those of forms, where a space is `+`.
const KEPT_IN_URLS: [&str; 4] = ["", "-_.~", "-_.!~*'()", "-_.* "];

fn percent(stem: &str, kept: &str, upper: bool) -> String {
    let escape = |byte: u8| match char::from(byte) {
        ' ' if kept.contains(' ') => "+".to_owned(),
        plain if plain.is_ascii_alphanumeric() || kept.contains(plain) => plain.to_string(),
        _ if upper => format!("%{byte:02X}"),
        _ => format!("%{byte:02x}"),
    };
    stem.bytes().map(escape).collect()
}

/// Every form in which a stem may stand in telemetry.
fn encoded(stem: &str) -> Vec<(Encoding, String)> {
    let json: String = stem.chars().map(json_escaped).collect();
    let mut forms = vec![(Encoding::Plain, stem.to_owned()), (Encoding::Json, json)];
    for kept in KEPT_IN_URLS {
        for upper in [true, false] {
            forms.push((Encoding::Percent, percent(stem, kept, upper)));
        }
    }
    for offset in 0..3 {
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            // The text before the stem shifts it within a group of three bytes. The characters
            // that also hold bits of a neighbour are unknown and left out.
            let shifted = [&vec![0_u8; offset][..], stem.as_bytes()].concat();
            let text = engine.encode(&shifted);
            let first = (offset * 8).div_ceil(6);
            let whole = shifted.len() * 8 / 6;
            forms.push((Encoding::Base64, text[first..whole].to_owned()));
        }
    }
    forms
}

fn json_escaped(character: char) -> String {
    match character {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        other if other.is_ascii() && !other.is_ascii_control() => other.to_string(),
        other => {
            let mut escaped = String::new();
            for unit in other.encode_utf16(&mut [0; 2]) {
                // Writing into a string cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
            escaped
        }
    }
}
