//! Texts that were searched and hold nothing.

use std::hash::Hasher as _;

use rustc_hash::FxHasher;

/// How many texts are remembered, each in the one place that its hash gives it.
const PLACES: usize = 512;

/// Longer texts seldom come again. Instructions to a model do, with every call.
const LONGEST: usize = 4096;

/// Remembers texts whole, so that none is taken for another. What a place held before is
/// forgotten, which costs a search and changes nothing.
#[derive(Debug)]
pub(super) struct Clean {
    texts: Vec<Vec<u8>>,
}

impl Default for Clean {
    fn default() -> Clean {
        Clean { texts: vec![Vec::new(); PLACES] }
    }
}

impl Clean {
    /// The place of a text; nothing for one that is not remembered.
    pub(super) fn place(text: &[u8]) -> Option<usize> {
        if text.len() > LONGEST {
            return None;
        }
        let mut hasher = FxHasher::default();
        hasher.write(text);
        // The upper bits are the better mixed.
        usize::try_from(hasher.finish() >> 32).ok().map(|hash| hash % PLACES)
    }

    pub(super) fn knows(&self, place: Option<usize>, text: &[u8]) -> bool {
        place.is_some_and(|place| self.texts[place] == text)
    }

    pub(super) fn note(&mut self, place: Option<usize>, text: &[u8]) {
        if let Some(place) = place {
            self.texts[place].clear();
            self.texts[place].extend_from_slice(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_until_another_takes_its_place() {
        let mut clean = Clean::default();
        let place = Clean::place(b"chat");
        assert!(!clean.knows(place, b"chat"));
        clean.note(place, b"chat");
        assert!(clean.knows(place, b"chat"));
        assert!(!clean.knows(place, b"chats"));
        assert!(!clean.knows(place, b"chap"), "as long, and begins alike");
        clean.note(place, b"other");
        assert!(!clean.knows(place, b"chat"));
    }

    #[test]
    fn long_texts_are_not_remembered() {
        let long = [b'x'; LONGEST + 1];
        let mut clean = Clean::default();
        clean.note(Clean::place(&long), &long);
        assert!(!clean.knows(Clean::place(&long), &long));
    }
}
