use spanproof_schemas::report::Level;

use super::{absent_or, closed_or_lost, foreign};
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::usage::expected;
use crate::view::CallView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "usage/input-tokens",
    summary: "gen_ai.usage.input_tokens is what was served, counted as the version counts it",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "`gen_ai.usage.input_tokens` of the span against the usage served, for \
            calls whose answer arrived in full with its usage. The service leaves tokens read \
            from and written to the prompt cache out of its input count; from 1.40.0 on the \
            conventions say that `gen_ai.usage.input_tokens` SHOULD include them, before that the \
            service's own count is expected. The finding says so where the difference is exactly \
            the cached tokens. An absent count is a finding when tokens were served; on the span of a \
            stream that has neither usage nor finish reasons it is an improvement, since the \
            program may have closed the stream before it had read the end, unless \
            `reads-streams-to-end` says that it never does. A count in another \
            vocabulary, such as `llm.token_count.prompt`, may have the cached tokens in or out; \
            any other number is a finding.",
        why: "Input tokens are the larger part of most bills. A count without the cached tokens \
            shows a cached prompt as almost free and almost empty.",
        example: "The service counts 37 input tokens and 2,048 read from the cache; the span, \
            judged by 1.41.1, says 37 where 2,085 is due.",
        how_to_mend: "Add `cacheReadInputTokens` and `cacheWriteInputTokens` of the answer to \
            `inputTokens` for versions from 1.40.0 on. In streams, read the usage of the metadata \
            event (Converse) or of the invocation metrics (InvokeModel).",
    },
    checks: &[Check::Call(check)],
};

fn check(view: &CallView<'_>) -> Vec<Finding> {
    let Some(span) = view.any_span().filter(|_| view.call.was_told_usage(view.symbols)) else {
        return Vec::new();
    };
    let served = view.call.usage();
    if view.span().is_none() {
        let mut possible = vec![served.input_tokens, served.all_input_tokens()];
        possible.dedup();
        return foreign("input tokens", &possible, span.usage.input).into_iter().collect();
    }
    let expected = expected(served, view.semconv()).input_tokens;
    let message = match span.usage.input {
        Some(actual) if actual == expected => return Vec::new(),
        None if expected == 0 => return Vec::new(),
        None if view.may_have_been_closed() => {
            return vec![closed_or_lost("gen_ai.usage.input_tokens", expected, None)];
        }
        None => "tokens were served and the span states no input tokens",
        Some(actual) if actual == served.input_tokens => {
            "the input tokens leave cached tokens out, which this version counts in"
        }
        Some(actual) if actual == served.all_input_tokens() => {
            "the input tokens have cached tokens in, which this version leaves out"
        }
        Some(_) => "the input tokens are not those served",
    };
    vec![
        Finding::new(message)
            .attribute("gen_ai.usage.input_tokens")
            .expected(expected.to_string())
            .actual(absent_or(span.usage.input)),
    ]
}
