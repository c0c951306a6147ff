//! Prometheus: started with the rules of the stack, and asked what it has.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::http::{Http, encoded};
use super::server::{Server, loopback};
use crate::dev::process::free_port;

/// A Prometheus that has nothing yet.
pub(super) struct Prometheus {
    server: Server,
}

/// One series of an answer: its labels and its value.
#[derive(Debug)]
pub(super) struct Sample {
    labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

impl Sample {
    /// The label `name`, which is empty where there is none, as in queries.
    pub(super) fn label(&self, name: &str) -> String {
        self.labels.get(name).cloned().unwrap_or_default()
    }
}

impl Prometheus {
    /// Starts it in `folder` with the configuration of `stack`, whose addresses are replaced.
    pub(super) fn start(
        http: &Http,
        stack: &Path,
        folder: &Path,
        collector_metrics: SocketAddr,
    ) -> Result<Prometheus> {
        let address = loopback(free_port()?);
        let configuration = folder.join("prometheus.yaml");
        let mut settings: Value =
            serde_norway::from_reader(File::open(stack.join("prometheus/prometheus.yaml"))?)?;
        settings["rule_files"] = json!([stack.join("prometheus/rules/*.yaml")]);
        // Rates of what the Collector says of itself take several scrapes.
        settings["global"]["scrape_interval"] = json!("1s");
        for job in settings["scrape_configs"].as_array_mut().into_iter().flatten() {
            let target = if job["job_name"] == "collector" { collector_metrics } else { address };
            job["static_configs"] = json!([{ "targets": [target.to_string()] }]);
        }
        fs::write(&configuration, serde_norway::to_string(&settings)?)?;
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", configuration.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("series").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--web.enable-remote-write-receiver");
        let server = Server::start(command, address, folder.join("prometheus.log"))?;
        let mut prometheus = Prometheus { server };
        prometheus.server.wait_until_ready(http, "/-/ready")?;
        Ok(prometheus)
    }

    /// Where a Collector writes to.
    pub(super) fn write_url(&self) -> String {
        format!("http://{}/api/v1/write", self.server.address)
    }

    /// What `query` comes to now.
    pub(super) fn query(&self, http: &Http, query: &str) -> Result<Vec<Sample>> {
        let answer = http
            .post(self.server.address, "/api/v1/query", &[("query", query)])
            .with_context(|| format!("Prometheus does not answer `{query}`"))?;
        let series = answer["data"]["result"].as_array().context("Prometheus gives no result")?;
        series
            .iter()
            .map(|series| {
                let value = series["value"][1].as_str().context("a series has no value")?;
                Ok(Sample {
                    labels: serde_json::from_value(series["metric"].clone())?,
                    value: value.parse()?,
                })
            })
            .collect()
    }

    /// The only value of `query`; 0 where there is none.
    pub(super) fn number(&self, http: &Http, query: &str) -> Result<f64> {
        let samples = self.query(http, query)?;
        ensure!(samples.len() <= 1, "`{query}` has {} values", samples.len());
        Ok(samples.first().map_or(0.0, |sample| sample.value))
    }

    /// The values that `label` has in the series of `metric`.
    pub(super) fn label_values(
        &self,
        http: &Http,
        metric: &str,
        label: &str,
    ) -> Result<Vec<String>> {
        let path = format!("/api/v1/label/{label}/values?match[]={}", encoded(metric));
        let answer: Value = serde_json::from_slice(&http.get(self.server.address, &path)?)?;
        Ok(serde_json::from_value(answer["data"].clone())?)
    }
}
