//! What a recorded answer states of its tokens and its end.

use serde_json::Value;
use spanproof_schemas::ledger::Usage;

use super::interaction::Interaction;

/// Where the bodies of the families keep their counts: input, output, cache read, cache write.
const COUNTS: [&[&str]; 4] = [
    &[
        "/usage/inputTokens",
        "/usage/input_tokens",
        "/message/usage/input_tokens",
        "/metadata/usage/inputTokens",
        "/usage/prompt_tokens",
        "/inputTextTokenCount",
        "/prompt_token_count",
        "/amazon-bedrock-invocationMetrics/inputTokenCount",
    ],
    &[
        "/usage/outputTokens",
        "/usage/output_tokens",
        "/metadata/usage/outputTokens",
        "/usage/completion_tokens",
        "/totalOutputTextTokenCount",
        "/generation_token_count",
        "/results/0/tokenCount",
        "/amazon-bedrock-invocationMetrics/outputTokenCount",
    ],
    &[
        "/usage/cacheReadInputTokens",
        "/usage/cache_read_input_tokens",
        "/message/usage/cache_read_input_tokens",
        "/usage/cacheReadInputTokenCount",
        "/amazon-bedrock-invocationMetrics/cacheReadInputTokenCount",
    ],
    &[
        "/usage/cacheWriteInputTokens",
        "/usage/cache_creation_input_tokens",
        "/message/usage/cache_creation_input_tokens",
        "/usage/cacheWriteInputTokenCount",
        "/amazon-bedrock-invocationMetrics/cacheWriteInputTokenCount",
    ],
];

/// Where they keep the reason of their end.
const STOPS: &[&str] = &[
    "/stopReason",
    "/stop_reason",
    "/delta/stop_reason",
    "/messageStop/stopReason",
    "/completionReason",
    "/results/0/completionReason",
    "/finish_reason",
    "/choices/0/finish_reason",
    "/generations/0/finish_reason",
    "/outputs/0/stop_reason",
];

/// The headers with the same counts.
const HEADERS: [&str; 4] = [
    "x-amzn-bedrock-input-token-count",
    "x-amzn-bedrock-output-token-count",
    "x-amzn-bedrock-cache-read-input-token-count",
    "x-amzn-bedrock-cache-write-input-token-count",
];

/// What was stated so far; what is stated later counts.
#[derive(Debug, Default)]
pub(super) struct Stated {
    pub(super) usage: Usage,
    /// The most output tokens that was stated beside those of the end.
    pub(super) early_output_tokens: Option<u64>,
    pub(super) stop_reason: Option<String>,
}

impl Stated {
    /// Takes in a body, or a part of a stream.
    pub(super) fn read(&mut self, json: &Value) {
        let before = self.usage.output_tokens;
        for (places, count) in COUNTS.into_iter().zip(self.counts()) {
            let stated =
                places.iter().filter_map(|place| json.pointer(place)?.as_u64()).next_back();
            if let Some(stated) = stated {
                *count = stated;
            }
        }
        if before > 0 && before != self.usage.output_tokens {
            self.early_output_tokens = Some(before);
        }
        let stop = STOPS.iter().find_map(|place| json.pointer(place)?.as_str());
        if let Some(stop) = stop {
            self.stop_reason = Some(stop.to_owned());
        }
    }

    /// Takes in what the headers state.
    pub(super) fn read_headers(&mut self, interaction: &Interaction) {
        for (name, count) in HEADERS.into_iter().zip(self.counts()) {
            if let Some(stated) = interaction.header(name).and_then(|value| value.parse().ok()) {
                *count = stated;
            }
        }
    }

    fn counts(&mut self) -> [&mut u64; 4] {
        let usage = &mut self.usage;
        [
            &mut usage.input_tokens,
            &mut usage.output_tokens,
            &mut usage.cache_read_input_tokens,
            &mut usage.cache_write_input_tokens,
        ]
    }
}
