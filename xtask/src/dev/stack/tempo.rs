//! A Tempo that the user gives: spanproof neither brings one along nor fetches one, since it is under
//! the AGPL.

use std::fs;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::http::{Http, encoded};
use super::server::{Server, loopback, until};
use crate::dev::process::free_port;

/// The environment variable that names one.
pub(super) const VARIABLE: &str = "SPANPROOF_TEMPO";

/// The most traces that a search may give.
const MOST: u64 = 1_000_000;

/// A running Tempo.
pub(super) struct Tempo {
    // Ended when dropped, if it was started here.
    _server: Option<Server>,
    api: SocketAddr,
    pub(super) otlp: SocketAddr,
    /// Where its blocks are, if that is known.
    blocks: Option<PathBuf>,
}

impl Tempo {
    /// The Tempo at `given`: a program, which is started in `folder` with the configuration of
    /// `stack`, or the URL of one that runs and takes OTLP/gRPC at port 4317 of the same host.
    pub(super) fn start(http: &Http, given: &str, stack: &Path, folder: &Path) -> Result<Tempo> {
        if let Some(authority) = given.strip_prefix("http://") {
            let api = authority
                .trim_end_matches('/')
                .to_socket_addrs()
                .with_context(|| {
                    format!("{VARIABLE}: `{given}` is no URL such as http://tempo:3200")
                })?
                .next()
                .with_context(|| {
                    format!("{VARIABLE}: nothing is known of the host in `{given}`")
                })?;
            http.get(api, "/ready")?;
            let otlp = SocketAddr::new(api.ip(), 4317);
            return Ok(Tempo { _server: None, api, otlp, blocks: None });
        }
        let data = folder.join("tempo");
        fs::create_dir_all(&data)?;
        let (api, otlp) = (loopback(free_port()?), loopback(free_port()?));
        let mut command = Command::new(given);
        command
            .arg(format!("-config.file={}", stack.join("tempo/tempo.yaml").display()))
            .arg("-config.expand-env=true")
            .env("TEMPO_HTTP_ADDRESS", api.ip().to_string())
            .env("TEMPO_HTTP_PORT", api.port().to_string())
            .env("TEMPO_GRPC_ADDRESS", api.ip().to_string())
            .env("TEMPO_GRPC_PORT", free_port()?.to_string())
            .env("TEMPO_MEMBERLIST_PORT", free_port()?.to_string())
            .env("TEMPO_OTLP_LISTEN", otlp.to_string())
            .env("TEMPO_DATA", &data);
        let mut server = Server::start(command, api, folder.join("tempo.log"))
            .with_context(|| format!("{VARIABLE}: cannot start `{given}`"))?;
        server.wait_until_ready(http, "/ready")?;
        Ok(Tempo { _server: Some(server), api, otlp, blocks: Some(data.join("blocks")) })
    }

    /// How many traces `query` finds, once it finds `expected` of them or no more come.
    pub(super) fn count(&self, http: &Http, query: &str, expected: u64) -> Result<u64> {
        let path = format!("/api/search?q={}&limit={MOST}&spss=1", encoded(query));
        let count = || -> Result<u64> {
            let answer: Value = serde_json::from_slice(&http.get(self.api, &path)?)?;
            let traces = answer["traces"].as_array().context("Tempo gives no traces")?;
            Ok(u64::try_from(traces.len())?)
        };
        let found = until(|| {
            let found = count()?;
            ensure!(found == expected, "{found} traces");
            Ok(found)
        });
        found.or_else(|_| count())
    }

    /// The folders of its blocks, once they hold `expected` traces; nothing for a Tempo whose disk is
    /// not here.
    pub(super) fn blocks(&self, expected: u64) -> Result<Option<Vec<PathBuf>>> {
        let Some(folder) = &self.blocks else { return Ok(None) };
        let flushed = until(|| {
            let mut traces = 0;
            let mut blocks = Vec::new();
            for tenant in fs::read_dir(folder)? {
                for block in fs::read_dir(tenant?.path())? {
                    let block = block?.path();
                    // One that is being written has none yet.
                    let Ok(meta) = fs::read_to_string(block.join("meta.json")) else { continue };
                    let meta: Value = serde_json::from_str(&meta)?;
                    traces += meta["totalObjects"].as_u64().unwrap_or_default();
                    blocks.push(block);
                }
            }
            ensure!(traces == expected, "{traces} of {expected} traces are in blocks");
            Ok(blocks)
        });
        flushed.context("Tempo has not written all blocks").map(Some)
    }
}
