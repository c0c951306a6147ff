//! `cargo xtask dev matrix`: released instrumentations over every operation in every situation that
//! an application meets, judged, on one page.
//!
//! Each cell is a process of its own under `spanproof run`, so that a stream that one of them leaves
//! open says nothing of the others. What it emitted is kept below `.spanproof/matrix/`, for a person
//! to look at: a finding that nobody has confirmed by the raw telemetry makes the command fail.

mod cell;
mod confirmed;
mod html;
mod invariant;
mod library;
mod markdown;
mod results;

use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use anyhow::{Context as _, Result, ensure};

use self::cell::Cell;
use self::confirmed::Confirmed;
use self::library::{Libraries, Prepared};
use self::results::Results;
use super::{Outcome, say, workspace};

/// Processes at a time; a cell spends most of its time starting Python or Node.js.
const AT_ONCE: usize = 2;

/// What to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only these libraries; all when none is named. The others stay as they were last run
    libraries: Vec<String>,
    /// Run nothing: write the pages from what was run last
    #[arg(long, conflicts_with = "libraries")]
    pages_only: bool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let root = workspace::root();
    let folder = root.join("clients/matrix");
    let kept = root.join(".spanproof/matrix");
    let libraries = Libraries::read(&folder)?;
    for name in &args.libraries {
        ensure!(
            libraries.library.iter().any(|library| library.name == *name),
            "no library is named `{name}`; clients/matrix/libraries.toml has {}",
            libraries.names().join(", ")
        );
    }
    if !args.pages_only {
        let wanted = |name: &String| args.libraries.is_empty() || args.libraries.contains(name);
        for library in libraries.library.iter().filter(|library| wanted(&library.name)) {
            let prepared = library.prepare(&folder)?;
            let cells = Cell::of(&library.client.capabilities);
            run_cells(cells, &prepared, &kept.join(&library.name))?;
        }
    }
    let results = Results::read(&libraries, &kept)?;
    let confirmed = Confirmed::read(&folder)?;
    let written = [
        (root.join("docs/matrix.md"), markdown::page(&results, &confirmed)),
        (root.join("docs/matrix.html"), html::page(&results, &confirmed)),
    ];
    for (path, text) in written {
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(Outcome::problems(
        confirmed.problems(&results),
        format_args!("docs/matrix.md and docs/matrix.html: every finding was confirmed"),
    ))
}

/// One of the libraries, installed where it is not.
pub(super) fn prepared(name: &str) -> Result<Prepared> {
    let folder = workspace::root().join("clients/matrix");
    let libraries = Libraries::read(&folder)?;
    let library = libraries.library.iter().find(|library| library.name == name);
    library.with_context(|| format!("no library is named `{name}`"))?.prepare(&folder)
}

/// Runs the cells of one library, and keeps what it emitted below `kept`.
fn run_cells(cells: Vec<Cell>, prepared: &Prepared, kept: &Path) -> Result<()> {
    if kept.exists() {
        std::fs::remove_dir_all(kept)?;
    }
    let cells = Mutex::new(cells.into_iter());
    let next = || cells.lock().ok().and_then(|mut cells| cells.next());
    thread::scope(|threads| {
        let workers: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                threads.spawn(|| {
                    while let Some(cell) = next() {
                        let told = cell.run(prepared, kept)?;
                        say(&mut io::stderr(), &[format!("{} {cell}: {told}", prepared.name)]);
                    }
                    anyhow::Ok(())
                })
            })
            .collect();
        for worker in workers {
            worker.join().map_err(|_| anyhow::anyhow!("a cell panicked"))??;
        }
        Ok(())
    })
}
