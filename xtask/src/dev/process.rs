//! A server as a process of its own, so that its processor time is its own too.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result, bail};

use super::children::{self, Child};

/// How a server is started.
pub(super) struct Launch {
    pub(super) command: Command,
    pub(super) address: Address,
}

/// Where a server listens.
pub(super) enum Address {
    /// At the endpoint in the first line that it prints.
    Printed,
    /// At this port of the loopback address, which its command line names.
    Port(u16),
}

/// A running server, ended when dropped.
pub(super) struct Process {
    child: Child,
    pub(super) address: SocketAddr,
    log: PathBuf,
}

impl Process {
    /// Starts a server, which says what it has to say into the file `log`.
    pub(super) fn start(launch: Launch, log: PathBuf) -> Result<Process> {
        let Launch { mut command, address } = launch;
        let errors = File::create(&log)?;
        command.stdin(Stdio::null()).stderr(errors.try_clone()?);
        match address {
            Address::Printed => command.stdout(Stdio::piped()),
            Address::Port(_) => command.stdout(errors),
        };
        let child = children::spawn(&mut command)?;
        let unspecified = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut process = Process { child, address: unspecified, log };
        process.address = match address {
            Address::Port(port) => SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            Address::Printed => process.printed_address()?,
        };
        Ok(process)
    }

    fn printed_address(&mut self) -> Result<SocketAddr> {
        let stdout = self.child.process.stdout.take().context("its output is not piped")?;
        let mut lines = BufReader::new(stdout).lines();
        let Some(line) = lines.next().transpose()? else {
            bail!("it ended before it said where it listens: {}", self.said())
        };
        // Whatever else it prints is read, so that it never waits for a reader.
        thread::spawn(move || lines.for_each(drop));
        let address = line.trim().trim_start_matches("http://");
        address.parse().with_context(|| format!("it printed `{line}`, which is no endpoint"))
    }

    /// Fails when it has ended.
    pub(super) fn ensure_running(&mut self) -> Result<()> {
        match self.child.process.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("it ended with {status}: {}", self.said()),
        }
    }

    /// Seconds of processor time so far, in user mode and in the kernel, of all its threads.
    pub(super) fn processor_seconds(&self) -> Result<f64> {
        let stat = self.proc_file("stat")?;
        // The second field, the program's name in parentheses, may hold anything.
        let after_name = stat.rsplit_once(')').context("stat names no program")?.1;
        let mut fields = after_name.split_ascii_whitespace().skip(11);
        let mut ticks =
            || -> Result<u32> { Ok(fields.next().context("stat has too few fields")?.parse()?) };
        let ticks = f64::from(ticks()?) + f64::from(ticks()?);
        Ok(ticks / f64::from(u32::try_from(rustix::param::clock_ticks_per_second())?))
    }

    /// The most memory that it ever had resident, in MiB.
    pub(super) fn peak_memory_mib(&self) -> Result<f64> {
        let status = self.proc_file("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_ascii_whitespace().next());
        Ok(f64::from(kib.context("status tells no VmHWM")?.parse::<u32>()?) / 1024.0)
    }

    fn proc_file(&self, name: &str) -> Result<String> {
        let path = format!("/proc/{}/{name}", self.child.process.id());
        fs::read_to_string(&path).with_context(|| {
            format!("cannot read {path}; processor times come from procfs, which is Linux's")
        })
    }

    /// The end of what it said.
    fn said(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("; ")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.group.kill();
        let _ = self.child.process.wait();
    }
}

/// A port that nothing listens at right now, for servers that cannot choose one themselves.
pub(super) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
