use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::notable::Notable;
use crate::otlp::{AnyValue, Data, Exemplar, KeyValue, Metric, Value};
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{ContentView, Item};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "naming/duplicate-attribute",
    summary: "no two attributes of one item have the same key",
    level: Level::Violation,
    basis: Basis::Must("OTLP, \"attribute keys MUST be unique\""),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Every list of attributes, of GenAI telemetry and of other: of resources, \
            scopes, spans, their events and links, metric points, exemplars and log records, and \
            the keys of maps within their values. No key comes twice, not even with one value.",
        why: "Each store keeps another one of the two, or both, or refuses the whole export. What \
            is counted from one of them is not what is seen in another.",
        example: "`aws.request_id` is set at each attempt of a call, through an SDK that keeps an \
            attribute as often as it is set.",
        how_to_mend: "Set each attribute once, when its value is known. Most SDKs keep the last \
            value of a key; that for Rust keeps all of them, and so does whatever builds OTLP by \
            hand or adds attributes to finished spans.",
    },
    checks: &[Check::Content(check)],
};

fn check(view: &ContentView<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for_each_list(view.item, &mut |place, list| {
        for key in repeated(list) {
            let finding = Finding::new(format!("a key comes more than once among {place}"));
            findings.push(finding.attribute(key.to_owned()).expected("each key once"));
        }
    });
    findings
}

/// The keys that come more than once, each once.
fn repeated(list: &[KeyValue]) -> Vec<&str> {
    if are_distinct(list) {
        return Vec::new();
    }
    let mut keys: Vec<&str> = list.iter().map(|attribute| attribute.key.as_str()).collect();
    keys.sort_unstable();
    let mut repeated: Vec<&str> =
        keys.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    repeated.dedup();
    repeated
}

/// Lists up to this length are looked at without sorting them: what is longer took its time already.
const SHORT: usize = 128;

/// Whether the keys plainly differ from each other, which nearly all do. It costs less than looking
/// at each pair: only keys that share a bit are compared.
fn are_distinct(list: &[KeyValue]) -> bool {
    if list.len() > SHORT {
        return false;
    }
    let mut bits = [0_u64; 4];
    list.iter().enumerate().all(|(at, KeyValue { key, .. })| {
        let (word, bit) = bit_of(key.as_bytes());
        let is_new = bits[word] & bit == 0;
        bits[word] |= bit;
        is_new || list[..at].iter().all(|before| before.key != *key)
    })
}

/// One of 256 bits, which keys that differ seldom share: they differ in length or at their ends.
fn bit_of(key: &[u8]) -> (usize, u64) {
    let end: [u8; 8] = key.last_chunk().copied().unwrap_or_default();
    let mixed = (u64::from_le_bytes(end) ^ key.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let [word, bit, ..] = mixed.to_be_bytes();
    (usize::from(word & 3), 1 << (bit & 63))
}

/// Shows each list of attributes, with its place in words.
fn for_each_list<'a>(item: Item<'a>, visit: &mut dyn FnMut(&'static str, &'a [KeyValue])) {
    match item {
        Item::Resource(resource) => list("the resource's attributes", &resource.attributes, visit),
        Item::Scope(scope) => list("the scope's attributes", &scope.attributes, visit),
        Item::Span(span, _, notable) => {
            if notable.has(Notable::ALIKE | Notable::NESTED) {
                list("the span's attributes", &span.attributes, visit);
            }
            for event in &span.events {
                list("the attributes of a span event", &event.attributes, visit);
            }
            for link in &span.links {
                list("the attributes of a link", &link.attributes, visit);
            }
        }
        Item::Metric(metric) => of_metric(metric, visit),
        Item::Log(record) => {
            list("the log's attributes", &record.attributes, visit);
            maps(record.body.as_ref(), visit);
        }
    }
}

fn of_metric<'a>(metric: &'a Metric, visit: &mut dyn FnMut(&'static str, &'a [KeyValue])) {
    list("the metric's own attributes", &metric.metadata, visit);
    let mut point = |attributes: &'a [KeyValue], exemplars: &'a [Exemplar]| {
        list("the attributes of a metric point", attributes, visit);
        for exemplar in exemplars {
            list("the attributes of an exemplar", &exemplar.filtered_attributes, visit);
        }
    };
    match &metric.data {
        None => {}
        Some(Data::Gauge(data)) => {
            data.data_points.iter().for_each(|one| point(&one.attributes, &one.exemplars));
        }
        Some(Data::Sum(data)) => {
            data.data_points.iter().for_each(|one| point(&one.attributes, &one.exemplars));
        }
        Some(Data::Histogram(data)) => {
            data.data_points.iter().for_each(|one| point(&one.attributes, &one.exemplars));
        }
        Some(Data::ExponentialHistogram(data)) => {
            data.data_points.iter().for_each(|one| point(&one.attributes, &one.exemplars));
        }
        Some(Data::Summary(data)) => {
            data.data_points.iter().for_each(|one| point(&one.attributes, &[]));
        }
    }
}

fn list<'a>(
    place: &'static str,
    attributes: &'a [KeyValue],
    visit: &mut dyn FnMut(&'static str, &'a [KeyValue]),
) {
    visit(place, attributes);
    for attribute in attributes {
        maps(attribute.value.as_ref(), visit);
    }
}

fn maps<'a>(value: Option<&'a AnyValue>, visit: &mut dyn FnMut(&'static str, &'a [KeyValue])) {
    match crate::value::inner(value) {
        Some(Value::KvlistValue(map)) => list("the keys of a map", &map.values, visit),
        Some(Value::ArrayValue(array)) => {
            for value in &array.values {
                maps(Some(value), visit);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{SHORT, repeated};
    use crate::otlp::KeyValue;

    fn keys(keys: impl IntoIterator<Item = String>) -> Vec<KeyValue> {
        keys.into_iter().map(|key| KeyValue { key, ..KeyValue::default() }).collect()
    }

    #[test]
    fn a_key_that_comes_again_is_told_once_in_lists_of_any_length() {
        for length in [2, 20, SHORT, SHORT + 1, 100_000] {
            let mut list = keys((0..length).map(|n| format!("app.setting.{n}")));
            assert!(repeated(&list).is_empty(), "{length}");
            list.extend(keys(["app.setting.1".to_owned(), "app.setting.1".to_owned()]));
            assert_eq!(repeated(&list), ["app.setting.1"], "{length}");
        }
    }
}
