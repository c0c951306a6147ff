//! The worker protocol: how the load generator speaks to a client program in another language.
//!
//! The generator starts the program with the SDK's and the exporter's settings in its environment,
//! and writes one [`Call`] per line to its standard input, each at its planned start. The program
//! first writes [`FromWorker::Ready`], then one [`FromWorker::Done`] per call, in any order, to its
//! standard output. At end of input it finishes the calls it holds, flushes its telemetry and exits
//! with status 0. Anything on standard error is for people.

use serde::{Deserialize, Serialize};

use crate::ledger::{self, Usage};
use crate::time::UnixNanos;

/// One call to make. `request` is in the shape of the operation: for Converse and ConverseStream
/// the members of the API's request (without `modelId`), for the Invoke operations the native body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Position in the plan, from 0.
    pub call: u64,
    /// Which operation to call.
    pub operation: Operation,
    /// The `modelId` to call it with.
    pub model_id: String,
    /// The request, or the native body.
    pub request: serde_json::Value,
    /// HTTP headers to add to the request, such as the mock's fault header.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
}

/// One line from a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromWorker {
    /// The worker has started and takes calls.
    Ready {
        /// Name and version of what it drives, for the report.
        client: String,
    },
    /// A call has ended.
    Done(Done),
}

/// How a call ended, as the application saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// The call's position in the plan.
    pub call: u64,
    /// When the SDK call was made.
    pub started_unix_nanos: UnixNanos,
    /// When the first event of a stream arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_chunk_unix_nanos: Option<UnixNanos>,
    /// When the call, its stream included, had ended.
    pub finished_unix_nanos: UnixNanos,
    /// The error's code or type name, when the call raised one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Usage as the SDK parsed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Stop reason as the SDK parsed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
}

/// The operations that a client program can be told to call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Operation {
    /// Messages in, a message out.
    Converse,
    /// Messages in, a message out, as an event stream.
    ConverseStream,
    /// The native body of the model's family.
    InvokeModel,
    /// The native body of the model's family, answered by an event stream.
    InvokeModelWithResponseStream,
}

impl Operation {
    /// Every operation, in the order of the enum.
    pub const ALL: [Operation; 4] = [
        Operation::Converse,
        Operation::ConverseStream,
        Operation::InvokeModel,
        Operation::InvokeModelWithResponseStream,
    ];

    /// The name in the service's model, such as `ConverseStream`.
    #[must_use]
    pub fn name(self) -> &'static str {
        ledger::Operation::from(self).name()
    }

    /// Whether the answer is an event stream.
    #[must_use]
    pub fn is_streamed(self) -> bool {
        ledger::Operation::from(self).is_streamed()
    }
}

impl From<Operation> for ledger::Operation {
    fn from(operation: Operation) -> Self {
        match operation {
            Operation::Converse => ledger::Operation::Converse,
            Operation::ConverseStream => ledger::Operation::ConverseStream,
            Operation::InvokeModel => ledger::Operation::InvokeModel,
            Operation::InvokeModelWithResponseStream => {
                ledger::Operation::InvokeModelWithResponseStream
            }
        }
    }
}
