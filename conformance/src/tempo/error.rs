//! Why traces could not be fetched.

use std::io;
use std::time::Duration;

use http::StatusCode;

/// Why traces could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum TempoError {
    /// An address that is none.
    #[error("`{given}` is no address of a Tempo: {why}; write one such as http://localhost:3200")]
    Address {
        /// As given.
        given: String,
        /// What is wrong.
        why: String,
    },
    /// A tenant that cannot stand in a header.
    #[error("`{0}` cannot be a tenant: it has characters that a header cannot have")]
    Tenant(String),
    /// Nobody answers there.
    #[error(
        "cannot reach a Tempo at {address}: {source}; is it running, and is this its HTTP port \
         (3200, unless configured)?"
    )]
    Unreachable {
        /// Host and port.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// The connection broke, or it speaks no HTTP.
    #[error("the connection to {address} broke at {path}: {why}")]
    Broken {
        /// Host and port.
        address: String,
        /// What was asked for.
        path: String,
        /// Why.
        why: String,
    },
    /// It takes too long.
    #[error(
        "{address} did not answer {path} within {} s; ask for less, with a narrower `--query` or \
         a shorter `--since`",
        .within.as_secs()
    )]
    Timeout {
        /// Host and port.
        address: String,
        /// What was asked for.
        path: String,
        /// How long it was waited.
        within: Duration,
    },
    /// It refuses.
    #[error("Tempo answered {status} to {path}: {said}{}", hint(*.status))]
    Refused {
        /// How.
        status: StatusCode,
        /// What was asked for.
        path: String,
        /// The beginning of what it said.
        said: String,
    },
    /// It answers something else than it is documented to.
    #[error("cannot understand the answer to {path}: {why}; is this a Tempo?")]
    Undecodable {
        /// What was asked for.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// A trace was found, and is not there.
    #[error(
        "trace {trace} was found, but is not there; it may be past its retention by now: ask for a \
         shorter `--since`"
    )]
    Gone {
        /// Its id.
        trace: String,
    },
    /// A trace is there in part. What is missing would be findings that are none.
    #[error(
        "trace {trace} is there in part only ({message}); raise Tempo's `max_bytes_per_trace`, or \
         leave it out by a narrower `--query`"
    )]
    Partial {
        /// Its id.
        trace: String,
        /// What Tempo says.
        message: String,
    },
    /// More matches in one second than are told.
    #[error(
        "{most} traces or more match within the second {second} (since 1970), and Tempo tells no \
         more at once; narrow the `--query`"
    )]
    TooMany {
        /// Which, since 1970.
        second: u64,
        /// How many are asked for.
        most: usize,
    },
}

fn hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            "; a Tempo for several tenants needs `--tenant`"
        }
        StatusCode::NOT_FOUND => {
            "; is this the address of a Tempo, or of its query frontend, with its path prefix?"
        }
        StatusCode::TOO_MANY_REQUESTS => "; try again later, or ask for a shorter `--since`",
        _ => "",
    }
}
