//! What an answer states about itself, read from the SDK's types and from native bodies.

use aws_sdk_bedrockruntime::operation::converse::ConverseOutput;
use aws_sdk_bedrockruntime::types::{ConverseStreamOutput, TokenUsage};
use serde::Deserialize;
use spanproof_schemas::ledger::Usage;

/// What is known of an answer so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Answer {
    /// The response id, in bodies that have one.
    pub(super) id: Option<String>,
    /// The model's own name for itself, in bodies that have it.
    pub(super) model: Option<String>,
    pub(super) stop_reason: Option<String>,
    /// Usage, once the answer has stated all of it.
    pub(super) usage: Option<Usage>,
}

impl Answer {
    pub(super) fn of_converse(output: &ConverseOutput) -> Answer {
        Answer {
            stop_reason: Some(output.stop_reason().as_str().to_owned()),
            usage: output.usage().map(converse_usage),
            ..Answer::default()
        }
    }

    /// Takes in one event of a ConverseStream.
    pub(super) fn take_converse_event(&mut self, event: &ConverseStreamOutput) {
        match event {
            ConverseStreamOutput::MessageStop(stop) => {
                self.stop_reason = Some(stop.stop_reason().as_str().to_owned());
            }
            ConverseStreamOutput::Metadata(metadata) => {
                self.usage = metadata.usage().map(converse_usage);
            }
            _ => {}
        }
    }

    /// Reads a native body. What is no JSON, or of another family, states nothing.
    pub(super) fn of_body(body: &[u8]) -> Answer {
        let Ok(body) = serde_json::from_slice::<Body>(body) else { return Answer::default() };
        Answer {
            id: body.id,
            model: body.model,
            stop_reason: body.stop_reason.or(body.stop_reason_nova),
            usage: body.usage.map(Usage::from).or_else(|| {
                let input_tokens = body.input_text_token_count?;
                Some(Usage { input_tokens, ..Usage::default() })
            }),
        }
    }

    /// Takes in one chunk of a native stream.
    ///
    /// The invocation metrics of the last chunk state the whole usage, for every family; what
    /// chunks before it state is a part of it, or the same.
    pub(super) fn take_chunk(&mut self, chunk: &[u8]) {
        let Ok(chunk) = serde_json::from_slice::<Chunk>(chunk) else { return };
        if let Some(message) = chunk.message {
            self.id = message.id.or(self.id.take());
            self.model = message.model.or(self.model.take());
        }
        let stop_reason = chunk.delta.and_then(|delta| delta.stop_reason);
        let stop_reason = stop_reason.or(chunk.message_stop.and_then(|stop| stop.stop_reason));
        self.stop_reason = stop_reason.or(self.stop_reason.take());
        self.usage = chunk.metrics.map(Usage::from).or(self.usage);
    }
}

fn converse_usage(usage: &TokenUsage) -> Usage {
    let count = |tokens: i32| u64::try_from(tokens).unwrap_or(0);
    Usage {
        input_tokens: count(usage.input_tokens()),
        output_tokens: count(usage.output_tokens()),
        cache_read_input_tokens: count(usage.cache_read_input_tokens().unwrap_or(0)),
        cache_write_input_tokens: count(usage.cache_write_input_tokens().unwrap_or(0)),
        ..Usage::default()
    }
}

/// The body of an answer of Claude, Nova or Titan embeddings: whichever members it has.
#[derive(Deserialize)]
struct Body {
    id: Option<String>,
    model: Option<String>,
    stop_reason: Option<String>,
    #[serde(rename = "stopReason")]
    stop_reason_nova: Option<String>,
    usage: Option<NativeUsage>,
    #[serde(rename = "inputTextTokenCount")]
    input_text_token_count: Option<u64>,
}

/// Usage in the words of Claude and of Nova.
#[derive(Default, Deserialize)]
#[serde(default)]
struct NativeUsage {
    #[serde(alias = "inputTokens")]
    input_tokens: u64,
    #[serde(alias = "outputTokens")]
    output_tokens: u64,
    #[serde(rename = "cache_read_input_tokens", alias = "cacheReadInputTokenCount")]
    cache_read: Option<u64>,
    #[serde(rename = "cache_creation_input_tokens", alias = "cacheWriteInputTokenCount")]
    cache_write: Option<u64>,
}

impl From<NativeUsage> for Usage {
    fn from(usage: NativeUsage) -> Usage {
        Usage {
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            cache_read_input_tokens: usage.cache_read.unwrap_or(0),
            cache_write_input_tokens: usage.cache_write.unwrap_or(0),
            ..Usage::default()
        }
    }
}

/// A chunk of a native stream of Claude or Nova: whichever members it has.
#[derive(Deserialize)]
struct Chunk {
    message: Option<ChunkMessage>,
    delta: Option<ChunkDelta>,
    #[serde(rename = "messageStop")]
    message_stop: Option<NovaStop>,
    #[serde(rename = "amazon-bedrock-invocationMetrics")]
    metrics: Option<InvocationMetrics>,
}

#[derive(Deserialize)]
struct ChunkMessage {
    id: Option<String>,
    model: Option<String>,
}

#[derive(Deserialize)]
struct ChunkDelta {
    stop_reason: Option<String>,
}

#[derive(Deserialize)]
struct NovaStop {
    #[serde(rename = "stopReason")]
    stop_reason: Option<String>,
}

#[derive(Deserialize)]
struct InvocationMetrics {
    #[serde(rename = "inputTokenCount")]
    input: u64,
    #[serde(rename = "outputTokenCount", default)]
    output: u64,
    #[serde(rename = "cacheReadInputTokenCount", default)]
    cache_read: u64,
    #[serde(rename = "cacheWriteInputTokenCount", default)]
    cache_write: u64,
}

impl From<InvocationMetrics> for Usage {
    fn from(metrics: InvocationMetrics) -> Usage {
        Usage {
            input_tokens: metrics.input,
            output_tokens: metrics.output,
            cache_read_input_tokens: metrics.cache_read,
            cache_write_input_tokens: metrics.cache_write,
            ..Usage::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_every_family_state_their_usage() {
        let claude = Answer::of_body(
            br#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-3-haiku-20240307",
                "content":[{"type":"text","text":"Yes."}],"stop_reason":"end_turn","stop_sequence":null,
                "usage":{"input_tokens":10,"cache_creation_input_tokens":5,"cache_read_input_tokens":7,"output_tokens":3}}"#,
        );
        assert_eq!(claude.id.as_deref(), Some("msg_1"));
        assert_eq!(claude.model.as_deref(), Some("claude-3-haiku-20240307"));
        assert_eq!(claude.stop_reason.as_deref(), Some("end_turn"));
        assert_eq!(
            claude.usage,
            Some(Usage {
                input_tokens: 10,
                output_tokens: 3,
                cache_read_input_tokens: 7,
                cache_write_input_tokens: 5,
                ..Usage::default()
            })
        );
        let nova = Answer::of_body(
            br#"{"output":{"message":{"role":"assistant","content":[{"text":"Yes."}]}},"stopReason":"max_tokens",
                "usage":{"inputTokens":4,"outputTokens":2,"totalTokens":6,"cacheReadInputTokenCount":0}}"#,
        );
        assert_eq!(nova.stop_reason.as_deref(), Some("max_tokens"));
        assert_eq!(nova.usage.map(Usage::total_tokens), Some(6));
        let titan = Answer::of_body(br#"{"embedding":[0.1,-0.2],"inputTextTokenCount":9}"#);
        assert_eq!(
            titan.usage.map(|usage| (usage.input_tokens, usage.output_tokens)),
            Some((9, 0))
        );
        assert_eq!(Answer::of_body(b"not json"), Answer::default());
    }

    #[test]
    fn a_native_stream_states_its_usage_at_the_end() {
        let mut answer = Answer::default();
        answer.take_chunk(
            br#"{"type":"message_start","message":{"id":"msg_2","model":"claude-3","usage":{"input_tokens":8,"output_tokens":1}}}"#,
        );
        answer.take_chunk(br#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Yes."}}"#);
        assert_eq!((answer.id.as_deref(), answer.usage), (Some("msg_2"), None));
        answer.take_chunk(
            br#"{"type":"message_delta","delta":{"stop_reason":"stop_sequence"},"usage":{"output_tokens":5}}"#,
        );
        answer.take_chunk(
            br#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":8,"outputTokenCount":5,"invocationLatency":1,"firstByteLatency":1,"cacheReadInputTokenCount":2}}"#,
        );
        assert_eq!(answer.stop_reason.as_deref(), Some("stop_sequence"));
        assert_eq!(answer.usage.map(Usage::total_tokens), Some(15));
        let mut answer = Answer::default();
        answer.take_chunk(br#"{"messageStop":{"stopReason":"end_turn"}}"#);
        assert_eq!(answer.stop_reason.as_deref(), Some("end_turn"));
    }
}
