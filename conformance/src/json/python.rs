//! Numbers that Python writes and JSON lacks: `NaN`, `Infinity` and `-Infinity`, without quotes.
//!
//! `json.dumps` writes them unless it is told not to, and the console exporters of the Python SDK do
//! not tell it. Each is replaced by an object that nothing else writes, so that a reader of JSON can
//! tell it from text.

use super::DecodeError;

/// The one key of the object that stands for such a number; its value is the token as text.
pub(crate) const KEY: &str = "$spanproof::number";

/// Longest first, since one is the end of another.
const TOKENS: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];

/// `text` with its tokens replaced; none if it has none. A token that `text` ends within is left
/// out: what follows is not known yet.
pub(crate) fn with_tokens_replaced(text: &[u8]) -> Option<Vec<u8>> {
    let mut tokens = Tokens::of(text);
    let mut replaced = Vec::new();
    let mut copied = 0;
    for Token { start, end, is_whole } in &mut tokens {
        replaced.extend_from_slice(&text[copied..start]);
        if is_whole {
            replaced.extend_from_slice(&replacement(&text[start..end]));
        }
        copied = end;
    }
    if copied == 0 {
        return None;
    }
    replaced.extend_from_slice(&text[copied..]);
    Some(replaced)
}

/// `error`, which is of the text with its tokens replaced, with its place in `text`.
pub(crate) fn placed_in(text: &[u8], error: DecodeError) -> DecodeError {
    let DecodeError::Invalid { message, line, column } = error else { return error };
    let written = text.split(|byte| *byte == b'\n').nth(line - 1).unwrap_or_default();
    let mut more = 0;
    for Token { start, end, .. } in Tokens::of(written) {
        let length = replacement(&written[start..end]).len();
        if column <= start + more {
            break;
        }
        if column <= start + more + length {
            return DecodeError::Invalid { message, line, column: start + 1 };
        }
        more += length - (end - start);
    }
    DecodeError::Invalid { message, line, column: column - more }
}

fn replacement(token: &[u8]) -> Vec<u8> {
    [b"{\"", KEY.as_bytes(), b"\":\"", token, b"\"}"].concat()
}

struct Token {
    start: usize,
    end: usize,
    /// Unless the text ends within it.
    is_whole: bool,
}

/// The tokens of a text that does not begin within a string.
struct Tokens<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Tokens<'t> {
    fn of(text: &'t [u8]) -> Self {
        Tokens { text, at: 0 }
    }

    /// Goes past the string whose opening quote was passed.
    fn skip_string(&mut self) {
        while let Some(found) = memchr::memchr2(b'"', b'\\', &self.text[self.at..]) {
            let is_end = self.text[self.at + found] == b'"';
            self.at = (self.at + found + if is_end { 1 } else { 2 }).min(self.text.len());
            if is_end {
                return;
            }
        }
        self.at = self.text.len();
    }

    /// The token that begins here.
    fn token(&self) -> Option<Token> {
        let rest = &self.text[self.at..];
        TOKENS.into_iter().find_map(|token| {
            let is_whole = rest.starts_with(token);
            let is_cut = rest.len() < token.len() && token.starts_with(rest) && rest != b"-";
            let end = self.at + token.len().min(rest.len());
            (is_whole || is_cut).then_some(Token { start: self.at, end, is_whole })
        })
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'"' => {
                    self.at += 1;
                    self.skip_string();
                }
                b'N' | b'I' | b'-' => match self.token() {
                    Some(token) => {
                        self.at = token.end;
                        return Some(token);
                    }
                    None => self.at += 1,
                },
                _ => self.at += 1,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(text: &str) -> Option<String> {
        let text = with_tokens_replaced(text.as_bytes())?;
        Some(String::from_utf8(text).unwrap().replace(KEY, "n"))
    }

    #[test]
    fn tokens_are_replaced_outside_strings() {
        assert_eq!(
            replaced(r#"[NaN, "NaN", "\"NaN", Infinity,-Infinity, -1]"#).unwrap(),
            r#"[{"n":"NaN"}, "NaN", "\"NaN", {"n":"Infinity"},{"n":"-Infinity"}, -1]"#
        );
        assert_eq!(replaced(r#"{"a": "NaN", "b": -1, "c": None}"#), None);
    }

    #[test]
    fn a_token_may_be_cut_anywhere() {
        for token in ["NaN", "Infinity", "-Infinity"] {
            for length in 1..token.len() {
                let replaced = replaced(&format!("[1, {}", &token[..length]));
                match &token[..length] {
                    "-" => assert_eq!(replaced, None),
                    _ => assert_eq!(replaced.unwrap(), "[1, "),
                }
            }
        }
    }

    #[test]
    fn errors_are_where_they_were() {
        let text = b"[1,\n NaN, NaN, what, NaN]";
        let replaced = with_tokens_replaced(text).unwrap();
        let error = serde_json::from_slice::<serde_json::Value>(&replaced).unwrap_err();
        let error = placed_in(text, error.into());
        assert!(matches!(error, DecodeError::Invalid { line: 2, column: 12, .. }), "{error:?}");
    }
}
