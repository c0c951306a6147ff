//! The dashboards: what they ask of Prometheus and of Tempo.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::http::Http;
use super::prometheus::Prometheus;
use super::server::until;

/// What Grafana puts in the place of its variables, over the hour before.
const VARIABLES: [(&str, &str); 6] = [
    ("$__rate_interval", "1h"),
    ("$__range", "1h"),
    ("$__interval", "1m"),
    ("$model", ".*"),
    ("$tenant", ".*"),
    ("$feature", ".*"),
];

/// Every dashboard.
pub(super) struct Dashboards {
    files: Vec<(PathBuf, Value)>,
}

/// What is asked where.
#[derive(Debug)]
struct Target {
    dashboard: String,
    panel: String,
    query: String,
}

impl Dashboards {
    pub(super) fn read(stack: &Path) -> Result<Dashboards> {
        let mut files = Vec::new();
        for entry in fs::read_dir(stack.join("grafana/dashboards"))? {
            let path = entry?.path();
            let dashboard = serde_json::from_str(&fs::read_to_string(&path)?)
                .with_context(|| format!("{} is no JSON", path.display()))?;
            files.push((path, dashboard));
        }
        files.sort_by(|(one, _), (other, _)| one.cmp(other));
        ensure!(!files.is_empty(), "there are no dashboards");
        Ok(Dashboards { files })
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(path, _)| path.as_path())
    }

    /// The queries in `TraceQL`.
    pub(super) fn traceql(&self) -> Vec<String> {
        self.targets("tempo", "query").into_iter().map(|target| target.query).collect()
    }

    /// Asks every query of every panel, and for the values of every variable; each must have some.
    /// Says how many there were, and which had none.
    pub(super) fn ask(&self, http: &Http, prometheus: &Prometheus) -> Result<(usize, Vec<String>)> {
        let targets = self.targets("prometheus", "expr");
        ensure!(!targets.is_empty(), "no panel asks Prometheus");
        let mut empty = Vec::new();
        for Target { dashboard, panel, query } in &targets {
            let filled = VARIABLES
                .iter()
                .fold(query.clone(), |query, (name, value)| query.replace(name, value));
            ensure!(
                !filled.contains('$'),
                "{dashboard}, {panel}: what is to be put into `{filled}`?"
            );
            let answered = until(|| {
                let samples = prometheus.query(http, &filled)?;
                ensure!(samples.iter().any(|sample| sample.value.is_finite()), "no value");
                Ok(())
            });
            if let Err(error) = answered {
                empty.push(format!("{dashboard}, panel \"{panel}\": `{filled}`: {error:#}"));
            }
        }
        let variables = self.variables()?;
        for (metric, label) in &variables {
            if prometheus.label_values(http, metric, label)?.is_empty() {
                empty.push(format!("no series of {metric} has the label {label}"));
            }
        }
        Ok((targets.len() + variables.len(), empty))
    }

    /// The queries in the member `member` of targets of the data source `source`.
    fn targets(&self, source: &str, member: &str) -> Vec<Target> {
        let mut all = Vec::new();
        for (_, dashboard) in &self.files {
            for panel in dashboard["panels"].as_array().into_iter().flatten() {
                for target in panel["targets"].as_array().into_iter().flatten() {
                    if target["datasource"]["type"] == source
                        && let Some(query) = target[member].as_str()
                    {
                        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                        all.push(Target {
                            dashboard: text(&dashboard["title"]),
                            panel: text(&panel["title"]),
                            query: query.to_owned(),
                        });
                    }
                }
            }
        }
        all
    }

    /// Metric and label of each variable.
    fn variables(&self) -> Result<Vec<(String, String)>> {
        let mut all = Vec::new();
        for (path, dashboard) in &self.files {
            for variable in dashboard["templating"]["list"].as_array().into_iter().flatten() {
                let query = variable["query"]["query"].as_str().unwrap_or_default();
                let arguments = query
                    .strip_prefix("label_values(")
                    .and_then(|rest| rest.strip_suffix(')'))
                    .and_then(|arguments| arguments.split_once(", "));
                let Some((metric, label)) = arguments else {
                    bail!("{}: a variable asks for `{query}`", path.display())
                };
                all.push((metric.to_owned(), label.to_owned()));
            }
        }
        Ok(all)
    }
}
