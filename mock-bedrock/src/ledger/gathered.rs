//! Lines on their way to a file: many threads add, one takes all there is every few milliseconds.

use std::io;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long lines gather before they are taken, unless somebody waits for them.
const GATHER: Duration = Duration::from_millis(5);
/// Bytes at which they are taken at once.
const ENOUGH_BYTES: usize = 1 << 20;
/// Bytes beyond which whoever adds waits until the file has taken some.
const LIMIT_BYTES: usize = 1 << 26;

/// Lines that were added and not taken yet, and how far the file is.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    state: Mutex<State>,
    /// The taker waits on this.
    wanted: Condvar,
    /// Those wait on this who want lines to be in the file, or room for more.
    progress: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<u8>,
    /// Bytes ever added.
    added: u64,
    /// Bytes that have been taken.
    taken: u64,
    /// Bytes that the file has taken, or never will.
    written: u64,
    /// Records that were handed over, and those of them that are in the file as a whole.
    records: u64,
    kept_records: u64,
    /// The taker sleeps until it is called.
    is_idle: bool,
    /// The taker is not to wait for more.
    is_urgent: bool,
    is_closed: bool,
    /// Somebody waits for progress.
    waiting: u32,
    /// The first failure; later lines are dropped, and every flush reports it.
    failure: Option<(io::ErrorKind, String)>,
}

/// A file that does not have all that it was to have.
#[derive(Debug)]
pub(super) struct Loss {
    /// What the system said first.
    pub(super) source: io::Error,
    /// How many of the records are not in the file.
    pub(super) lost: u64,
    /// How many there are.
    pub(super) records: u64,
}

impl Gathered {
    /// Adds the line of a record. Waits only if the file cannot keep up by far.
    pub(super) fn add(&self, line: &[u8]) {
        let mut state = self.state();
        state.records += 1;
        while state.lines.len() > LIMIT_BYTES && state.failure.is_none() {
            state = self.wait_for_progress(state);
        }
        if state.failure.is_some() {
            return;
        }
        state.lines.extend_from_slice(line);
        state.added += line.len() as u64;
        let is_enough = state.lines.len() >= ENOUGH_BYTES && !state.is_urgent;
        if state.is_idle || is_enough {
            state.is_idle = false;
            state.is_urgent = is_enough;
            drop(state);
            self.wanted.notify_one();
        }
    }

    /// Returns when the file has everything added so far.
    pub(super) fn flush(&self) -> Result<(), Loss> {
        let mut state = self.state();
        let target = state.added;
        while state.written < target && state.failure.is_none() {
            state.is_urgent = true;
            self.wanted.notify_one();
            state = self.wait_for_progress(state);
        }
        match &state.failure {
            None => Ok(()),
            Some((kind, text)) => Err(Loss {
                source: io::Error::new(*kind, text.clone()),
                lost: state.records.saturating_sub(state.kept_records),
                records: state.records,
            }),
        }
    }

    /// Lets the taker end once it has everything.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.wanted.notify_one();
    }

    /// Notes a record that has no line.
    pub(super) fn lose(&self, error: &io::Error) {
        self.state().records += 1;
        self.fail(error);
    }

    /// Notes a failure, of which the first is kept.
    pub(super) fn fail(&self, error: &io::Error) {
        let failure = (error.kind(), error.to_string());
        self.state().failure.get_or_insert(failure);
        self.progress.notify_all();
    }

    /// Puts the lines added since the last call in place of what `lines` holds, as soon as there
    /// are some. False once there will be no more.
    pub(super) fn take(&self, lines: &mut Vec<u8>) -> bool {
        lines.clear();
        lines.shrink_to(ENOUGH_BYTES);
        let mut state = self.state();
        while state.lines.is_empty() {
            if state.is_closed {
                return false;
            }
            state.is_idle = true;
            state = self.wanted.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_idle = false;
        let until = Instant::now() + GATHER;
        while !(state.is_urgent || state.is_closed) {
            let Some(left) = until.checked_duration_since(Instant::now()) else { break };
            state = self.wanted.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.is_urgent = false;
        state.taken = state.added;
        mem::swap(&mut state.lines, lines);
        true
    }

    /// What was taken is in the file, which took so many whole records of it, and refused the rest.
    pub(super) fn written(&self, kept_records: u64) {
        let mut state = self.state();
        state.kept_records += kept_records;
        state.written = state.taken;
        if state.waiting > 0 {
            drop(state);
            self.progress.notify_all();
        }
    }

    fn wait_for_progress<'a>(&self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.waiting += 1;
        let mut state = self.progress.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        state
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn whoever_adds_faster_than_the_file_takes_waits_for_room() {
        let gathered = Gathered::default();
        let line = vec![b'a'; ENOUGH_BYTES];
        let count = LIMIT_BYTES / line.len() + 8;
        thread::scope(|threads| {
            let adder = threads.spawn(|| (0..count).for_each(|_| gathered.add(&line)));
            while gathered.state().waiting == 0 {
                thread::yield_now();
            }
            threads.spawn(|| {
                let (mut lines, mut bytes) = (Vec::new(), 0);
                while gathered.take(&mut lines) {
                    assert!(lines.len() <= LIMIT_BYTES + line.len());
                    bytes += lines.len();
                    gathered.written(0);
                }
                assert_eq!(bytes, count * line.len());
            });
            adder.join().unwrap();
            gathered.flush().unwrap();
            gathered.close();
        });
    }

    #[test]
    fn after_a_failure_nobody_waits_and_every_flush_tells_it() {
        let gathered = Gathered::default();
        gathered.add(b"lost");
        gathered.fail(&io::Error::other("the disk is full"));
        gathered.fail(&io::Error::other("and on fire"));
        gathered.add(b"lost as well");
        gathered.lose(&io::Error::other("and flooded"));
        for _ in 0..2 {
            let Loss { source, lost, records } = gathered.flush().unwrap_err();
            assert_eq!((source.to_string().as_str(), lost, records), ("the disk is full", 3, 3));
        }
    }
}
