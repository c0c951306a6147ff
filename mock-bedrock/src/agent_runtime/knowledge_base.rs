//! Knowledge bases: what a search in one finds, drawn from the seed, its id and the query.

use rand::RngExt;
use serde_json::{Value, json};

use crate::draw::{self, Fold, Purpose};
use crate::prose;

/// How many documents a knowledge base has.
const DOCUMENTS: u64 = 12;

/// A knowledge base.
#[derive(Clone, Debug)]
pub(crate) struct KnowledgeBase {
    key: u64,
    kind: Kind,
    /// The data source that its documents came from, by id.
    data_source: String,
}

/// Where the documents of a knowledge base are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    S3,
    Web,
    Confluence,
    SharePoint,
    Custom,
}

/// Most are in S3.
const KINDS: [Kind; 8] = [
    Kind::S3,
    Kind::S3,
    Kind::S3,
    Kind::S3,
    Kind::Web,
    Kind::Confluence,
    Kind::SharePoint,
    Kind::Custom,
];

/// A passage that a search found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Passage {
    pub(crate) text: String,
    /// How well it fits the query, from 0 to 1.
    score: f64,
    location: Value,
    /// Absent from passages of a document that the request itself brought.
    metadata: Option<Value>,
}

impl KnowledgeBase {
    /// The knowledge base with that id.
    pub(crate) fn new(seed: u64, id: &str) -> Self {
        let mut key = Fold::new(seed);
        key.bytes(id.as_bytes());
        let key = key.finish();
        let mut draws = draw::generator(key, Purpose::Passages);
        let kind = KINDS[draws.random_range(0..KINDS.len())];
        KnowledgeBase { key, kind, data_source: identifier(&mut draws) }
    }

    /// All that a search for `query` finds, the best first. `narrowed` is the hash of what narrows
    /// the search: it is drawn from as well.
    pub(crate) fn search(&self, query: &str, narrowed: u64) -> Vec<Passage> {
        let mut key = Fold::new(self.key);
        key.bytes(query.as_bytes());
        key.word(narrowed);
        let key = key.finish();
        let mut draws = draw::generator(key, Purpose::Passages);
        let found = draws.random_range(6..=24);
        let mut score = draws.random_range(0.45..0.85);
        (0..found)
            .map(|_| {
                let (location, source) = self.document(draws.random_range(0..DOCUMENTS));
                let chars = draws.random_range(160..700);
                let mut text = String::with_capacity(chars + 96);
                prose::write(&mut text, chars, &mut draws);
                let passage = Passage {
                    text,
                    score,
                    location,
                    metadata: Some(json!({
                        "x-amz-bedrock-kb-data-source-id": self.data_source,
                        "x-amz-bedrock-kb-source-uri": source,
                    })),
                };
                score *= draws.random_range(0.8..0.995);
                passage
            })
            .collect()
    }

    /// Where a document is, and the name under which its passages state that.
    fn document(&self, number: u64) -> (Value, String) {
        let mut draws = draw::generator(self.key.wrapping_add(1 + number), Purpose::Passages);
        let title = prose::words(2, &mut draws);
        let site = format!("kb-{}.example", self.data_source.to_ascii_lowercase());
        match self.kind {
            Kind::S3 => {
                let uri = format!("s3://kb-{}/{title}.pdf", self.data_source.to_ascii_lowercase());
                (json!({ "s3Location": { "uri": uri }, "type": "S3" }), uri)
            }
            Kind::Web => {
                let url = format!("https://{site}/{title}");
                (json!({ "type": "WEB", "webLocation": { "url": url } }), url)
            }
            Kind::Confluence => {
                let url = format!("https://{site}/wiki/spaces/{title}");
                (json!({ "confluenceLocation": { "url": url }, "type": "CONFLUENCE" }), url)
            }
            Kind::SharePoint => {
                let url = format!("https://{site}/sites/{title}.docx");
                (json!({ "sharePointLocation": { "url": url }, "type": "SHAREPOINT" }), url)
            }
            Kind::Custom => {
                (json!({ "customDocumentLocation": { "id": title }, "type": "CUSTOM" }), title)
            }
        }
    }
}

impl Passage {
    /// A passage of a document that the request itself brought: the service states no more of it
    /// than the text, and the place in S3 if it has one.
    pub(crate) fn of_request(text: String, s3_uri: Option<&str>) -> Self {
        let location = match s3_uri {
            Some(uri) => json!({ "s3Location": { "uri": uri }, "type": "S3" }),
            None => Value::Null,
        };
        Passage { text, score: 0.0, location, metadata: None }
    }

    /// As a result of `Retrieve`.
    pub(crate) fn result(&self) -> Value {
        json!({
            "content": { "text": self.text, "type": "TEXT" },
            "location": self.location,
            "metadata": self.metadata,
            "score": self.score,
        })
    }

    /// As what an answer rests on.
    pub(crate) fn reference(&self) -> Value {
        let Some(metadata) = &self.metadata else {
            let mut reference = json!({ "content": { "text": self.text } });
            if !self.location.is_null() {
                reference["location"] = self.location.clone();
            }
            return reference;
        };
        json!({
            "content": { "text": self.text, "type": "TEXT" },
            "location": self.location,
            "metadata": metadata,
        })
    }
}

/// Ten letters and digits, as the service's own ids have.
pub(crate) fn identifier(draws: &mut rand_chacha::ChaCha8Rng) -> String {
    const LETTERS: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    (0..10).map(|_| char::from(LETTERS[draws.random_range(0..LETTERS.len())])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_finds_the_same_each_time_and_the_best_first() {
        for id in ["AAAAAAAAAA", "KBKBKBKB12", "SSGLURQ9A5", "1234567890"] {
            let base = KnowledgeBase::new(7, id);
            let found = base.search("harbours", 0);
            assert_eq!(found, KnowledgeBase::new(7, id).search("harbours", 0));
            assert_ne!(found, base.search("gardens", 0));
            assert_ne!(found, base.search("harbours", 1));
            assert!(found.windows(2).all(|pair| pair[0].score > pair[1].score));
            assert!(found.iter().all(|passage| (0.0..=1.0).contains(&passage.score)));
        }
    }

    #[test]
    fn a_location_has_the_member_that_its_type_names() {
        for number in 0..64 {
            let base = KnowledgeBase::new(number, "AAAAAAAAAA");
            let result = base.search("harbours", 0)[0].result();
            let location = result["location"].as_object().unwrap();
            assert_eq!(location.len(), 2, "{location:?}");
        }
    }
}
