//! Converse requests from the generator's JSON to the SDK's types.

use std::collections::HashMap;

use aws_sdk_bedrockruntime::error::BuildError;
use aws_sdk_bedrockruntime::types::{
    AnyToolChoice, AutoToolChoice, CachePointBlock, CachePointType, ContentBlock, ConversationRole,
    InferenceConfiguration, Message, SystemContentBlock, Tool, ToolChoice, ToolConfiguration,
    ToolInputSchema, ToolResultBlock, ToolResultContentBlock, ToolResultStatus, ToolSpecification,
    ToolUseBlock,
};
use aws_smithy_types::{Document, Number};
use serde::Deserialize;
use serde_json::Value;

/// The members of a Converse request that the generator makes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ConverseRequest {
    messages: Vec<WireMessage>,
    #[serde(default)]
    system: Vec<WireSystemBlock>,
    #[serde(default)]
    inference_config: WireInference,
    tool_config: Option<WireTools>,
    request_metadata: Option<HashMap<String, String>>,
}

/// A Converse request in the SDK's types.
pub(super) struct SdkRequest {
    pub(super) messages: Vec<Message>,
    pub(super) system: Option<Vec<SystemContentBlock>>,
    pub(super) inference: InferenceConfiguration,
    pub(super) tools: Option<ToolConfiguration>,
    pub(super) metadata: Option<HashMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireMessage {
    role: String,
    content: Vec<WireBlock>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum WireSystemBlock {
    Text(String),
    CachePoint {
        #[serde(rename = "type")]
        _kind: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum WireBlock {
    Text(String),
    CachePoint {
        #[serde(rename = "type")]
        _kind: String,
    },
    #[serde(rename_all = "camelCase")]
    ToolUse {
        tool_use_id: String,
        name: String,
        input: Value,
    },
    #[serde(rename_all = "camelCase")]
    ToolResult {
        tool_use_id: String,
        content: Vec<WireResult>,
        status: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum WireResult {
    Text(String),
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct WireInference {
    max_tokens: Option<i32>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    stop_sequences: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireTools {
    tools: Vec<WireTool>,
    tool_choice: Option<WireChoice>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireTool {
    tool_spec: WireToolSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireToolSpec {
    name: String,
    description: Option<String>,
    input_schema: WireSchema,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSchema {
    json: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum WireChoice {
    Auto {},
    Any {},
}

impl ConverseRequest {
    pub(super) fn into_sdk(self) -> Result<SdkRequest, BuildError> {
        let messages = self.messages.into_iter().map(message).collect::<Result<Vec<_>, _>>()?;
        let system = self.system.into_iter().map(system_block).collect::<Result<Vec<_>, _>>()?;
        let inference = self.inference_config;
        Ok(SdkRequest {
            messages,
            system: (!system.is_empty()).then_some(system),
            inference: InferenceConfiguration::builder()
                .set_max_tokens(inference.max_tokens)
                .set_temperature(inference.temperature)
                .set_top_p(inference.top_p)
                .set_stop_sequences(inference.stop_sequences)
                .build(),
            tools: self.tool_config.map(tool_config).transpose()?,
            metadata: self.request_metadata,
        })
    }
}

fn message(message: WireMessage) -> Result<Message, BuildError> {
    let blocks = message.content.into_iter().map(|block| {
        Ok(match block {
            WireBlock::Text(text) => ContentBlock::Text(text),
            WireBlock::CachePoint { .. } => ContentBlock::CachePoint(cache_point()?),
            WireBlock::ToolUse { tool_use_id, name, input } => ContentBlock::ToolUse(
                ToolUseBlock::builder()
                    .tool_use_id(tool_use_id)
                    .name(name)
                    .input(document(input))
                    .build()?,
            ),
            WireBlock::ToolResult { tool_use_id, content, status } => {
                let texts = content
                    .into_iter()
                    .map(|WireResult::Text(text)| ToolResultContentBlock::Text(text));
                ContentBlock::ToolResult(
                    ToolResultBlock::builder()
                        .tool_use_id(tool_use_id)
                        .set_content(Some(texts.collect()))
                        .status(ToolResultStatus::from(status.as_str()))
                        .build()?,
                )
            }
        })
    });
    Message::builder()
        .role(ConversationRole::from(message.role.as_str()))
        .set_content(Some(blocks.collect::<Result<_, BuildError>>()?))
        .build()
}

fn system_block(block: WireSystemBlock) -> Result<SystemContentBlock, BuildError> {
    Ok(match block {
        WireSystemBlock::Text(text) => SystemContentBlock::Text(text),
        WireSystemBlock::CachePoint { .. } => SystemContentBlock::CachePoint(cache_point()?),
    })
}

fn cache_point() -> Result<CachePointBlock, BuildError> {
    CachePointBlock::builder().r#type(CachePointType::Default).build()
}

fn tool_config(config: WireTools) -> Result<ToolConfiguration, BuildError> {
    let mut tools = ToolConfiguration::builder();
    for WireTool { tool_spec } in config.tools {
        let schema = ToolInputSchema::Json(document(tool_spec.input_schema.json));
        let tool = ToolSpecification::builder()
            .name(tool_spec.name)
            .set_description(tool_spec.description)
            .input_schema(schema)
            .build()?;
        tools = tools.tools(Tool::ToolSpec(tool));
    }
    let choice = config.tool_choice.map(|choice| match choice {
        WireChoice::Auto {} => ToolChoice::Auto(AutoToolChoice::builder().build()),
        WireChoice::Any {} => ToolChoice::Any(AnyToolChoice::builder().build()),
    });
    tools.set_tool_choice(choice).build()
}

fn document(value: Value) -> Document {
    match value {
        Value::Null => Document::Null,
        Value::Bool(value) => Document::Bool(value),
        Value::String(text) => Document::String(text),
        Value::Array(values) => Document::Array(values.into_iter().map(document).collect()),
        Value::Object(members) => Document::Object(
            members.into_iter().map(|(name, value)| (name, document(value))).collect(),
        ),
        Value::Number(number) => Document::Number(if let Some(number) = number.as_u64() {
            Number::PosInt(number)
        } else if let Some(number) = number.as_i64() {
            Number::NegInt(number)
        } else {
            Number::Float(number.as_f64().unwrap_or(f64::NAN))
        }),
    }
}
