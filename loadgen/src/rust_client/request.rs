//! What a request asks for, read from the SDK's input types.

use aws_sdk_bedrockruntime::operation::converse::ConverseInput;
use aws_sdk_bedrockruntime::operation::converse_stream::ConverseStreamInput;
use aws_sdk_bedrockruntime::operation::invoke_model::InvokeModelInput;
use aws_sdk_bedrockruntime::operation::invoke_model_with_response_stream::InvokeModelWithResponseStreamInput;
use aws_sdk_bedrockruntime::types::InferenceConfiguration;
use aws_smithy_runtime_api::client::interceptors::context::Input;
use serde::Deserialize;
use spanproof_schemas::ledger::Task;

use super::content::RequestContent;

/// A request, as far as telemetry states it.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) task: Task,
    pub(super) model: String,
    pub(super) is_streamed: bool,
    pub(super) parameters: Parameters,
    /// What it said, only when content is wanted.
    pub(super) content: Option<RequestContent>,
}

/// Sampling parameters, absent where the request has none.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Parameters {
    pub(super) max_tokens: Option<i64>,
    pub(super) temperature: Option<f64>,
    pub(super) top_p: Option<f64>,
    pub(super) top_k: Option<f64>,
    pub(super) stop_sequences: Vec<String>,
}

impl Request {
    /// Reads the input of one of the four operations; `None` for any other.
    pub(super) fn of(input: &Input, with_content: bool) -> Option<Request> {
        if let Some(input) = input.downcast_ref::<ConverseInput>() {
            return Some(Request {
                model: input.model_id().unwrap_or_default().to_owned(),
                parameters: input
                    .inference_config()
                    .map(Parameters::of_converse)
                    .unwrap_or_default(),
                content: with_content
                    .then(|| RequestContent::of_converse(input.system(), input.messages())),
                ..Request::default()
            });
        }
        if let Some(input) = input.downcast_ref::<ConverseStreamInput>() {
            return Some(Request {
                model: input.model_id().unwrap_or_default().to_owned(),
                is_streamed: true,
                parameters: input
                    .inference_config()
                    .map(Parameters::of_converse)
                    .unwrap_or_default(),
                content: with_content
                    .then(|| RequestContent::of_converse(input.system(), input.messages())),
                ..Request::default()
            });
        }
        if let Some(input) = input.downcast_ref::<InvokeModelInput>() {
            let body = input.body().map(AsRef::as_ref).unwrap_or_default();
            return Some(native(input.model_id(), body, false, with_content));
        }
        let input = input.downcast_ref::<InvokeModelWithResponseStreamInput>()?;
        let body = input.body().map(AsRef::as_ref).unwrap_or_default();
        Some(native(input.model_id(), body, true, with_content))
    }
}

fn native(model: Option<&str>, body: &[u8], is_streamed: bool, with_content: bool) -> Request {
    let parsed: NativeBody = serde_json::from_slice(body).unwrap_or_default();
    Request {
        task: if parsed.input_text.is_some() { Task::Embeddings } else { Task::Chat },
        model: model.unwrap_or_default().to_owned(),
        is_streamed,
        content: with_content.then(|| RequestContent::of_body(body)),
        parameters: parsed.into(),
    }
}

impl Parameters {
    fn of_converse(config: &InferenceConfiguration) -> Parameters {
        Parameters {
            max_tokens: config.max_tokens().map(i64::from),
            temperature: config.temperature().map(as_written),
            top_p: config.top_p().map(as_written),
            top_k: None,
            stop_sequences: config.stop_sequences().to_vec(),
        }
    }
}

/// A single-precision number as a person wrote it: 0.7, where the exact value of the nearest
/// single is 0.699999988079071.
fn as_written(number: f32) -> f64 {
    number.to_string().parse().unwrap_or_else(|_| f64::from(number))
}

/// The parameters of a native body of Claude, Nova or Titan embeddings.
#[derive(Default, Deserialize)]
#[serde(default)]
struct NativeBody {
    max_tokens: Option<i64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<f64>,
    stop_sequences: Vec<String>,
    #[serde(rename = "inferenceConfig")]
    nova: Option<NovaInference>,
    #[serde(rename = "inputText")]
    input_text: Option<serde::de::IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct NovaInference {
    max_tokens: Option<i64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<f64>,
    stop_sequences: Vec<String>,
}

impl From<NativeBody> for Parameters {
    fn from(body: NativeBody) -> Parameters {
        match body.nova {
            Some(nova) => Parameters {
                max_tokens: nova.max_tokens,
                temperature: nova.temperature,
                top_p: nova.top_p,
                top_k: nova.top_k,
                stop_sequences: nova.stop_sequences,
            },
            None => Parameters {
                max_tokens: body.max_tokens,
                temperature: body.temperature,
                top_p: body.top_p,
                top_k: body.top_k,
                stop_sequences: body.stop_sequences,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_bodies_state_their_parameters() {
        let claude = native(
            Some("anthropic.claude-3-haiku-20240307-v1:0"),
            br#"{"anthropic_version":"x","max_tokens":64,"messages":[],"top_k":250,"temperature":0.7,"stop_sequences":["END"]}"#,
            true,
            false,
        );
        assert_eq!(claude.task, Task::Chat);
        assert_eq!(
            claude.parameters,
            Parameters {
                max_tokens: Some(64),
                temperature: Some(0.7),
                top_p: None,
                top_k: Some(250.0),
                stop_sequences: vec!["END".to_owned()],
            }
        );
        let nova = native(
            None,
            br#"{"messages":[],"inferenceConfig":{"maxTokens":9,"topP":0.9}}"#,
            false,
            false,
        );
        assert_eq!((nova.parameters.max_tokens, nova.parameters.top_p), (Some(9), Some(0.9)));
        assert_eq!(native(None, br#"{"inputText":"a"}"#, false, false).task, Task::Embeddings);
        assert_eq!(native(None, b"no json", false, false).parameters, Parameters::default());
    }

    #[test]
    fn single_precision_reads_as_it_was_written() {
        assert_eq!(as_written(0.7_f32).to_bits(), 0.7_f64.to_bits());
        assert_eq!(as_written(0.999_f32).to_bits(), 0.999_f64.to_bits());
    }
}
