//! Reading a ledger, record by record.

use std::fs::File;
use std::io::{BufRead, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use conformance::compressed::decompressed;
use spanproof_schemas::ledger::{LEDGER_VERSION, Record, Run};

/// The longest line of a ledger: far above a record with the content of its exchange.
const MAX_LINE_BYTES: u64 = 256 << 20;

/// The records of a ledger after the first, up to the first that cannot be read;
/// [`Ledger::finish`] says what is wrong with it.
pub(crate) struct Ledger {
    path: PathBuf,
    lines: Lines,
    run: Run,
    error: Option<anyhow::Error>,
}

impl Ledger {
    /// Opens the ledger at `path` and reads what holds for the whole run.
    pub(crate) fn open(path: &Path) -> Result<Ledger> {
        let opened = || {
            let input = Box::new(decompressed(File::open(path)?)?);
            let mut lines = Lines { input, line: Vec::new(), number: 0 };
            match lines.next_record()? {
                Some(Record::Run(run)) => Ok((lines, run)),
                Some(Record::Exchange(_)) => {
                    bail!("it does not begin with a record of the run; was its head cut off?")
                }
                None => bail!("it is empty; `spanproof mock --ledger FILE` writes one"),
            }
        };
        let (lines, run) = opened().with_context(|| cannot_read(path))?;
        Ok(Ledger { path: path.to_owned(), lines, run, error: None })
    }

    /// What holds for the whole run.
    pub(crate) fn run(&self) -> &Run {
        &self.run
    }

    /// Fails if a record could not be read.
    pub(crate) fn finish(self) -> Result<()> {
        match self.error {
            Some(error) => Err(error.context(cannot_read(&self.path))),
            None => Ok(()),
        }
    }
}

impl Iterator for Ledger {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        if self.error.is_some() {
            return None;
        }
        self.lines.next_record().unwrap_or_else(|error| {
            self.error = Some(error);
            None
        })
    }
}

fn cannot_read(path: &Path) -> String {
    format!("cannot read the ledger {}", path.display())
}

struct Lines {
    input: Box<dyn BufRead + Send>,
    line: Vec<u8>,
    number: u64,
}

impl Lines {
    fn next_record(&mut self) -> Result<Option<Record>> {
        self.line.clear();
        self.number += 1;
        let number = self.number;
        let read = (&mut self.input)
            .take(MAX_LINE_BYTES + 1)
            .read_until(b'\n', &mut self.line)
            .with_context(|| format!("line {number} cannot be read"))?;
        if read == 0 {
            return Ok(None);
        }
        if read as u64 > MAX_LINE_BYTES {
            bail!("line {number} has more than {MAX_LINE_BYTES} bytes");
        }
        let record: Record = serde_json::from_slice(&self.line)
            .with_context(|| format!("line {number} is not a ledger record"))?;
        match &record {
            Record::Run(run) if run.version != LEDGER_VERSION => bail!(
                "it is of version {}, this spanproof reads version {LEDGER_VERSION}",
                run.version
            ),
            _ => Ok(Some(record)),
        }
    }
}
