//! Knowledge bases: what a search in one finds, drawn from the seed, its id and the query.

use std::ops::RangeInclusive;

use rand::RngExt;
use serde_json::{Value, json};

use super::filter::Filter;
use crate::draw::{self, Fold, Purpose};
use crate::prose;

/// How many documents a knowledge base has.
const DOCUMENTS: u64 = 12;
/// What the metadata of a document says of it: `category`, `tags` and `year` are its own, as if they
/// stood in a metadata file beside it.
const CATEGORIES: &[&str] = &["guide", "manual", "policy", "report"];
const YEARS: RangeInclusive<u16> = 2019..=2026;

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

/// A document of a knowledge base.
struct Document {
    location: Value,
    metadata: Value,
}

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

    /// All that a search for `query` of that kind finds in the documents that `filter` lets pass, the
    /// best first.
    pub(crate) fn search(&self, query: &str, kind: u64, filter: Option<&Filter>) -> Vec<Passage> {
        let documents: Vec<Document> = (0..DOCUMENTS)
            .map(|number| self.document(number))
            .filter(|document| filter.is_none_or(|filter| filter.matches(&document.metadata)))
            .collect();
        if documents.is_empty() {
            return Vec::new();
        }
        let mut key = Fold::new(self.key);
        key.bytes(query.as_bytes());
        key.word(kind);
        let key = key.finish();
        let mut draws = draw::generator(key, Purpose::Passages);
        let found = draws.random_range(6..=24);
        let mut score = draws.random_range(0.45..0.85);
        (0..found)
            .map(|_| {
                let number = draws.random_range(0..documents.len() as u64);
                let document = &documents[usize::try_from(number).unwrap_or_default()];
                let chars = draws.random_range(160..700);
                let mut text = String::with_capacity(chars + 96);
                prose::write(&mut text, chars, &mut draws);
                let passage = Passage {
                    text,
                    score,
                    location: document.location.clone(),
                    metadata: Some(document.metadata.clone()),
                };
                score *= draws.random_range(0.8..0.995);
                passage
            })
            .collect()
    }

    fn document(&self, number: u64) -> Document {
        let mut draws = draw::generator(self.key.wrapping_add(1 + number), Purpose::Passages);
        let title = prose::words(2, &mut draws);
        let site = format!("kb-{}.example", self.data_source.to_ascii_lowercase());
        let (location, source) = match self.kind {
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
        };
        let mut one_of = |words: &[&'static str]| words[draws.random_range(0..words.len())];
        let category = one_of(CATEGORIES);
        let tags = [one_of(&["draft", "final"]), one_of(&["internal", "public"])];
        let metadata = json!({
            "category": category,
            "tags": tags,
            "x-amz-bedrock-kb-data-source-id": self.data_source,
            "x-amz-bedrock-kb-source-uri": source,
            "year": draws.random_range(YEARS),
        });
        Document { location, metadata }
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
            let found = base.search("harbours", 0, None);
            assert_eq!(found, KnowledgeBase::new(7, id).search("harbours", 0, None));
            assert_ne!(found, base.search("gardens", 0, None));
            assert_ne!(found, base.search("harbours", 1, None));
            assert!(found.windows(2).all(|pair| pair[0].score > pair[1].score));
            assert!(found.iter().all(|passage| (0.0..=1.0).contains(&passage.score)));
        }
    }

    #[test]
    fn a_location_has_the_member_that_its_type_names() {
        for number in 0..64 {
            let base = KnowledgeBase::new(number, "AAAAAAAAAA");
            let result = base.search("harbours", 0, None)[0].result();
            let location = result["location"].as_object().unwrap();
            assert_eq!(location.len(), 2, "{location:?}");
        }
    }

    #[test]
    fn a_filter_lets_only_its_documents_be_found_and_changes_nothing_else() {
        let base = KnowledgeBase::new(7, "AAAAAAAAAA");
        let found = base.search("harbours", 0, None);
        let filter = |filter: Value| Filter::checked("filter", &filter).unwrap();
        let any = filter(json!({ "greaterThan": { "key": "year", "value": 1900 } }));
        assert_eq!(base.search("harbours", 0, Some(&any)), found);
        let none = filter(json!({ "greaterThan": { "key": "year", "value": 3000 } }));
        assert!(base.search("harbours", 0, Some(&none)).is_empty());
        let year = found[0].metadata.as_ref().unwrap()["year"].clone();
        let one = filter(json!({ "equals": { "key": "year", "value": year } }));
        let narrowed = base.search("harbours", 0, Some(&one));
        assert_eq!(narrowed.len(), found.len(), "there is more than one passage in a document");
        assert!(narrowed.iter().all(|passage| passage.metadata.as_ref().unwrap()["year"] == year));
    }
}
