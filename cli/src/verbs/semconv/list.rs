//! `spanproof semconv list`

use std::fmt::Write as _;

use serde::Serialize;
use spanproof_schemas::semconv::{Status, Version};

use super::Form;
use crate::exit::{Failure, OrFail as _, Outcome};
use crate::output;

/// A version, and how much it defines that is not deprecated.
#[derive(Serialize)]
struct Known {
    version: &'static str,
    status: Status,
    schema_url: String,
    attributes: usize,
    spans: usize,
    metrics: usize,
    events: usize,
    /// How many attributes are deprecated.
    deprecated: usize,
}

pub(super) fn run(form: Form) -> Result<Outcome, Failure> {
    let known: Vec<Known> = Version::all().map(describe).collect();
    let text = match form {
        Form::Human => human(&known),
        Form::Json => {
            let json = serde_json::to_string_pretty(&known).or_could_not_judge()?;
            json + "\n"
        }
    };
    output::show(text)?;
    Ok(Outcome::Conforms)
}

fn describe(version: Version) -> Known {
    let registry = version.registry();
    let current = registry.attributes.values().filter(|it| it.deprecated.is_none()).count();
    Known {
        version: version.as_str(),
        status: registry.status,
        attributes: current,
        deprecated: registry.attributes.len() - current,
        spans: registry.spans.values().filter(|it| it.deprecated.is_none()).count(),
        metrics: registry.metrics.values().filter(|it| it.deprecated.is_none()).count(),
        events: registry.events.values().filter(|it| it.deprecated.is_none()).count(),
        schema_url: registry.schema_url,
    }
}

fn human(known: &[Known]) -> String {
    let mut text = String::new();
    let mut row = |cells: [&str; 7]| {
        let [version, status, attributes, deprecated, spans, metrics, events] = cells;
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{version:9}  {status:14}  {attributes:>10}  {deprecated:>10}  {spans:>5}  \
             {metrics:>7}  {events:>6}"
        );
    };
    row(["version", "status", "attributes", "deprecated", "spans", "metrics", "events"]);
    for it in known {
        let status = match it.status {
            Status::Released => "released",
            Status::InDevelopment => "in development",
        };
        let counts = [it.attributes, it.deprecated, it.spans, it.metrics, it.events];
        let [attributes, deprecated, spans, metrics, events] = counts.map(|it| it.to_string());
        row([it.version, status, &attributes, &deprecated, &spans, &metrics, &events]);
    }
    text
}
