use spanproof_schemas::report::Level;

use crate::field::Field;
use crate::finding::Finding;
use crate::otlp::Value;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::value;
use crate::view::SpanView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "values/range",
    summary: "counts are not negative, and parameters are ones that a model takes",
    level: Level::Violation,
    basis: Basis::Must("attribute registry, what each attribute counts or measures"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Numbers of GenAI spans, with or without a ledger: counts of tokens are 0 \
            or more, the most tokens to generate are 1 or more, the temperature is from 0 to 5, \
            the highest that any model on Bedrock takes, `gen_ai.request.top_p` is from 0 to 1, \
            `gen_ai.request.top_k` is 0 or more, and the time to the first chunk is no less than \
            none. What is not a number is out of every range. Types are `types/attribute-type`.",
        why: "A value that cannot be spoils every sum and average that it is part of, and shows \
            that it was computed, or taken from the wrong place.",
        example: "`gen_ai.usage.input_tokens = -512`, since cached tokens were subtracted from a \
            count without them.",
        how_to_mend: "Record what the request and the answer state, and compute nothing.",
    },
    checks: &[Check::Span(check)],
};

/// Fields, with the least and the most that they may be.
const RANGES: &[(Field, &str, f64, f64)] = &[
    (Field::InputTokens, "gen_ai.usage.input_tokens", 0.0, f64::MAX),
    (Field::OutputTokens, "gen_ai.usage.output_tokens", 0.0, f64::MAX),
    (Field::CacheReadTokens, "gen_ai.usage.cache_read.input_tokens", 0.0, f64::MAX),
    (Field::CacheWriteTokens, "gen_ai.usage.cache_creation.input_tokens", 0.0, f64::MAX),
    (Field::ReasoningTokens, "gen_ai.usage.reasoning.output_tokens", 0.0, f64::MAX),
    (Field::MaxTokens, "gen_ai.request.max_tokens", 1.0, f64::MAX),
    (Field::Temperature, "gen_ai.request.temperature", 0.0, 5.0),
    (Field::TopP, "gen_ai.request.top_p", 0.0, 1.0),
    (Field::TopK, "gen_ai.request.top_k", 0.0, f64::MAX),
    (Field::TimeToFirstChunk, "gen_ai.response.time_to_first_chunk", 0.0, f64::MAX),
];

fn check(view: &SpanView<'_>) -> Vec<Finding> {
    let is_out = |(field, _, least, most): &&(Field, &'static str, f64, f64)| {
        let number = value::number(view.fields.get(*field));
        number.is_some_and(|number| !(*least..=*most).contains(&number))
    };
    let out_of_range = |(field, name, least, most): &(Field, &'static str, f64, f64)| {
        let value: &Value = view.fields.get(*field)?;
        let expected = if *most < f64::MAX {
            format!("{least} to {most}")
        } else {
            format!("{least} or more")
        };
        Some(
            Finding::new("the number is none that the attribute can have")
                .attribute(*name)
                .expected(expected)
                .actual(value::render(Some(value))),
        )
    };
    RANGES.iter().filter(is_out).filter_map(out_of_range).collect()
}
