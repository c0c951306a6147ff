use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::notable::Notable;
use crate::otlp::{KeyValue, Span, Value};
use crate::rules::{Basis, Check, Docs, Rule};
use crate::value;
use crate::view::SpanView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "limits/attribute-length",
    summary: "no text is longer than Grafana Tempo keeps by default",
    level: Level::Improvement,
    basis: Basis::Limit("`max_attribute_bytes` of Grafana Tempo"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Text values of the attributes of GenAI spans, of their events and links: \
            at most 2,048 bytes, the default of Tempo's `max_attribute_bytes` from 2.7 on. JSON \
            that is longer is an improvement; other text is information. Arrays, maps and bytes \
            are left alone, as Tempo leaves them.",
        why: "Tempo cuts a longer text at that byte and answers 200. JSON is then no JSON any more, \
            so that nothing of the conversation can be shown, and a letter may be cut in half.",
        example: "`gen_ai.input.messages` of 6,144 bytes; what is stored ends in the middle of a \
            message.",
        how_to_mend: "Raise `distributor.max_attribute_bytes`, or `ingestion.max_attribute_bytes` \
            for a tenant; or shorten long messages before they are encoded; or keep content \
            elsewhere and refer to it.",
    },
    checks: &[Check::Span(check)],
};

const LONGEST: usize = Notable::LONG_BYTES;

fn check(view: &SpanView<'_>) -> Vec<Finding> {
    let Span { attributes, events, links, .. } = view.span;
    if !view.notable.has(Notable::LONG) && events.is_empty() && links.is_empty() {
        return Vec::new();
    }
    let of_events = events.iter().map(|event| &event.attributes);
    let of_links = links.iter().map(|link| &link.attributes);
    let all = [attributes].into_iter().chain(of_events).chain(of_links);
    all.flatten().filter_map(too_long).collect()
}

fn too_long(attribute: &KeyValue) -> Option<Finding> {
    let Some(Value::StringValue(text)) = value::inner(attribute.value.as_ref()) else {
        return None;
    };
    if text.len() <= LONGEST {
        return None;
    }
    let finding = if text.trim_start().starts_with(['[', '{']) {
        Finding::new("JSON is longer than Tempo keeps by default, and is broken by the cut")
    } else {
        Finding::new("the text is longer than Tempo keeps by default").level(Level::Information)
    };
    Some(
        finding
            .attribute(attribute.key.clone())
            .expected(format!("at most {LONGEST} bytes"))
            .actual(format!("{} bytes", text.len())),
    )
}
