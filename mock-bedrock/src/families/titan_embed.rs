//! Amazon Titan text embeddings, versions 1 and 2.

use serde::{Deserialize, Serialize};
use spanproof_schemas::ledger::Task;

use super::{Chunks, Family};
use crate::answer::{Answer, Block};
use crate::error::ServiceError;
use crate::model::Model;
use crate::turn::{Embedding, Turn, Wanted};
use crate::wire;

/// `amazon.titan-embed-text-*`
pub(crate) struct TitanEmbed;

/// The length of version 1's vectors.
const V1_DIMENSIONS: usize = 1_536;
/// The lengths that version 2 offers; the first is its default.
const V2_DIMENSIONS: [usize; 3] = [1_024, 512, 256];

impl Family for TitanEmbed {
    fn name(&self) -> &'static str {
        "titan_embed"
    }

    fn task(&self) -> Task {
        Task::Embeddings
    }

    fn read(&self, body: &[u8], model: &Model) -> Result<Turn, ServiceError> {
        let body: Body = serde_json::from_slice(body).map_err(|_| ServiceError::unreadable())?;
        let Some(text) = body.input_text else {
            return Err(ServiceError::malformed("#: required key [inputText] not found"));
        };
        if text.is_empty() {
            return Err(ServiceError::malformed("#/inputText: expected minLength: 1, actual: 0"));
        }
        let mut turn = Turn::new();
        turn.begin_message("user");
        turn.add_text(&text);
        let embedding = if is_v1(model) {
            for (key, is_present) in
                [("dimensions", body.dimensions.is_some()), ("normalize", body.normalize.is_some())]
            {
                if is_present {
                    return Err(ServiceError::malformed(format!(
                        "#: extraneous key [{key}] is not permitted"
                    )));
                }
            }
            Embedding { dimensions: V1_DIMENSIONS, normalized: false, by_type: false }
        } else {
            let dimensions = body.dimensions.unwrap_or(V2_DIMENSIONS[0]);
            if !V2_DIMENSIONS.contains(&dimensions) {
                return Err(ServiceError::malformed(format!(
                    "#/dimensions: {dimensions} is not a valid enum value"
                )));
            }
            Embedding { dimensions, normalized: body.normalize.unwrap_or(true), by_type: true }
        };
        turn.wanted = Wanted::Vectors { count: 1, embedding };
        Ok(turn)
    }

    fn write(&self, answer: &Answer) -> Vec<u8> {
        let (values, by_type): (&[f32], bool) = match answer.blocks.first() {
            Some(Block::Vector { values, embedding }) => (values, embedding.by_type),
            _ => (&[], false),
        };
        wire::json(&Answered {
            embedding: values,
            embeddings_by_type: by_type.then_some(ByType { float: values }),
            input_text_token_count: answer.usage.input_tokens,
        })
    }

    /// The streaming operation refuses families that do not chat, so there is nothing to add.
    fn stream(&self, _: &Answer, _: &mut Chunks<'_>) {}
}

fn is_v1(model: &Model) -> bool {
    model.id.ends_with("-v1")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    input_text: Option<String>,
    dimensions: Option<usize>,
    normalize: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answered<'a> {
    embedding: &'a [f32],
    #[serde(skip_serializing_if = "Option::is_none")]
    embeddings_by_type: Option<ByType<'a>>,
    input_text_token_count: u64,
}

#[derive(Serialize)]
struct ByType<'a> {
    float: &'a [f32],
}
