//! The shape of a body of messages.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::guardrail::ConverseConfig;
use crate::reasoning;
use crate::turn::{CacheTtl, Guard, Media};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body<'a> {
    #[serde(borrow)]
    pub(super) messages: Option<Vec<Message<'a>>>,
    #[serde(borrow)]
    pub(super) system: Option<Vec<Block<'a>>>,
    pub(super) inference_config: Option<InferenceConfig>,
    #[serde(borrow)]
    pub(super) tool_config: Option<ToolConfig<'a>>,
    pub(super) guardrail_config: Option<ConverseConfig>,
    pub(super) additional_model_request_fields: Option<AdditionalFields>,
    /// Nova 2's, in its native body.
    pub(super) reasoning_config: Option<Value>,
    pub(super) additional_model_response_field_paths: Option<Vec<String>>,
    #[serde(borrow)]
    pub(super) performance_config: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) service_tier: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Message<'a> {
    pub(super) role: String,
    #[serde(borrow)]
    pub(super) content: Option<Vec<Block<'a>>>,
}

/// A content block: an object with exactly one member.
pub(super) enum Block<'a> {
    Text(String),
    CachePoint(CacheTtl),
    Media(Media, &'a RawValue),
    /// A text of `guardContent`.
    Guarded(String, Guard),
    /// An image of `guardContent`, and its format.
    GuardedImage(String, &'a RawValue),
    ToolResult(&'a RawValue),
    Structure(&'a RawValue),
}

impl<'de: 'a, 'a> Deserialize<'de> for Block<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BlockVisitor;
        impl<'de> Visitor<'de> for BlockVisitor {
            type Value = Block<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a content block")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let Some(member) = map.next_key::<&str>()? else {
                    return Err(A::Error::custom("a content block has one member"));
                };
                let block = match member {
                    "text" => Block::Text(map.next_value()?),
                    "cachePoint" => {
                        let point: CachePoint = map.next_value()?;
                        Block::CachePoint(CacheTtl::named(point.ttl.as_deref()))
                    }
                    "image" => Block::Media(Media::Image, map.next_value()?),
                    "document" => Block::Media(Media::Document, map.next_value()?),
                    "video" => Block::Media(Media::Video, map.next_value()?),
                    "audio" => Block::Media(Media::Audio, map.next_value()?),
                    "guardContent" => guarded(map.next_value()?)?,
                    "toolResult" => Block::ToolResult(map.next_value()?),
                    _ => Block::Structure(map.next_value()?),
                };
                if map.next_key::<&str>()?.is_some() {
                    return Err(A::Error::custom("a content block has one member"));
                }
                Ok(block)
            }
        }
        deserializer.deserialize_map(BlockVisitor)
    }
}

/// `guardContent`: a text, or else an image.
fn guarded<E: Error>(json: &RawValue) -> Result<Block<'_>, E> {
    let content: GuardContent = serde_json::from_str(json.get()).map_err(E::custom)?;
    match (content.text, content.image) {
        (Some(text), None) => Ok(Block::Guarded(text.text, Guard::of(&text.qualifiers))),
        (None, Some(image)) => Ok(Block::GuardedImage(image.format, json)),
        _ => Err(E::custom("guardContent is a text or an image")),
    }
}

/// The format of an image, of which nothing else is read.
pub(super) fn format(image: &RawValue) -> Option<String> {
    serde_json::from_str(image.get()).ok().map(|image: Image| image.format)
}

#[derive(Deserialize)]
struct GuardContent {
    text: Option<GuardedText>,
    image: Option<Image>,
}

#[derive(Deserialize)]
struct Image {
    format: String,
}

#[derive(Deserialize)]
struct GuardedText {
    text: String,
    #[serde(default)]
    qualifiers: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct CachePoint {
    pub(super) ttl: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InferenceConfig {
    /// Nova's older spelling stands in recorded bodies beside the newer one.
    #[serde(alias = "max_new_tokens")]
    pub(super) max_tokens: Option<i64>,
    pub(super) temperature: Option<f64>,
    #[serde(alias = "top_p")]
    pub(super) top_p: Option<f64>,
    #[serde(alias = "top_k")]
    pub(super) top_k: Option<f64>,
    pub(super) stop_sequences: Option<Vec<String>>,
}

/// The fields of the model's own that are read: Claude's `top_k`, Nova's `inferenceConfig.topK`, and
/// those that ask for reasoning.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AdditionalFields {
    #[serde(alias = "top_k")]
    pub(super) top_k: Option<f64>,
    pub(super) inference_config: Option<InferenceConfig>,
    #[serde(flatten)]
    pub(super) reasoning: reasoning::Fields,
}

impl AdditionalFields {
    pub(super) fn top_k(&self) -> Option<f64> {
        self.top_k.or_else(|| self.inference_config.as_ref().and_then(|config| config.top_k))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolConfig<'a> {
    #[serde(borrow)]
    pub(super) tools: Option<Vec<ToolEntry<'a>>>,
    pub(super) tool_choice: Option<Choice>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolEntry<'a> {
    #[serde(borrow)]
    pub(super) tool_spec: Option<ToolSpec<'a>>,
    pub(super) system_tool: Option<NamedTool>,
    pub(super) cache_point: Option<CachePoint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolSpec<'a> {
    pub(super) name: String,
    pub(super) description: Option<String>,
    #[serde(borrow)]
    pub(super) input_schema: InputSchema<'a>,
}

#[derive(Deserialize)]
pub(super) struct InputSchema<'a> {
    #[serde(borrow)]
    pub(super) json: &'a RawValue,
}

#[derive(Deserialize)]
pub(super) struct Choice {
    pub(super) any: Option<serde::de::IgnoredAny>,
    pub(super) tool: Option<NamedTool>,
}

#[derive(Deserialize)]
pub(super) struct NamedTool {
    pub(super) name: String,
}
