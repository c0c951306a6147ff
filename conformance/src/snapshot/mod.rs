//! Telemetry as a text that people review and machines compare.
//!
//! The text holds what telemetry means and leaves out what differs from run to run: ids, times,
//! ports, versions of software, where it ran. Spans stand as trees by trace, everything else by
//! name; the order is that of the text, never that of arrival. The same telemetry gives the same
//! bytes, whatever ids and times it had and however it was split into exports.

mod attributes;
mod difference;
mod logs;
mod metrics;
mod origin;
mod spans;
mod text;

#[cfg(test)]
mod tests;

pub use difference::{Hunk, hunks, unified};

use std::collections::BTreeSet;

use crate::capture::Export;
use attributes::Values;
use logs::Logs;
use metrics::Metrics;
use origin::Origins;
use spans::Spans;
use text::Lines;

/// The first lines of every snapshot; the number is that of the form.
const HEAD: &str = "\
# Telemetry, as form 1 of `spanproof --snapshot` writes it: without ids, times, ports and versions,
# and in the order of the text. `--update-snapshot` writes it anew.
";

/// What may not stand in a snapshot, which is committed for everybody to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Withheld {
    /// Withhold what stands where conventions and common vocabularies keep prompts, completions and
    /// tool calls.
    pub content: bool,
    /// Withhold every text in which one of these stands: what planted markers begin with, and other
    /// planted values.
    pub planted: Vec<String>,
}

/// Gathers telemetry for a snapshot. All of it is held in memory until the text is written.
#[derive(Debug)]
pub struct Snapshot {
    withheld: Withheld,
    origins: Origins,
    spans: Spans,
    metrics: Metrics,
    logs: Logs,
}

impl Snapshot {
    /// A snapshot of nothing yet.
    #[must_use]
    pub fn new(withheld: Withheld) -> Snapshot {
        Snapshot {
            withheld,
            origins: Origins::default(),
            spans: Spans::default(),
            metrics: Metrics::default(),
            logs: Logs::default(),
        }
    }

    /// Adds what one request exported.
    pub fn add(&mut self, export: Export) {
        match export {
            Export::Traces(request) => {
                for resource in request.resource_spans {
                    let of = self.origins.resource(resource.resource, resource.schema_url);
                    for scope in resource.scope_spans {
                        let origin = self.origins.scope(of, scope.scope, scope.schema_url);
                        scope.spans.into_iter().for_each(|span| self.spans.add(origin, span));
                    }
                }
            }
            Export::Metrics(request) => {
                for resource in request.resource_metrics {
                    let of = self.origins.resource(resource.resource, resource.schema_url);
                    for scope in resource.scope_metrics {
                        let origin = self.origins.scope(of, scope.scope, scope.schema_url);
                        scope.metrics.into_iter().for_each(|it| self.metrics.add(origin, it));
                    }
                }
            }
            Export::Logs(request) => {
                for resource in request.resource_logs {
                    let of = self.origins.resource(resource.resource, resource.schema_url);
                    for scope in resource.scope_logs {
                        let origin = self.origins.scope(of, scope.scope, scope.schema_url);
                        scope.log_records.into_iter().for_each(|it| self.logs.add(origin, it));
                    }
                }
            }
        }
    }

    /// Whether there was no telemetry at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.metrics.is_empty() && self.logs.is_empty()
    }

    /// The text, with a line break at its end.
    #[must_use]
    pub fn text(&self) -> String {
        let ids: BTreeSet<String> = self.spans.ids();
        let values = Values { withheld: &self.withheld, ids: &ids };
        let named = self.origins.named(&values);
        let mut lines = Lines::default();
        named.write(&mut lines);
        let logs = self.logs.by_span(&named, &values);
        let astray = self.spans.write(&named, &values, logs, &mut lines);
        logs::write_astray(astray, &mut lines);
        self.metrics.write(&named, &values, &mut lines);
        format!("{HEAD}{}", lines.into_text())
    }
}
