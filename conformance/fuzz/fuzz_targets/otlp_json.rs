//! Any text as OTLP/JSON: what is read can be judged, and survives being written and read again.

#![no_main]

use conformance::json::decode_export;
use conformance_fuzz::{judge, survives_json};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    match decode_export(input) {
        Ok(export) => {
            survives_json(&export);
            judge([&export]);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
