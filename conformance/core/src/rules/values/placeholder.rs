use spanproof_schemas::report::Level;

use crate::catalogue::is_gen_ai;
use crate::finding::Finding;
use crate::otlp::Value;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{PointView, Seen, SpanView, attribute_name};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "values/placeholder",
    summary: "no attribute holds a programming language's word for nothing",
    level: Level::Violation,
    basis: Basis::Must("common attributes: a value of null is not valid"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Text values of `gen_ai.*` and `aws.bedrock.*` attributes, on spans and on \
            metric points: none is `None`, `null`, `undefined`, `NaN`, `NOT_GIVEN`, \
            `[object Object]` or another word that a language has for a value that is not there.",
        why: "Such a value is counted, grouped and shown like any other: a model named `None` has \
            its own line in every chart.",
        example: "`gen_ai.request.model = None`; or `gen_ai.request.seed = NOT_GIVEN`, the SDK's \
            mark for an argument that was left out.",
        how_to_mend: "Leave the attribute out where there is no value.",
    },
    checks: &[Check::Span(check_span), Check::Point(check_point)],
};

const WORDS: [&str; 14] = [
    "None",
    "null",
    "nil",
    "<nil>",
    "(null)",
    "undefined",
    "NaN",
    "nan",
    "NOT_GIVEN",
    "NotGiven",
    "<unset>",
    "UNSET",
    "[object Object]",
    "<no value>",
];

/// The length of the longest of them.
const LONGEST: usize = 15;

fn check_span(view: &SpanView<'_>) -> Vec<Finding> {
    check(view.attributes)
}

fn check_point(view: &PointView<'_>) -> Vec<Finding> {
    check(view.attributes)
}

fn check(attributes: &[Seen<'_>]) -> Vec<Finding> {
    let is_short = |seen: &&Seen<'_>| crate::value::text(seen.value).is_some_and(may_be_word);
    attributes.iter().filter(is_short).filter_map(placeholder).collect()
}

/// Whether a text begins as a word does, and is no longer than the longest: few texts of telemetry
/// are left to compare.
fn may_be_word(text: &str) -> bool {
    let begins = matches!(text.as_bytes(), [b'N' | b'n' | b'<' | b'(' | b'u' | b'U' | b'[', ..]);
    begins && text.len() <= LONGEST
}

fn placeholder(seen: &Seen<'_>) -> Option<Finding> {
    let Some(Value::StringValue(text)) = seen.value else { return None };
    if !WORDS.contains(&text.as_str()) || !is_gen_ai(seen.key) {
        return None;
    }
    Some(
        Finding::new("the attribute holds a word for nothing")
            .attribute(attribute_name(seen))
            .expected("no attribute")
            .actual(text.clone()),
    )
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, WORDS, may_be_word};

    #[test]
    fn every_word_may_be_one() {
        assert!(WORDS.iter().all(|word| may_be_word(word)));
        assert_eq!(WORDS.iter().map(|word| word.len()).max(), Some(LONGEST));
        assert!(!may_be_word("chat") && !may_be_word(""));
    }
}
