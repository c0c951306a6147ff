//! InvokeModel and InvokeModelWithResponseStream: each family's own bodies.

mod families;

use families::{FAMILIES, Native};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::catalogue::{MODELS, Model, that};
use super::limits;
use super::requests::{stop_sequences, text};
use super::service::{Told, ask};
use super::shapes::{Usage, members};

proptest! {
    #[test]
    fn both_ways_tell_the_same_answer_within_its_limits(
        (native, model, body) in requests(), seed in any::<u64>()
    ) {
        let whole = ask(seed, &model.path("invoke"), &body);
        prop_assert_eq!(whole.status, 200, "{}", String::from_utf8_lossy(&whole.body));
        let answer = whole.json();
        members(&answer, native.members, native.optional);
        let told = (native.text)(&answer);
        limits::keeps(stated(&whole), said(&told), &whole);

        let streamed = ask(seed, &model.path("invoke-with-response-stream"), &body);
        prop_assert_eq!(streamed.status, 200);
        let chunks = streamed.chunks();
        let pieces: String = chunks.iter().map(native.piece).collect();
        prop_assert_eq!(&pieces, &told);
        limits::keeps(measured(&chunks), said(&pieces), &streamed);
        prop_assert_eq!(streamed.exchange.usage, whole.exchange.usage);
        prop_assert_eq!(&streamed.exchange.stop_reason, &whole.exchange.stop_reason);

        prop_assert_eq!(whole.repeatable(), ask(seed, &model.path("invoke"), &body).repeatable());
        let again = ask(seed, &model.path("invoke-with-response-stream"), &body);
        prop_assert_eq!(streamed.repeatable(), again.repeatable());
    }
}

/// A family, a model of it, and a body that it takes.
fn requests() -> impl Strategy<Value = (&'static Native, Model, Value)> {
    select(models())
        .prop_flat_map(|(native, model)| {
            let most = model.max_output_tokens.min(400);
            let stops = stop_sequences(native.most_stop_sequences);
            let text = text(model.context_window);
            (Just(native), Just(model), text, prop::option::of(1..=most), stops)
        })
        .prop_map(|(native, model, text, max_tokens, stops)| {
            let body = (native.body)(&text, max_tokens, &stops);
            (native, model, body)
        })
}

fn models() -> Vec<(&'static Native, Model)> {
    let models = that(|model| model.gives("TEXT") && model.supports("stream"));
    let native = |model: &Model| FAMILIES.iter().find(|native| native.name == model.family);
    models.into_iter().filter_map(|model| Some((native(&model)?, model))).collect()
}

/// The text without the reasoning that stands before it in tags, and may not have come to its end:
/// sequences stop what is said, not what is thought.
fn said(text: &str) -> &str {
    for (open, close) in [("<think>", "</think>"), ("<reasoning>", "</reasoning>")] {
        if text.starts_with(open) {
            return text.split_once(close).map_or("", |(_, said)| said);
        }
    }
    text
}

/// What the headers say of the tokens.
fn stated(told: &Told) -> Usage {
    let tokens = |name: &str| {
        let value = told.header(&format!("x-amzn-bedrock-{name}-token-count"));
        value.map_or(0, |value| value.parse().unwrap())
    };
    let (input, output) = (tokens("input"), tokens("output"));
    let (cache_read, cache_write) = (tokens("cache-read-input"), tokens("cache-write-input"));
    told.header("x-amzn-bedrock-invocation-latency").unwrap().parse::<u64>().unwrap();
    Usage {
        input,
        output,
        total: input + output + cache_read + cache_write,
        cache_read,
        cache_write,
    }
}

/// What the last chunk says of the tokens; no other says it.
fn measured(chunks: &[Value]) -> Usage {
    const METRICS: &str = "amazon-bedrock-invocationMetrics";
    let (last, rest) = chunks.split_last().unwrap();
    assert!(rest.iter().all(|chunk| chunk.get(METRICS).is_none()));
    let metrics = &last[METRICS];
    members(
        metrics,
        &["inputTokenCount", "outputTokenCount", "invocationLatency", "firstByteLatency"],
        &["cacheReadInputTokenCount", "cacheWriteInputTokenCount"],
    );
    let number = |name: &str| metrics[name].as_u64().unwrap_or(0);
    assert!(number("firstByteLatency") <= number("invocationLatency"), "{metrics}");
    let (input, output) = (number("inputTokenCount"), number("outputTokenCount"));
    let cache_read = number("cacheReadInputTokenCount");
    let cache_write = number("cacheWriteInputTokenCount");
    Usage {
        input,
        output,
        total: input + output + cache_read + cache_write,
        cache_read,
        cache_write,
    }
}

#[test]
fn every_family_that_writes_text_is_under_the_laws() {
    // Nova Sonic speaks, over a stream of its own; rerankers do not stream.
    let writes = |model: &&Model| {
        model.gives("TEXT") && model.supports("stream") && model.family != "nova_sonic"
    };
    for model in MODELS.iter().filter(writes) {
        assert!(FAMILIES.iter().any(|native| native.name == model.family), "{}", model.family);
    }
}
