//! What each family refuses, in the service's words.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod client;

use client::Mock;
use spanproof_schemas::speed::Speed;

/// The message of the `ValidationException` that a request gets.
async fn refusal(model: &str, segment: &str, body: &str) -> String {
    let mock = Mock::start(Speed::Max);
    let path = format!("/model/{}/{segment}", model.replace(':', "%3A"));
    let answered = mock.post(&path, &[], body).await;
    let exchange = mock.exchange().await;
    assert_eq!(exchange.status, 400, "{model} {segment} {body}");
    assert_eq!(exchange.exception.as_deref(), Some("ValidationException"));
    answered.json()["message"].as_str().unwrap().to_owned()
}

fn malformed(what: &str) -> String {
    format!("Malformed input request: {what}, please reformat your input and try again.")
}

#[tokio::test]
async fn native_bodies() {
    for (model, body, what) in [
        ("amazon.titan-text-express-v1", "{}", "#: required key [inputText] not found"),
        (
            "amazon.titan-text-express-v1",
            r#"{"inputText":"a","textGenerationConfig":{"maxTokenCount":9000}}"#,
            "#/textGenerationConfig/maxTokenCount: 9000 is not less or equal to 8192",
        ),
        (
            "amazon.titan-text-express-v1",
            r#"{"inputText":"a","max_tokens":1}"#,
            "#: extraneous key [max_tokens] is not permitted",
        ),
        (
            "meta.llama3-8b-instruct-v1:0",
            r#"{"prompt":"a","stop_sequences":["b"]}"#,
            "#: extraneous key [stop_sequences] is not permitted",
        ),
        (
            "meta.llama3-8b-instruct-v1:0",
            r#"{"prompt":"a","temperature":1.5,"top_p":2}"#,
            "2 schema violations found",
        ),
        (
            "mistral.mistral-7b-instruct-v0:2",
            r#"{"prompt":"a","stop":"b"}"#,
            "#/stop: expected type: JSONArray, found: String",
        ),
        (
            "anthropic.claude-v2",
            r#"{"prompt":"\n\nHuman: a\n\nAssistant:"}"#,
            "#: required key [max_tokens_to_sample] not found",
        ),
        (
            "cohere.command-text-v14",
            r#"{"prompt":"a","p":1.5}"#,
            "#/p: 1.5 is not less or equal to 1",
        ),
        ("cohere.command-r-v1:0", r#"{"prompt":"a"}"#, "2 schema violations found"),
        ("cohere.embed-english-v3", r#"{"texts":["a"]}"#, "#: required key [input_type] not found"),
        (
            "cohere.embed-english-v3",
            r#"{"texts":["a"],"input_type":"query"}"#,
            "#/input_type: query is not a valid enum value",
        ),
        (
            "cohere.rerank-v3-5:0",
            r#"{"query":"a","documents":["b"]}"#,
            "#: required key [api_version] not found",
        ),
        (
            "amazon.titan-embed-text-v2:0",
            r#"{"inputText":"a","dimensions":300}"#,
            "#/dimensions: 300 is not a valid enum value",
        ),
        (
            "amazon.titan-embed-text-v1",
            r#"{"inputText":"a","dimensions":256}"#,
            "#: extraneous key [dimensions] is not permitted",
        ),
        (
            "us.deepseek.r1-v1:0",
            r#"{"prompt":"a","max_tokens":40000}"#,
            "#/max_tokens: 40000 is not less or equal to 32768",
        ),
        ("openai.gpt-oss-20b-1:0", "{}", "#: required key [messages] not found"),
        ("ai21.jamba-1-5-mini-v1:0", "{}", "#: required key [messages] not found"),
    ] {
        assert_eq!(refusal(model, "invoke", body).await, malformed(what), "{model} {body}");
    }
}

#[tokio::test]
async fn texts_too_long_for_cohere_say_how_long() {
    let body = format!(r#"{{"texts":["{}"],"input_type":"search_query"}}"#, "a".repeat(2_276));
    assert_eq!(
        refusal("cohere.embed-english-v3", "invoke", &body).await,
        malformed("#/texts/0: expected maxLength: 2048, actual: 2276")
    );
}

#[tokio::test]
async fn a_prompt_without_turns() {
    let refused = refusal(
        "anthropic.claude-v2:1",
        "invoke",
        r#"{"prompt":"Hello","max_tokens_to_sample":9}"#,
    );
    assert_eq!(
        refused.await,
        "Invalid prompt: prompt must start with \"\n\nHuman:\" turn, prompt must end with \"\n\nAssistant:\" turn"
    );
}

const TOOLS: &str = r#""toolConfig":{"tools":[{"toolSpec":{"name":"t","inputSchema":{"json":{"type":"object"}}}}]CHOICE}"#;

#[tokio::test]
async fn what_a_model_does_not_do_by_converse() {
    let tools = |choice: &str| TOOLS.replace("CHOICE", choice);
    let system = r#""system":[{"text":"Be brief."}]"#.to_owned();
    let stop = r####""inferenceConfig":{"stopSequences":["###"]}"####.to_owned();
    let any = tools(r#","toolChoice":{"any":{}}"#);
    let named = tools(r#","toolChoice":{"tool":{"name":"t"}}"#);
    let no_tools = "This model doesn't support tool use.";
    for (model, segment, more, message) in [
        (
            "mistral.mistral-7b-instruct-v0:2",
            "converse",
            &system,
            "This model doesn't support system messages. Try again without a system message or use a model that supports system messages.",
        ),
        (
            "amazon.titan-text-express-v1",
            "converse-stream",
            &system,
            "This model doesn't support system messages. Try again without a system message or use a model that supports system messages.",
        ),
        ("us.deepseek.r1-v1:0", "converse", &tools(""), no_tools),
        ("meta.llama3-8b-instruct-v1:0", "converse", &tools(""), no_tools),
        ("anthropic.claude-v2:1", "converse-stream", &tools(""), no_tools),
        (
            "us.meta.llama4-scout-17b-instruct-v1:0",
            "converse-stream",
            &tools(""),
            "This model doesn't support tool use in streaming mode.",
        ),
        (
            "us.meta.llama4-scout-17b-instruct-v1:0",
            "converse",
            &any,
            "This model doesn't support the toolConfig.toolChoice.any field. Remove toolConfig.toolChoice.any and try again.",
        ),
        (
            "mistral.mistral-large-2407-v1:0",
            "converse",
            &named,
            "This model doesn't support the toolConfig.toolChoice.tool field. Remove toolConfig.toolChoice.tool and try again.",
        ),
        (
            "openai.gpt-oss-20b-1:0",
            "converse",
            &stop,
            "This model doesn't support the stopSequences field. Remove stopSequences and try again.",
        ),
        (
            "qwen.qwen3-235b-a22b-2507-v1:0",
            "converse",
            &stop,
            "This model doesn't support the stopSequences field. Remove stopSequences and try again.",
        ),
        (
            "cohere.embed-english-v3",
            "converse",
            &system,
            "This action doesn't support the model that you provided. Try again with a supported text or chat model.",
        ),
    ] {
        let body =
            format!(r#"{{"messages":[{{"role":"user","content":[{{"text":"Hi"}}]}}],{more}}}"#);
        assert_eq!(refusal(model, segment, &body).await, message, "{model} {segment}");
    }
}

#[tokio::test]
async fn converse_passes_on_what_the_model_says() {
    let body = r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]}],"inferenceConfig":{"maxTokens":2000},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":4000}}}"#;
    let message = refusal("us.anthropic.claude-sonnet-4-20250514-v1:0", "converse", body).await;
    assert!(
        message.starts_with(
            "The model returned the following errors: `max_tokens` must be greater than `thinking.budget_tokens`."
        ),
        "{message}"
    );
}

#[tokio::test]
async fn what_a_model_does_not_take_by_converse() {
    for (model, block, name) in [
        (
            "meta.llama3-8b-instruct-v1:0",
            r#"{"image":{"format":"png","source":{"bytes":"AA=="}}}"#,
            "image",
        ),
        (
            "amazon.nova-micro-v1:0",
            r#"{"video":{"format":"mp4","source":{"bytes":"AA=="}}}"#,
            "video",
        ),
        (
            "amazon.titan-text-premier-v1:0",
            r#"{"document":{"format":"txt","name":"a","source":{"bytes":"AA=="}}}"#,
            "document",
        ),
        (
            "amazon.nova-lite-v1:0",
            r#"{"audio":{"format":"mp3","source":{"bytes":"AA=="}}}"#,
            "audio",
        ),
    ] {
        let body =
            format!(r#"{{"messages":[{{"role":"user","content":[{{"text":"Hi"}},{block}]}}]}}"#);
        assert_eq!(
            refusal(model, "converse", &body).await,
            format!(
                "This model doesn't support the {name} content block that you provided. Update the content block and try again."
            )
        );
    }
}
