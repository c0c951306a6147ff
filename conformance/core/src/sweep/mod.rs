//! One pass over every text of an item, for all rules about what may not stand in it.

mod clean;
mod walk;

use clean::Clean;

use crate::redaction::Redaction;
use crate::scan::{Hits, Leak, Scanner, Suspect};
use crate::view::Item;

/// Something that may not stand where it does, or that a rule decides about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The place, in words.
    pub place: &'static str,
    /// The name of the attribute or of the field.
    pub name: String,
    /// What was seen there.
    pub what: Sight,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// A planted marker where the policy lets no content stand, in a text of so many bytes.
    Marker(Leak, usize),
    /// A value that is kept for content and has more than the policy allows, with its size in
    /// bytes if it is a text.
    Content(Option<usize>),
    /// Definitions of tools that say more than names and types where no content may stand, as a
    /// report may show them.
    Definitions(String),
    /// A credential or personal data.
    Suspect {
        /// What was found.
        suspect: Suspect,
        /// Whether the place is kept for content, so that the policy decides about the whole.
        in_content: bool,
    },
}

/// Looks at items one after the other, and remembers which texts there is nothing in: most texts
/// of telemetry come again and again.
#[derive(Debug, Default)]
pub(crate) struct Sweep {
    clean: Clean,
    hits: Hits,
}

impl Sweep {
    /// Everything that is to be seen in an item.
    pub(crate) fn item(
        &mut self,
        item: Item<'_>,
        scanner: &Scanner,
        redaction: Redaction,
    ) -> Vec<Sighting> {
        let mut sightings = Vec::new();
        walk::Walk { sweep: self, scanner, redaction, sightings: &mut sightings }.item(item);
        sightings
    }

    /// Notes what stands in a text, beside what was noted before.
    fn scan(&mut self, scanner: &Scanner, text: &[u8]) {
        if text.len() < Scanner::SHORTEST {
            return;
        }
        let place = Clean::place(text);
        if self.clean.knows(place, text) {
            return;
        }
        let before = (self.hits.marker.is_some(), self.hits.suspects.len());
        scanner.scan(text, &mut self.hits);
        if before == (false, 0) && self.hits.is_empty() {
            self.clean.note(place, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scan::Plantings;

    const TEXTS: [&str; 6] = [
        "us-east-1",
        "anthropic.claude-3-haiku-20240307-v1:0",
        "write to ines@example.com",
        "or to otto@example.org",
        "call 202-555-0147 about SPMP0F1E2D3C17",
        "SPMP0F1E2D3C18",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_was_searched_before_hides_nothing(
            values in prop::collection::vec(prop::collection::vec(0..TEXTS.len(), 1..4), 1..9),
        ) {
            let stems = vec!["SPMP0F1E2D3C".to_owned()];
            let scanner = Scanner::new(&Plantings { stems, values: Vec::new() });
            let mut sweep = Sweep::default();
            for texts in values {
                let mut afresh = Hits::default();
                for text in texts {
                    sweep.scan(&scanner, TEXTS[text].as_bytes());
                    scanner.scan(TEXTS[text].as_bytes(), &mut afresh);
                }
                prop_assert_eq!(&sweep.hits, &afresh);
                sweep.hits.clear();
            }
        }
    }
}
