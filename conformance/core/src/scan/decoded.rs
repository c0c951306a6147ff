//! What text reads when the encodings that it went through are undone.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::Encoding;

/// How much of a text is decoded, in bytes: far more than telemetry should hold.
const LONGEST: usize = 1 << 20;

/// How much is decoded for one text in all, its encodings within each other taken together.
const MOST_BYTES: usize = 4 * LONGEST;

/// How often a text may have been encoded.
const DEPTH: usize = 3;

/// The shortest run of letters and digits that is decoded, in bytes. Shorter ones hold little, and
/// every word would be tried.
const SHORTEST_RUN: usize = 12;

/// How much of a run tells whether it is text once decoded, in bytes.
const FIRST: usize = 16;

/// Base64 as it is found amid text: without padding, perhaps cut.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Sees decoded text, and what it was encoded in.
type See<'s> = dyn FnMut(&[u8], Encoding) + 's;

/// Undoes encodings: the escapes of JSON and of URLs, base64 of either alphabet, hexadecimal, and
/// these within each other.
pub(super) struct Decoder {
    /// How many bytes may still be decoded.
    left: usize,
}

impl Default for Decoder {
    fn default() -> Decoder {
        Decoder { left: MOST_BYTES }
    }
}

impl Decoder {
    /// Shows everything that a text reads once decoded.
    pub(super) fn each(&mut self, text: &[u8], see: &mut See<'_>) {
        self.at_depth(&text[..text.len().min(LONGEST)], Encoding::Plain, 0, see);
    }

    fn at_depth(&mut self, text: &[u8], outer: Encoding, depth: usize, see: &mut See<'_>) {
        if depth == DEPTH {
            return;
        }
        let mut show = |decoder: &mut Decoder, decoded: &[u8], encoding: Encoding| {
            let encoding = if outer == Encoding::Plain { encoding } else { outer };
            see(decoded, encoding);
            decoder.at_depth(decoded, encoding, depth + 1, see);
        };
        if text.contains(&b'\\')
            && let Some(decoded) = self.afford(text.len()).and_then(|()| unescaped(text))
        {
            show(self, &decoded, Encoding::Json);
        }
        if text.contains(&b'%')
            && let Some(decoded) = self.afford(text.len()).and_then(|()| percent_decoded(text))
        {
            show(self, &decoded, Encoding::Percent);
        }
        if text.len() < SHORTEST_RUN {
            return;
        }
        each_run(text, &mut |run| {
            if let Some(decoded) = self.afford(run.len()).and_then(|()| base64_decoded(run)) {
                show(self, &decoded, Encoding::Base64);
            }
            for digits in run.split(|byte| !byte.is_ascii_hexdigit()) {
                if digits.len() >= SHORTEST_RUN
                    && let Some(decoded) = self.afford(digits.len()).and_then(|()| unhexed(digits))
                {
                    show(self, &decoded, Encoding::Hex);
                }
            }
        });
    }

    fn afford(&mut self, bytes: usize) -> Option<()> {
        self.left = self.left.checked_sub(bytes)?;
        Some(())
    }
}

/// Shows every run of the signs of base64 that is long enough. A run that long has a sign at every
/// so-many-th place, so that most places are not looked at.
fn each_run(text: &[u8], show: &mut dyn FnMut(&[u8])) {
    let mut at = SHORTEST_RUN - 1;
    let mut before = 0;
    while at < text.len() {
        if !is_base64(text[at]) {
            at += SHORTEST_RUN;
            continue;
        }
        let start = text[before..at].iter().rposition(|byte| !is_base64(*byte));
        let start = start.map_or(before, |place| before + place + 1);
        let length = text[at..].iter().take_while(|byte| is_base64(**byte)).count();
        let end = at + length;
        if end - start >= SHORTEST_RUN {
            show(&text[start..end]);
        }
        before = end;
        at = end + SHORTEST_RUN;
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte)
}

/// Text without the escapes of JSON; nothing if it has none.
fn unescaped(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut is_changed = false;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        out.extend_from_slice(&rest[..at]);
        let (read, length) = match rest.get(at + 1) {
            Some(b'n') => ('\n', 2),
            Some(b'r') => ('\r', 2),
            Some(b't') => ('\t', 2),
            Some(byte @ (b'"' | b'\\' | b'/')) => (char::from(*byte), 2),
            Some(b'u') => unit(&rest[at..]).unwrap_or(('\\', 1)),
            _ => ('\\', 1),
        };
        is_changed |= length > 1;
        out.extend_from_slice(read.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &rest[at + length..];
    }
    out.extend_from_slice(rest);
    is_changed.then_some(out)
}

/// The character that `\uXXXX`, or two of them, stand for, and how many bytes they take.
fn unit(text: &[u8]) -> Option<(char, usize)> {
    let digits = |at: usize| {
        let escape = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        let escape = std::str::from_utf8(escape).ok()?;
        u16::from_str_radix(escape, 16).ok()
    };
    let first = digits(0)?;
    if let Some(character) = char::from_u32(u32::from(first)) {
        return Some((character, 6));
    }
    let pair = [first, digits(6)?];
    let character = char::decode_utf16(pair).next()?.ok()?;
    Some((character, 12))
}

/// Text without percent escapes; nothing if it has none.
fn percent_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    let mut is_changed = false;
    while let Some(byte) = text.get(at) {
        match (byte, text.get(at + 1..at + 3).and_then(byte_of)) {
            (b'%', Some(decoded)) => {
                out.push(decoded);
                is_changed = true;
                at += 3;
            }
            (byte, _) => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    is_changed.then_some(out)
}

/// The byte that two hexadecimal digits stand for.
fn byte_of(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()
}

/// The text that a run of base64 stands for: of all of it, also where its beginning was cut off, or
/// of a part between slashes.
fn base64_decoded(run: &[u8]) -> Option<Vec<u8>> {
    let standard: Vec<u8> = run
        .iter()
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        })
        .collect();
    let whole = (0..4).find_map(|offset| read_base64(standard.get(offset..)?));
    whole.or_else(|| {
        let parts = standard.split(|byte| *byte == b'/');
        parts.filter(|part| part.len() >= SHORTEST_RUN).find_map(read_base64)
    })
}

fn read_base64(run: &[u8]) -> Option<Vec<u8>> {
    // Most runs are no base64, which the first of their bytes tell.
    let first = &run[..run.len().min(FIRST)];
    if first.len() < 4 || !is_text(&BASE64.decode(first).ok()?) {
        return None;
    }
    let whole = if run.len() % 4 == 1 { &run[..run.len() - 1] } else { run };
    BASE64.decode(whole).ok().filter(|decoded| is_text(decoded))
}

/// The text that hexadecimal digits stand for, also where the first of them was cut off.
fn unhexed(digits: &[u8]) -> Option<Vec<u8>> {
    let read = |digits: &[u8]| {
        let bytes: Option<Vec<u8>> = digits.chunks_exact(2).map(byte_of).collect();
        bytes.filter(|bytes| is_text(bytes))
    };
    read(digits).or_else(|| read(&digits[1..]))
}

/// Whether bytes are text: UTF-8, which may be cut at its end, without control characters.
fn is_text(bytes: &[u8]) -> bool {
    let valid = match std::str::from_utf8(bytes) {
        Ok(_) => bytes,
        Err(error) if error.error_len().is_none() => &bytes[..error.valid_up_to()],
        Err(_) => return false,
    };
    !valid.is_empty()
        && valid.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | 32..=126 | 128..))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Vec<(String, Encoding)> {
        let mut all = Vec::new();
        Decoder::default().each(text.as_bytes(), &mut |text, encoding| {
            all.push((String::from_utf8_lossy(text).into_owned(), encoding));
        });
        all
    }

    #[test]
    fn encodings_are_undone_one_within_the_other() {
        let plain = "ines@example.com, größer";
        let base64 = BASE64.encode(plain);
        for (text, encoding) in [
            ("ines\\u0040example.com, gr\\u00f6\\u00dfer".to_owned(), Encoding::Json),
            ("ines%40example.com%2C%20gr%c3%b6%C3%9Fer".to_owned(), Encoding::Percent),
            (base64.clone(), Encoding::Base64),
            (format!("https://x.example/{base64}"), Encoding::Base64),
            (crate::model::hex(plain.as_bytes()), Encoding::Hex),
            (BASE64.encode(crate::model::hex(plain.as_bytes())), Encoding::Base64),
        ] {
            let all = decoded(&text);
            assert!(all.contains(&(plain.to_owned(), encoding)), "{text}: {all:?}");
        }
        assert_eq!(decoded("a \\ud83d\\ude00 b"), [("a 😀 b".to_owned(), Encoding::Json)]);
    }

    #[test]
    fn what_is_not_encoded_reads_as_nothing_else() {
        for text in [
            "anthropic.claude-3-7-sonnet-20250219-v1:0",
            "0af7651916cd43dd8448eb211c80319c",
            "msg_bdrk_01XFDUDYJgAACzvnptvVoYEL",
            "550e8400-e29b-41d4-a716-446655440000",
            "100 % of it, C:\\path",
            "a \\ud83d b",
        ] {
            assert_eq!(decoded(text), [], "{text}");
        }
    }
}
