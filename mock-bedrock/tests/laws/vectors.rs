//! InvokeModel of models that give vectors and orders instead of texts.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::catalogue::{MODELS, Model, that};
use super::requests::text;
use super::service::{Told, ask};

/// Tokens that each of these models takes.
const WINDOW: u64 = 512;

proptest! {
    // Thousands of numbers a case.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn titan_gives_a_vector_of_the_length_and_norm_asked_for(
        text in text(WINDOW), dimensions in select(vec![256, 512, 1024]), normalize in any::<bool>(),
        seed in any::<u64>()
    ) {
        let body = json!({ "inputText": text, "dimensions": dimensions, "normalize": normalize });
        let model = only("amazon.titan-embed-text-v2:0");
        let told = ask_twice(seed, &model, &body);
        let answer = told.json();
        let tokens = answer["inputTextTokenCount"].as_u64().unwrap();
        prop_assert_eq!(tokens, told.exchange.usage.input_tokens);
        charged(&told, tokens);
        let vector = vector(&answer["embedding"]);
        prop_assert_eq!(vector.len(), dimensions);
        let norm = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
        prop_assert!(!normalize || (norm - 1.0).abs() < 1e-3, "{}", norm);
    }

    #[test]
    fn cohere_gives_a_vector_for_each_text(
        model in select(that(|model| model.family == "cohere_embed")),
        texts in prop::collection::vec(text(WINDOW), 1..5), seed in any::<u64>(), typed in any::<bool>(),
    ) {
        let mut body = json!({ "texts": texts, "input_type": "search_document" });
        if typed {
            body["embedding_types"] = json!(["float", "int8"]);
        }
        let told = ask_twice(seed, &model, &body);
        let answer = told.json();
        charged(&told, told.exchange.usage.input_tokens);
        prop_assert_eq!(answer["texts"].as_array().unwrap().len(), texts.len());
        let embeddings = &answer["embeddings"];
        let floats = embeddings.get("float").unwrap_or(embeddings).as_array().unwrap();
        prop_assert_eq!(floats.len(), texts.len());
        let lengths: Vec<usize> = floats.iter().map(|values| vector(values).len()).collect();
        prop_assert!(lengths.iter().all(|length| *length == lengths[0] && *length > 0));
        for (one, other) in texts.iter().zip(floats).zip(texts.iter().zip(floats).skip(1)) {
            prop_assert_eq!(one.0 == other.0, one.1 == other.1, "equal texts have equal vectors");
        }
        if typed {
            prop_assert_eq!(embeddings["int8"].as_array().unwrap().len(), texts.len());
        }
    }

    #[test]
    fn nova_gives_a_vector_of_the_length_asked_for(
        text in text(WINDOW), dimensions in select(vec![256, 384, 1024, 3072]), seed in any::<u64>()
    ) {
        let parameters = json!({
            "embeddingPurpose": "GENERIC_INDEX", "embeddingDimension": dimensions,
            "text": { "truncationMode": "END", "value": text },
        });
        let body = json!({ "taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": parameters });
        let told = ask_twice(seed, &only("amazon.nova-2-multimodal-embeddings-v1:0"), &body);
        charged(&told, told.exchange.usage.input_tokens);
        let answer = told.json();
        let embeddings = answer["embeddings"].as_array().unwrap();
        prop_assert_eq!(embeddings.len(), 1);
        prop_assert_eq!(vector(&embeddings[0]["embedding"]).len(), dimensions);
    }

    #[test]
    fn rerankers_name_the_best_documents_each_once_best_first(
        model in select(that(|model| model.family == "rerank")), query in text(WINDOW),
        documents in prop::collection::vec(text(WINDOW), 1..8), top in prop::option::of(1..9_usize),
        seed in any::<u64>()
    ) {
        let mut body = json!({ "query": query, "documents": documents });
        if model.id.starts_with("cohere.") {
            body["api_version"] = json!(2);
        }
        let top = top.map(|top| top.min(documents.len()));
        if let Some(top) = top {
            body["top_n"] = json!(top);
        }
        let told = ask_twice(seed, &model, &body);
        let answer = told.json();
        let results = answer["results"].as_array().unwrap();
        prop_assert_eq!(results.len(), top.unwrap_or(documents.len()));
        let scores: Vec<f64> =
            results.iter().map(|result| result["relevance_score"].as_f64().unwrap()).collect();
        prop_assert!(scores.is_sorted_by(|one, next| one >= next), "{:?}", scores);
        prop_assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)), "{:?}", scores);
        let mut indices: Vec<u64> =
            results.iter().map(|result| result["index"].as_u64().unwrap()).collect();
        indices.sort_unstable();
        indices.dedup();
        prop_assert_eq!(indices.len(), results.len());
        prop_assert!(indices.iter().all(|index| usize::try_from(*index).unwrap() < documents.len()));
    }
}

fn only(id: &str) -> Model {
    MODELS.iter().find(|model| model.id == id).unwrap().clone()
}

/// The answer, the same both times.
fn ask_twice(seed: u64, model: &Model, body: &Value) -> Told {
    let told = ask(seed, &model.path("invoke"), body);
    assert_eq!(told.status, 200, "{}", String::from_utf8_lossy(&told.body));
    assert_eq!(told.repeatable(), ask(seed, &model.path("invoke"), body).repeatable());
    told
}

/// The header tells the tokens of the input, and none of an output.
fn charged(told: &Told, tokens: u64) {
    let tokens = tokens.to_string();
    assert_eq!(told.header("x-amzn-bedrock-input-token-count"), Some(tokens.as_str()));
    assert_eq!(told.header("x-amzn-bedrock-output-token-count"), None);
}

fn vector(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}
