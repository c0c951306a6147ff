//! How a worker can fail.

use std::fmt;
use std::process::ExitStatus;
use std::time::Duration;

use crate::client::{ClientError, ClientErrorKind};

/// A worker that cannot go on, with what it said before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The client's name, such as `python/article`.
    pub client: String,
    /// What went wrong.
    pub cause: Cause,
    /// The last lines that it wrote to standard error.
    pub said: Vec<String>,
}

/// What went wrong with a worker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// Its program could not be started.
    #[error("cannot be started: `{program}`: {reason}")]
    Spawn {
        /// The program of the manifest's command.
        program: String,
        /// Why.
        reason: String,
    },
    /// It ended before it said that it was ready.
    #[error("ended before it was ready, with {0}")]
    EndedBeforeReady(ExitStatus),
    /// It did not say in time that it was ready.
    #[error("was not ready after {} s", .0.as_secs_f64())]
    NeverReady(Duration),
    /// It ended while calls were open or to come, or as a failure after all of them.
    #[error("ended with {status}; calls still open: {open}")]
    EndedBadly {
        /// How it ended.
        status: ExitStatus,
        /// Calls that it had taken and not answered.
        open: usize,
    },
    /// It wrote a line that is not of the protocol.
    #[error(
        "wrote a line to standard output that is not of the worker protocol ({reason}): `{}`",
        .line.escape_debug()
    )]
    NotProtocol {
        /// The line, cut where it is very long.
        line: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No call ended for too long.
    #[error("answered no call for {} s; calls still open: {open}", .waited.as_secs_f64())]
    Silent {
        /// Calls that it had taken and not answered.
        open: usize,
        /// How long that lasted.
        waited: Duration,
    },
    /// It closed its standard input.
    #[error("stopped reading its standard input: {0}")]
    StoppedReading(String),
    /// The system does not say how it is doing.
    #[error("cannot be waited for: {0}")]
    Lost(String),
    /// It closed its standard output and went on.
    #[error("closed its standard output without ending")]
    ClosedOutput,
    /// It did not end in time after its input had ended.
    #[error("did not end within {} s of its last call", .0.as_secs_f64())]
    NeverEnded(Duration),
    /// A call came after the end.
    #[error("has ended and takes no more calls")]
    Ended,
    /// Two open calls had the same position in the plan.
    #[error("was given call {0} while that call was open")]
    Repeated(u64),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.client, self.cause)?;
        if !self.said.is_empty() {
            f.write_str("; its last lines on standard error:")?;
        }
        self.said.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for ClientError {
    fn from(failure: Failure) -> Self {
        let kind = match failure.cause {
            Cause::Spawn { .. } | Cause::EndedBeforeReady(_) | Cause::NeverReady(_) => {
                ClientErrorKind::Start
            }
            Cause::Silent { .. } | Cause::NeverEnded(_) => ClientErrorKind::Timeout,
            Cause::EndedBadly { .. }
            | Cause::NotProtocol { .. }
            | Cause::StoppedReading(_)
            | Cause::Lost(_)
            | Cause::ClosedOutput
            | Cause::Ended
            | Cause::Repeated(_) => ClientErrorKind::Ended,
        };
        ClientError::new(kind, failure.to_string())
    }
}
