//! Cohere Embed, versions 3 and 4: many texts or images in, a vector for each out, in as many forms
//! as the request names.

use serde::Serialize;
use serde_json::{Value, json};
use spanproof_schemas::ledger::Task;

use super::{Chunks, Family};
use crate::answer::{Answer, Block};
use crate::draw;
use crate::error::ServiceError;
use crate::model::Model;
use crate::native::prompt;
use crate::native::schema::{self, Kind, Object, TEXTS, optional, required};
use crate::operations::Stated;
use crate::turn::{Embedding, Turn, Wanted};
use crate::wire;

/// `cohere.embed-*`
pub(crate) struct CohereEmbed;

/// The length of version 3's vectors.
const V3_DIMENSIONS: usize = 1_024;
/// The length of version 4's, when the request names none.
const V4_DIMENSIONS: u64 = 1_536;
/// The most texts, and the most characters of one, as the documentation of version 3 has them.
const MOST_TEXTS: usize = 96;
const MOST_CHARS: usize = 2_048;

const FORMS: Kind =
    Kind::List(&Kind::Choice(&["float", "int8", "uint8", "binary", "ubinary"]), 0, 5);

const V3_BODY: Object = Object {
    fields: &[
        required(
            "input_type",
            Kind::Choice(&[
                "search_document",
                "search_query",
                "classification",
                "clustering",
                "image",
            ]),
        ),
        optional("texts", Kind::List(&Kind::TextUpTo(MOST_CHARS), 1, MOST_TEXTS)),
        optional("images", TEXTS),
        optional("truncate", Kind::Choice(&["NONE", "START", "END"])),
        optional("embedding_types", FORMS),
    ],
    open: false,
};

const V4_BODY: Object = Object {
    fields: &[
        required(
            "input_type",
            Kind::Choice(&["search_document", "search_query", "classification", "clustering"]),
        ),
        optional("texts", Kind::List(&Kind::Text(0), 1, MOST_TEXTS)),
        optional("images", Kind::List(&Kind::Text(0), 1, MOST_TEXTS)),
        optional("inputs", Kind::List(&Kind::Object(&INPUT), 1, MOST_TEXTS)),
        optional("embedding_types", FORMS),
        optional("output_dimension", Kind::Size(&[256, 512, 1_024, 1_536])),
        optional("max_tokens", Kind::Integer(1, 128_000)),
        optional("truncate", Kind::Choice(&["NONE", "LEFT", "RIGHT", "START", "END"])),
    ],
    open: false,
};

const INPUT: Object = Object {
    fields: &[required("content", Kind::List(&Kind::Any, 1, schema::UNBOUNDED))],
    open: false,
};

impl Family for CohereEmbed {
    fn name(&self) -> &'static str {
        "cohere_embed"
    }

    fn task(&self) -> Task {
        Task::Embeddings
    }

    fn read(&self, body: &[u8], model: &Model) -> Result<Turn, ServiceError> {
        let is_v4 = model.id.contains("-v4");
        let body = schema::read(body, if is_v4 { &V4_BODY } else { &V3_BODY }, 0)?;
        let mut turn = Turn::new();
        turn.begin_message(body["input_type"].as_str().unwrap_or_default());
        let texts = list(&body["texts"]);
        for text in texts.iter().filter_map(Value::as_str) {
            turn.add_passage(text);
        }
        for image in list(&body["images"]) {
            add_image(image, &mut turn);
        }
        for input in list(&body["inputs"]) {
            add_input(input, &mut turn);
        }
        if turn.passages.is_empty() {
            return Err(ServiceError::malformed("#: required key [texts] not found"));
        }
        let dimensions = body["output_dimension"].as_u64().unwrap_or(V4_DIMENSIONS);
        turn.wanted = Wanted::Vectors(Embedding {
            dimensions: match usize::try_from(dimensions) {
                Ok(dimensions) if is_v4 => dimensions,
                _ => V3_DIMENSIONS,
            },
            normalized: true,
            by_type: is_v4 || !list(&body["embedding_types"]).is_empty(),
        });
        // The English model of version 3 repeats the texts as it reads them: in lower case.
        let lowered = model.id.contains("english-v3");
        let repeated = texts
            .iter()
            .filter_map(Value::as_str)
            .map(|text| if lowered { text.to_lowercase() } else { text.to_owned() });
        turn.echo.native = json!({
            "forms": body["embedding_types"],
            "texts": repeated.collect::<Vec<_>>(),
            "inputs": body["inputs"],
        });
        Ok(turn)
    }

    fn write(&self, answer: &Answer) -> Vec<u8> {
        let vectors: Vec<&[f32]> = answer
            .blocks
            .iter()
            .filter_map(|block| match block {
                Block::Vector { values, .. } => Some(values.as_slice()),
                _ => None,
            })
            .collect();
        let by_type = answer
            .blocks
            .iter()
            .any(|block| matches!(block, Block::Vector { embedding, .. } if embedding.by_type));
        let echo = &answer.echo.native;
        wire::json(&Body {
            embeddings: if by_type {
                Embeddings::ByType(ByType::of(&vectors, &prompt::texts(&echo["forms"])))
            } else {
                Embeddings::Floats(&vectors)
            },
            id: id(answer),
            inputs: Some(&echo["inputs"]).filter(|inputs| inputs.is_array()),
            response_type: if by_type { "embeddings_by_type" } else { "embeddings_floats" },
            texts: Some(&echo["texts"]).filter(|texts| !list(texts).is_empty()),
        })
    }

    /// The streaming operation refuses models that do not stream, so there is nothing to add.
    fn stream(&self, _: &Answer, _: &mut Chunks<'_>) {}

    fn stated(&self, answer: &Answer) -> Stated {
        Stated { response_id: Some(id(answer)), ..Stated::default() }
    }
}

fn id(answer: &Answer) -> String {
    draw::uuid(answer.key, 0)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// An image is told apart by its bytes, and takes the place of a passage.
fn add_image(image: &Value, turn: &mut Turn) {
    let image = image.as_str().unwrap_or_default();
    turn.add_media(image);
    turn.passages.push(image.chars().take(MOST_CHARS).collect());
}

/// Texts and images that are embedded together.
fn add_input(input: &Value, turn: &mut Turn) {
    let mut passage = String::new();
    for part in list(&input["content"]) {
        if let Some(text) = part["text"].as_str() {
            turn.add_text(text);
            passage.push_str(text);
            passage.push('\n');
        } else {
            turn.add_media(&part.to_string());
            passage.extend(part.to_string().chars().take(MOST_CHARS));
        }
    }
    turn.passages.push(passage);
}

#[derive(Serialize)]
struct Body<'a> {
    embeddings: Embeddings<'a>,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    inputs: Option<&'a Value>,
    response_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    texts: Option<&'a Value>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Embeddings<'a> {
    Floats(&'a [&'a [f32]]),
    ByType(ByType<'a>),
}

/// The vectors in the forms that were asked for.
#[derive(Serialize)]
struct ByType<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    float: Option<&'a [&'a [f32]]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    int8: Option<Vec<Vec<i8>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uint8: Option<Vec<Vec<u8>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    binary: Option<Vec<Vec<i8>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ubinary: Option<Vec<Vec<u8>>>,
}

impl<'a> ByType<'a> {
    /// Without a form named, numbers.
    fn of(vectors: &'a [&'a [f32]], forms: &[String]) -> Self {
        let wants = |form: &str| forms.iter().any(|wanted| wanted == form);
        ByType {
            float: (forms.is_empty() || wants("float")).then_some(vectors),
            int8: wants("int8").then(|| each(vectors, int8)),
            uint8: wants("uint8").then(|| each(vectors, |value| offset(int8(value)))),
            binary: wants("binary")
                .then(|| packed(vectors, |byte| byte.wrapping_sub(128).cast_signed())),
            ubinary: wants("ubinary").then(|| packed(vectors, |byte| byte)),
        }
    }
}

fn each<T>(vectors: &[&[f32]], form: impl Fn(f32) -> T) -> Vec<Vec<T>> {
    vectors.iter().map(|values| values.iter().map(|value| form(*value)).collect()).collect()
}

/// Eight signs a byte, the first in its highest bit.
fn packed<T>(vectors: &[&[f32]], form: impl Fn(u8) -> T) -> Vec<Vec<T>> {
    let byte =
        |signs: &[f32]| signs.iter().fold(0_u8, |byte, value| byte << 1 | u8::from(*value > 0.0));
    vectors.iter().map(|values| values.chunks(8).map(|signs| form(byte(signs))).collect()).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to the range of the type")]
fn int8(value: f32) -> i8 {
    // The numbers of a vector of length 1 are small: this spreads them over the range.
    (value * 1_024.0).round().clamp(-128.0, 127.0) as i8
}

fn offset(value: i8) -> u8 {
    value.cast_unsigned().wrapping_add(128)
}
