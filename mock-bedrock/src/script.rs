//! A streamed answer before it is played: its frames, and when each is due.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::error;
use crate::event_stream;

/// Events that still come before an exception in the middle of a stream.
const EVENTS_BEFORE_EXCEPTION: usize = 4;

/// The frames of a stream, back to back, and where and when each ends.
#[derive(Debug, Default)]
pub(crate) struct Script {
    bytes: BytesMut,
    beats: Vec<Beat>,
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
    /// Adds an event that is due once `chars` characters have been generated.
    pub(crate) fn event(&mut self, event_type: &str, payload: &[u8], due: Duration, chars: usize) {
        event_stream::put_event(&mut self.bytes, event_type, payload);
        self.beats.push(Beat { end: self.bytes.len(), due, chars });
    }

    /// Ends the stream with an exception after its first events.
    pub(crate) fn fail(&mut self, name: &str, message: &str) {
        let kept = EVENTS_BEFORE_EXCEPTION.min(self.beats.len().saturating_sub(1));
        self.keep(kept);
        let last =
            self.beats.last().copied().unwrap_or(Beat { end: 0, due: Duration::ZERO, chars: 0 });
        event_stream::put_exception(&mut self.bytes, name, &error::message_body(message));
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
