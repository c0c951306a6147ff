use std::collections::BTreeSet;

use spanproof_schemas::report::Level;

use crate::catalogue::catalogue;
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::ScopeView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "naming/unknown-metric",
    summary: "every gen_ai.* metric is one that the judged and the stated version define",
    level: Level::Improvement,
    basis: Basis::Should("naming, \"names SHOULD NOT use existing namespaces\""),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The name of every metric that begins with `gen_ai.`, once for each \
            instrumentation scope, against the metrics of the judged version and of the version \
            that the scope's schema URL states. It says which version has the name, if any has.",
        why: "The conventions have added and renamed metrics from version to version. A dashboard \
            built for one version shows nothing for the names of another, and a schema URL that \
            states a version without the metric sends a translating backend the wrong way.",
        example: "`gen_ai.client.operation.time_to_first_chunk` from a scope whose schema URL \
            states 1.37.0; 1.41.1 has it.",
        how_to_mend: "State the version that defines the metric, or use the name of the version \
            that is stated.",
    },
    checks: &[Check::Scope(check)],
};

fn check(view: &ScopeView<'_>) -> Vec<Finding> {
    let names: BTreeSet<&str> =
        view.facts.metrics.iter().map(|metric| metric.name.as_str()).collect();
    names.into_iter().filter_map(|metric| unknown(view, metric)).collect()
}

fn unknown(view: &ScopeView<'_>, metric: &str) -> Option<Finding> {
    let defined = catalogue().metric(metric);
    let stated = catalogue().stated_by(view.schema_url);
    let (lacking, why) = match stated.filter(|stated| !defined.contains(stated.index)) {
        _ if !defined.contains(view.semconv.index) => (view.semconv, "judged by"),
        Some(stated) => (stated, "stated by the schema URL"),
        None => return None,
    };
    let finding = match defined.oldest() {
        Some(oldest) => Finding::new(format!(
            "the metric is not one of {}, the version {why}; {} has it",
            lacking.version,
            catalogue().conventions(oldest).version
        )),
        None => Finding::new(
            "the metric is in a namespace of the conventions, and no known version has it",
        ),
    };
    Some(finding.attribute(metric.to_owned()))
}
