//! Writing for people: standard output for results, standard error for everything else.

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::Path;

use conformance::report::Style;

use crate::exit::{Failure, OrFail as _};
use crate::progress;

/// Writes a result. A reader that closed the pipe has read what it wanted, and is no failure.
pub(crate) fn show(text: impl AsRef<[u8]>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_ref()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.or_could_not_judge(),
    }
}

/// Writes a line beside the result: warnings, errors, what happens. Nobody reads it, nothing is lost.
pub(crate) fn complain(line: &str) {
    progress::write(line);
}

/// Writes the file at `path` by `write`; it then holds all that was written, or what it held before.
pub(crate) fn replace<T>(
    path: &Path,
    write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<T>,
) -> io::Result<T> {
    // A device or a pipe is written to; only a file can be replaced by another.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        let mut out = BufWriter::new(File::options().write(true).open(path)?);
        let written = write(&mut out)?;
        out.flush()?;
        return Ok(written);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any new file: what the umask leaves. Temporary files are private by default.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut out = BufWriter::new(builder.tempfile_in(folder.unwrap_or(Path::new(".")))?);
    let written = write(&mut out)?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(written)
}

/// How results are styled: in colours on a terminal, unless `NO_COLOR` is set.
pub(crate) fn style() -> Style {
    let may_colour = io::stdout().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if may_colour { Style::Coloured } else { Style::Plain }
}
