//! The seam between the generator and whatever makes the calls.

use std::fmt;
use std::future::Future;

use spanproof_schemas::accounting::Accounting;
use spanproof_schemas::worker::{Call, Done};

/// An instrumented client of the service: in this process, or behind the worker protocol.
///
/// The generator makes many calls at once, from many tasks. A call that the service fails, or that
/// the planned fault cuts short, is an `Ok` whose [`Done::error`] names the error: the service's
/// error code where there is one (`ThrottlingException`), else a name of few values for the kind
/// of failure. `Err` means that the client itself is broken, and ends the run.
pub trait Client: Send + Sync + 'static {
    /// Name and version of what makes the calls, for the report.
    fn name(&self) -> String;

    /// Makes `call` and waits for its end, that of its stream included.
    ///
    /// # Errors
    ///
    /// When the client can make no more calls.
    fn call(&self, call: Call) -> impl Future<Output = Result<Done, ClientError>> + Send;

    /// Waits until all telemetry of the calls made so far has left the client, then ends it.
    /// Called once, when no call is open.
    ///
    /// # Errors
    ///
    /// When telemetry was lost, or the client did not end as it should.
    fn finish(&self) -> impl Future<Output = Result<(), ClientError>> + Send;

    /// Gives up the telemetry that has not left the client, and settles the books of it. Called once
    /// instead of [`Client::finish`], or while that waits, when nobody waits any longer.
    fn abandon(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// The books of its spans, for a client that keeps any. Asked for once it has finished, well or
    /// not.
    fn accounting(&self) -> Option<Accounting> {
        None
    }
}

/// A client that cannot go on, or that lost telemetry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientError {
    /// What went wrong.
    pub kind: ClientErrorKind,
    /// The details for people: what was wrong, where, and what to do about it.
    pub message: String,
}

/// What went wrong with a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientErrorKind {
    /// It could not be started or configured.
    Start,
    /// It ended, or broke its protocol, while calls were open or to come.
    Ended,
    /// Telemetry could not be delivered.
    TelemetryLost,
    /// It did not finish in time.
    Timeout,
}

impl ClientError {
    /// An error of `kind` with `message`.
    #[must_use]
    pub fn new(kind: ClientErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            ClientErrorKind::Start => "the client could not start",
            ClientErrorKind::Ended => "the client ended early",
            ClientErrorKind::TelemetryLost => "telemetry was lost",
            ClientErrorKind::Timeout => "the client did not finish in time",
        };
        write!(f, "{what}: {}", self.message)
    }
}

impl std::error::Error for ClientError {}
