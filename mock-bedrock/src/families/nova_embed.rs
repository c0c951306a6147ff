//! Amazon Nova multimodal embeddings: one text, image, sound or video in, its vector out. The body
//! states no tokens.

use serde::Serialize;
use serde_json::{Value, json};
use spanproof_schemas::ledger::Task;

use super::{Chunks, Family};
use crate::answer::{Answer, Block};
use crate::error::ServiceError;
use crate::model::Model;
use crate::native::schema::{self, Kind, Object, optional, required};
use crate::turn::{Embedding, Turn, Wanted};
use crate::wire;

/// `amazon.nova-2-multimodal-embeddings-*`
pub(crate) struct NovaEmbed;

/// The length of a vector, when the request names none.
const DIMENSIONS: usize = 3_072;
/// Characters of an image or a sound that tell it apart.
const MEDIA_CHARS: usize = 2_048;

/// Only the asynchronous operation segments.
const BODY: Object = Object {
    fields: &[
        required("taskType", Kind::Choice(&["SINGLE_EMBEDDING"])),
        required("singleEmbeddingParams", Kind::Object(&PARAMETERS)),
        optional("schemaVersion", Kind::Choice(&["nova-multimodal-embed-v1"])),
    ],
    open: false,
};

const PARAMETERS: Object = Object {
    fields: &[
        required(
            "embeddingPurpose",
            Kind::Choice(&[
                "GENERIC_INDEX",
                "GENERIC_RETRIEVAL",
                "TEXT_RETRIEVAL",
                "IMAGE_RETRIEVAL",
                "VIDEO_RETRIEVAL",
                "DOCUMENT_RETRIEVAL",
                "AUDIO_RETRIEVAL",
                "CLASSIFICATION",
                "CLUSTERING",
            ]),
        ),
        optional("embeddingDimension", Kind::Size(&[256, 384, 1_024, 3_072])),
        optional("text", Kind::Object(&TEXT)),
        optional("image", Kind::Object(&MEDIA)),
        optional("audio", Kind::Object(&MEDIA)),
        optional("video", Kind::Object(&MEDIA)),
    ],
    open: false,
};

const TEXT: Object = Object {
    fields: &[
        required("truncationMode", Kind::Choice(&["START", "END", "NONE"])),
        optional("value", Kind::Text(1)),
        optional("source", Kind::Any),
    ],
    open: false,
};

const MEDIA: Object = Object {
    fields: &[
        required("format", Kind::Text(1)),
        required("source", Kind::Any),
        optional("detailLevel", Kind::Choice(&["STANDARD_IMAGE", "DOCUMENT_IMAGE"])),
        optional("embeddingMode", Kind::Choice(&["AUDIO_VIDEO_COMBINED", "AUDIO_VIDEO_SEPARATE"])),
    ],
    open: false,
};

impl Family for NovaEmbed {
    fn name(&self) -> &'static str {
        "nova_embed"
    }

    fn task(&self) -> Task {
        Task::Embeddings
    }

    fn read(&self, body: &[u8], _: &Model) -> Result<Turn, ServiceError> {
        let body = schema::read(body, &BODY, 0)?;
        let parameters = &body["singleEmbeddingParams"];
        let mut turn = Turn::new();
        turn.begin_message(parameters["embeddingPurpose"].as_str().unwrap_or_default());
        let given: Vec<&str> = ["text", "image", "audio", "video"]
            .into_iter()
            .filter(|kind| parameters[*kind].is_object())
            .collect();
        let [kind] = given[..] else {
            return Err(ServiceError::malformed(
                "#/singleEmbeddingParams: exactly one of [text, image, audio, video] is required",
            ));
        };
        let types = add_content(kind, &parameters[kind], &mut turn);
        turn.echo.native = json!(types);
        let dimensions = parameters["embeddingDimension"].as_u64();
        turn.wanted = Wanted::Vectors(Embedding {
            dimensions: dimensions
                .and_then(|size| usize::try_from(size).ok())
                .unwrap_or(DIMENSIONS),
            normalized: true,
            by_type: false,
        });
        Ok(turn)
    }

    fn write(&self, answer: &Answer) -> Vec<u8> {
        let types = answer.echo.native.as_array().map_or(&[][..], Vec::as_slice);
        let vectors = answer.blocks.iter().filter_map(|block| match block {
            Block::Vector { values, .. } => Some(values.as_slice()),
            _ => None,
        });
        let embeddings = vectors
            .zip(types)
            .map(|(embedding, embedding_type)| Vector { embedding, embedding_type })
            .collect();
        wire::json(&Body { embeddings })
    }

    /// The streaming operation refuses models that do not stream, so there is nothing to add.
    fn stream(&self, _: &Answer, _: &mut Chunks<'_>) {}
}

/// Adds what is to be embedded; the types of the vectors that it gives.
fn add_content(kind: &str, content: &Value, turn: &mut Turn) -> Vec<&'static str> {
    if let Some(text) = content["value"].as_str() {
        turn.add_passage(text);
        return vec!["TEXT"];
    }
    let source = content["source"].to_string();
    turn.add_media(&source);
    let told_by: String = source.chars().take(MEDIA_CHARS).collect();
    let types = match (kind, content["embeddingMode"].as_str()) {
        ("video", Some("AUDIO_VIDEO_SEPARATE")) => vec!["VIDEO", "AUDIO"],
        ("video", _) => vec!["AUDIO_VIDEO_COMBINED"],
        ("image", _) => vec!["IMAGE"],
        ("audio", _) => vec!["AUDIO"],
        _ => vec!["TEXT"],
    };
    turn.passages.extend(types.iter().map(|name| format!("{name} {told_by}")));
    types
}

#[derive(Serialize)]
struct Body<'a> {
    embeddings: Vec<Vector<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Vector<'a> {
    embedding: &'a [f32],
    embedding_type: &'a Value,
}
