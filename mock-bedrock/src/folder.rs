//! The files of a folder of this crate, so that tests see that each is registered.

use std::path::Path;

/// The names of the files in `folder` without their extensions, in order, and without `mod`.
pub(crate) fn stems(folder: &str) -> Vec<String> {
    let files = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
    let mut stems: Vec<String> = files
        .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|stem| stem != "mod")
        .collect();
    stems.sort();
    stems
}
