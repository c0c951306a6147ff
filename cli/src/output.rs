//! Writing for people: standard output for results, standard error for everything else.

use std::io::{self, IsTerminal as _, Write as _};

use conformance::report::Style;

use crate::exit::{Failure, OrFail as _};

/// Writes a result. A reader that closed the pipe has read what it wanted, and is no failure.
pub(crate) fn show(text: impl AsRef<[u8]>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_ref()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.or_could_not_judge(),
    }
}

/// Writes a line beside the result: progress, warnings, errors. Nobody reads it, nothing is lost.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// How results are styled: in colours on a terminal, unless `NO_COLOR` is set.
pub(crate) fn style() -> Style {
    let may_colour = io::stdout().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if may_colour { Style::Coloured } else { Style::Plain }
}
