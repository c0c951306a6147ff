//! Everything around the pure core that touches files, sockets and formats.
//!
//! [`receiver`] takes telemetry over the network, [`capture`] keeps it in files and reads it back,
//! [`compressed`] undoes gzip and zstd, [`json`] is the OTLP/JSON encoding that both use,
//! [`tempo`] fetches traces from a Grafana Tempo, [`snapshot`] writes telemetry down so that the next
//! run can be compared with it, [`steady`] takes out of text what differs from run to run, and
//! [`report`] renders what was found.

pub mod capture;
pub mod compressed;
pub mod json;
pub mod receiver;
pub mod report;
pub mod snapshot;
pub mod steady;
pub mod tempo;
