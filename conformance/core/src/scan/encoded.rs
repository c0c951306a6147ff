//! The forms that a marker takes when text is encoded.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// How something stood in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Plain,
    /// With the escapes of JSON.
    Json,
    /// In base64, of either alphabet.
    Base64,
    /// With the percent escapes of URLs.
    Percent,
    /// In hexadecimal.
    Hex,
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
            Encoding::Hex => "hexadecimal",
        }
    }

    /// The encoding of what is so encoded in text that was `outer`: the outer one tells where to
    /// look.
    pub(super) fn within(self, outer: Encoding) -> Encoding {
        if outer == Encoding::Plain { self } else { outer }
    }
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

/// Every form in which a stem may stand in telemetry, also amid bytes that are no text.
pub(super) fn forms(stem: &str) -> Vec<(Encoding, String)> {
    let json: String = stem.chars().map(json_escaped).collect();
    let mut forms = vec![(Encoding::Plain, stem.to_owned()), (Encoding::Json, json)];
    for kept in KEPT_IN_URLS {
        for upper in [true, false] {
            forms.push((Encoding::Percent, percent(stem, kept, upper)));
        }
    }
    let hex = crate::model::hex(stem.as_bytes());
    forms.extend([(Encoding::Hex, hex.to_uppercase()), (Encoding::Hex, hex)]);
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
