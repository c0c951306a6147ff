//! The words that every spanproof crate shares.
//!
//! The mock that writes the truth ([`ledger`]) and the rules that judge telemetry against it
//! share this crate and nothing else, so that one bug cannot cancel the other. Every interchange
//! file has its types here and its JSON Schema beside this crate's manifest, as
//! `<name>.schema.json`.

pub mod accounting;
pub mod baseline;
pub mod content;
pub mod content_policy;
pub mod endpoint;
pub mod forecast;
pub mod glob;
pub mod ledger;
pub mod load_result;
pub mod number;
pub mod price;
pub mod report;
pub mod report_line;
pub mod semconv;
pub mod size;
pub mod speed;
pub mod time;
pub mod worker;
