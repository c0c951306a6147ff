//! Amazon Titan text embeddings, versions 1 and 2.

use serde::Serialize;
use spanproof_schemas::ledger::Task;

use super::{Chunks, Family};
use crate::answer::{Answer, Block};
use crate::error::ServiceError;
use crate::model::Model;
use crate::native::prompt;
use crate::native::schema::{self, Kind, Object, optional, required};
use crate::turn::{Embedding, Turn, Wanted};
use crate::wire;

/// `amazon.titan-embed-text-*`, `amazon.titan-embed-g1-text-*`
pub(crate) struct TitanEmbed;

/// The length of version 1's vectors.
const V1_DIMENSIONS: usize = 1_536;
/// The length of version 2's, when the request names none.
const V2_DIMENSIONS: u64 = 1_024;

const V1_BODY: Object = Object { fields: &[required("inputText", Kind::Text(1))], open: false };

const V2_BODY: Object = Object {
    fields: &[
        required("inputText", Kind::Text(1)),
        optional("dimensions", Kind::Size(&[256, 512, 1_024])),
        optional("normalize", Kind::Flag),
        optional("embeddingTypes", Kind::List(&Kind::Choice(&["float", "binary"]), 1, 2)),
    ],
    open: false,
};

impl Family for TitanEmbed {
    fn name(&self) -> &'static str {
        "titan_embed"
    }

    fn task(&self) -> Task {
        Task::Embeddings
    }

    fn read(&self, body: &[u8], model: &Model) -> Result<Turn, ServiceError> {
        let is_v2 = model.id.contains("-v2:");
        let body = schema::read(body, if is_v2 { &V2_BODY } else { &V1_BODY }, 0)?;
        let mut turn = Turn::new();
        turn.begin_message("user");
        turn.add_passage(body["inputText"].as_str().unwrap_or_default());
        let dimensions = body["dimensions"].as_u64().unwrap_or(V2_DIMENSIONS);
        turn.wanted = Wanted::Vectors(if is_v2 {
            Embedding {
                dimensions: usize::try_from(dimensions).unwrap_or(V1_DIMENSIONS),
                normalized: body["normalize"].as_bool().unwrap_or(true),
                by_type: true,
            }
        } else {
            Embedding { dimensions: V1_DIMENSIONS, normalized: false, by_type: false }
        });
        turn.echo.native = body["embeddingTypes"].clone();
        Ok(turn)
    }

    fn write(&self, answer: &Answer) -> Vec<u8> {
        let (values, by_type): (&[f32], bool) = match answer.blocks.first() {
            Some(Block::Vector { values, embedding }) => (values, embedding.by_type),
            _ => (&[], false),
        };
        let types = prompt::texts(&answer.echo.native);
        let states = |name: &str| types.iter().any(|known| known == name);
        let floats = types.is_empty() || states("float");
        wire::json(&Answered {
            embedding: floats.then_some(values),
            embeddings_by_type: by_type.then(|| ByType {
                float: floats.then_some(values),
                binary: states("binary")
                    .then(|| values.iter().map(|value| u8::from(*value > 0.0)).collect()),
            }),
            input_text_token_count: answer.usage.input_tokens,
        })
    }

    /// The streaming operation refuses models that do not stream, so there is nothing to add.
    fn stream(&self, _: &Answer, _: &mut Chunks<'_>) {}
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answered<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding: Option<&'a [f32]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embeddings_by_type: Option<ByType<'a>>,
    input_text_token_count: u64,
}

#[derive(Serialize)]
struct ByType<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    float: Option<&'a [f32]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    binary: Option<Vec<u8>>,
}
