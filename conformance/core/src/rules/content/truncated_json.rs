use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::held::{Held, Reading};
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{EventView, SpanView};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "content/truncated-json",
    summary: "no JSON of messages, instructions or tools that was cut",
    level: Level::Violation,
    basis: Basis::Must("message attributes, \"MUST follow the JSON schema\""),
    since: Some("1.37.0"),
    until: None,
    docs: Docs {
        what_it_checks: "Attributes of GenAI spans and events that hold JSON text of messages, \
            instructions, tool definitions, arguments, results or documents: text that begins as \
            JSON and ends before its end, also where a note such as `…` or `[truncated]` was put \
            there. The finding says which length it was cut at, and whose limit that is: 2,048 \
            bytes are where Tempo cuts an attribute (`max_attribute_bytes`). Text that is no JSON \
            for another reason is `content/messages` and its siblings.",
        why: "Whoever shows or evaluates a conversation parses the attribute. Text that was cut at \
            a limit is lost as a whole, the part before the cut included.",
        example: "`gen_ai.input.messages` of 1,028 characters that ends in the middle of a string.",
        how_to_mend: "Shorten long parts before they are encoded, not the text afterwards; raise \
            `OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT` where the SDK cuts, and \
            `ingestion.max_attribute_bytes` where Tempo does; or record the content structured, \
            which neither of them cuts.",
    },
    checks: &[Check::Span(check_span), Check::Event(check_event)],
};

/// Where Tempo cuts text, unless it is told otherwise.
const TEMPO_BYTES: usize = 2_048;

fn check_span(view: &SpanView<'_>) -> Vec<Finding> {
    view.contents.iter().filter_map(cut).collect()
}

fn check_event(view: &EventView<'_>) -> Vec<Finding> {
    view.contents.iter().filter_map(cut).collect()
}

fn cut(held: &Held<'_>) -> Option<Finding> {
    let text = held.text().filter(|_| held.reading == Reading::Cut)?;
    let (bytes, characters) = (text.len(), text.chars().count());
    let finding = if bytes == TEMPO_BYTES {
        Finding::new("the JSON was cut at 2,048 bytes, where Tempo cuts an attribute")
    } else {
        Finding::new("the JSON was cut")
    };
    let length = if bytes == characters {
        format!("ends at {bytes} bytes")
    } else {
        format!("ends at {characters} characters, {bytes} bytes")
    };
    Some(finding.attribute(held.kind.name()).expected("whole JSON").actual(length))
}
