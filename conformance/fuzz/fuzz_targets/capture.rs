//! Any bytes as a capture, in whichever format and compression they look like: they are read to an
//! end or to an error that names them, and what was read can be judged.

#![no_main]

use std::io::Cursor;
use std::path::Path;

use conformance::capture::{Export, ReadError, Reader};
use conformance_fuzz::judge;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let (exports, error) = read(input);
    judge(&exports);
    if let Some(error) = error {
        let error = error.to_string();
        assert!(error.contains("`capture`"), "{error}");
        assert!(error.len() < 100_000, "an error of {} bytes", error.len());
    }
});

fn read(input: &[u8]) -> (Vec<Export>, Option<ReadError>) {
    let mut exports = Vec::new();
    let reader = match Reader::of_input(Path::new("capture"), Cursor::new(input.to_vec())) {
        Ok(reader) => reader,
        Err(error) => return (exports, Some(error)),
    };
    for export in reader {
        match export {
            Ok(export) => exports.push(export),
            Err(error) => return (exports, Some(error)),
        }
    }
    (exports, None)
}
