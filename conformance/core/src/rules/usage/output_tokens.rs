use spanproof_schemas::report::Level;

use super::{absent_or, closed_or_lost, foreign};
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::CallView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "usage/output-tokens",
    summary: "gen_ai.usage.output_tokens is what was served",
    level: Level::Violation,
    basis: Basis::Truth,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "`gen_ai.usage.output_tokens` of the span against the usage served, for \
            calls whose answer arrived in full with its usage. An absent count is a finding when \
            tokens were served; embeddings generate none, and need none. On the span of a stream \
            that has no finish reasons, an absent count, or the one that a stream states before its \
            end, is an improvement, since the program may have closed the stream; unless \
            `reads-streams-to-end` says that it never does.",
        why: "Output tokens cost several times as much as input tokens and are what latency \
            follows. Instrumentations of streams are prone to report the first chunk's count.",
        example: "A streamed answer of 212 tokens whose span says 1, the count of the \
            `message_start` chunk.",
        how_to_mend: "Read the usage of the answer, in streams that of the metadata event \
            (Converse) or of the invocation metrics (InvokeModel), and set it before the span ends.",
    },
    checks: &[Check::Call(check)],
};

fn check(view: &CallView<'_>) -> Vec<Finding> {
    let Some(span) = view.any_span().filter(|_| view.call.was_told_usage(view.symbols)) else {
        return Vec::new();
    };
    let expected = view.call.usage().output_tokens;
    if view.span().is_none() {
        return foreign("output tokens", &[expected], span.usage.output).into_iter().collect();
    }
    let message = match span.usage.output {
        Some(actual) if actual == expected => return Vec::new(),
        None if expected == 0 => return Vec::new(),
        stated if view.may_have_been_closed() => {
            return vec![closed_or_lost("gen_ai.usage.output_tokens", expected, stated)];
        }
        None => "tokens were served and the span states no output tokens",
        Some(_) => "the output tokens are not those served",
    };
    vec![
        Finding::new(message)
            .attribute("gen_ai.usage.output_tokens")
            .expected(expected.to_string())
            .actual(absent_or(span.usage.output)),
    ]
}
