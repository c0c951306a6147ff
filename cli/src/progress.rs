//! Progress of long work on standard error: lines redrawn in place on a terminal, lines now and then
//! elsewhere.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::bail;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use terminal_size::{Width, terminal_size_of};

/// How often a log that is no terminal gets a line.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// What a terminal has where it does not tell.
const COLUMNS: usize = 80;

/// How often a terminal is drawn at the most.
const REDRAWN_HZ: u8 = 10;

/// What is drawn now, so that other lines go above it.
static DRAWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Redrawn in place.
    Live,
    /// A line now and then.
    Plain,
    /// Not at all.
    None,
}

impl std::str::FromStr for Form {
    type Err = anyhow::Error;

    fn from_str(given: &str) -> anyhow::Result<Form> {
        match given {
            "live" => Ok(Form::Live),
            "plain" => Ok(Form::Plain),
            "none" => Ok(Form::None),
            _ => bail!("`{given}` is not known: write `live`, `plain` or `none`"),
        }
    }
}

/// How progress is shown, for verbs that take long.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct ProgressArgs {
    /// Show progress on standard error: live, redrawn in place; plain, a few lines every ten seconds
    /// and at the end of what takes longer; or none [default: live on a terminal, else plain]
    #[arg(long, value_name = "live|plain|none", help_heading = "Output")]
    progress: Option<Form>,
}

impl ProgressArgs {
    /// Progress of work that begins now.
    pub(crate) fn begin(self) -> Progress {
        let can_redraw = io::stderr().is_terminal()
            && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb");
        // What cannot be redrawn is not, whatever was asked for.
        let form = match (self.progress, can_redraw) {
            (Some(Form::None), _) => Form::None,
            (None | Some(Form::Live), true) => Form::Live,
            _ => Form::Plain,
        };
        let target = ProgressDrawTarget::stderr_with_hz(REDRAWN_HZ);
        Progress::new(form, target)
    }
}

/// What the work has to show.
pub(crate) trait Shown {
    /// A few lines to be redrawn, for a terminal of so many columns.
    fn live(&self, columns: usize) -> String;
    /// A few lines for a log.
    fn plain(&self) -> String;
    /// How long the work has taken.
    fn elapsed(&self) -> Duration;
}

/// The lines that show how far the work is.
pub(crate) struct Progress {
    form: Form,
    bar: ProgressBar,
    /// How long the work had taken when a log was told last.
    written: Duration,
}

impl Progress {
    fn new(form: Form, target: ProgressDrawTarget) -> Progress {
        let target = if form == Form::Live { target } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(ProgressStyle::with_template("{msg}").expect("the template is one"));
        if form == Form::Live {
            *drawn() = Some(bar.clone());
        }
        Progress { form, bar, written: Duration::ZERO }
    }

    /// Shows `now` in place of what was shown before.
    pub(crate) fn show(&mut self, now: &impl Shown) {
        match self.form {
            Form::Live => self.bar.set_message(within(&now.live(columns()), columns())),
            Form::Plain if self.is_due(now.elapsed()) => {
                write(&now.plain());
                self.written = now.elapsed();
            }
            Form::Plain | Form::None => {}
        }
    }

    fn is_due(&self, elapsed: Duration) -> bool {
        elapsed.saturating_sub(self.written) >= LOG_EVERY
    }

    /// Takes what is shown away, so that what follows starts clean. A log that was told before is
    /// told the end.
    pub(crate) fn end(self, now: &impl Shown) {
        if self.form == Form::Plain && !self.written.is_zero() {
            write(&now.plain());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drawn().take();
        self.bar.finish_and_clear();
    }
}

/// Writes a line to standard error, above what is drawn there.
pub(crate) fn write(line: &str) {
    // Standard error is for people; where nobody can read it, nothing is lost.
    let write = || drop(writeln!(io::stderr(), "{line}"));
    match &*drawn() {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// How many columns the terminal has now.
fn columns() -> usize {
    terminal_size_of(io::stderr()).map_or(COLUMNS, |(Width(columns), _)| columns.into())
}

/// `text` with what is beyond so many columns left out of each line: a terminal would break it.
fn within(text: &str, columns: usize) -> String {
    let lines = text.lines().map(|line| line.chars().take(columns).collect::<String>());
    lines.collect::<Vec<_>>().join("\n")
}

fn drawn() -> std::sync::MutexGuard<'static, Option<ProgressBar>> {
    DRAWN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;

    use super::*;

    struct Work(u64);

    impl Shown for Work {
        fn live(&self, _: usize) -> String {
            format!("{} s\nof work", self.0)
        }

        fn plain(&self) -> String {
            unreachable!("nothing here writes to standard error")
        }

        fn elapsed(&self) -> Duration {
            Duration::from_secs(self.0)
        }
    }

    #[test]
    fn lines_are_redrawn_in_place_and_nothing_of_them_stays() {
        let terminal = InMemoryTerm::new(10, 80);
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        let mut progress = Progress::new(Form::Live, target);
        for second in 0..3 {
            progress.show(&Work(second));
            progress.bar.tick();
        }
        assert_eq!(terminal.contents(), "2 s\nof work");
        drawn().as_ref().unwrap().suspend(|| assert_eq!(terminal.contents(), ""));
        assert_eq!(terminal.contents(), "2 s\nof work");
        drop(progress);
        assert_eq!(terminal.contents(), "");
        assert!(drawn().is_none());
    }

    #[test]
    fn a_log_gets_a_line_now_and_then() {
        let mut progress = Progress::new(Form::Plain, ProgressDrawTarget::hidden());
        assert!(!progress.is_due(Duration::from_secs(9)), "nothing is to be told yet");
        assert!(progress.is_due(Duration::from_secs(10)));
        progress.written = Duration::from_secs(12);
        assert!(!progress.is_due(Duration::from_secs(21)));
        assert!(progress.is_due(Duration::from_secs(22)));
    }

    #[test]
    fn no_line_is_broken_by_the_terminal() {
        assert_eq!(within("ein Wört\n▁▂▃\n\nund", 3), "ein\n▁▂▃\n\nund");
    }
}
