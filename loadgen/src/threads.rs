//! The threads of a run, and which of them come first.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// After so many polls of its tasks a worker looks for answers that have come. Many streams are read
/// at once, and at the runtime's own 61 the one that waits longest for its turn waits for milliseconds.
const POLLS_BETWEEN_ANSWERS: u32 = 4;

/// How far behind the others a thread stands that stands back, as in `nice(2)`: it has a tenth of
/// their share of a busy core, and all of an idle one.
#[cfg(target_os = "linux")]
const BEHIND: i32 = 10;

/// A runtime to make calls on. A call that is due goes before whatever its workers have to do.
///
/// # Errors
///
/// When the system gives it no thread.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .global_queue_interval(1)
        .event_interval(POLLS_BETWEEN_ANSWERS)
        .enable_all()
        .build()
}

/// Lets the current thread, and those that it starts, stand back for threads that make calls: for
/// servers in the process of the generator, so that theirs is the latency and not the lag of calls
/// where cores are busy. Does so on Linux only; elsewhere a process has one priority.
pub fn stand_back() {
    #[cfg(target_os = "linux")]
    {
        // A thread that stands farther back already is not let come forward.
        let now = rustix::process::getpriority_process(None).unwrap_or(0);
        let _ = rustix::process::setpriority_process(None, now.max(BEHIND));
    }
}
