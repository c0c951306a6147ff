pub(super) mod exception;
pub(super) mod exit_status;
pub(super) mod extra_request;
pub(super) mod missing_request;
pub(super) mod output;
pub(super) mod request;
pub(super) mod request_order;
pub(super) mod retries;
pub(super) mod stream_reading;

use spanproof_schemas::report::Subject;

use crate::behaviour::Call;

/// A call in a few words.
fn describe(call: &Call) -> String {
    format!("{:?} {}", call.operation, call.request.target)
}

/// Points at a call of the run with instrumentation, whose ledger is the one that is judged.
fn subject(call: &Call) -> Subject {
    Subject { exchange: Some(call.sequence), ..Subject::default() }
}
