//! Ctrl-C and SIGTERM: a run ends cleanly, with a report of what was seen.

use std::io;
use std::thread;

use tokio::process::Child;
use tokio::sync::oneshot;

/// What ends a server beside Ctrl-C and SIGTERM.
#[derive(Debug, clap::Args)]
pub(crate) struct Until {
    /// End when standard input ends, too. Whoever starts this with a pipe and keeps that open need not
    /// see to its end
    #[arg(long)]
    until_stdin_ends: bool,
}

impl Until {
    /// Waits until the server is to end.
    pub(crate) async fn over(&self) -> io::Result<()> {
        if !self.until_stdin_ends {
            return requested().await;
        }
        tokio::select! {
            _ = stdin_end() => Ok(()),
            interrupted = requested() => interrupted,
        }
    }
}

/// Resolves when standard input ends, or cannot be read any more. It is read on a thread of its own,
/// for which the end of the process does not wait.
fn stdin_end() -> oneshot::Receiver<()> {
    let (over, end) = oneshot::channel();
    thread::spawn(move || {
        // An input that cannot be read has ended, too. Nobody may be there any more to be told.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        let _ = over.send(());
    });
    end
}

/// Waits until the user, or whoever started the process, asks it to end.
pub(crate) async fn requested() -> io::Result<()> {
    Requests::new()?.next().await;
    Ok(())
}

/// Requests to end, one after the other.
pub(crate) struct Requests {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Requests {
    /// Those from now on.
    pub(crate) fn new() -> io::Result<Requests> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Requests {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
            })
        }
        #[cfg(not(unix))]
        Ok(Requests {})
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Asks `child` to end, where the system has a way to ask.
pub(crate) fn terminate(child: &Child) {
    #[cfg(unix)]
    if let Some(pid) = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
        // A child that has just ended needs no asking.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    #[cfg(not(unix))]
    let _ = child;
}
