use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::usage::expected;
use crate::view::CallView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "usage/cache-tokens",
    summary: "tokens read from and written to the prompt cache are those served",
    level: Level::Violation,
    basis: Basis::Truth,
    since: Some("1.40.0"),
    until: None,
    docs: Docs {
        what_it_checks: "`gen_ai.usage.cache_read.input_tokens` and \
            `gen_ai.usage.cache_creation.input_tokens` (`gen_ai.usage.cache_write.input_tokens` \
            in the conventions in development) against the usage served, for versions that have \
            these names. A wrong count is a violation. The attributes are recommended, \
            so that an absent one is an improvement, and only when such tokens were served.",
        why: "Tokens read from the cache cost a fraction of other input, tokens written to it cost \
            more. Without these counts neither \
            the bill nor the effect of the cache can be read from telemetry.",
        example: "2,048 tokens were read from the cache, and the span says \
            `gen_ai.usage.cache_read.input_tokens = 0`.",
        how_to_mend: "Set both attributes from `cacheReadInputTokens` and `cacheWriteInputTokens` \
            of the answer, whenever the answer has them.",
    },
    checks: &[Check::Call(check)],
};

fn check(view: &CallView<'_>) -> Vec<Finding> {
    let span = view.span().filter(|_| view.call.was_told_usage(view.symbols));
    let Some(span) = span.filter(|_| view.semconv().names_cache_tokens) else {
        return Vec::new();
    };
    let expected = expected(view.call.usage(), view.semconv());
    let read = compare(
        "gen_ai.usage.cache_read.input_tokens",
        expected.cache_read_input_tokens,
        span.usage.cache_read,
    );
    let write = compare(
        view.semconv().cache_write,
        expected.cache_write_input_tokens,
        span.usage.cache_write,
    );
    read.into_iter().chain(write).collect()
}

fn compare(name: &'static str, expected: u64, actual: Option<u64>) -> Option<Finding> {
    let finding = match actual {
        Some(actual) if actual == expected => return None,
        None if expected == 0 => return None,
        Some(actual) => {
            Finding::new("the cached tokens are not those served").actual(actual.to_string())
        }
        None => Finding::new("tokens of the prompt cache were served and the span does not say so")
            .level(Level::Improvement)
            .actual("absent"),
    };
    Some(finding.attribute(name).expected(expected.to_string()))
}
