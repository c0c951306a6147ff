//! Damage done to an answer between the model and the client.

use std::time::Duration;

use bytes::BytesMut;
use spanproof_schemas::ledger::Exchange;

use super::named::Needs;
use crate::error::ServiceError;
use crate::event_stream;
use crate::operations::{Operation, Written, WrittenBody};
use crate::script::{Framing, Role, Script};

/// Events that still come before an exception in the middle of a stream.
pub(crate) const EVENTS_BEFORE_EXCEPTION: usize = 4;
/// The name of an event that no client knows, and its payload.
const UNKNOWN_EVENT: &str = "spanproofUnknownEvent";
const UNKNOWN_PAYLOAD: &[u8] = b"{\"p\":\"abcdef\"}";

/// What is done to an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Damage {
    /// The connection is dropped in the middle of a frame, or of a buffered body.
    Cut,
    /// The connection is dropped between two frames.
    CutBetweenFrames,
    /// A frame that is no event ends the stream.
    Frame(Frame),
    /// A stream ends cleanly before it says why the answer ended.
    NoMessageStop,
    /// A stream ends without its usage: no `metadata` event, no invocation metrics.
    NoMetadata,
    /// One frame's checksum is wrong.
    BadCrc,
    /// An event of a name that no client knows comes in between.
    UnknownEvent,
    /// The first byte comes so much later.
    SlowFirstByte(Duration),
    /// A pause in the middle of a stream.
    Stall(Duration),
}

/// A frame that is no event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Frame {
    /// `:message-type: exception`
    Exception(Box<ServiceError>),
    /// `:message-type: error`
    Error,
}

/// How a damaged answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As the service ends it.
    Complete,
    /// Cleanly, but something was left out, broken, or put in its place.
    Short,
    /// The connection is dropped.
    Cut,
}

impl Damage {
    pub(super) fn needs(&self) -> Needs {
        match self {
            Damage::Cut | Damage::SlowFirstByte(_) => Needs::Nothing,
            Damage::CutBetweenFrames
            | Damage::Frame(Frame::Exception(_))
            | Damage::UnknownEvent
            | Damage::Stall(_) => Needs::Stream,
            Damage::Frame(Frame::Error) | Damage::BadCrc => Needs::EventStream,
            Damage::NoMessageStop | Damage::NoMetadata => Needs::ModelStream,
        }
    }

    /// How much later the first byte comes.
    pub(crate) fn first_byte_delay(&self) -> Duration {
        match self {
            Damage::SlowFirstByte(delay) => *delay,
            _ => Duration::ZERO,
        }
    }

    /// Does it to `written`, and says in `exchange` what the client gets to see. An answer whose
    /// events follow those of the request is damaged by the session as it goes.
    pub(crate) fn apply(
        &self,
        written: &mut Written,
        exchange: &mut Exchange,
        operation: &dyn Operation,
    ) -> Ending {
        written.due += self.first_byte_delay();
        let WrittenBody::Stream(script) = &mut written.body else {
            return if *self == Damage::Cut { Ending::Cut } else { Ending::Complete };
        };
        match self {
            Damage::SlowFirstByte(delay) => {
                script.hold(0, *delay);
                return Ending::Complete;
            }
            Damage::Stall(delay) => {
                script.hold(middle(script), *delay);
                return Ending::Complete;
            }
            Damage::UnknownEvent => {
                unknown_event(script);
                return Ending::Complete;
            }
            // The stream still says why it ended.
            Damage::NoMetadata => {
                script.drop_role(Role::Usage);
                return Ending::Short;
            }
            Damage::NoMessageStop => script.keep_before(Role::Stop),
            Damage::BadCrc => script.break_checksum(middle(script)),
            Damage::Frame(frame) => {
                exchange.exception = Some(end_with(script, frame, operation));
            }
            Damage::Cut | Damage::CutBetweenFrames => {
                let kept = middle(script);
                if *self == Damage::Cut {
                    script.keep_and_half(kept);
                } else {
                    script.keep(kept);
                }
                exchange.stop_reason = None;
                return Ending::Cut;
            }
        }
        exchange.stop_reason = None;
        Ending::Short
    }
}

/// The first event of the second half: damage comes once a client has begun to believe the answer.
fn middle(script: &Script) -> usize {
    script.len() / 2
}

/// Appends an event that no client knows to an event stream.
pub(crate) fn put_unknown_event(out: &mut BytesMut) {
    event_stream::put_event(out, UNKNOWN_EVENT, UNKNOWN_PAYLOAD);
}

fn unknown_event(script: &mut Script) {
    let at = middle(script);
    match script.framing() {
        Framing::EventStream => script.insert_event(at, UNKNOWN_EVENT, UNKNOWN_PAYLOAD),
        Framing::ServerSent => {
            let payload = format!("{{\"type\":\"{UNKNOWN_EVENT}\"}}");
            script.insert_event(at, UNKNOWN_EVENT, payload.as_bytes());
        }
    }
}

/// Ends `script` with `frame` after its first events, and returns the frame's name.
fn end_with(script: &mut Script, frame: &Frame, operation: &dyn Operation) -> String {
    script.keep(EVENTS_BEFORE_EXCEPTION.min(script.len().saturating_sub(1)));
    match (frame, script.framing()) {
        (Frame::Exception(error), Framing::ServerSent) => {
            script.add_exception("error", &operation.error_body(error));
        }
        _ => script.add_frame(|bytes| frame.put(bytes)),
    }
    frame.name()
}

impl Frame {
    /// Its name in the stream and in the ledger.
    pub(crate) fn name(&self) -> String {
        match self {
            Frame::Exception(error) => lower(error.exception),
            // Made up, as its text is: no such frame of the service was ever recorded.
            Frame::Error => "InternalFailure".to_owned(),
        }
    }

    /// Appends it to an event stream.
    pub(crate) fn put(&self, out: &mut BytesMut) {
        let name = self.name();
        match self {
            Frame::Exception(error) => event_stream::put_exception(out, &name, &error.body()),
            Frame::Error => {
                event_stream::put_error(out, &name, "An internal server error occurred.");
            }
        }
    }
}

/// `throttlingException` for `ThrottlingException`: the name of the member of the stream's union.
/// Clients cannot type an exception that is named otherwise.
pub(super) fn lower(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + letters.as_str())
}
