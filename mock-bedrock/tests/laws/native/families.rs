//! How each family is asked, and where its answers and chunks have their text.

use serde_json::{Value, json};

/// A family, as a client knows it.
#[derive(Debug)]
pub(crate) struct Native {
    /// Its name in the catalogue.
    pub(crate) name: &'static str,
    pub(crate) most_stop_sequences: usize,
    /// A body of a prompt, the most tokens, and stop sequences.
    pub(crate) body: fn(&str, Option<u64>, &[String]) -> Value,
    /// Members that every answer has, and those that it may have.
    pub(crate) members: &'static [&'static str],
    pub(crate) optional: &'static [&'static str],
    pub(crate) text: fn(&Value) -> String,
    /// The text of one chunk of a stream.
    pub(crate) piece: fn(&Value) -> String,
}

pub(crate) const FAMILIES: &[Native] = &[
    Native {
        name: "claude",
        most_stop_sequences: 4,
        body: |prompt, max_tokens, stop| {
            json!({
                "anthropic_version": "bedrock-2023-05-31", "max_tokens": max_tokens.unwrap_or(300),
                "messages": [{ "role": "user", "content": prompt }],
                "stop_sequences": spoken(stop),
            })
        },
        members: &[
            "id",
            "type",
            "role",
            "model",
            "content",
            "stop_reason",
            "stop_sequence",
            "usage",
        ],
        optional: &["stop_details"],
        text: |answer| joined(&answer["content"], |block| &block["text"]),
        piece: |chunk| string(&chunk["delta"]["text"]),
    },
    Native {
        name: "claude_text",
        most_stop_sequences: 4,
        body: |prompt, max_tokens, stop| {
            json!({
                "prompt": format!("\n\nHuman: {prompt}\n\nAssistant:"),
                "max_tokens_to_sample": max_tokens.unwrap_or(300), "stop_sequences": stop,
            })
        },
        members: &["type", "completion", "stop_reason", "stop"],
        optional: &[],
        text: |answer| string(&answer["completion"]),
        piece: |chunk| string(&chunk["completion"]),
    },
    Native {
        name: "cohere_command",
        most_stop_sequences: 4,
        body: |prompt, max_tokens, stop| {
            let body =
                json!({ "prompt": prompt, "stop_sequences": stop, "stream": stop.is_empty() });
            with(body, "max_tokens", max_tokens)
        },
        members: &["id", "generations", "prompt"],
        optional: &[],
        text: |answer| joined(&answer["generations"], |generation| &generation["text"]),
        piece: |chunk| {
            string(&chunk["text"])
                + &joined(&chunk["generations"], |generation| &generation["text"])
        },
    },
    Native {
        name: "command_r",
        most_stop_sequences: 4,
        body: |prompt, max_tokens, stop| {
            let history = json!([{ "role": "USER", "message": "Hi" }]);
            let body =
                json!({ "message": prompt, "chat_history": history, "stop_sequences": stop });
            with(body, "max_tokens", max_tokens)
        },
        members: &["response_id", "text", "generation_id", "chat_history", "finish_reason"],
        optional: &["tool_calls"],
        text: |answer| string(&answer["text"]),
        piece: |chunk| string(&chunk["text"]),
    },
    chat("deepseek_chat"),
    Native {
        name: "deepseek_r1",
        most_stop_sequences: 4,
        body: |prompt, max_tokens, stop| {
            with(json!({ "prompt": prompt, "stop": stop }), "max_tokens", max_tokens)
        },
        members: &["choices"],
        optional: &[],
        text: |answer| joined(&answer["choices"], |choice| &choice["text"]),
        piece: |chunk| joined(&chunk["choices"], |choice| &choice["text"]),
    },
    chat("gpt"),
    chat("gpt_oss"),
    Native { members: &["id", "choices", "usage", "meta", "model"], ..chat("jamba") },
    Native {
        name: "llama",
        most_stop_sequences: 0,
        body: |prompt, max_tokens, _| with(json!({ "prompt": prompt }), "max_gen_len", max_tokens),
        members: &["generation", "prompt_token_count", "generation_token_count", "stop_reason"],
        optional: &[],
        text: |answer| string(&answer["generation"]),
        piece: |chunk| string(&chunk["generation"]),
    },
    chat("mistral_chat"),
    Native {
        name: "mistral_text",
        most_stop_sequences: 4,
        body: |prompt, max_tokens, stop| {
            with(json!({ "prompt": prompt, "stop": stop }), "max_tokens", max_tokens)
        },
        members: &["outputs"],
        optional: &[],
        text: |answer| joined(&answer["outputs"], |output| &output["text"]),
        piece: |chunk| joined(&chunk["outputs"], |output| &output["text"]),
    },
    Native {
        name: "nova",
        most_stop_sequences: 4,
        body: |prompt, max_tokens, stop| {
            let config = with(json!({ "stopSequences": stop }), "maxTokens", max_tokens);
            let messages = json!([{ "role": "user", "content": [{ "text": prompt }] }]);
            json!({ "schemaVersion": "messages-v1", "messages": messages, "inferenceConfig": config })
        },
        members: &["output", "stopReason", "usage"],
        optional: &[],
        text: |answer| joined(&answer["output"]["message"]["content"], |block| &block["text"]),
        piece: |chunk| string(&chunk["contentBlockDelta"]["delta"]["text"]),
    },
    chat("qwen"),
    Native {
        name: "titan_text",
        most_stop_sequences: 4,
        body: |prompt, max_tokens, stop| {
            let config = with(json!({ "stopSequences": stop }), "maxTokenCount", max_tokens);
            json!({ "inputText": prompt, "textGenerationConfig": config })
        },
        members: &["inputTextTokenCount", "results"],
        optional: &[],
        text: |answer| joined(&answer["results"], |result| &result["outputText"]),
        piece: |chunk| string(&chunk["outputText"]),
    },
];

/// A family that takes `OpenAI`'s chat completions.
const fn chat(name: &'static str) -> Native {
    Native {
        name,
        most_stop_sequences: 4,
        body: |prompt, max_tokens, stop| {
            let messages = json!([{ "role": "user", "content": prompt }]);
            with(json!({ "messages": messages, "stop": stop }), "max_tokens", max_tokens)
        },
        members: &["id", "object", "created", "model", "choices", "usage"],
        optional: &["service_tier", "system_fingerprint"],
        text: |answer| joined(&answer["choices"], |choice| &choice["message"]["content"]),
        piece: |chunk| joined(&chunk["choices"], |choice| &choice["delta"]["content"]),
    }
}

fn with(mut body: Value, key: &str, value: Option<u64>) -> Value {
    if let Some(value) = value {
        body[key] = value.into();
    }
    body
}

/// Claude takes no sequence of blanks.
fn spoken(sequences: &[String]) -> Vec<&String> {
    sequences.iter().filter(|sequence| !sequence.trim().is_empty()).collect()
}

fn joined(list: &Value, text: fn(&Value) -> &Value) -> String {
    list.as_array().into_iter().flatten().map(|item| string(text(item))).collect()
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
