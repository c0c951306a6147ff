//! Any bytes as the protobuf of an export request: what decodes can be judged, and survives JSON.
//!
//! The first byte chooses the signal.

#![no_main]

use conformance::capture::{Export, Signal};
use conformance_fuzz::{judge, survives_json};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((first, message)) = input.split_first() else { return Corpus::Reject };
    let signal = Signal::ALL[usize::from(*first) % Signal::ALL.len()];
    let Ok(export) = Export::decode(signal, message) else { return Corpus::Keep };
    survives_json(&export);
    judge([&export]);
    Corpus::Keep
});
