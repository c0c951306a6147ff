//! A ledger in a file of JSON lines, written by a thread of its own.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use spanproof_schemas::ledger::Record;

use super::LedgerSink;

/// Records that may wait for the writer. A request waits when there is no more room.
const WAITING: usize = 16_384;
/// How long the writer lets records gather before it writes them: waking it for each would cost
/// the request path more than the record itself.
const GATHER: Duration = Duration::from_millis(2);
/// Bytes gathered before they are written to the file.
const BUFFER_BYTES: usize = 1 << 18;

/// Writes the ledger to a file as JSON lines.
///
/// The file is complete after [`LedgerSink::flush`], which [`crate::Server::shutdown`] calls, and
/// after the sink was dropped.
#[derive(Debug)]
pub struct JsonLines {
    path: PathBuf,
    orders: Option<SyncSender<Order>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// A ledger that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the ledger {path}: {source}; check that the folder exists, is writable and has room", path = path.display())]
pub struct LedgerError {
    path: PathBuf,
    source: io::Error,
}

#[derive(Debug)]
enum Order {
    Write(Record),
    Flush(SyncSender<io::Result<()>>),
}

impl JsonLines {
    /// Creates the file, or empties it, and starts the writer.
    ///
    /// # Errors
    ///
    /// When the file cannot be created.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, LedgerError> {
        let path = path.as_ref().to_path_buf();
        let start = || {
            let file = File::create(&path)?;
            let (orders, queue) = sync_channel(WAITING);
            let writer = thread::Builder::new()
                .name("ledger".to_owned())
                .spawn(move || Writer::new(file).work(&queue))?;
            Ok((orders, writer))
        };
        match start() {
            Ok((orders, writer)) => {
                Ok(JsonLines { path, orders: Some(orders), writer: Mutex::new(Some(writer)) })
            }
            Err(source) => Err(LedgerError { path, source }),
        }
    }

    fn error(&self, source: io::Error) -> LedgerError {
        LedgerError { path: self.path.clone(), source }
    }
}

impl LedgerSink for JsonLines {
    fn record(&self, record: Record) {
        if let Some(orders) = &self.orders {
            // The writer outlives this sender; should it have died, `flush` says so.
            let _ = orders.send(Order::Write(record));
        }
    }

    fn flush(&self) -> Result<(), LedgerError> {
        let gone = || self.error(io::Error::other("its writer stopped early"));
        let (reply, done) = sync_channel(1);
        let orders = self.orders.as_ref().ok_or_else(gone)?;
        orders.send(Order::Flush(reply)).map_err(|_| gone())?;
        done.recv().map_err(|_| gone())?.map_err(|source| self.error(source))
    }
}

impl Drop for JsonLines {
    fn drop(&mut self) {
        self.orders = None;
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // A panic of the writer has been printed by then.
            let _ = writer.join();
        }
    }
}

struct Writer {
    file: BufWriter<File>,
    /// The first failure; later records are dropped, and every flush reports it.
    failure: Option<(io::ErrorKind, String)>,
}

impl Writer {
    fn new(file: File) -> Self {
        Writer { file: BufWriter::with_capacity(BUFFER_BYTES, file), failure: None }
    }

    fn work(mut self, queue: &Receiver<Order>) {
        while let Ok(order) = queue.recv() {
            self.follow(order);
            while let Ok(order) = queue.try_recv() {
                self.follow(order);
            }
            self.attempt(BufWriter::flush);
            thread::sleep(GATHER);
        }
        self.attempt(BufWriter::flush);
    }

    fn follow(&mut self, order: Order) {
        match order {
            Order::Write(record) => self.attempt(|file| {
                serde_json::to_writer(&mut *file, &record)?;
                file.write_all(b"\n")
            }),
            Order::Flush(reply) => {
                self.attempt(BufWriter::flush);
                let outcome = match &self.failure {
                    None => Ok(()),
                    Some((kind, text)) => Err(io::Error::new(*kind, text.clone())),
                };
                // Whoever asked may have stopped waiting.
                let _ = reply.send(outcome);
            }
        }
    }

    fn attempt(&mut self, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) {
        if self.failure.is_none()
            && let Err(error) = write(&mut self.file)
        {
            self.failure = Some((error.kind(), error.to_string()));
        }
    }
}
