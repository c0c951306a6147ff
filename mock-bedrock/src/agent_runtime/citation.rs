//! What parts of an answer rest on.

use rand::RngExt;
use serde_json::{Value, json};

use super::knowledge_base::Passage;
use crate::draw::{self, Purpose};

/// How the service counts the end of a span of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// At the last character: so whole answers and agents were recorded to.
    AtLast,
    /// Behind the last character: so streams were recorded to.
    BehindLast,
}

/// A part of an answer, and the passages that it rests on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Citation {
    text: String,
    /// The place of its first character in the answer.
    start: usize,
    references: Vec<Value>,
}

/// Divides `text` into its paragraphs, each of which rests on some of `passages`.
pub(crate) fn cite(text: &str, passages: &[Passage], key: u64) -> Vec<Citation> {
    let mut draws = draw::generator(key, Purpose::Passages);
    let mut start = 0;
    let mut citations = Vec::new();
    for paragraph in text.split("\n\n") {
        let chars = paragraph.chars().count();
        if chars > 0 {
            let most = passages.len().min(3);
            let count = if most == 0 { 0 } else { draws.random_range(1..=most) };
            let from = if passages.len() > count {
                draws.random_range(0..=passages.len() - count)
            } else {
                0
            };
            let rests_on = &passages[from..from + count];
            citations.push(Citation {
                text: paragraph.to_owned(),
                start,
                references: rests_on.iter().map(Passage::reference).collect(),
            });
        }
        start += chars + 2;
    }
    citations
}

impl Citation {
    /// The place behind its last character.
    pub(crate) fn end(&self) -> usize {
        self.start + self.text.chars().count()
    }

    /// As the service writes it.
    pub(crate) fn json(&self, ends: Ends) -> Value {
        let end = match ends {
            Ends::AtLast => self.end().saturating_sub(1),
            Ends::BehindLast => self.end(),
        };
        json!({
            "generatedResponsePart": {
                "textResponsePart": {
                    "span": { "end": end, "start": self.start },
                    "text": self.text,
                },
            },
            "retrievedReferences": self.references,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn spans_index_the_text(text in "([a-zä]{0,9}|\n\n|\n){0,12}", key: u64, count in 0..6_usize) {
            let passages = vec![Passage::of_request("a".to_owned(), None); count];
            let letters: Vec<char> = text.chars().collect();
            for citation in cite(&text, &passages, key) {
                let part = &citation.json(Ends::BehindLast)["generatedResponsePart"]["textResponsePart"];
                let (start, end) = (part["span"]["start"].as_u64().unwrap(), part["span"]["end"].as_u64().unwrap());
                let spanned: String = letters[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()].iter().collect();
                prop_assert_eq!(part["text"].as_str().unwrap(), &spanned);
                let last = citation.json(Ends::AtLast);
                prop_assert_eq!(last["generatedResponsePart"]["textResponsePart"]["span"]["end"].as_u64().unwrap(), end - 1);
                prop_assert!(!citation.text.is_empty() && citation.references.len() <= 3);
                prop_assert_eq!(citation.references.is_empty(), count == 0);
            }
        }
    }
}
