use spanproof_schemas::report::Level;
use spanproof_schemas::semconv::Version;

use crate::finding::Finding;
use crate::notable::Notable;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::value;
use crate::view::{PointView, Seen, SpanView, attribute_name};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "deprecation/attribute",
    summary: "no attribute that the judged version has deprecated",
    level: Level::Violation,
    basis: Basis::Should("attribute registry, deprecated"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Attributes of the conventions for GenAI, on spans and on metric points, that the judged version has \
            deprecated. Where \
            the version names a successor and it is not there with the same value, the \
            finding is a violation: whoever looks for the new name finds nothing. Where the \
            successor is there too, as in a migration, or where there is none, it is an \
            improvement. Attributes of other conventions, such as `rpc.*`, are left alone.",
        why: "Consumers of the newer version do not look for the old name. A call whose provider \
            stands under `gen_ai.system` only is missing from queries by `gen_ai.provider.name`.",
        example: "`gen_ai.system = aws.bedrock`, judged by 1.41.1. Judged by 1.36.0, which knows \
            no other name, it is right.",
        how_to_mend: "Set the successor that the finding names; keep the old attribute beside it \
            only for as long as a migration needs.",
    },
    checks: &[Check::Span(check_span), Check::Point(check_point)],
};

fn check_span(view: &SpanView<'_>) -> Vec<Finding> {
    if !view.notable.has(Notable::DEPRECATED) {
        return Vec::new();
    }
    check(view.attributes, view.semconv.version)
}

fn check_point(view: &PointView<'_>) -> Vec<Finding> {
    check(view.attributes, view.semconv.version)
}

fn check(attributes: &[Seen<'_>], version: Version) -> Vec<Finding> {
    attributes.iter().filter_map(|seen| deprecated(attributes, seen, version)).collect()
}

fn deprecated(attributes: &[Seen<'_>], seen: &Seen<'_>, version: Version) -> Option<Finding> {
    let deprecation = seen.definition?.deprecated.as_ref()?;
    let name = seen.name.filter(|name| name.is_gen_ai)?;
    let finding = match &deprecation.renamed_to {
        Some(successor) => {
            let renamed = Finding::new(format!(
                "`{}` is deprecated in {version}; its successor is `{successor}`",
                name.text
            ))
            .expected(successor.clone());
            let successor = attributes.iter().find(|other| other.key == successor);
            match successor {
                Some(successor) if successor.value == seen.value => {
                    renamed.level(Level::Improvement)
                }
                _ => renamed,
            }
        }
        None => {
            Finding::new(format!("`{}` is deprecated in {version}, without a successor", name.text))
                .level(Level::Improvement)
        }
    };
    Some(finding.attribute(attribute_name(seen)).actual(value::shown(seen.key, seen.value)))
}
