//! A streamed answer before it is played: its frames, and when each is due.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::error;
use crate::event_stream;
use crate::model::Model;
use crate::timing::Timing;

/// Events that still come before an exception in the middle of a stream.
const EVENTS_BEFORE_EXCEPTION: usize = 4;

/// The frames of a stream, back to back, and where and when each ends.
#[derive(Debug, Default)]
pub(crate) struct Script {
    framing: Framing,
    bytes: BytesMut,
    beats: Vec<Beat>,
}

/// How events stand in a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Framing {
    /// `application/vnd.amazon.eventstream`
    #[default]
    EventStream,
    /// `text/event-stream`
    ServerSent,
}

impl Framing {
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Framing::EventStream => "application/vnd.amazon.eventstream",
            Framing::ServerSent => "text/event-stream",
        }
    }
}

/// One frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beat {
    /// Where its last byte ends.
    pub(crate) end: usize,
    /// When it is due, in simulated time from the arrival of the request.
    pub(crate) due: Duration,
    /// Characters of the answer told by it and all before it.
    pub(crate) chars: usize,
}

impl Script {
    /// A stream of server-sent events.
    pub(crate) fn server_sent() -> Self {
        Script { framing: Framing::ServerSent, ..Script::default() }
    }

    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    /// Adds a server-sent event. Its data comes before its name, as the service was recorded to
    /// send it; the order means nothing to clients.
    pub(crate) fn server_sent_event(
        &mut self,
        name: Option<&str>,
        payload: &[u8],
        due: Duration,
        chars: usize,
    ) {
        self.bytes.extend_from_slice(b"data: ");
        self.bytes.extend_from_slice(payload);
        if let Some(name) = name {
            self.bytes.extend_from_slice(b"\nevent: ");
            self.bytes.extend_from_slice(name.as_bytes());
        }
        self.bytes.extend_from_slice(b"\n\n");
        self.beats.push(Beat { end: self.bytes.len(), due, chars });
    }

    /// Adds an event that is due once `chars` characters have been generated.
    pub(crate) fn event(&mut self, event_type: &str, payload: &[u8], due: Duration, chars: usize) {
        event_stream::put_event(&mut self.bytes, event_type, payload);
        self.beats.push(Beat { end: self.bytes.len(), due, chars });
    }

    /// Varies the gaps between frames, so that they come as unevenly as a model generates.
    pub(crate) fn vary(&mut self, timing: &Timing) {
        timing.vary(self.beats.iter_mut().map(|beat| &mut beat.due));
    }

    /// Ends the stream with an exception after its first events.
    pub(crate) fn fail(&mut self, name: &str, message: &str) {
        let kept = EVENTS_BEFORE_EXCEPTION.min(self.beats.len().saturating_sub(1));
        self.keep(kept);
        let last =
            self.beats.last().copied().unwrap_or(Beat { end: 0, due: Duration::ZERO, chars: 0 });
        let message = error::message_body(message);
        match self.framing {
            Framing::EventStream => event_stream::put_exception(&mut self.bytes, name, &message),
            Framing::ServerSent => {
                self.server_sent_event(Some("error"), &message, last.due, last.chars);
                return;
            }
        }
        self.beats.push(Beat { end: self.bytes.len(), ..last });
    }

    /// Leaves the first half of the events, and after them a part of a frame: clients over HTTP/2
    /// take a connection that closes between two frames for the end of the stream.
    pub(crate) fn cut(&mut self) {
        let kept = self.beats.len() / 2;
        let Some(broken) = self.beats.get(kept).copied() else { return };
        self.beats.truncate(kept);
        let whole = self.beats.last().map_or(0, |beat| beat.end);
        let end = whole + (broken.end - whole) / 2;
        self.bytes.truncate(end);
        if let Some(last) = self.beats.last_mut() {
            last.end = end;
        }
    }

    /// The frames, and their beats in order.
    pub(crate) fn into_parts(self) -> (Bytes, Vec<Beat>) {
        (self.bytes.freeze(), self.beats)
    }

    fn keep(&mut self, count: usize) {
        self.beats.truncate(count);
        self.bytes.truncate(self.beats.last().map_or(0, |beat| beat.end));
    }
}

/// How a family's text is cut into deltas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pieces {
    /// Into pieces of 11 to 17 characters.
    Drawn,
    /// Token by token.
    Tokens,
    /// Not at all: the whole answer comes at once.
    Whole,
}

impl Pieces {
    /// `text` in such pieces.
    pub(crate) fn of<'t>(
        self,
        mut text: &'t str,
        model: &Model,
        draws: &mut ChaCha8Rng,
    ) -> impl Iterator<Item = &'t str> {
        let mut tokens = 0;
        std::iter::from_fn(move || {
            if text.is_empty() {
                return None;
            }
            let length = match self {
                Pieces::Drawn => draws.random_range(11..=17),
                Pieces::Tokens => {
                    tokens += 1;
                    model.chars(tokens) - model.chars(tokens - 1)
                }
                Pieces::Whole => usize::MAX,
            };
            let end = text.char_indices().nth(length).map_or(text.len(), |(at, _)| at);
            let (piece, rest) = text.split_at(end);
            text = rest;
            Some(piece)
        })
    }
}

/// `text` in pieces of 11 to 17 characters, as the service's deltas are.
pub(crate) fn deltas<'t>(
    mut text: &'t str,
    draws: &mut ChaCha8Rng,
) -> impl Iterator<Item = &'t str> {
    std::iter::from_fn(move || {
        if text.is_empty() {
            return None;
        }
        let length = draws.random_range(11..=17);
        let end = text.char_indices().nth(length).map_or(text.len(), |(at, _)| at);
        let (delta, rest) = text.split_at(end);
        text = rest;
        Some(delta)
    })
}
