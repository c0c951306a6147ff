//! Rerankers, Cohere's and Amazon's: a query and documents in, the documents' order out.

use serde::Serialize;
use spanproof_schemas::ledger::Task;

use super::{Chunks, Family};
use crate::answer::{Answer, Block};
use crate::error::ServiceError;
use crate::model::Model;
use crate::native::schema::{self, Kind, Object, optional, required};
use crate::turn::{Turn, Wanted};
use crate::wire;

/// `cohere.rerank-*`, `amazon.rerank-*`
pub(crate) struct Rerank;

const MOST_DOCUMENTS: usize = 1_000;

/// Cohere's versions its body.
const COHERE: Object = Object {
    fields: &[
        required("api_version", Kind::Integer(2, i64::MAX)),
        required("query", Kind::Text(1)),
        required("documents", Kind::List(&Kind::Any, 1, MOST_DOCUMENTS)),
        optional("top_n", Kind::Integer(1, i64::MAX)),
        optional("max_tokens_per_doc", Kind::Integer(1, i64::MAX)),
    ],
    open: false,
};

const AMAZON: Object = Object {
    fields: &[
        required("query", Kind::Text(1)),
        required("documents", Kind::List(&Kind::Any, 1, MOST_DOCUMENTS)),
        optional("top_n", Kind::Integer(1, i64::MAX)),
    ],
    open: false,
};

impl Family for Rerank {
    fn name(&self) -> &'static str {
        "rerank"
    }

    fn task(&self) -> Task {
        Task::Rerank
    }

    fn read(&self, body: &[u8], model: &Model) -> Result<Turn, ServiceError> {
        let object = if model.provider == "Cohere" { &COHERE } else { &AMAZON };
        let body = schema::read(body, object, 0)?;
        let documents = body["documents"].as_array().map_or(&[][..], Vec::as_slice);
        let mut turn = Turn::new();
        turn.begin_message("user");
        turn.add_passage(body["query"].as_str().unwrap_or_default());
        for document in documents {
            // A document is a text, or an object of which the text is read.
            match document.as_str().or_else(|| document["text"].as_str()) {
                Some(text) => turn.add_passage(text),
                None => turn.add_passage(&document.to_string()),
            }
        }
        let top = body["top_n"].as_u64().and_then(|top| usize::try_from(top).ok());
        turn.wanted = Wanted::Ranking { top: top.unwrap_or(documents.len()) };
        Ok(turn)
    }

    fn write(&self, answer: &Answer) -> Vec<u8> {
        let results = answer
            .blocks
            .iter()
            .filter_map(|block| match block {
                Block::Ranked { index, score } => {
                    Some(Place { index: *index, relevance_score: *score })
                }
                _ => None,
            })
            .collect();
        wire::json(&Body { results })
    }

    /// The streaming operation refuses models that do not stream, so there is nothing to add.
    fn stream(&self, _: &Answer, _: &mut Chunks<'_>) {}
}

#[derive(Serialize)]
struct Body {
    results: Vec<Place>,
}

#[derive(Serialize)]
struct Place {
    index: usize,
    relevance_score: f64,
}
