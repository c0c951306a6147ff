//! A server of the stack as a process, which is ready when it says so.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::http::Http;
use crate::dev::children;
use crate::dev::process::{Address, Launch, Process};

/// How long something may take that is waited for.
const WITHIN: Duration = Duration::from_secs(90);

/// How often it is asked for.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// A running server, ended when dropped.
pub(super) struct Server {
    process: Process,
    pub(super) address: SocketAddr,
}

impl Server {
    /// Starts one that listens at `address`.
    pub(super) fn start(command: Command, address: SocketAddr, log: PathBuf) -> Result<Server> {
        let launch = Launch { command, address: Address::Port(address.port()) };
        Ok(Server { process: Process::start(launch, log)?, address })
    }

    /// Returns when `path` answers with a success.
    pub(super) fn wait_until_ready(&mut self, http: &Http, path: &str) -> Result<()> {
        let process = &mut self.process;
        let address = self.address;
        until(|| {
            process.ensure_running()?;
            http.get(address, path).map(|_| ())
        })
        .with_context(|| format!("what listens at {address} is not ready"))
    }
}

/// Asks until there is no error any more, and for so long.
pub(super) fn until<T>(mut ask: impl FnMut() -> Result<T>) -> Result<T> {
    let deadline = Instant::now() + WITHIN;
    loop {
        children::ensure_not_interrupted()?;
        match ask() {
            Ok(value) => return Ok(value),
            Err(error) if Instant::now() > deadline => {
                bail!("after {} s: {error:#}", WITHIN.as_secs())
            }
            Err(_) => thread::sleep(ASK_EVERY),
        }
    }
}

/// `port` of this machine.
pub(super) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
