//! The files of a folder.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::ReadError;
use super::reader::io_error;

/// The files at `path`: itself, or, of a folder, every file in it and below it in the order of
/// their names. What a folder holds under several names, through links, is read once, so that
/// links that lead back come to an end and nothing counts twice.
///
/// # Errors
///
/// If something does not exist or cannot be looked at, the folder holds no file, or it holds what
/// is neither a file nor a folder.
pub(super) fn at(path: &Path) -> Result<Vec<PathBuf>, ReadError> {
    if !fs::metadata(path).map_err(|error| io_error(path, error))?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    // The next to look at is the last.
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        let in_path = |error| io_error(&path, error);
        let metadata = fs::metadata(&path).map_err(in_path)?;
        if !seen.insert(fs::canonicalize(&path).map_err(in_path)?) {
            continue;
        }
        if metadata.is_dir() {
            let mut entries = fs::read_dir(&path)
                .and_then(|entries| {
                    entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()
                })
                .map_err(in_path)?;
            entries.sort_by(|one, other| other.cmp(one));
            waiting.append(&mut entries);
        } else if metadata.is_file() {
            found.push(path);
        } else {
            return Err(ReadError::NoFile { path });
        }
    }
    if found.is_empty() {
        return Err(ReadError::EmptyFolder { path: path.to_owned() });
    }
    Ok(found)
}
