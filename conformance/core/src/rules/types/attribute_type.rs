use spanproof_schemas::report::Level;
use spanproof_schemas::semconv::AttributeType;

use crate::finding::Finding;
use crate::notable::Notable;
use crate::otlp::Value;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::value;
use crate::view::{PointView, Seen, SpanView, attribute_name};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "types/attribute-type",
    summary: "every attribute has the type that the conventions give it",
    level: Level::Violation,
    basis: Basis::Must("attribute registry, type"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The type of every attribute of a GenAI span, or of a point of a `gen_ai.*` metric, that the judged version \
            defines. A whole number where a double is due is an improvement; everything else, a \
            missing value included, is a violation. Attributes that may hold anything, such as \
            message contents, are left alone.",
        why: "Backends store attributes by type. A token count that is a string cannot be summed; \
            finish reasons that are a string are not found by a query over the list.",
        example: "`gen_ai.usage.input_tokens = \"25\"`, or \
            `gen_ai.response.finish_reasons = \"[\\\"stop\\\"]\"`.",
        how_to_mend: "Set the attribute with the type of the conventions: token counts as \
            integers, finish reasons as an array of strings.",
    },
    checks: &[Check::Span(check_span), Check::Point(check_point)],
};

fn check_point(view: &PointView<'_>) -> Vec<Finding> {
    view.attributes.iter().filter_map(wrong_type).collect()
}

fn check_span(view: &SpanView<'_>) -> Vec<Finding> {
    if !view.notable.has(Notable::MISTYPED) {
        return Vec::new();
    }
    view.attributes.iter().filter_map(wrong_type).collect()
}

fn wrong_type(seen: &Seen<'_>) -> Option<Finding> {
    let wanted = seen.definition?.value_type;
    if seen.value.is_some_and(|value| value::has_type(value, wanted)) {
        return None;
    }
    let finding = Finding::new("the attribute has another type than the conventions give it")
        .attribute(attribute_name(seen))
        .expected(wanted.as_str())
        .actual(format!(
            "{}: {}",
            value::kind_word(seen.value),
            value::shown(seen.key, seen.value)
        ));
    Some(match (wanted, seen.value) {
        (AttributeType::Double, Some(Value::IntValue(_))) => finding.level(Level::Improvement),
        _ => finding,
    })
}
