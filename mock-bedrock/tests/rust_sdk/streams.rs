//! Streams that end well.

use aws_sdk_bedrockruntime::types::{
    AnyToolChoice, ContentBlockDelta, ContentBlockStart, ConverseStreamOutput, ResponseStream,
    TokenUsage, Tool, ToolChoice, ToolConfiguration, ToolInputSchema, ToolSpecification,
    ToolUseBlockStart,
};
use aws_smithy_types::Document;
use serde_json::Value;

use super::headers::Headers;
use super::{Bedrock, CLAUDE, NOVA, assert_usage, at_most, message, native_body};

/// What a ConverseStream said.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) order: Vec<&'static str>,
    pub(super) text: String,
    pub(super) tool: Option<ToolUseBlockStart>,
    pub(super) input: String,
    pub(super) stop_reason: Option<String>,
    pub(super) usage: Option<TokenUsage>,
}

impl Told {
    pub(super) fn hear(&mut self, event: ConverseStreamOutput) {
        self.order.push(match event {
            ConverseStreamOutput::MessageStart(_) => "messageStart",
            ConverseStreamOutput::ContentBlockStart(event) => {
                if let Some(ContentBlockStart::ToolUse(tool)) = event.start {
                    self.tool = Some(tool);
                }
                "contentBlockStart"
            }
            ConverseStreamOutput::ContentBlockDelta(event) => {
                match event.delta {
                    Some(ContentBlockDelta::Text(text)) => self.text += &text,
                    Some(ContentBlockDelta::ToolUse(tool)) => self.input += tool.input(),
                    _ => {}
                }
                "contentBlockDelta"
            }
            ConverseStreamOutput::ContentBlockStop(_) => "contentBlockStop",
            ConverseStreamOutput::MessageStop(event) => {
                self.stop_reason = Some(event.stop_reason.as_str().to_owned());
                "messageStop"
            }
            ConverseStreamOutput::Metadata(event) => {
                self.usage = event.usage;
                "metadata"
            }
            _ => "unknown",
        });
    }
}

#[tokio::test]
async fn test_02_a_text_block_has_no_start() {
    for model in [CLAUDE, NOVA] {
        let bedrock = Bedrock::start();
        let told = tell(&bedrock, model, None).await;
        let mut order = told.order;
        order.dedup();
        assert_eq!(
            order,
            ["messageStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"]
        );
    }
}

#[tokio::test]
async fn test_03_events_are_flat() {
    for model in [CLAUDE, NOVA] {
        let bedrock = Bedrock::start();
        let told = tell(&bedrock, model, None).await;
        let exchange = bedrock.only_exchange().await;
        assert_usage(&told.usage.unwrap(), &exchange);
        assert_eq!(told.stop_reason, exchange.stop_reason);
        assert!(told.text.contains(&exchange.markers[0]));
    }
}

#[tokio::test]
async fn test_17_a_streamed_tool_use() {
    let mut known: Vec<String> = Vec::new();
    for model in [CLAUDE, NOVA] {
        let bedrock = Bedrock::start();
        let told = tell(&bedrock, model, Some(tools())).await;
        let exchange = bedrock.only_exchange().await;
        assert_usage(&told.usage.unwrap(), &exchange);
        let tool = told.tool.unwrap();
        assert_eq!(tool.name(), "get_weather");
        assert!(!known.iter().any(|id| id == tool.tool_use_id()));
        known.push(tool.tool_use_id().to_owned());
        let arguments: Value = serde_json::from_str(&told.input).unwrap();
        assert!(arguments["city"].is_string());
        assert_eq!(told.stop_reason.as_deref(), Some("tool_use"));
    }
}

#[tokio::test]
async fn test_04_native_chunks_end_with_a_stop_reason_and_usage() {
    for (model, path) in [(CLAUDE, "/delta/stop_reason"), (NOVA, "/messageStop/stopReason")] {
        let bedrock = Bedrock::start();
        let (chunks, _) = native(&bedrock, model).await;
        let exchange = bedrock.only_exchange().await;
        let stop = chunks.iter().find_map(|chunk| chunk.pointer(path)?.as_str());
        assert_eq!(stop, exchange.stop_reason.as_deref());
        assert_eq!(exchange.chunks.unwrap().count as usize, chunks.len());
    }
}

#[tokio::test]
async fn test_15_streams_have_no_token_headers() {
    let bedrock = Bedrock::start();
    let (_, headers) = native(&bedrock, CLAUDE).await;
    assert!(headers.get("x-amzn-requestid").is_some());
    assert_eq!(headers.of_bedrock(), Vec::<String>::new());
}

#[tokio::test]
async fn test_16_the_last_chunk_has_the_metrics() {
    for model in [CLAUDE, NOVA] {
        let bedrock = Bedrock::start();
        let (chunks, _) = native(&bedrock, model).await;
        let exchange = bedrock.only_exchange().await;
        let metrics = &chunks.last().unwrap()["amazon-bedrock-invocationMetrics"];
        assert_eq!(metrics["inputTokenCount"], exchange.usage.input_tokens);
        assert_eq!(metrics["outputTokenCount"], exchange.usage.output_tokens);
        let latency = |name: &str| metrics[name].as_u64().unwrap();
        assert!(latency("firstByteLatency") <= latency("invocationLatency"));
    }
}

async fn tell(bedrock: &Bedrock, model: &str, tools: Option<ToolConfiguration>) -> Told {
    let call = bedrock.client.converse_stream().model_id(model).messages(message());
    let mut answer =
        call.inference_config(at_most(100)).set_tool_config(tools).send().await.unwrap();
    let mut told = Told::default();
    while let Some(event) = answer.stream.recv().await.unwrap() {
        told.hear(event);
    }
    told
}

async fn native(bedrock: &Bedrock, model: &str) -> (Vec<Value>, Headers) {
    let headers = Headers::default();
    let call = bedrock.client.invoke_model_with_response_stream().model_id(model);
    let call = call.body(native_body(model)).customize().interceptor(headers.clone());
    let mut answer = call.send().await.unwrap();
    let mut chunks = Vec::new();
    while let Some(event) = answer.body.recv().await.unwrap() {
        let ResponseStream::Chunk(part) = event else { panic!("a stream of {event:?}") };
        chunks.push(serde_json::from_slice(part.bytes().unwrap().as_ref()).unwrap());
    }
    (chunks, headers)
}

fn tools() -> ToolConfiguration {
    let text = |text: &str| Document::from(text);
    let object = |members: Vec<(&str, Document)>| {
        Document::Object(
            members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        )
    };
    let city = object(vec![("type", text("string"))]);
    let schema = object(vec![
        ("type", text("object")),
        ("properties", object(vec![("city", city)])),
        ("required", Document::Array(vec![text("city")])),
    ]);
    let tool = ToolSpecification::builder()
        .name("get_weather")
        .input_schema(ToolInputSchema::Json(schema))
        .build()
        .unwrap();
    ToolConfiguration::builder()
        .tool_choice(ToolChoice::Any(AnyToolChoice::builder().build()))
        .tools(Tool::ToolSpec(tool))
        .build()
        .unwrap()
}
