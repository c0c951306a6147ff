use std::fmt::Write as _;

use spanproof_schemas::report::Level;
use spanproof_schemas::semconv::Version;

use crate::catalogue::catalogue;
use crate::finding::Finding;
use crate::migration::{self, Used};
use crate::rules::{Basis, Check, Docs, Rule};
use crate::settings::Choice;
use crate::view::ScopeView;
use crate::vocabulary::Vocabulary;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "resource/dialect",
    summary: "an instrumentation scope speaks the semantic conventions, in the required version",
    level: Level::Improvement,
    basis: Basis::Policy,
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "What every instrumentation scope with GenAI spans speaks, once for each \
            scope. Calls to models in another vocabulary (OpenInference, the Vercel AI SDK, older \
            OpenLLMetry, Langfuse, Datadog) are reported here and not judged name by name; their \
            model, tokens and finish reason are still compared with what was served, and a call \
            without any span is still missing. Names of another vocabulary beside those of the \
            conventions (OpenLLMetry, LiteLLM, OpenLIT, Strands Agents) are reported together, \
            once. Where the user requires a version, a scope that plainly speaks an older one, by \
            its schema URL or by its names, is a violation with the table of the migration: what \
            its names have become, and what is required besides. Its spans are then judged by the \
            version they speak, so that one cause is one finding. A span without a schema URL \
            whose names the required version has is judged by that. A scope that shows a newer \
            version after tens of thousands of spans was judged by the one before until then: \
            what rests on that one alone is left out, and counted here for information.",
        why: "Telemetry in another dialect is not wrong in itself, but nothing that is built for \
            the conventions finds it. One finding that says so is of more use than one for each \
            attribute.",
        example: "A scope that sets `gen_ai.system` and no schema URL, where 1.41.1 is required: \
            it speaks 1.36.0, and `gen_ai.system` has become `gen_ai.provider.name`.",
        how_to_mend: "Upgrade the instrumentation or opt in to its newer conventions \
            (`OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental` where it offers that), \
            and change what the finding lists; `spanproof semconv diff` has the whole table.",
    },
    checks: &[Check::Scope(check)],
};

fn check(view: &ScopeView<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (vocabulary, spans) in &view.facts.foreign {
        findings.push(
            Finding::new(format!(
                "the scope's model calls speak {}, not the semantic conventions",
                vocabulary.name()
            ))
            .expected("gen_ai.*")
            .actual(spans_with(view, *vocabulary, *spans)),
        );
    }
    for (vocabulary, spans) in &view.facts.beside {
        findings.push(
            Finding::new(format!(
                "the scope has names of {} beside those of the semantic conventions",
                vocabulary.name()
            ))
            .actual(spans_with(view, *vocabulary, *spans)),
        );
    }
    for (version, count) in &view.facts.outgrown {
        let version = catalogue().conventions(*version).version;
        findings.push(
            Finding::new(format!("the scope spoke {version} at first, and another version later"))
                .level(Level::Information)
                .expected(view.semconv.version.to_string())
                .actual(format!("{count} findings by {version}, which are left out")),
        );
    }
    if let Choice::Required(required) = view.settings.semconv {
        let older = view.facts.older.iter();
        findings.extend(older.map(|(spoken, spans)| {
            let spoken = catalogue().conventions(*spoken);
            let finding = Finding::new(format!(
                "the scope speaks {}, and {required} is required",
                spoken.version
            ))
            .level(Level::Violation)
            .expected(migration(view, spoken.version, required));
            // A scope may have metrics only.
            if *spans > 0 { finding.actual(counted(*spans)) } else { finding }
        }));
    }
    findings
}

/// How many spans have names of a vocabulary, and which.
fn spans_with(view: &ScopeView<'_>, vocabulary: Vocabulary, spans: u64) -> String {
    let names: Vec<String> = view.facts.fingerprint.foreign.names(vocabulary).collect();
    let mut text = counted(spans);
    if !names.is_empty() {
        // Writing into a string cannot fail.
        let _ = write!(text, " with {}", names.join(", "));
    }
    text
}

fn counted(spans: u64) -> String {
    if spans == 1 { "1 span".to_owned() } else { format!("{spans} spans") }
}

/// What the names that the scope used have become in the required version.
fn migration(view: &ScopeView<'_>, spoken: Version, required: Version) -> String {
    let attributes: Vec<&str> = view.facts.names.iter().map(|name| &*name.text).collect();
    let metrics: Vec<&str> = view.facts.metrics.iter().map(|metric| &*metric.name).collect();
    let used =
        Used { attributes: &attributes, metrics: &metrics, span_types: &view.facts.span_types };
    let table = migration::table(spoken, required, used);
    if table.is_empty() {
        "the same names under the newer schema URL".to_owned()
    } else {
        table.join("; ")
    }
}
