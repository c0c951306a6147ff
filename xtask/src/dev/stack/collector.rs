//! The Collector: built from its components, and started with the configuration of the stack.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::http::Http;
use super::prometheus::Prometheus;
use super::server::{Server, loopback};
use crate::dev::process::free_port;
use crate::dev::test::succeed;

/// Builds the Collector of `stack`, and gives the path of the program. Go knows by itself what is
/// built already.
pub(super) fn build(root: &Path, stack: &Path) -> Result<PathBuf> {
    let program = root.join("target/stack/collector");
    let mut go = Command::new("go");
    go.args(["build", "-ldflags", "-s -w", "-o"]).arg(&program).arg(".");
    succeed(go.current_dir(stack.join("collector")))?;
    Ok(program)
}

/// The addresses that a Collector listens at, which are known before it is started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    grpc: SocketAddr,
    http: SocketAddr,
    health: SocketAddr,
    pub(super) metrics: SocketAddr,
}

impl Ports {
    pub(super) fn free() -> Result<Ports> {
        let port = || free_port().map(loopback);
        Ok(Ports { grpc: port()?, http: port()?, health: port()?, metrics: port()? })
    }
}

/// A running Collector, which also writes what it passes on into a file.
pub(super) struct Collector {
    // Ended when dropped.
    _server: Server,
    ports: Ports,
    pub(super) written: PathBuf,
}

impl Collector {
    /// Starts `program` in `folder` with the configurations `files` of `stack`. Metrics go to
    /// `prometheus`, and traces to `tempo`, if there is one.
    pub(super) fn start(
        http: &Http,
        program: &Path,
        stack: &Path,
        folder: &Path,
        files: &[&str],
        ports: Ports,
        to: (&Prometheus, Option<SocketAddr>),
    ) -> Result<Collector> {
        let (prometheus, tempo) = to;
        let written = folder.join("passed-on.jsonl");
        let exporters = if tempo.is_some() { "[file, otlp/tempo]" } else { "[file]" };
        let also = folder.join("also.yaml");
        fs::write(
            &also,
            format!(
                "exporters:\n  file: {{path: {}, flush_interval: 100ms}}\n\
                 service: {{pipelines: {{traces: {{exporters: {exporters}}}}}}}\n",
                written.display()
            ),
        )?;
        let mut command = Command::new(program);
        for file in files {
            command.arg(format!("--config={}", stack.join("collector").join(file).display()));
        }
        command
            .arg(format!("--config={}", also.display()))
            .env("OTLP_GRPC_LISTEN", ports.grpc.to_string())
            .env("OTLP_HTTP_LISTEN", ports.http.to_string())
            .env("HEALTH_LISTEN", ports.health.to_string())
            .env("TELEMETRY_HOST", ports.metrics.ip().to_string())
            .env("TELEMETRY_PORT", ports.metrics.port().to_string())
            .env("PROMETHEUS_WRITE", prometheus.write_url())
            .env("METRICS_INTERVAL", "1s");
        if let Some(tempo) = tempo {
            command.env("TEMPO_OTLP", tempo.to_string());
        }
        let log = folder.join("collector.log");
        let mut server =
            Server::start(command, ports.health, log).context("cannot start the Collector")?;
        server.wait_until_ready(http, "/")?;
        Ok(Collector { _server: server, ports, written })
    }

    /// Where spans are sent to.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.ports.grpc)
    }
    /// What it says of itself.
    pub(super) fn metrics_url(&self) -> String {
        format!("http://{}/metrics", self.ports.metrics)
    }
}
