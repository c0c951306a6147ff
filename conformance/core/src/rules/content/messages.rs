use serde::de::IgnoredAny;
use spanproof_schemas::report::Level;

use crate::content::is_placeholder;
use crate::finding::Finding;
use crate::otlp::Value;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::settings::Content;
use crate::view::{Seen, SpanView, attribute_name};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "content/messages",
    summary: "messages that a span holds as text are whole JSON",
    level: Level::Violation,
    basis: Basis::Must("input and output messages, \"MUST follow the JSON schema\""),
    since: Some("1.37.0"),
    until: None,
    docs: Docs {
        what_it_checks: "`gen_ai.input.messages`, `gen_ai.output.messages`, \
            `gen_ai.system_instructions` and `gen_ai.tool.definitions` of GenAI spans, where they \
            are text: it is JSON from its first to its last character. Where content is \
            off, that they are there is `redaction/content-leak`. Placeholders of redaction \
            such as `[REDACTED]` are left alone, and so is an empty text.",
        why: "Whoever shows or evaluates a conversation parses the attribute. Text that was cut at \
            a limit is lost as a whole, the part before the cut included.",
        example: "`gen_ai.input.messages` of 1,028 characters that ends in the middle of a string.",
        how_to_mend: "Encode the messages as JSON, and shorten long parts before they are encoded, \
            not the attribute afterwards; raise \
            `OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT` where the SDK cuts.",
    },
    checks: &[Check::Span(check)],
};

const NAMES: [&str; 4] = [
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
];

fn check(view: &SpanView<'_>) -> Vec<Finding> {
    if view.settings.content == Content::Off {
        return Vec::new();
    }
    view.attributes.iter().filter_map(broken).collect()
}

fn broken(seen: &Seen<'_>) -> Option<Finding> {
    let Some(Value::StringValue(text)) = seen.value else { return None };
    if seen.definition.is_none() || !NAMES.contains(&seen.key) || is_placeholder(text.trim()) {
        return None;
    }
    let error = serde_json::from_str::<IgnoredAny>(text).err()?;
    let message = if error.is_eof() {
        "the messages are JSON that was cut"
    } else {
        "the messages are text that is not JSON"
    };
    Some(Finding::new(message).attribute(attribute_name(seen)).expected("JSON").actual(format!(
        "{} bytes, wrong at line {} column {}",
        text.len(),
        error.line(),
        error.column()
    )))
}
