//! A ledger in a file of JSON lines.
//!
//! A record is written as JSON by whoever hands it over, into memory that a thread of its own takes
//! to the file every few milliseconds. Handing records to that thread instead cost more than
//! writing them: it had to be woken, and freed what another thread had allocated.

use std::cell::RefCell;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use spanproof_schemas::ledger::Record;

use super::LedgerSink;
use super::gathered::{Gathered, Loss};

/// Capacity that a thread keeps for its next record; content can make one much longer.
const LINE_BYTES: usize = 1 << 16;

/// Writes the ledger to a file as JSON lines.
///
/// The file is complete after [`LedgerSink::flush`], which [`crate::Server::shutdown`] calls, and
/// after the sink was dropped.
#[derive(Debug)]
pub struct JsonLines {
    path: PathBuf,
    gathered: Arc<Gathered>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// A ledger that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another server writes to it.
    #[error("the ledger {path} is in use by another mock: name another file, or end that mock first", path = path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The system does not let us.
    #[error("cannot write the ledger {path}; check that the folder exists, is writable and has room", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system did not take all of it: the disk is full, say. What is in the file is whole records.
    #[error("the ledger {path} lacks {lost} of {records} records; name a file where there is room", path = path.display())]
    Lost {
        /// The file.
        path: PathBuf,
        /// How many records are lost.
        lost: u64,
        /// How many there are.
        records: u64,
        /// What the system said.
        source: io::Error,
    },
}

impl JsonLines {
    /// Creates the file, or empties it, and starts the writer. The file is locked until the sink
    /// is dropped, so that a second mock cannot destroy what the first has written.
    ///
    /// # Errors
    ///
    /// [`LedgerError::InUse`] when another sink writes to the file, of this process or another;
    /// [`LedgerError::Write`] when it cannot be created.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, LedgerError> {
        let path = path.as_ref().to_path_buf();
        let gathered = Arc::new(Gathered::default());
        let Some(file) =
            claim(&path).map_err(|source| LedgerError::Write { path: path.clone(), source })?
        else {
            return Err(LedgerError::InUse { path });
        };
        let start = || {
            let gathered = Arc::clone(&gathered);
            thread::Builder::new()
                .name("ledger".to_owned())
                .spawn(move || write_out(&gathered, file))
        };
        match start() {
            Ok(writer) => Ok(JsonLines { path, gathered, writer: Mutex::new(Some(writer)) }),
            Err(source) => Err(LedgerError::Write { path, source }),
        }
    }
}

impl LedgerSink for JsonLines {
    fn record(&self, record: &Record) {
        thread_local! {
            static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        LINE.with_borrow_mut(|line| {
            line.clear();
            match serde_json::to_writer(&mut *line, record) {
                Ok(()) => {
                    line.push(b'\n');
                    self.gathered.add(line);
                }
                Err(error) => self.gathered.lose(&error.into()),
            }
            line.shrink_to(LINE_BYTES);
        });
    }

    fn flush(&self) -> Result<(), LedgerError> {
        let path = || self.path.clone();
        self.gathered.flush().map_err(|Loss { source, lost, records }| LedgerError::Lost {
            path: path(),
            lost,
            records,
            source,
        })
    }
}

impl Drop for JsonLines {
    fn drop(&mut self) {
        self.gathered.close();
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // A panic of the writer has been printed by then.
            let _ = writer.join();
        }
    }
}

/// Opens the file at `path` for one writer alone, empty; `None` if it has a writer already.
///
/// It is emptied once it is locked, not when it is opened. Only files have writers that exclude one
/// another: anybody may write to a device or a pipe.
fn claim(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    if !file.metadata()?.is_file() {
        return Ok(Some(file));
    }
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) if error.kind() != io::ErrorKind::Unsupported => {
            return Err(error);
        }
        // Some network file systems have no locks.
        Ok(()) | Err(TryLockError::Error(_)) => {}
    }
    file.set_len(0)?;
    Ok(Some(file))
}

/// Takes what is gathered to `file` until the sink is dropped.
fn write_out(gathered: &Gathered, mut file: File) {
    let _last_words = LastWords(gathered);
    let mut lines = Vec::new();
    let (mut is_broken, mut whole_bytes) = (false, 0);
    while gathered.take(&mut lines) {
        if is_broken {
            gathered.written(0);
            continue;
        }
        let (bytes, outcome) = write_most(&mut file, &lines);
        let whole = memchr::memrchr(b'\n', &lines[..bytes]).map_or(0, |end| end + 1);
        whole_bytes += whole as u64;
        if let Err(error) = outcome {
            is_broken = true;
            // So that what is there can be read. Only a file can be cut.
            let _ = file.set_len(whole_bytes);
            gathered.fail(&error);
        }
        gathered.written(memchr::memchr_iter(b'\n', &lines[..whole]).count() as u64);
    }
}

/// Writes `lines`, or as much of them as `file` takes, and says how many bytes that were.
fn write_most(file: &mut File, lines: &[u8]) -> (usize, io::Result<()>) {
    let mut bytes = 0;
    while bytes < lines.len() {
        match file.write(&lines[bytes..]) {
            Ok(0) => return (bytes, Err(io::ErrorKind::WriteZero.into())),
            Ok(taken) => bytes += taken,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (bytes, Err(error)),
        }
    }
    (bytes, Ok(()))
}

/// Tells those who wait for the writer that it panicked.
struct LastWords<'a>(&'a Gathered);

impl Drop for LastWords<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fail(&io::Error::other("its writer stopped early"));
        }
    }
}

#[cfg(test)]
mod tests {
    use spanproof_schemas::ledger::Exchange;

    use super::*;

    #[test]
    fn every_record_is_in_the_file_once_and_in_the_order_of_its_thread() {
        const THREADS: u64 = 4;
        const EACH: u64 = 2_000;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let sink = JsonLines::create(&path).unwrap();
        let lines = || std::fs::read_to_string(&path).unwrap();
        thread::scope(|threads| {
            for thread in 0..THREADS {
                let sink = &sink;
                threads.spawn(move || {
                    for number in 0..EACH {
                        let exchange =
                            Exchange { sequence: thread * EACH + number, ..Exchange::default() };
                        sink.record(&Record::Exchange(Box::new(exchange)));
                        if number == EACH / 2 {
                            sink.flush().unwrap();
                        }
                    }
                });
            }
        });
        sink.flush().unwrap();
        let sequences: Vec<u64> = lines()
            .lines()
            .map(|line| match serde_json::from_str(line).unwrap() {
                Record::Exchange(exchange) => exchange.sequence,
                Record::Run(_) => panic!("nobody wrote one"),
            })
            .collect();
        for thread in 0..THREADS {
            let own = sequences.iter().copied().filter(|sequence| sequence / EACH == thread);
            assert!(own.eq(thread * EACH..(thread + 1) * EACH));
        }
        assert_eq!(sequences.len() as u64, THREADS * EACH);

        sink.record(&Record::Exchange(Box::default()));
        drop(sink);
        assert_eq!(lines().lines().count() as u64, THREADS * EACH + 1);
    }

    #[test]
    fn a_ledger_has_one_writer_at_a_time_and_begins_anew_with_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let first = JsonLines::create(&path).unwrap();
        first.record(&Record::Exchange(Box::default()));
        first.flush().unwrap();

        let refused = JsonLines::create(&path).unwrap_err();
        assert!(matches!(refused, LedgerError::InUse { .. }), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);

        drop(first);
        let _second = JsonLines::create(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
    }

    #[test]
    fn a_device_may_have_several_writers() {
        let _first = JsonLines::create("/dev/null").unwrap();
        JsonLines::create("/dev/null").unwrap();
    }
}
