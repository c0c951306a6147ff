use spanproof_schemas::report::Level;

use crate::catalogue::{catalogue, semver};
use crate::finding::Finding;
use crate::rules::{Basis, Check, Docs, Rule};
use crate::view::ScopeView;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "resource/schema-url",
    summary: "the schema URL states a version that has the names used",
    level: Level::Improvement,
    basis: Basis::Should("telemetry schemas, schema URL"),
    since: None,
    until: None,
    docs: Docs {
        what_it_checks: "The schema URL of every instrumentation scope with GenAI spans, else that \
            of its resource, against the GenAI attributes that the scope used: none may be newer \
            than the version stated. A scope without a schema URL is left alone. Metrics are \
            judged by `naming/unknown-metric`.",
        why: "Backends translate telemetry from the version stated to the one they use. With the \
            wrong version, the translation is the wrong one or none.",
        example: "A schema URL that ends in `1.11.0`, long before GenAI had conventions, on spans \
            with `gen_ai.system`.",
        how_to_mend: "State the version whose names the instrumentation uses: \
            `https://opentelemetry.io/schemas/<version>`.",
    },
    checks: &[Check::Scope(check)],
};

fn check(view: &ScopeView<'_>) -> Vec<Finding> {
    let Some(stated) = view.schema_url.rsplit_once('/').and_then(|(_, version)| semver(version))
    else {
        return Vec::new();
    };
    let newer: Vec<&str> = {
        let mut names: Vec<&str> = view
            .facts
            .names
            .iter()
            .filter(|name| {
                let since = name
                    .defined
                    .oldest()
                    .map(|oldest| semver(catalogue().conventions(oldest).version.as_str()));
                since.flatten().is_some_and(|since| since > stated)
            })
            .map(|name| &*name.text)
            .collect();
        names.sort_unstable();
        names
    };
    if newer.is_empty() {
        return Vec::new();
    }
    vec![
        Finding::new("the schema URL states a version that lacks names which the scope uses")
            .attribute("schema URL")
            .expected(format!("a version with {}", newer.join(", ")))
            .actual(view.schema_url),
    ]
}
