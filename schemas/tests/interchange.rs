//! Every interchange file is what its JSON Schema says, in Rust as in the schema.

mod support;

use std::fs;
use std::sync::LazyLock;

use jsonschema::Validator;
use proptest::option::of;
use proptest::prelude::*;
use serde_json::{Value, json};
use spanproof_schemas::ledger::{
    Answer, Chunks, Content, Conversation, Exchange, LEDGER_VERSION, MarkerKind, Operation,
    Parameters, Planted, Record, Run, SentRequest, Task, ToolCall, TraceContext, Usage,
    canonical_json, marker_stem,
};
use spanproof_schemas::price::PriceTable;
use spanproof_schemas::worker::{self, Call, Done, FromWorker};
use support::{assert_accepts, assert_refuses_spoiled, document, validator};

#[test]
fn every_schema_is_a_schema() {
    let mut names = Vec::new();
    for entry in fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some(stem) = name.strip_suffix(".schema.json") else { continue };
        let schema: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
        jsonschema::draft202012::meta::validate(&schema)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        names.push(stem.to_owned());
    }
    for name in ["ledger", "price", "report", "semconv", "worker"] {
        assert!(names.iter().any(|known| known == name), "{name}.schema.json is missing");
    }
}

fn run() -> Record {
    Record::Run(Run {
        version: LEDGER_VERSION,
        seed: u64::MAX,
        started_unix_nanos: 1_700_000_000_000_000_000,
        server_address: "127.0.0.1".to_owned(),
        server_port: u16::MAX,
        marker_stems: vec![
            marker_stem(MarkerKind::Prompt, 7),
            marker_stem(MarkerKind::Completion, 7),
        ],
        planted: [MarkerKind::Prompt, MarkerKind::Completion]
            .into_iter()
            .flat_map(|origin| Planted::all(origin, 7))
            .collect(),
    })
}

/// An exchange with nothing that may be left out.
fn smallest_exchange() -> Exchange {
    Exchange {
        request_id: "0".to_owned(),
        model_id: "amazon.nova-lite-v1:0".to_owned(),
        prompt_sha256: "0".repeat(64),
        completion_sha256: "f".repeat(64),
        ..Exchange::default()
    }
}

/// An exchange with everything.
fn largest_exchange() -> Exchange {
    Exchange {
        sequence: 79_999,
        arrived_unix_nanos: 1,
        finished_unix_nanos: u64::MAX,
        operation: Operation::InvokeModelWithResponseStream,
        task: Task::TextCompletion,
        trace_context: Some(TraceContext {
            trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
            span_id: "b7ad6b7169203331".to_owned(),
            sampled: true,
        }),
        invocation_id: Some("an id".to_owned()),
        attempt: Some(3),
        request_metadata: [("tenant".to_owned(), "tenant-3".to_owned())].into(),
        parameters: Parameters {
            max_tokens: Some(512),
            temperature: Some(0.5),
            top_p: Some(1.0),
            top_k: Some(250.0),
            stop_sequences: vec!["END".to_owned()],
            guardrail_id: Some("gr-1".to_owned()),
        },
        conversation: Conversation { messages: 3, system_blocks: 1, tools: 2 },
        system_sha256: Some("1".repeat(64)),
        messages_sha256: Some("2".repeat(64)),
        answer: Some(Answer {
            texts: 1,
            tool_calls: vec![ToolCall {
                name: "get_weather".to_owned(),
                arguments_sha256: Some("0".repeat(64)),
            }],
        }),
        usage: Usage {
            input_tokens: 1,
            output_tokens: 2,
            cache_read_input_tokens: 3,
            cache_write_input_tokens: 4,
            reasoning_output_tokens: 2,
        },
        stop_reason: Some("tool_use".to_owned()),
        response_id: Some("msg_1".to_owned()),
        response_model: Some("claude".to_owned()),
        status: 200,
        exception: Some("throttlingException".to_owned()),
        delivered: true,
        chunks: Some(Chunks { first_unix_nanos: 1, last_unix_nanos: 2, count: 3 }),
        fault: Some("stream:throttlingException".to_owned()),
        guardrail_action: Some("GUARDRAIL_INTERVENED".to_owned()),
        scripted_answer: Some("greeting".to_owned()),
        served_model: Some("a.claude".to_owned()),
        test_id: Some("a-test".to_owned()),
        markers: vec!["SPMP0000000012".to_owned()],
        request: Some(Box::new(SentRequest {
            target: "/model/m/converse".to_owned(),
            headers: [("x-mine".to_owned(), "1".to_owned())].into(),
            body: [("/a".to_owned(), "1".to_owned())].into(),
        })),
        content: Some(Content { prompt: "p".to_owned(), completion: "c".to_owned() }),
        ..smallest_exchange()
    }
}

#[test]
fn the_ledger_is_what_its_schema_says() {
    let schema = validator("ledger");
    for record in [
        run(),
        Record::Exchange(Box::new(smallest_exchange())),
        Record::Exchange(Box::new(largest_exchange())),
    ] {
        assert_refuses_spoiled(&schema, &document(&schema, &record), &[]);
    }
}

#[test]
fn the_ledger_without_a_required_member_is_refused_by_both() {
    let schema = validator("ledger");
    for record in [run(), Record::Exchange(Box::new(largest_exchange()))] {
        let whole = document(&schema, &record);
        for key in whole.as_object().unwrap().keys() {
            let mut part = whole.clone();
            part.as_object_mut().unwrap().remove(key);
            let read: Result<Record, _> = serde_json::from_value(part.clone());
            assert_eq!(schema.is_valid(&part), read.is_ok(), "without `{key}`");
        }
    }
}

#[test]
fn the_same_arguments_in_any_notation_have_one_canonical_form() {
    let read = |text: &str| canonical_json(&serde_json::from_str(text).unwrap());
    let canonical = "{\"a\":[1,null,\"\u{e9}\\\"\"],\"b\":{\"c\":0.5,\"d\":-3}}";
    let other = r#"{ "b": {"d": -3.0, "c": 5e-1}, "a": [1.0, null, "\u00e9\""] }"#;
    assert_eq!(read(other), canonical);
    assert_eq!(read(canonical), canonical);
}

prop_compose! {
    fn usage()(
        input_tokens in any::<u64>(),
        output_tokens in any::<u64>(),
        cache_read_input_tokens in any::<u64>(),
        cache_write_input_tokens in any::<u64>(),
        reasoning_output_tokens in any::<u64>(),
    ) -> Usage {
        Usage {
            input_tokens,
            output_tokens,
            cache_read_input_tokens,
            cache_write_input_tokens,
            reasoning_output_tokens,
        }
    }
}

prop_compose! {
    fn exchange()(
        sequence in any::<u64>(),
        operation in prop::sample::select(Operation::ALL),
        task in prop::sample::select(Task::ALL),
        model_id in any::<String>(),
        invocation_id in of(any::<String>()),
        attempt in of(any::<u32>()),
        // Quarters, because reading a decimal back may miss the last bit.
        temperature in of((0..8u32).prop_map(|quarters| f64::from(quarters) / 4.0)),
        stop_sequences in prop::collection::vec(any::<String>(), 0..3),
        usage in usage(),
        status in any::<u16>(),
        delivered in any::<bool>(),
        prompt_sha256 in "[0-9a-f]{64}",
        content in of((any::<String>(), any::<String>())),
    ) -> Exchange {
        Exchange {
            sequence,
            operation,
            task,
            model_id,
            invocation_id,
            attempt,
            parameters: Parameters { temperature, stop_sequences, ..Parameters::default() },
            usage,
            status,
            delivered,
            prompt_sha256,
            content: content.map(|(prompt, completion)| Content { prompt, completion }),
            ..smallest_exchange()
        }
    }
}

proptest! {
    #[test]
    fn any_exchange_is_accepted_and_reads_back(exchange in exchange()) {
        static SCHEMA: LazyLock<Validator> = LazyLock::new(|| validator("ledger"));
        document(&SCHEMA, &Record::Exchange(Box::new(exchange)));
    }
}

#[test]
fn the_worker_protocol_is_what_its_schema_says() {
    let schema = validator("worker");
    let mut call = Call {
        call: 0,
        operation: worker::Operation::Converse,
        model_id: "amazon.nova-lite-v1:0".to_owned(),
        request: json!({"messages": [{"role": "user", "content": [{"text": "hello"}]}]}),
        headers: Vec::new(),
    };
    assert_refuses_spoiled(&schema, &document(&schema, &call), &["/request"]);
    call.headers.push(("x-spanproof-fault".to_owned(), "cut".to_owned()));
    assert_refuses_spoiled(&schema, &document(&schema, &call), &["/request"]);

    let smallest = Done {
        call: 0,
        started_unix_nanos: 1,
        first_chunk_unix_nanos: None,
        finished_unix_nanos: 2,
        error: None,
        usage: None,
        stop_reason: None,
    };
    let largest = Done {
        first_chunk_unix_nanos: Some(2),
        error: Some("ThrottlingException".to_owned()),
        usage: Some(Usage::default()),
        stop_reason: Some("end_turn".to_owned()),
        ..smallest.clone()
    };
    let ready = FromWorker::Ready { client: "boto3 1.40".to_owned() };
    for line in [ready, FromWorker::Done(smallest), FromWorker::Done(largest)] {
        let mut whole = document(&schema, &line);
        for key in whole.as_object().unwrap().keys() {
            let mut spoiled = whole.clone();
            spoiled[key] = json!([]);
            assert!(!schema.is_valid(&spoiled), "accepts another type of `{key}`");
            assert!(serde_json::from_value::<FromWorker>(spoiled).is_err());
        }
        // A worker may say more than it has to.
        whole["memory_bytes"] = json!(1);
        assert_accepts(&schema, &whole);
        assert_eq!(serde_json::from_value::<FromWorker>(whole).unwrap(), line);
    }
}

#[test]
fn the_price_table_is_what_its_schema_says() {
    let text = include_str!("../../fixtures/prices/bedrock.json");
    let schema = validator("price");
    let table: Value = serde_json::from_str(text).unwrap();
    assert_accepts(&schema, &table);
    assert_refuses_spoiled(&schema, &document(&schema, &PriceTable::built_in()), &[]);
}
