//! Text of telemetry in Markdown, where it must stay text.

use crate::report::text::visible;

/// `text` as code. Between the pipes of a table as well, where even code needs a backslash.
pub(super) fn code(text: &str) -> String {
    let text = visible(text).replace('|', "\\|");
    if text.trim().is_empty() {
        return "(empty)".to_owned();
    }
    let longest = text.split(|sign| sign != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // A space keeps a backtick of the text apart from the fence, and is not shown.
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// A sentence of spanproof's own that may quote telemetry between backticks: what stands between
/// them is code, everything else is text.
pub(super) fn prose(sentence: &str) -> String {
    let sentence = visible(sentence);
    let mut parts: Vec<&str> = sentence.split('`').collect();
    // A backtick without a partner is one.
    let last = if parts.len().is_multiple_of(2) { parts.pop() } else { None };
    let mut out = String::new();
    for (at, part) in parts.iter().enumerate() {
        match at % 2 {
            0 => push_escaped(part, &mut out),
            _ => out.push_str(&code(part)),
        }
    }
    if let Some(last) = last {
        out.push_str("\\`");
        push_escaped(last, &mut out);
    }
    out
}

fn push_escaped(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // Mentions notify people, and addresses become links.
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '~' | '|' | '!' | '$' => {
                out.push('\\');
                out.push(character);
            }
            _ => out.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telemetry_stays_text() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a``b`"), "``` a``b` ```");
        assert_eq!(code("a|b\nc"), "`a\\|b\\nc`");
        assert_eq!(code(" "), "(empty)");
        assert_eq!(prose("`x_y` is not <b>"), "`x_y` is not &lt;b&gt;");
        assert_eq!(prose("an odd ` and *this*"), "an odd \\` and \\*this\\*");
    }
}
