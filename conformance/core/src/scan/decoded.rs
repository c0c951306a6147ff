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
        each_run(text, &mut |run, has_hex| {
            if let Some(decoded) = self.afford(run.len()).and_then(|()| base64_decoded(run)) {
                show(self, &decoded, Encoding::Base64);
            }
            if !has_hex {
                return;
            }
            for digits in run.split(|byte| BASE64_VALUES[usize::from(*byte)] & HEX == 0) {
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

/// Shows every run of the signs of base64 that is long enough, and whether it has a run of
/// hexadecimal digits that is. A run that long has a sign at every so-many-th place, so that most
/// places are not looked at.
fn each_run(text: &[u8], show: &mut dyn FnMut(&[u8], bool)) {
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
            show(&text[start..end], has_hex(&text[start..end]));
        }
        before = end;
        at = end + SHORTEST_RUN;
    }
}

/// Whether a run of hexadecimal digits is long enough.
fn has_hex(run: &[u8]) -> bool {
    let mut length = 0;
    run.iter().any(|byte| {
        length = if BASE64_VALUES[usize::from(*byte)] & HEX != 0 { length + 1 } else { 0 };
        length == SHORTEST_RUN
    })
}

/// What stands in [`BASE64_VALUES`] for what is no sign of base64, in either alphabet.
const NO_BASE64: u8 = 64;

/// What is added to the value of what is a hexadecimal digit too.
const HEX: u8 = 128;

/// By byte, what it stands for: nearly every byte of telemetry that was never seen before is asked.
static BASE64_VALUES: [u8; 256] = base64_values();

const fn base64_values() -> [u8; 256] {
    let mut values = [NO_BASE64; 256];
    let mut letter = 0;
    while letter < 26 {
        values[b'A' as usize + letter as usize] = letter;
        values[b'a' as usize + letter as usize] = letter + 26;
        if letter < 6 {
            values[b'A' as usize + letter as usize] |= HEX;
            values[b'a' as usize + letter as usize] |= HEX;
        }
        letter += 1;
    }
    let mut digit = 0;
    while digit < 10 {
        values[b'0' as usize + digit as usize] = (digit + 52) | HEX;
        digit += 1;
    }
    (values[b'+' as usize], values[b'-' as usize]) = (62, 62);
    (values[b'/' as usize], values[b'_' as usize]) = (63, 63);
    values
}

fn base64_value(byte: u8) -> u8 {
    BASE64_VALUES[usize::from(byte)] & !HEX
}

fn is_base64(byte: u8) -> bool {
    base64_value(byte) != NO_BASE64
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
    let whole = (0..4).find_map(|offset| read_base64(run.get(offset..)?));
    whole.or_else(|| {
        let parts = run.split(|byte| base64_value(*byte) == base64_value(b'/'));
        parts.filter(|part| part.len() >= SHORTEST_RUN).find_map(read_base64)
    })
}

fn read_base64(run: &[u8]) -> Option<Vec<u8>> {
    // One sign beyond a group of four is not even a byte.
    let whole = if run.len() % 4 == 1 { &run[..run.len() - 1] } else { run };
    if !begins_as_text(&whole[..whole.len().min(FIRST)]) {
        return None;
    }
    let standard = whole.iter().map(|byte| match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => *other,
    });
    let standard: Vec<u8> = standard.collect();
    BASE64.decode(standard).ok().filter(|decoded| is_text(decoded))
}

/// Whether the first signs of a run stand for text. Most runs are no base64, which these tell, and
/// mostly the first byte.
fn begins_as_text(first: &[u8]) -> bool {
    if first.len() < 4 {
        return false;
    }
    let mut decoded = [0; FIRST / 4 * 3];
    let mut length = 0;
    let mut following = 0;
    for group in first.chunks(4) {
        let signs = group.iter().fold(0, |bits, sign| bits << 6 | u32::from(base64_value(*sign)));
        let bytes = (signs << (6 * (4 - group.len()))).to_be_bytes();
        let own = &bytes[1..group.len()];
        if !own.iter().all(|byte| goes_on(&mut following, *byte)) {
            return false;
        }
        decoded[length..length + own.len()].copy_from_slice(own);
        length += own.len();
    }
    is_text(&decoded[..length])
}

/// Whether a byte may go on a text that owes `following` bytes to the last character. This alone
/// does not prove text, and disproves most of what is none within a few bytes.
fn goes_on(following: &mut u8, byte: u8) -> bool {
    if *following > 0 {
        *following -= 1;
        return matches!(byte, 0x80..=0xbf);
    }
    *following = match byte {
        0xc2..=0xdf => 1,
        0xe0..=0xef => 2,
        0xf0..=0xf4 => 3,
        byte => return byte < 0x80 && is_of_text(byte),
    };
    true
}

/// The text that hexadecimal digits stand for, also where the first of them was cut off.
fn unhexed(digits: &[u8]) -> Option<Vec<u8>> {
    let read = |digits: &[u8]| {
        let bytes = || digits.chunks_exact(2).map_while(byte_of);
        // Most digits are of numbers and ids, which the first bytes tell.
        if !bytes().all(is_of_text) {
            return None;
        }
        Some(bytes().collect()).filter(|bytes: &Vec<u8>| is_text(bytes))
    };
    read(digits).or_else(|| read(&digits[1..]))
}

/// Whether bytes are text: UTF-8, which may be cut at its end, without control characters.
fn is_text(bytes: &[u8]) -> bool {
    if !bytes.iter().all(|byte| is_of_text(*byte)) {
        return false;
    }
    match std::str::from_utf8(bytes) {
        Ok(_) => !bytes.is_empty(),
        Err(error) => error.error_len().is_none() && error.valid_up_to() > 0,
    }
}

/// Whether a byte may be of text.
fn is_of_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | 32..=126 | 128..)
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

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
    fn an_encoding_that_was_cut_anywhere_reads_as_what_is_left() {
        let plain = "write to ines@example.com, größer 漢字";
        let (base64, hex) = (BASE64.encode(plain), crate::model::hex(plain.as_bytes()));
        for start in 0..8 {
            for end in start + SHORTEST_RUN + 4..=base64.trim_end_matches('=').len() {
                // From the first group that is whole to the last byte that is.
                let read = &plain.as_bytes()[start.div_ceil(4) * 3..end * 6 / 8];
                let read = (String::from_utf8_lossy(read).into_owned(), Encoding::Base64);
                assert!(decoded(&base64[start..end]).contains(&read), "{start}..{end}: {read:?}");
            }
            let read = (plain[start.div_ceil(2)..].to_owned(), Encoding::Hex);
            assert!(decoded(&hex[start..]).contains(&read), "{start}..: {read:?}");
        }
    }

    type Encode = fn(&String) -> String;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn encoded_texts_side_by_side_are_all_read(
            texts in prop::collection::vec("[ -~]{9,12}|[ -~à-ü一-鿿😀-😏]{9,30}", 1..4),
        ) {
            let encodings: [(Encoding, Encode); 3] = [
                (Encoding::Base64, |text| STANDARD_NO_PAD.encode(text)),
                (Encoding::Base64, |text| URL_SAFE_NO_PAD.encode(text)),
                (Encoding::Hex, |text| crate::model::hex(text.as_bytes())),
            ];
            for (encoding, encode) in encodings {
                let all = decoded(&texts.iter().map(encode).collect::<Vec<_>>().join(" "));
                for text in &texts {
                    prop_assert!(all.contains(&(text.clone(), encoding)), "{:?}: {:?}", text, all);
                }
            }
        }
    }

    #[test]
    fn the_shortest_run_that_is_decoded_has_twelve_signs() {
        assert_eq!(
            decoded(&crate::model::hex("é, b!".as_bytes())),
            [("é, b!".to_owned(), Encoding::Hex)]
        );
        assert_eq!(decoded(&crate::model::hex(b"a, b!")), []);
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
