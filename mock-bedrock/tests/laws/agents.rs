//! Laws of the agent runtime: whatever a body says, it is answered or refused.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::service::{Told, ask};

const HAIKU: &str = "anthropic.claude-3-haiku-20240307-v1:0";

/// One good request of each operation.
#[expect(clippy::too_many_lines, reason = "a table of requests")]
fn templates() -> Vec<(&'static str, Value)> {
    let action = |control: Value| {
        json!([{
            "actionGroupName": "charts",
            "actionGroupExecutor": control,
            "functionSchema": {"functions": [{
                "name": "depth",
                "description": "How deep it is.",
                "requireConfirmation": "DISABLED",
                "parameters": {"place": {"type": "string", "required": true}},
            }]},
            "apiSchema": {"payload": json!({"paths": {"/tides": {"get": {
                "parameters": [{"name": "day", "required": true, "schema": {"type": "string"}}],
            }}}}).to_string()},
        }])
    };
    let inline = |control: Value| {
        json!({
            "foundationModel": HAIKU,
            "instruction": "You are an assistant of a harbour and answer what sailors ask.",
            "inputText": "How deep is the harbour?",
            "enableTrace": true,
            "actionGroups": action(control),
            "knowledgeBases": [{"knowledgeBaseId": "SSGLURQ9A5", "description": "charts"}],
            "guardrailConfiguration": {"guardrailIdentifier": "gr1", "guardrailVersion": "1"},
            "promptOverrideConfiguration": {"promptConfigurations": [{
                "promptType": "ORCHESTRATION",
                "inferenceConfiguration": {"maximumLength": 90, "temperature": 0.5, "stopSequences": ["the"]},
            }]},
        })
    };
    let task = json!({
        "inputText": "How deep is the harbour?",
        "enableTrace": true,
        "memoryId": "memory-1",
        "streamingConfigurations": {"streamFinalResponse": true, "applyGuardrailInterval": 9},
        "sessionState": {
            "conversationHistory": {"messages": [{"role": "user", "content": [{"text": "Hello"}]}]},
            "knowledgeBaseConfigurations": [{"knowledgeBaseId": "SSGLURQ9A5", "retrievalConfiguration": {
                "vectorSearchConfiguration": {"numberOfResults": 3},
            }}],
            "promptSessionAttributes": {"ship": "large"},
        },
    });
    let generate = json!({
        "input": {"text": "How deep is the harbour?"},
        "sessionId": "session-1",
        "retrieveAndGenerateConfiguration": {
            "type": "KNOWLEDGE_BASE",
            "knowledgeBaseConfiguration": {
                "knowledgeBaseId": "SSGLURQ9A5",
                "modelArn": HAIKU,
                "generationConfiguration": {
                    "inferenceConfig": {"textInferenceConfig": {"maxTokens": 40, "topP": 0.5, "stopSequences": ["harbour"]}},
                    "promptTemplate": {"textPromptTemplate": "Use $search_results$ for $query$."},
                },
            },
        },
    });
    vec![
        ("/agents/KBASEAGENT/agentAliases/TSTALIASID/sessions/session-1/text", task.clone()),
        ("/agents/AGENTACTS1/agentAliases/TSTALIASID/sessions/session-1/text", task.clone()),
        ("/agents/RCAGENT001/agentAliases/TSTALIASID/sessions/session-1/text", task),
        ("/agents/session-1", inline(json!({"customControl": "RETURN_CONTROL"}))),
        (
            "/agents/session-1",
            inline(json!({"lambda": "arn:aws:lambda:us-east-1:123456789012:function:charts"})),
        ),
        (
            "/flows/FLOWFLOW12/aliases/TSTALIASID",
            json!({
                "inputs": [{"content": {"document": {"depth": 12}}, "nodeName": "In", "nodeOutputName": "document"}],
                "enableTrace": true,
                "executionId": "execution-1",
            }),
        ),
        (
            "/knowledgebases/SSGLURQ9A5/retrieve",
            json!({
                "retrievalQuery": {"text": "harbours", "type": "TEXT"},
                "retrievalConfiguration": {"vectorSearchConfiguration": {
                    "numberOfResults": 3,
                    "overrideSearchType": "HYBRID",
                    "filter": {"andAll": [
                        {"equals": {"key": "year", "value": 2024}},
                        {"in": {"key": "place", "value": ["north"]}},
                    ]},
                }},
                "guardrailConfiguration": {"guardrailId": "gr1", "guardrailVersion": "DRAFT"},
            }),
        ),
        ("/retrieveAndGenerate", generate.clone()),
        ("/retrieveAndGenerateStream", generate),
        (
            "/rerank",
            json!({
                "queries": [{"type": "TEXT", "textQuery": {"text": "harbours"}}],
                "sources": [
                    {"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": "a"}}},
                    {"type": "INLINE", "inlineDocumentSource": {"type": "JSON", "jsonDocument": {"a": 1}}},
                ],
                "rerankingConfiguration": {
                    "type": "BEDROCK_RERANKING_MODEL",
                    "bedrockRerankingConfiguration": {
                        "numberOfResults": 2,
                        "modelConfiguration": {"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/cohere.rerank-v3-5:0"},
                    },
                },
            }),
        ),
        (
            "/async-invoke",
            json!({
                "clientRequestToken": "token",
                "modelId": "amazon.nova-2-multimodal-embeddings-v1:0",
                "modelInput": {"prompt": "a"},
                "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://videos/out"}},
                "tags": [{"key": "a", "value": "b"}],
            }),
        ),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..200_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "[a-zA-Z0-9]{0,60}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,6}", inner, 0..3)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// Puts `new` in the place of one of the parts of `value`, which `at` picks.
fn replace(value: &mut Value, at: Index, new: Value) {
    fn pointers(value: &Value, prefix: &str, all: &mut Vec<String>) {
        all.push(prefix.to_owned());
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    pointers(value, &format!("{prefix}/{name}"), all);
                }
            }
            Value::Array(items) => {
                for (n, value) in items.iter().enumerate() {
                    pointers(value, &format!("{prefix}/{n}"), all);
                }
            }
            _ => {}
        }
    }
    let mut all = Vec::new();
    pointers(value, "", &mut all);
    if let Some(part) = value.pointer_mut(&all[at.index(all.len())]) {
        *part = new;
    }
}

fn is_stream(told: &Told) -> bool {
    told.header("content-type") == Some("application/vnd.amazon.eventstream")
}

#[test]
fn every_template_is_answered() {
    for (path, body) in templates() {
        let told = ask(7, path, &body);
        assert_eq!(told.status, 200, "{path}: {:?}", told.body);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_body_says_it_is_answered_or_refused(
        template in any::<Index>(),
        changes in prop::collection::vec((any::<Index>(), any_json()), 1..3),
        seed: u64,
    ) {
        let templates = templates();
        let (path, mut body) = template.get(&templates).clone();
        for (at, new) in changes {
            replace(&mut body, at, new);
        }
        let told = ask(seed, path, &body);
        if is_stream(&told) {
            prop_assert_eq!(told.status, 200);
            prop_assert!(!told.events().is_empty());
            prop_assert!(told.exchange.delivered);
        } else if told.status == 200 {
            told.json();
        } else {
            prop_assert!(matches!(told.status.as_u16(), 400 | 404), "{} {:?}", told.status, told.body);
            prop_assert!(told.json()["message"].is_string());
            prop_assert_eq!(told.exchange.usage.total_tokens(), 0);
        }
    }
}
