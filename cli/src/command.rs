//! Runs the command under test.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::exit::{Failure, OrFail as _};
use crate::servers::Servers;
use crate::{environment, interrupt, output};

/// The most bytes that are kept of what a command writes; what comes after is not looked at.
const KEPT_BYTES: usize = 16 << 20;

/// How long a command's children may go on writing when it has ended.
const PATIENCE: Duration = Duration::from_secs(5);

/// A command, and the variables that it gets beside ours; nothing for one that it does not get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invocation {
    pub(crate) words: Vec<OsString>,
    pub(crate) environment: Vec<(OsString, Option<OsString>)>,
}

/// What becomes of standard output and standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Streams {
    /// They are ours.
    Inherited,
    /// They are kept, and shown as well.
    KeptAndShown,
    /// They are kept.
    Kept,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// Whether the user ended it.
    pub(crate) is_interrupted: bool,
    /// What it wrote, where that was kept.
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// Runs `invocation` against `servers` to its end.
pub(crate) async fn run(
    invocation: &Invocation,
    servers: &Servers,
    streams: Streams,
) -> Result<Ended, Failure> {
    let (program, arguments) = invocation
        .words
        .split_first()
        .filter(|(program, _)| !program.is_empty())
        .ok_or_else(|| anyhow!("no command: write it after `--`"))
        .or_usage()?;
    let mut command = Command::new(program);
    command.args(arguments);
    for warning in environment::point_at(servers, &mut command) {
        if streams != Streams::Kept {
            output::complain(&format!("warning: {warning}"));
        }
    }
    for (name, value) in &invocation.environment {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if streams != Streams::Inherited {
        // A command that runs more than once must read the same each time.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    }
    let mut child = command
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))
        .or_could_not_judge()?;
    let shows = streams == Streams::KeptAndShown;
    let stdout = child.stdout.take().map(|pipe| Kept::read(pipe, shows.then(io::stdout)));
    let stderr = child.stderr.take().map(|pipe| Kept::read(pipe, shows.then(io::stderr)));
    let (status, is_interrupted) = wait(&mut child).await?;
    let [stdout, stderr] = [finish(stdout).await, finish(stderr).await];
    Ok(Ended { status, is_interrupted, stdout, stderr })
}

/// Waits for the end of `child`, and says whether the user asked for it.
async fn wait(child: &mut Child) -> Result<(ExitStatus, bool), Failure> {
    tokio::select! {
        status = child.wait() => return Ok((status.or_could_not_judge()?, false)),
        interrupted = interrupt::requested() => interrupted.or_could_not_judge()?,
    }
    // A terminal sends Ctrl-C to the command as well; whoever signals this process alone means it.
    output::complain("interrupted: waiting for the command to end; interrupt again to kill it");
    interrupt::terminate(child);
    let status = tokio::select! {
        status = child.wait() => status.or_could_not_judge()?,
        interrupted = interrupt::requested() => {
            interrupted.or_could_not_judge()?;
            child.kill().await.or_could_not_judge()?;
            child.wait().await.or_could_not_judge()?
        }
    };
    Ok((status, true))
}

/// What is read from a pipe.
struct Kept {
    bytes: Arc<Mutex<Vec<u8>>>,
    reading: JoinHandle<()>,
}

impl Kept {
    /// Reads `pipe` to its end, and shows it on `shown`.
    fn read(
        mut pipe: impl AsyncRead + Unpin + Send + 'static,
        mut shown: Option<impl Write + Send + 'static>,
    ) -> Kept {
        let bytes: Arc<Mutex<Vec<u8>>> = Arc::default();
        let kept = Arc::clone(&bytes);
        let reading = tokio::spawn(async move {
            let mut part = vec![0; 1 << 14];
            while let Ok(length @ 1..) = pipe.read(&mut part).await {
                if let Some(shown) = &mut shown {
                    // Whoever reads what is shown may have left.
                    let _ = shown.write_all(&part[..length]).and_then(|()| shown.flush());
                }
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                let room = KEPT_BYTES.saturating_sub(kept.len());
                kept.extend_from_slice(&part[..length.min(room)]);
            }
        });
        Kept { bytes, reading }
    }
}

/// What was read, once the pipe has ended or nobody should write to it any more.
async fn finish(kept: Option<Kept>) -> Vec<u8> {
    let Some(Kept { bytes, mut reading }) = kept else { return Vec::new() };
    if tokio::time::timeout(PATIENCE, &mut reading).await.is_err() {
        reading.abort();
    }
    let mut bytes = bytes.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *bytes)
}
