//! Text that fits: line breaks, and values cut short.

/// The most columns a line for people has.
pub(super) const WIDTH: usize = 100;

/// `text` on one line: control characters escaped, and all but the first `limit` characters left
/// out, with an ellipsis.
pub(super) fn shortened(text: &str, limit: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    for character in text.chars() {
        let escaped = escape(character);
        let width = escaped.chars().count();
        if length + width > limit {
            // The ellipsis takes the place of what no longer fits.
            while line.chars().count() >= limit {
                line.pop();
            }
            line.push('…');
            return line;
        }
        length += width;
        line.push_str(&escaped);
    }
    line
}

/// `text` broken at spaces, each line behind `indent` spaces and within [`WIDTH`].
pub(super) fn wrapped(text: &str, indent: usize) -> String {
    let room = WIDTH - indent;
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = shortened(word, room);
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    let margin = " ".repeat(indent);
    lines.iter().flat_map(|line| [&margin, line.as_str(), "\n"]).collect()
}

/// Escape sequences in telemetry must not reach the terminal.
fn escape(character: char) -> String {
    if character.is_control() || ('\u{202a}'..='\u{202e}').contains(&character) {
        character.escape_default().to_string()
    } else {
        character.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn shortened_text_fits_on_one_line(text: String, limit in 1..50_usize) {
            let short = shortened(&text, limit);
            prop_assert!(short.chars().count() <= limit);
            prop_assert!(!short.chars().any(char::is_control));
        }

        #[test]
        fn wrapped_text_fits(text: String, indent in 0..20_usize) {
            for line in wrapped(&text, indent).lines() {
                prop_assert!(line.chars().count() <= WIDTH);
            }
        }
    }

    #[test]
    fn what_fits_stays() {
        assert_eq!(shortened("five!", 5), "five!");
        assert_eq!(shortened("sixsix", 5), "sixs…");
        assert_eq!(shortened("a\u{1b}[31m\nb", 20), "a\\u{1b}[31m\\nb");
    }
}
