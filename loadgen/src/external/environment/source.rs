//! What an environment depends on, in short.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::EnvironmentError;

/// What builds and people leave in a folder of sources, and what only says how to start a program.
const NOT_SOURCES: [&str; 2] = ["target", "client.yaml"];

/// A hash over contents, each told apart from the next.
pub(super) struct Fingerprint(Sha256);

impl Fingerprint {
    pub(super) fn new() -> Self {
        Self(Sha256::new())
    }

    pub(super) fn add(&mut self, content: &[u8]) {
        self.0.update((content.len() as u64).to_le_bytes());
        self.0.update(content);
    }

    pub(super) fn add_file(&mut self, path: &Path) -> Result<(), EnvironmentError> {
        self.add(&fs::read(path).map_err(EnvironmentError::file("read", path))?);
        Ok(())
    }

    /// Adds every source below `folder` with its place, whatever order the system lists them in.
    pub(super) fn add_folder(&mut self, folder: &Path) -> Result<(), EnvironmentError> {
        let mut files = Vec::new();
        collect(folder, &mut files)?;
        files.sort();
        for file in files {
            let place = file.strip_prefix(folder).unwrap_or(&file);
            self.add(place.as_os_str().as_encoded_bytes());
            self.add_file(&file)?;
        }
        Ok(())
    }

    /// The first twelve digits: enough to tell the versions of one client apart.
    pub(super) fn finish(self) -> String {
        let mut text = String::new();
        for byte in self.0.finalize().iter().take(6) {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), EnvironmentError> {
    for entry in fs::read_dir(folder).map_err(EnvironmentError::file("read", folder))? {
        let entry = entry.map_err(EnvironmentError::file("read", folder))?;
        let name = entry.file_name();
        let is_hidden = name.as_encoded_bytes().starts_with(b".");
        if is_hidden || NOT_SOURCES.iter().any(|no| name == *no) {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(folder: &Path) -> String {
        let mut fingerprint = Fingerprint::new();
        fingerprint.add_folder(folder).unwrap();
        fingerprint.finish()
    }

    #[test]
    fn sources_count_with_their_places_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let write = |place: &str, text: &str| {
            let path = folder.join(place);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("main.go", "package main");
        let first = of(folder);
        for place in ["client.yaml", ".gitignore", "target/main.class"] {
            write(place, "anything");
            assert_eq!(of(folder), first, "{place}");
        }
        write("internal/a.go", "x");
        let second = of(folder);
        assert_ne!(second, first);
        write("internal/a.go", "y");
        assert_ne!(of(folder), second, "a source was changed");
        write("internal/a.go", "x");
        assert_eq!(of(folder), second);
        fs::rename(folder.join("internal/a.go"), folder.join("a.go")).unwrap();
        assert_ne!(of(folder), second, "a source was moved");
    }
}
