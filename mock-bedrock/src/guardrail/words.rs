//! Words and phrases in texts, whatever their capitals.

/// A word or phrase to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phrase(String);

/// A text made ready to be searched for phrases: every character has its lower-case form, one for
/// one, so that positions in characters stay.
#[derive(Clone, Debug)]
pub(crate) struct Folded(String);

impl Phrase {
    pub(crate) fn of(text: &str) -> Self {
        Phrase(fold(text.trim()))
    }
}

impl Folded {
    pub(crate) fn of(text: &str) -> Self {
        Folded(fold(text))
    }

    /// Where `phrase` begins and ends, in characters, wherever it stands between characters that
    /// are neither letters nor digits.
    pub(crate) fn all(&self, phrase: &Phrase) -> Vec<(usize, usize)> {
        let length = phrase.0.chars().count();
        let (mut from, mut before) = (0, 0);
        self.bytes(phrase)
            .map(|at| {
                before += self.0[from..at].chars().count();
                from = at;
                (before, before + length)
            })
            .collect()
    }

    pub(crate) fn has(&self, phrase: &Phrase) -> bool {
        self.bytes(phrase).next().is_some()
    }

    fn bytes<'a>(&'a self, phrase: &'a Phrase) -> impl Iterator<Item = usize> + 'a {
        let is_part = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        let text = if phrase.0.is_empty() { "" } else { self.0.as_str() };
        text.match_indices(phrase.0.as_str()).map(|(at, _)| at).filter(move |at| {
            let (before, after) = (&self.0[..*at], &self.0[at + phrase.0.len()..]);
            !phrase.0.is_empty()
                && !is_part(before.chars().next_back())
                && !is_part(after.chars().next())
        })
    }

    /// The words of at least `length` letters and digits.
    pub(crate) fn long_words(&self, length: usize) -> impl Iterator<Item = &str> {
        self.0
            .split(|letter: char| !letter.is_alphanumeric())
            .filter(move |word| word.chars().count() >= length)
    }
}

fn fold(text: &str) -> String {
    text.chars().map(|letter| letter.to_lowercase().next().unwrap_or(letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_met_between_letters_of_none() {
        for (text, phrase, is_met) in [
            ("Sell STOCKS, now", "stocks", true),
            ("livestocks", "stocks", false),
            ("stocksy and stocks", "stocks", true),
            ("the code name Neptune!", "code name neptune", true),
            ("总结一下机密代号海神的进展", "机密代号海神", false),
            ("总结一下 机密代号海神 的进展", "机密代号海神", true),
            ("ÄRGER", "ärger", true),
            ("anything", " ", false),
        ] {
            assert_eq!(Folded::of(text).has(&Phrase::of(phrase)), is_met, "{phrase} in {text}");
        }
    }

    #[test]
    fn positions_are_those_of_the_text() {
        let text = "İstanbul: sell stocks";
        let folded = Folded::of(text);
        assert_eq!(folded.all(&Phrase::of("SELL")), [(10, 14)]);
        assert_eq!(text.chars().skip(10).take(4).collect::<String>(), "sell");
    }
}
