//! Ctrl-C and SIGTERM: a run ends cleanly, with a report of what was seen.

use std::io;

/// Waits until the user, or whoever started the process, asks it to end.
pub(crate) async fn requested() -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
