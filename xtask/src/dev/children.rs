//! Processes that a verb starts. None outlives it: neither when it is done, nor when it is asked to end.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{self, Command, ExitStatus, Output, Stdio};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// All that this process has started.
static CHILDREN: Children = Children::new();

/// How long processes have for ending before they are killed.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is looked whether they have.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The exit code of a verb that was asked to end and could not get there by itself.
const INTERRUPTED: i32 = 130;

/// A process, at the head of a group of its own with all that it starts.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) process: process::Child,
    pub(super) group: Group,
}

/// Starts `command`. From then on, Ctrl-C and SIGTERM end what was started, and this process with it.
pub(super) fn spawn(command: &mut Command) -> Result<Child> {
    static WATCHED: Once = Once::new();
    let mut watched = Ok(());
    WATCHED.call_once(|| watched = watch());
    watched.context("cannot listen for signals")?;
    CHILDREN.spawn(command)
}

/// Runs `command` to its end.
pub(super) fn status(command: &mut Command) -> Result<ExitStatus> {
    let Child { mut process, group: _running } = spawn(command)?;
    Ok(process.wait()?)
}

/// Runs `command` to its end, and keeps what it writes.
pub(super) fn output(command: &mut Command) -> Result<Output> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Child { process, group: _running } = spawn(command)?;
    Ok(process.wait_with_output()?)
}

/// Fails once this process was asked to end.
pub(super) fn ensure_not_interrupted() -> Result<()> {
    CHILDREN.running().ensure_not_over()
}

/// Waits for Ctrl-C or SIGTERM on a thread of its own, and then ends everything.
fn watch() -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let entered = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    drop(entered);
    thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        CHILDREN.end();
        // Whoever waited for one of them goes on, fails, and puts away what it has.
        thread::sleep(PATIENCE);
        #[expect(clippy::exit, reason = "whoever still runs does not listen")]
        process::exit(INTERRUPTED);
    });
    Ok(())
}

/// A group of processes that runs, as far as anyone knows, until this is dropped.
#[derive(Debug)]
pub(super) struct Group {
    leader: Pid,
    of: &'static Children,
}

impl Group {
    /// Kills whatever is left of it.
    pub(super) fn kill(&self) {
        // One that has just ended needs no ending.
        let _ = kill_process_group(self.leader, Signal::KILL);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.of.running().groups.remove(&self.leader.as_raw_pid());
    }
}

#[derive(Debug)]
struct Children {
    running: Mutex<Running>,
}

#[derive(Debug)]
struct Running {
    groups: BTreeSet<i32>,
    /// Whether no more are started.
    is_over: bool,
}

impl Running {
    fn ensure_not_over(&self) -> Result<()> {
        if self.is_over {
            bail!("interrupted");
        }
        Ok(())
    }

    fn signal(&self, signal: Signal) {
        for group in self.groups.iter().filter_map(|group| Pid::from_raw(*group)) {
            // One that has just ended needs no ending.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Children {
    const fn new() -> Children {
        Children { running: Mutex::new(Running { groups: BTreeSet::new(), is_over: false }) }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(&'static self, command: &mut Command) -> Result<Child> {
        // The lock is held so that whoever ends all of them knows of this one, too.
        let mut running = self.running();
        running.ensure_not_over()?;
        let process = command
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let leader = Pid::from_child(&process);
        running.groups.insert(leader.as_raw_pid());
        Ok(Child { process, group: Group { leader, of: self } })
    }

    /// Asks all to end, kills those that do not, and lets no more be started.
    fn end(&self) {
        {
            let mut running = self.running();
            running.is_over = true;
            running.signal(Signal::TERM);
        }
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && !self.running().groups.is_empty() {
            thread::sleep(LOOK_EVERY);
        }
        self.running().signal(Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};

    use super::*;

    #[test]
    fn children_and_what_they_started_end_together_and_no_more_are_started() {
        let children: &Children = Box::leak(Box::new(Children::new()));
        // One that does what it is asked, and one that does not; each with a child of its own.
        let started: Vec<_> = ["", "trap '' TERM;"]
            .iter()
            .map(|manners| {
                let script = format!("{manners} sleep 600 & echo started; wait; wait");
                let mut command = Command::new("sh");
                command.args(["-c", &script]).stdout(Stdio::piped());
                let mut child = children.spawn(&mut command).unwrap();
                let mut said = BufReader::new(child.process.stdout.take().unwrap());
                said.read_line(&mut String::new()).unwrap();
                (child, said)
            })
            .collect();
        let waiting = thread::spawn(move || {
            for (Child { mut process, group }, mut said) in started {
                assert!(!process.wait().unwrap().success());
                drop(group);
                // What it says ends with the last of those who could say something.
                said.read_line(&mut String::new()).unwrap();
            }
        });
        children.end();
        waiting.join().unwrap();
        assert!(children.running().groups.is_empty());
        let more = children.spawn(&mut Command::new("true")).unwrap_err();
        assert_eq!(more.to_string(), "interrupted");
    }
}
