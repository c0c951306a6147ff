//! Where a report goes: `FORMAT`, to standard output, or `FORMAT=PATH`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use spanproof_schemas::report::Report;

use super::{Format, Style};

/// A format, and the file to write or standard output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportTarget {
    /// The format.
    pub format: Format,
    /// The file; standard output without one.
    pub path: Option<PathBuf>,
}

/// A text that is no report target.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseTargetError {
    /// No such format.
    #[error(
        "unknown report format `{given}`; known are {}, each with or without `=PATH`",
        Format::ALL.map(Format::as_str).join(", ")
    )]
    UnknownFormat {
        /// As given.
        given: String,
    },
    /// Nothing after the equals sign.
    #[error("no path after `{format}=`; leave the `=` out for standard output")]
    NoPath {
        /// The format named.
        format: &'static str,
    },
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteReportError {
    /// To a file.
    #[error("cannot write the report to `{path}`: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// To standard output.
    #[error("cannot write the report: {0}")]
    Output(io::Error),
}

impl FromStr for ReportTarget {
    type Err = ParseTargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, path) = match text.split_once('=') {
            Some((name, path)) => (name, Some(path)),
            None => (text, None),
        };
        let format = Format::ALL
            .into_iter()
            .find(|format| format.as_str() == name)
            .ok_or_else(|| ParseTargetError::UnknownFormat { given: name.to_owned() })?;
        if path == Some("") {
            return Err(ParseTargetError::NoPath { format: format.as_str() });
        }
        Ok(ReportTarget { format, path: path.map(PathBuf::from) })
    }
}

impl ReportTarget {
    /// Writes `report`: to the file, which then holds all of it or what it held before, or else to
    /// `output`. `style` is for `output` alone; a file is never coloured.
    ///
    /// # Errors
    ///
    /// If the file or `output` cannot be written.
    pub fn write(
        &self,
        report: &Report,
        style: Style,
        output: &mut dyn Write,
    ) -> Result<(), WriteReportError> {
        match &self.path {
            None => output
                .write_all(self.format.render(report, style).as_bytes())
                .and_then(|()| output.flush())
                .map_err(WriteReportError::Output),
            Some(path) => replace(path, self.format.render(report, Style::Plain).as_bytes())
                .map_err(|source| WriteReportError::File { path: path.clone(), source }),
        }
    }
}

/// Writes `bytes` to the file at `path`, which then holds all of them or what it held before.
///
/// # Errors
///
/// If no file can be made in its folder, or it cannot be written.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A device or a pipe is written to; only a file can be replaced by another.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return fs::write(path, bytes);
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any new file: what the umask leaves. Temporary files are private by default.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    // The error names the folder's temporary file; the report's own path is added above.
    let mut file = builder.tempfile_in(folder).map_err(|error| io::Error::from(error.kind()))?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
