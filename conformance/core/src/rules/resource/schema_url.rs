use spanproof_schemas::report::Level;
use spanproof_schemas::semconv::Version;

use crate::catalogue::catalogue;
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
            than the version stated. Names that only the conventions in development have \
            (genai-dev) are newer than any release. A scope without a schema URL is left alone. \
            Metrics are judged by `naming/unknown-metric`.",
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
    let Some(stated) = Stated::by(view.schema_url) else { return Vec::new() };
    let mut newer: Vec<(&str, Version)> = view
        .facts
        .names
        .iter()
        .filter_map(|name| {
            let since = catalogue().conventions(name.defined.oldest()?).version;
            stated.is_before(since).then_some((&*name.text, since))
        })
        .collect();
    newer.sort_unstable();
    let Some(least) = newer.iter().map(|(_, since)| *since).max() else { return Vec::new() };
    let names: Vec<&str> = newer.iter().map(|(name, _)| *name).collect();
    vec![
        Finding::new("the scope uses names newer than its schema URL")
            .attribute("schema URL")
            .expected(format!("{least} or newer, for {}", names.join(", ")))
            .actual(view.schema_url),
    ]
}

/// The version that a schema URL states, known or not.
#[derive(Clone, Copy)]
enum Stated {
    Release((u32, u32, u32)),
    /// One of the GenAI conventions: nothing is newer.
    GenAi,
}

impl Stated {
    fn by(schema_url: &str) -> Option<Stated> {
        let (_, number) = schema_url.rsplit_once('/')?;
        if catalogue().stated_by(schema_url).is_some_and(|stated| !stated.is_release) {
            return Some(Stated::GenAi);
        }
        numbers(number).map(Stated::Release)
    }

    fn is_before(self, version: Version) -> bool {
        match (self, numbers(version.as_str())) {
            (Stated::GenAi, _) => false,
            (Stated::Release(stated), Some(release)) => stated < release,
            // What is in development is newer than any release.
            (Stated::Release(_), None) => true,
        }
    }
}

/// The numbers of a version, so that they compare as numbers; nothing for other text.
fn numbers(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    let version = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(version)
}
