//! Text that fits and that hides nothing: line breaks, values cut short, invisible characters made
//! visible.

use unicode_width::UnicodeWidthChar as _;

/// The most columns a line for people has.
pub(super) const WIDTH: usize = 80;

/// `text` with every character spelt out that is not seen as itself: control characters, which
/// move a terminal's cursor and which XML forbids; those that turn the direction of text or take no
/// room, behind which something else can hide; line separators; and what is no character.
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        push_visible(character, &mut out);
    }
    out
}

fn push_visible(character: char, out: &mut String) {
    if is_hidden(character) {
        out.extend(character.escape_default());
    } else {
        out.push(character);
    }
}

fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
        // The last two of each plane are none.
        || u32::from(character) & 0xfffe == 0xfffe
        || matches!(character, '\u{fdd0}'..='\u{fdef}')
}

/// The columns that `text` takes on a terminal.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(|character| character.width().unwrap_or(0)).sum()
}

/// `text` on one line of at most `limit` columns: made visible, and cut with an ellipsis.
pub(super) fn shortened(text: &str, limit: usize) -> String {
    let line = visible(text);
    if columns(&line) <= limit {
        return line;
    }
    let mut short = String::new();
    let mut used = 0;
    for character in line.chars() {
        used += character.width().unwrap_or(0);
        // The ellipsis takes a column.
        if used >= limit {
            break;
        }
        short.push(character);
    }
    short.push('…');
    short
}

/// `text` at the left of a field of `width` columns, cut where it is longer.
pub(super) fn padded(text: &str, width: usize) -> String {
    let text = shortened(text, width);
    let blank = width.saturating_sub(columns(&text));
    text + &" ".repeat(blank)
}

/// `text` broken at spaces, each line behind `indent` spaces and within [`WIDTH`].
pub(super) fn wrapped(text: &str, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let lines = lines(text, WIDTH - indent);
    lines.iter().flat_map(|line| [&margin, line.as_str(), "\n"]).collect()
}

/// `text` broken at spaces behind `indent` columns, in which `title` stands behind `margin` spaces.
pub(super) fn titled(title: &str, text: &str, margin: usize, indent: usize) -> String {
    let mut block = wrapped(text, indent);
    if block.len() >= indent {
        block.replace_range(margin..indent, &padded(title, indent - margin));
    }
    block
}

/// `text` broken at spaces into lines of at most `room` columns.
fn lines(text: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = shortened(word, room);
        match lines.last_mut() {
            Some(line) if columns(line) + 1 + columns(&word) <= room => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(begun(&word, room)),
        }
    }
    lines
}

/// A word as a line may begin with it: the runner of GitHub Actions takes a line that begins with
/// these signs for a command, wherever it is logged.
fn begun(word: &str, room: usize) -> String {
    if word.starts_with("::") || word.starts_with("##[") {
        return shortened(&format!("\\{word}"), room);
    }
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn shortened_text_fits_on_one_line(text: String, limit in 1..50_usize) {
            let short = shortened(&text, limit);
            prop_assert!(columns(&short) <= limit, "{short}");
            prop_assert!(!short.chars().any(char::is_control));
            prop_assert_eq!(columns(&padded(&text, limit)), limit);
        }

        #[test]
        fn wrapped_text_fits(text: String, indent in 0..20_usize) {
            for line in wrapped(&text, indent).lines() {
                prop_assert!(columns(line) <= WIDTH);
            }
        }
    }

    #[test]
    fn what_fits_stays() {
        assert_eq!(shortened("five!", 5), "five!");
        assert_eq!(shortened("sixsix", 5), "sixs…");
        assert_eq!(shortened("a\u{1b}[31m\nb", 20), "a\\u{1b}[31m\\nb");
        assert_eq!(shortened("a\u{202e}b\u{200b}", 20), "a\\u{202e}b\\u{200b}");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(shortened("日本語", 6), "日本語");
        assert_eq!(shortened("日本語", 5), "日本…");
    }
}
