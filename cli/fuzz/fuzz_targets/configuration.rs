//! Any text as `spanproof.toml`: it is a configuration, or the error says what is wrong.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    if let Err(error) = spanproof::check_configuration(input) {
        assert!(!format!("{error:#}").is_empty());
    }
});
