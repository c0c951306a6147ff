//! Resources and instrumentation scopes: where telemetry comes from.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::attributes::Values;
use super::text::{Lines, quoted};

/// A resource, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ResourceAt(usize);

/// A scope in a resource, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Origin(usize);

/// What was seen so far, each once.
#[derive(Debug, Default)]
pub(super) struct Origins {
    resources: Vec<(Resource, String)>,
    scopes: Vec<(ResourceAt, InstrumentationScope, String)>,
}

impl Origins {
    pub(super) fn resource(&mut self, resource: Option<Resource>, url: String) -> ResourceAt {
        ResourceAt(place(&mut self.resources, (resource.unwrap_or_default(), url)))
    }

    pub(super) fn scope(
        &mut self,
        of: ResourceAt,
        scope: Option<InstrumentationScope>,
        url: String,
    ) -> Origin {
        Origin(place(&mut self.scopes, (of, scope.unwrap_or_default(), url)))
    }

    /// Gives resources and scopes names that do not depend on the order of arrival.
    pub(super) fn named(&self, values: &Values<'_>) -> Named {
        let resources: Vec<Lines> = self
            .resources
            .iter()
            .map(|(resource, url)| resource_lines(resource, url, values))
            .collect();
        let mut distinct = resources.clone();
        distinct.sort();
        distinct.dedup();
        let scopes: Vec<Lines> =
            self.scopes.iter().map(|(_, scope, url)| scope_lines(scope, url, values)).collect();
        // Those of one name that differ otherwise are numbered.
        let mut by_name: BTreeMap<&str, Vec<&Lines>> = BTreeMap::new();
        for ((_, scope, _), lines) in self.scopes.iter().zip(&scopes) {
            by_name.entry(&scope.name).or_default().push(lines);
        }
        for alike in by_name.values_mut() {
            alike.sort();
            alike.dedup();
        }
        let mut labels = Vec::new();
        let mut sections: Vec<(String, Lines)> = Vec::new();
        for ((of, scope, _), lines) in self.scopes.iter().zip(&scopes) {
            let alike = &by_name[scope.name.as_str()];
            let mut label = quoted(&scope.name);
            if alike.len() > 1 {
                let number = alike.partition_point(|other| *other < lines) + 1;
                // Writing into a string cannot fail.
                let _ = write!(label, " #{number}");
            }
            sections.push((label.clone(), lines.clone()));
            if distinct.len() > 1 {
                let number = distinct.partition_point(|other| *other < resources[of.0]) + 1;
                // Writing into a string cannot fail.
                let _ = write!(label, " of resource {number}");
            }
            labels.push(label);
        }
        sections.sort();
        sections.dedup();
        Named { resources: distinct, scopes: sections, labels }
    }
}

fn place<T: PartialEq>(seen: &mut Vec<T>, one: T) -> usize {
    seen.iter().position(|known| *known == one).unwrap_or_else(|| {
        seen.push(one);
        seen.len() - 1
    })
}

fn resource_lines(resource: &Resource, url: &str, values: &Values<'_>) -> Lines {
    let mut lines = values.attributes(&resource.attributes, resource.dropped_attributes_count);
    schema_url(url, &mut lines);
    lines
}

fn scope_lines(scope: &InstrumentationScope, url: &str, values: &Values<'_>) -> Lines {
    let mut lines = Lines::default();
    // Which version it is changes with every release; that it states one does not.
    lines.push(0, if scope.version.is_empty() { "without version" } else { "version <version>" });
    schema_url(url, &mut lines);
    lines.nest(0, &values.attributes(&scope.attributes, scope.dropped_attributes_count));
    lines
}

fn schema_url(url: &str, lines: &mut Lines) {
    if !url.is_empty() {
        lines.push(0, format!("schema URL {}", quoted(url)));
    }
}

/// Resources and scopes with their names.
pub(super) struct Named {
    resources: Vec<Lines>,
    scopes: Vec<(String, Lines)>,
    labels: Vec<String>,
}

impl Named {
    /// What an item calls its scope.
    pub(super) fn label(&self, origin: Origin) -> &str {
        self.labels.get(origin.0).map_or("", String::as_str)
    }

    pub(super) fn write(&self, lines: &mut Lines) {
        for (number, resource) in (1..).zip(&self.resources) {
            let title = if self.resources.len() > 1 {
                format!("resource {number}")
            } else {
                "resource".to_owned()
            };
            lines.push(0, title);
            lines.nest(1, resource);
        }
        for (label, scope) in &self.scopes {
            lines.push(0, format!("scope {label}"));
            lines.nest(1, scope);
        }
    }
}
