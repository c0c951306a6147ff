use spanproof_schemas::report::Level;

use crate::field::Field;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::SpanView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "usage/breakdown",
    summary: "tokens are no fewer than the parts that they count in",
    level: Level::Violation,
    basis: Basis::Should("gen_ai.usage.input_tokens, \"SHOULD include all types of input tokens\""),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The counts of one span against each other, with or without a ledger. From \
            1.40.0 on input tokens are no fewer than those read from and written to the prompt \
            cache together; output tokens are no fewer than those of reasoning; and a total, \
            which no version has a name for, is the sum of input and output, cached tokens \
            counted once.",
        why: "A part that is larger than the whole shows that the two were counted in different \
            ways. Whoever subtracts the one from the other gets fewer than no tokens.",
        example: "`gen_ai.usage.input_tokens = 12` with \
            `gen_ai.usage.cache_read.input_tokens = 1000`, judged by 1.41.1.",
        how_to_mend: "Add the cached tokens to the input tokens, as the service leaves them out; \
            leave reasoning in the output, as the service counts it in.",
    },
    checks: &[Check::Span(check)],
};

fn check(view: &SpanView<'_>) -> Vec<Finding> {
    let count = |field| view.fields.count(field);
    let cached = [Field::CacheReadTokens, Field::CacheWriteTokens].map(count);
    let cached = match cached {
        [None, None] => None,
        parts => Some(parts.into_iter().flatten().fold(0, u64::saturating_add)),
    };
    let (reasoning, total) = (count(Field::ReasoningTokens), count(Field::TotalTokens));
    if cached.is_none() && reasoning.is_none() && total.is_none() {
        return Vec::new();
    }
    let (input, output) = (count(Field::InputTokens), count(Field::OutputTokens));
    let mut findings = Vec::new();
    if let (Some(input), Some(cached)) = (input, cached)
        && view.semconv.counts_cached_input
        && input < cached
    {
        findings.push(
            Finding::new("there are fewer input tokens than those of the prompt cache among them")
                .attribute("gen_ai.usage.input_tokens")
                .expected(format!("{cached} or more"))
                .actual(input.to_string()),
        );
    }
    if let (Some(output), Some(reasoning)) = (output, reasoning)
        && output < reasoning
    {
        findings.push(
            Finding::new("there are fewer output tokens than those of reasoning among them")
                .attribute("gen_ai.usage.output_tokens")
                .expected(format!("{reasoning} or more"))
                .actual(output.to_string()),
        );
    }
    if let (Some(input), Some(output), Some(total)) = (input, output, total) {
        let sum = input.saturating_add(output);
        let with_cached = sum.saturating_add(cached.unwrap_or(0));
        // Before 1.40.0 cached tokens may be beside the input.
        if total != sum && (view.semconv.counts_cached_input || total != with_cached) {
            findings.push(
                Finding::new("the total of tokens is not the sum of input and output")
                    .attribute("total tokens")
                    .expected(sum.to_string())
                    .actual(total.to_string()),
            );
        }
    }
    findings
}
