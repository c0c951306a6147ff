use spanproof_schemas::report::Level;

use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::settings::Choice;
use crate::view::ScopeView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "resource/dialect",
    summary: "an instrumentation scope speaks the semantic conventions, in the required version",
    level: Level::Improvement,
    basis: Basis::Policy,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "What every instrumentation scope with GenAI spans speaks, once for each \
            scope: by its schema URL, else by its names. Spans in another vocabulary, such as \
            OpenInference, are reported here and not judged name by name. Where the user requires \
            a version, a scope that speaks an older one is reported with what its names have \
            become.",
        why: "Telemetry in another dialect is not wrong in itself, but nothing that is built for \
            the conventions finds it. One finding that says so is of more use than one for each \
            attribute.",
        example: "A scope that sets `gen_ai.system`, where 1.41.1 is required: it speaks 1.36.0, \
            and `gen_ai.system` has become `gen_ai.provider.name`.",
        how_to_mend: "Upgrade the instrumentation or opt in to its newer conventions \
            (`OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental` where it offers that), \
            and rename what the finding lists.",
    },
    checks: &[Check::Scope(check)],
};

fn check(view: &ScopeView<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = view
        .facts
        .foreign
        .iter()
        .map(|(vocabulary, spans)| {
            Finding::new(format!(
                "the scope's model calls speak {}, not the semantic conventions",
                vocabulary.name()
            ))
            .expected("gen_ai.*")
            .actual(format!("{spans} spans"))
        })
        .collect();
    if let Choice::Required(required) = view.settings.semconv
        && view.facts.spans > 0
        && view.spoken.version < required
    {
        findings.push(
            Finding::new(format!(
                "the scope speaks {}, and {required} is required",
                view.spoken.version
            ))
            .expected(migration(view)),
        );
    }
    findings
}

/// What the names that the scope used have become in the required version.
fn migration(view: &ScopeView<'_>) -> String {
    let mut renamed: Vec<String> = view
        .facts
        .names
        .iter()
        .filter_map(|name| {
            let deprecation = name.in_version(view.semconv.index)?.deprecated.as_ref()?;
            let successor = deprecation.renamed_to.as_deref().unwrap_or("(no successor)");
            Some(format!("{} -> {successor}", name.text))
        })
        .collect();
    renamed.sort();
    if renamed.is_empty() {
        "the same names under the newer schema URL".to_owned()
    } else {
        renamed.join("; ")
    }
}
