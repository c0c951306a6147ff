//! Whole answers.

use aws_sdk_bedrockruntime::operation::RequestId as _;
use aws_sdk_bedrockruntime::types::{
    CachePointBlock, CachePointType, StopReason, SystemContentBlock,
};
use serde_json::Value;

use super::headers::Headers;
use super::{
    Bedrock, CLAUDE, CLAUDE_CACHED, NOVA, TITAN_EMBED, assert_usage, at_most, message, native_body,
};

#[tokio::test]
async fn test_01_the_client_completes_converse_over_http() {
    for model in [CLAUDE, NOVA] {
        let bedrock = Bedrock::start();
        let answer =
            bedrock.client.converse().model_id(model).messages(message()).send().await.unwrap();
        let exchange = bedrock.only_exchange().await;
        assert_eq!(exchange.model_id, model);
        assert_usage(answer.usage().unwrap(), &exchange);
        assert_eq!(Some(answer.stop_reason().as_str()), exchange.stop_reason.as_deref());
        assert_eq!(answer.request_id(), Some(exchange.request_id.as_str()));
        assert!(exchange.invocation_id.is_some());
        assert_eq!(exchange.attempt, Some(1));
    }
}

#[tokio::test]
async fn test_12_model_ids_in_every_form() {
    for model in [
        "amazon.nova-lite-v1:0",
        CLAUDE_CACHED,
        "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/amazon.nova-lite-v1:0",
    ] {
        let bedrock = Bedrock::start();
        bedrock.client.converse().model_id(model).messages(message()).send().await.unwrap();
        assert_eq!(bedrock.only_exchange().await.model_id, model);
    }
}

#[tokio::test]
async fn test_13_a_second_cache_point_call_reads_what_the_first_wrote() {
    let bedrock = Bedrock::start();
    let cache_point = CachePointBlock::builder().r#type(CachePointType::Default).build().unwrap();
    let mut usages = Vec::new();
    for _ in 0..2 {
        let answer = bedrock
            .client
            .converse()
            .model_id(CLAUDE_CACHED)
            .system(SystemContentBlock::Text("Short sentences and plain words. ".repeat(400)))
            .system(SystemContentBlock::CachePoint(cache_point.clone()))
            .messages(message())
            .send()
            .await
            .unwrap();
        usages.push(answer.usage.unwrap());
    }
    for (usage, exchange) in usages.iter().zip(bedrock.served().await) {
        assert_usage(usage, &exchange);
    }
    let [first, second] = &usages[..] else { panic!("two calls were made") };
    let written = first.cache_write_input_tokens.unwrap();
    assert!(written > 0 && first.cache_read_input_tokens == Some(0));
    assert_eq!(second.cache_read_input_tokens, Some(written));
    assert_eq!(second.cache_write_input_tokens, Some(0));
}

#[tokio::test]
async fn test_14_max_tokens() {
    for model in [CLAUDE, NOVA] {
        let bedrock = Bedrock::start();
        let answer = bedrock
            .client
            .converse()
            .model_id(model)
            .messages(message())
            .inference_config(at_most(5))
            .send()
            .await
            .unwrap();
        assert!(answer.usage().unwrap().output_tokens <= 5);
        assert_eq!(answer.stop_reason(), &StopReason::MaxTokens);
        assert_usage(answer.usage().unwrap(), &bedrock.only_exchange().await);
    }
}

#[tokio::test]
async fn test_15_token_headers_equal_the_body() {
    for model in [CLAUDE, NOVA, TITAN_EMBED] {
        let bedrock = Bedrock::start();
        let headers = Headers::default();
        let call = bedrock.client.invoke_model().model_id(model).body(native_body(model));
        let answer = call.customize().interceptor(headers.clone()).send().await.unwrap();
        let body: Value = serde_json::from_slice(answer.body().as_ref()).unwrap();
        let exchange = bedrock.only_exchange().await;
        assert_eq!(answer.content_type(), "application/json");
        let input = exchange.usage.input_tokens;
        let in_body = match model {
            CLAUDE => &body["usage"]["input_tokens"],
            NOVA => &body["usage"]["inputTokens"],
            _ => &body["inputTextTokenCount"],
        };
        assert_eq!(in_body, input);
        assert_eq!(headers.get("x-amzn-bedrock-input-token-count"), Some(input.to_string()));
        let output = (model != TITAN_EMBED).then(|| exchange.usage.output_tokens.to_string());
        assert_eq!(headers.get("x-amzn-bedrock-output-token-count"), output);
        assert!(headers.get("x-amzn-bedrock-invocation-latency").is_some());
        if model == CLAUDE {
            assert_eq!(body["id"].as_str(), exchange.response_id.as_deref());
            assert_eq!(body["model"].as_str(), exchange.response_model.as_deref());
        }
    }
}

#[tokio::test]
async fn test_15_converse_has_no_token_headers() {
    let bedrock = Bedrock::start();
    let headers = Headers::default();
    let call = bedrock.client.converse().model_id(CLAUDE).messages(message()).customize();
    call.interceptor(headers.clone()).send().await.unwrap();
    assert!(headers.get("x-amzn-requestid").is_some());
    assert_eq!(headers.of_bedrock(), Vec::<String>::new());
}
