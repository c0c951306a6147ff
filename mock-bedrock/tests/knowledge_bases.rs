//! Searches, answers that rest on what they find, and rankings.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod client;

use client::{Answered, Mock};
use serde_json::{Value, json};
use spanproof_schemas::ledger::{Operation, Task};
use spanproof_schemas::speed::Speed;

const HAIKU: &str = "anthropic.claude-3-haiku-20240307-v1:0";
const BASE: &str = "SSGLURQ9A5";

fn generate(extra: &Value) -> String {
    let mut base = json!({"knowledgeBaseId": BASE, "modelArn": HAIKU});
    for (name, value) in extra.as_object().unwrap() {
        base[name] = value.clone();
    }
    json!({
        "input": {"text": "How deep is the harbour?"},
        "retrieveAndGenerateConfiguration": {
            "type": "KNOWLEDGE_BASE",
            "knowledgeBaseConfiguration": base,
        },
    })
    .to_string()
}

/// Status and message of a refusal.
fn refusal(answered: &Answered) -> String {
    format!("{} {}", answered.status, answered.json()["message"].as_str().unwrap())
}

/// The text that a span covers, its end counted as at the last character or behind it.
fn spanned(text: &str, part: &Value, behind_last: bool) -> String {
    let at = |name: &str| usize::try_from(part["span"][name].as_u64().unwrap()).unwrap();
    let end = if behind_last { at("end") } else { at("end") + 1 };
    text.chars().skip(at("start")).take(end - at("start")).collect()
}

#[tokio::test]
async fn a_search_as_a_client_sees_it() {
    let mock = Mock::start(Speed::Max);
    let body = json!({
        "retrievalQuery": {"text": "How deep is the harbour?"},
        "retrievalConfiguration": {"vectorSearchConfiguration": {"numberOfResults": 2}},
    });
    let answered =
        mock.post(&format!("/knowledgebases/{BASE}/retrieve"), &[], &body.to_string()).await;
    insta::assert_snapshot!(serde_json::to_string_pretty(&answered.json()).unwrap());
    let exchange = mock.exchange().await;
    assert_eq!((exchange.operation, exchange.task), (Operation::Retrieve, Task::Retrieval));
    assert_eq!(exchange.usage.total_tokens(), 0);
    assert_eq!(exchange.content.unwrap().prompt, "How deep is the harbour?");
    let text = &answered.json()["retrievalResults"][0]["content"]["text"];
    assert!(text.as_str().unwrap().contains(&exchange.markers[0]));
}

#[tokio::test]
async fn pages_of_a_search_make_the_whole_of_it() {
    let mock = Mock::start(Speed::Max);
    let search = async |size: usize, token: Option<&str>| {
        let mut body = json!({
            "retrievalQuery": {"text": "harbours"},
            "retrievalConfiguration": {"vectorSearchConfiguration": {"numberOfResults": size}},
        });
        if let Some(token) = token {
            body["nextToken"] = token.into();
        }
        mock.post(&format!("/knowledgebases/{BASE}/retrieve"), &[], &body.to_string()).await.json()
    };
    let whole = search(100, None).await;
    assert!(whole.get("nextToken").is_none());
    let whole = whole["retrievalResults"].as_array().unwrap().clone();
    let mut seen: Vec<Value> = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let page = search(4, token.as_deref()).await;
        seen.extend(page["retrievalResults"].as_array().unwrap().iter().cloned());
        match page["nextToken"].as_str() {
            Some(next) => token = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(seen, whole);
    let scores: Vec<f64> = whole.iter().map(|one| one["score"].as_f64().unwrap()).collect();
    assert!(scores.windows(2).all(|pair| pair[0] >= pair[1]), "{scores:?}");
}

#[tokio::test]
async fn another_knowledge_base_query_or_filter_finds_other_passages() {
    let mock = Mock::start(Speed::Max);
    let search = async |base: &str, query: &str, filter: Option<Value>| {
        let mut body = json!({"retrievalQuery": {"text": query}});
        if let Some(filter) = filter {
            body["retrievalConfiguration"] =
                json!({"vectorSearchConfiguration": {"filter": filter}});
        }
        let path = format!("/knowledgebases/{base}/retrieve");
        let found = mock.post(&path, &[], &body.to_string()).await.json();
        assert_eq!(found["retrievalResults"].as_array().unwrap().len(), 5, "{found}");
        found["retrievalResults"][0]["content"]["text"].as_str().unwrap().to_owned()
    };
    let first = search(BASE, "harbours", None).await;
    assert_eq!(first, search(BASE, "harbours", None).await);
    assert_ne!(first, search("KBKBKBKBKB", "harbours", None).await);
    assert_ne!(first, search(BASE, "gardens", None).await);
    let filter = json!({"greaterThan": {"key": "year", "value": 2023}});
    assert_ne!(first, search(BASE, "harbours", Some(filter)).await);
}

#[tokio::test]
async fn an_answer_cites_what_it_rests_on() {
    let mock = Mock::start(Speed::Max);
    let answered = mock.post("/retrieveAndGenerate", &[], &generate(&json!({}))).await;
    let body = answered.json();
    insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap());
    let text = body["output"]["text"].as_str().unwrap();
    for citation in body["citations"].as_array().unwrap() {
        let part = &citation["generatedResponsePart"]["textResponsePart"];
        assert_eq!(spanned(text, part, false), part["text"]);
        assert!(!citation["retrievedReferences"].as_array().unwrap().is_empty());
    }
    let exchange = mock.exchange().await;
    assert_eq!(exchange.task, Task::Chat);
    assert_eq!(exchange.model_id, HAIKU);
    assert_eq!(exchange.served_model.as_deref(), Some(HAIKU));
    assert!(exchange.usage.input_tokens > 200, "the passages are charged: {:?}", exchange.usage);
    assert!(exchange.usage.output_tokens > 0);
    let content = exchange.content.unwrap();
    assert_eq!(
        (content.prompt.as_str(), content.completion.as_str()),
        ("How deep is the harbour?", text)
    );
    assert!(text.contains(&exchange.markers[0]));
}

#[tokio::test]
async fn a_session_goes_on() {
    let mock = Mock::start(Speed::Max);
    let first = mock.post("/retrieveAndGenerate", &[], &generate(&json!({}))).await.json();
    let id = first["sessionId"].as_str().unwrap();
    let body = generate(&json!({})).replacen('{', &format!(r#"{{"sessionId":"{id}","#), 1);
    assert_eq!(mock.post("/retrieveAndGenerate", &[], &body).await.json()["sessionId"], id);
    let streamed = mock.post("/retrieveAndGenerateStream", &[], &body).await;
    assert_eq!(streamed.header("x-amzn-bedrock-knowledge-base-session-id"), Some(id));
    let anew = mock.post("/retrieveAndGenerate", &[], &generate(&json!({}))).await.json();
    assert_eq!(anew["sessionId"], id);
    let mut exchanges = mock.exchanges().await;
    exchanges.sort_unstable_by_key(|exchange| exchange.sequence);
    let tokens: Vec<u64> = exchanges.iter().map(|exchange| exchange.usage.input_tokens).collect();
    let [first, second, third, anew] = tokens[..] else { panic!("{tokens:?}") };
    // What was said before is read again.
    assert!(first < second && second < third && anew == first, "{tokens:?}");
}

#[tokio::test]
async fn a_stream_tells_the_same_answer_with_citations_behind_their_parts() {
    let mock = Mock::start(Speed::Max);
    let whole = mock.post("/retrieveAndGenerate", &[], &generate(&json!({}))).await.json();
    let streamed = mock.post("/retrieveAndGenerateStream", &[], &generate(&json!({}))).await;
    let (mut text, mut cited) = (String::new(), 0);
    for frame in streamed.frames() {
        let event = frame.json();
        match frame.name() {
            "output" => text.push_str(event["text"].as_str().unwrap()),
            "citation" => {
                let part = &event["generatedResponsePart"]["textResponsePart"];
                assert_eq!(spanned(&text, part, true), part["text"]);
                assert!(text.ends_with(part["text"].as_str().unwrap()));
                assert_eq!(
                    event["citation"]["generatedResponsePart"],
                    event["generatedResponsePart"]
                );
                assert_eq!(
                    event["retrievedReferences"],
                    whole["citations"][cited]["retrievedReferences"]
                );
                cited += 1;
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(text, whole["output"]["text"].as_str().unwrap());
    assert_eq!(cited, whole["citations"].as_array().unwrap().len());
    let exchanges = mock.exchanges().await;
    assert_eq!(exchanges[0].usage, exchanges[1].usage);
    assert_eq!(exchanges[0].completion_sha256, exchanges[1].completion_sha256);
    assert!(exchanges[1].delivered && exchanges[1].chunks.unwrap().count > 2);
}

#[tokio::test]
async fn a_document_of_the_request_is_cited() {
    use base64::Engine as _;
    let mock = Mock::start(Speed::Max);
    let data =
        base64::engine::general_purpose::STANDARD.encode("The harbour is twelve metres deep.");
    for (source, location) in [
        (
            json!({"sourceType": "BYTE_CONTENT", "byteContent": {"identifier": "a.txt", "contentType": "text/plain", "data": data}}),
            Value::Null,
        ),
        (
            json!({"sourceType": "S3", "s3Location": {"uri": "s3://books/harbours.pdf"}}),
            json!({"s3Location": {"uri": "s3://books/harbours.pdf"}, "type": "S3"}),
        ),
    ] {
        let body = json!({
            "input": {"text": "How deep is the harbour?"},
            "retrieveAndGenerateConfiguration": {
                "type": "EXTERNAL_SOURCES",
                "externalSourcesConfiguration": {"modelArn": HAIKU, "sources": [source]},
            },
        });
        let answer = mock.post("/retrieveAndGenerate", &[], &body.to_string()).await.json();
        let reference = &answer["citations"][0]["retrievedReferences"][0];
        assert_eq!(reference["location"], location, "{answer}");
        if location.is_null() {
            assert_eq!(reference["content"]["text"], "The harbour is twelve metres deep.");
        }
    }
}

#[tokio::test]
async fn a_guardrail_says_what_it_did() {
    let mock = Mock::start(Speed::Max);
    let guarded = json!({"generationConfiguration": {"guardrailConfiguration": {"guardrailId": "gr1", "guardrailVersion": "1"}}});
    let quiet = generate(&guarded);
    let answer = mock.post("/retrieveAndGenerate", &[], &quiet).await.json();
    assert_eq!(answer["guardrailAction"], "NONE");
    let loud = quiet.replace("How deep is", "Damn, how deep is");
    let answer = mock.post("/retrieveAndGenerate", &[], &loud).await.json();
    assert_eq!(answer["guardrailAction"], "INTERVENED");
    assert_eq!(answer["output"]["text"], "Sorry, the model cannot answer this question.");
    assert_eq!(answer["citations"], json!([]));
    let streamed = mock.post("/retrieveAndGenerateStream", &[], &loud).await;
    let frames = streamed.frames();
    assert_eq!(frames[0].name(), "guardrail");
    assert_eq!(frames[0].json(), json!({"action": "INTERVENED"}));
    let exchanges = mock.exchanges().await;
    assert!(exchanges[0].usage.output_tokens > 0);
    assert_eq!(exchanges[1].usage.total_tokens(), 0);
    assert_eq!(exchanges[1].parameters.guardrail_id.as_deref(), Some("gr1"));
    assert_eq!(exchanges[1].guardrail_action.as_deref(), Some("GUARDRAIL_INTERVENED"));
}

#[tokio::test]
async fn no_answer_is_longer_than_the_request_allows() {
    let mock = Mock::start(Speed::Max);
    let limited = generate(
        &json!({"generationConfiguration": {"inferenceConfig": {"textInferenceConfig": {"maxTokens": 9, "temperature": 0.5}}}}),
    );
    mock.post("/retrieveAndGenerate", &[], &limited).await;
    let exchange = mock.exchange().await;
    assert_eq!(exchange.parameters.max_tokens, Some(9));
    assert_eq!(exchange.parameters.temperature, Some(0.5));
    assert!((1..=9).contains(&exchange.usage.output_tokens), "{:?}", exchange.usage);
}

fn rerank(documents: usize, extra: &str) -> String {
    let sources: Vec<Value> = (0..documents)
        .map(|n| json!({"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": format!("passage {n}")}}}))
        .collect();
    let body = json!({
        "queries": [{"type": "TEXT", "textQuery": {"text": "harbours"}}],
        "sources": sources,
        "rerankingConfiguration": {
            "type": "BEDROCK_RERANKING_MODEL",
            "bedrockRerankingConfiguration": {
                "modelConfiguration": {"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/cohere.rerank-v3-5:0"},
            },
        },
    });
    body.to_string().replacen('{', &format!("{{{extra}"), 1)
}

#[tokio::test]
async fn documents_are_ranked() {
    let mock = Mock::start(Speed::Max);
    let answered = mock.post("/rerank", &[], &rerank(3, "")).await;
    insta::assert_snapshot!(String::from_utf8_lossy(&answered.body));
    let exchange = mock.exchange().await;
    assert_eq!(exchange.task, Task::Rerank);
    assert_eq!(exchange.served_model.as_deref(), Some("cohere.rerank-v3-5:0"));
    assert_eq!(exchange.content.unwrap().prompt, "harbours");
}

#[tokio::test]
async fn pages_of_a_ranking_hold_each_document_once() {
    let mock = Mock::start(Speed::Max);
    let mut seen: Vec<(f64, u64)> = Vec::new();
    let mut extra = String::new();
    loop {
        let page = mock.post("/rerank", &[], &rerank(230, &extra)).await.json();
        for result in page["results"].as_array().unwrap() {
            seen.push((
                result["relevanceScore"].as_f64().unwrap(),
                result["index"].as_u64().unwrap(),
            ));
        }
        let Some(token) = page["nextToken"].as_str() else { break };
        extra = format!(r#""nextToken":"{token}","#);
    }
    assert!(seen.windows(2).all(|pair| pair[0].0 >= pair[1].0));
    let mut indexes: Vec<u64> = seen.into_iter().map(|(_, index)| index).collect();
    indexes.sort_unstable();
    assert_eq!(indexes, (0..230).collect::<Vec<_>>());
}

#[tokio::test]
async fn bad_requests_get_the_service_s_own_words() {
    let mock = Mock::start(Speed::Max);
    let query = r#"{"retrievalQuery":{"text":"a"}}"#;
    let generated = generate(&json!({}));
    let ranked = rerank(1, "");
    let mut seen = Vec::new();
    for (path, body) in [
        ("/knowledgebases/short/retrieve", query.to_owned()),
        ("/knowledgebases/SSGLURQ9A_/retrieve", query.to_owned()),
        ("/knowledgebases/SSGLURQ9A5/retrieve", "{}".to_owned()),
        ("/knowledgebases/SSGLURQ9A5/retrieve", "[".to_owned()),
        ("/knowledgebases/SSGLURQ9A5/retrieve", query.replacen('{', r#"{"nextToken":"abc","#, 1)),
        (
            "/knowledgebases/SSGLURQ9A5/retrieve",
            query.replacen('{', r#"{"retrievalConfiguration":{"vectorSearchConfiguration":{"numberOfResults":101}},"#, 1),
        ),
        ("/retrieveAndGenerate", generated.replace("KNOWLEDGE_BASE", "MEMORY")),
        ("/retrieveAndGenerate", generated.replace("KNOWLEDGE_BASE", "EXTERNAL_SOURCES")),
        ("/retrieveAndGenerate", generated.replace(BASE, "a-b")),
        ("/retrieveAndGenerate", generated.replace(HAIKU, "amazon.titan-embed-text-v2:0")),
        ("/retrieveAndGenerate", generated.replace(HAIKU, "nobody.knows")),
        ("/retrieveAndGenerateStream", generated.replace("\"input\"", "\"question\"")),
        ("/retrieveAndGenerateStream", generated.replacen('{', r#"{"sessionId":"a b","#, 1)),
        ("/rerank", ranked.replace("cohere.rerank-v3-5:0", "amazon.nova-lite-v1:0")),
        ("/rerank", rerank(0, "")),
        ("/rerank", ranked.replace("INLINE", "S3")),
        ("/rerank", ranked.replace("passage 0", "")),
    ] {
        let answered = mock.post(path, &[], &body).await;
        seen.push(format!("{path}: {}", refusal(&answered)));
    }
    insta::assert_snapshot!(seen.join("\n"));
}
