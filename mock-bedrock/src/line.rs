//! What an answer can ask of the connection that it goes out on.

use std::fmt;

use tokio::sync::{Notify, mpsc, oneshot};

/// A connection, as its answers see it.
#[derive(Debug)]
pub(crate) struct Line {
    cut: Notify,
    flushes: mpsc::UnboundedSender<oneshot::Sender<()>>,
}

/// The other end of a [`Line`], for the task that drives the connection.
#[derive(Debug)]
pub(crate) struct Flushes(mpsc::UnboundedReceiver<oneshot::Sender<()>>);

/// An answer that was cut off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Severed;

impl fmt::Display for Severed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fault cut the answer off")
    }
}

impl std::error::Error for Severed {}

impl Line {
    pub(crate) fn new() -> (Line, Flushes) {
        let (flushes, asked) = mpsc::unbounded_channel();
        (Line { cut: Notify::new(), flushes }, Flushes(asked))
    }

    /// Asks the connection's task to drop the connection. That task flushes what it was given
    /// before it looks, so the client sees everything up to the cut.
    pub(crate) fn cut(&self) {
        self.cut.notify_one();
    }

    /// Returns once the connection is to be dropped.
    pub(crate) async fn is_cut(&self) {
        self.cut.notified().await;
    }

    /// Resolves when the connection has sent what it was given so far, as far as the client lets it.
    /// An answer over HTTP/2 is polled by a task of its own, and a reset overtakes what is not sent.
    pub(crate) fn flush(&self) -> oneshot::Receiver<()> {
        let (done, flushed) = oneshot::channel();
        // A connection that is gone drops the sender, which resolves the receiver too.
        let _ = self.flushes.send(done);
        flushed
    }
}

impl Flushes {
    /// The next answer that waits for a flush. It is due one to be told after the connection was
    /// driven once more.
    pub(crate) async fn next(&mut self) -> Option<oneshot::Sender<()>> {
        self.0.recv().await
    }
}
