use std::borrow::Cow;

use spanproof_schemas::report::Level;

use crate::catalogue::{catalogue, is_gen_ai};
use crate::content::Kept;
use crate::finding::Finding;
use crate::notable::Notable;
use crate::redaction::Redaction;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::{Seen, SpanView, attribute_name};
use crate::vocabulary::FamilySet;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "naming/unknown-attribute",
    summary: "every gen_ai.* and aws.bedrock.* attribute is one that the judged version defines",
    level: Level::Improvement,
    basis: Basis::Should("naming, \"names SHOULD NOT use existing namespaces\""),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "Every attribute of a GenAI span whose name begins with `gen_ai.` or \
            `aws.bedrock.`, against the names of the judged version, deprecated ones included \
            (these are `deprecation/attribute`). It says which version has the name, if any has. \
            Names that are known to be another vocabulary's, such as `gen_ai.prompt.0.content`, \
            are left to `resource/dialect`.",
        why: "Backends and dashboards look for the names of the conventions. A name that the \
            version lacks is a misspelling, belongs to another version, or takes a name that the \
            conventions may give another meaning later.",
        example: "`gen_ai.usage.cache_write.input_tokens` on a span judged by 1.41.1, whose name \
            for it is `gen_ai.usage.cache_creation.input_tokens`.",
        how_to_mend: "Use the name that the version defines, state the newer version in the \
            schema URL, or move an attribute of your own to a namespace of your own.",
    },
    checks: &[Check::Span(check)],
};

fn check(view: &SpanView<'_>) -> Vec<Finding> {
    if !view.notable.has(Notable::UNDEFINED) {
        return Vec::new();
    }
    view.attributes.iter().filter_map(|seen| unknown(view, seen)).collect()
}

fn unknown(view: &SpanView<'_>, seen: &Seen<'_>) -> Option<Finding> {
    let defined = match seen.name {
        Some(name) if !name.is_gen_ai || name.defined.contains(view.semconv.index) => return None,
        Some(name) => name.defined,
        // Names of other vocabularies are told once for a scope, by `resource/dialect`.
        None if !FamilySet::of(seen.key).is_empty() => return None,
        // The policy asks for references, and the conventions have no names for them.
        None if view.settings.redaction == Redaction::ExternalReference
            && Kept::of(seen.key) == Some(Kept::Reference) =>
        {
            return None;
        }
        None if is_gen_ai(seen.key) => crate::catalogue::VersionSet::default(),
        None => return None,
    };
    let message: Cow<'static, str> = match defined.oldest() {
        Some(oldest) => {
            let oldest = catalogue().conventions(oldest).version;
            format!("the name is not one of {}; {oldest} has it", view.semconv.version).into()
        }
        None => "the name is in a namespace of the conventions, and no known version has it".into(),
    };
    Some(Finding::new(message).attribute(attribute_name(seen)))
}
