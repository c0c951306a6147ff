//! The command line as people and CI use it: the real binary, its output, its exit codes.

mod bad_input;
mod behaviour;
mod bucket;
mod clients;
mod deploy;
mod elsewhere;
mod expected;
#[cfg(target_os = "linux")]
mod full_disk;
mod load;
mod merge;
mod mock;
mod pacing;
mod plan;
mod redaction;
mod reports;
mod run;
mod semconv;
mod size;
mod snapshot;
mod spanproof;
mod synthetic;
