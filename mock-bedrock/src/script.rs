//! A streamed answer before it is played: its frames, and when each is due.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::event_stream;
use crate::model::Model;
use crate::timing::Timing;

/// The frames of a stream, back to back, and where and when each ends.
#[derive(Debug, Default)]
pub(crate) struct Script {
    framing: Framing,
    bytes: BytesMut,
    beats: Vec<Beat>,
    /// That of the events to come.
    role: Role,
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

/// What a frame tells, so that a fault can leave out what it is to leave out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// The answer itself, and what introduces it.
    #[default]
    Content,
    /// Why the answer ended.
    Stop,
    /// What it used, and nothing else.
    Usage,
}

/// One frame.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Beat {
    /// Where its last byte ends.
    pub(crate) end: usize,
    /// When it is due, in simulated time from the arrival of the request.
    pub(crate) due: Duration,
    /// How much of that a fault asked for, which is waited also at a speed that waits for nothing.
    pub(crate) held: Duration,
    /// Characters of the answer told by it and all before it.
    pub(crate) chars: usize,
    pub(crate) role: Role,
}

impl Script {
    /// A stream of server-sent events.
    pub(crate) fn server_sent() -> Self {
        Script { framing: Framing::ServerSent, ..Script::default() }
    }

    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    /// States the role of the events that are added from here on.
    pub(crate) fn enter(&mut self, role: Role) {
        self.role = role;
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
        put_server_sent(&mut self.bytes, name, payload);
        self.beat(due, chars);
    }

    /// Adds an event that is due once `chars` characters have been generated.
    pub(crate) fn event(&mut self, event_type: &str, payload: &[u8], due: Duration, chars: usize) {
        event_stream::put_event(&mut self.bytes, event_type, payload);
        self.beat(due, chars);
    }

    /// What was put in since the last beat is due.
    fn beat(&mut self, due: Duration, chars: usize) {
        let (end, role) = (self.bytes.len(), self.role);
        self.beats.push(Beat { end, due, chars, role, ..Beat::default() });
    }

    /// Varies the gaps between frames, so that they come as unevenly as a model generates.
    pub(crate) fn vary(&mut self, timing: &Timing) {
        timing.vary(self.beats.iter_mut().map(|beat| &mut beat.due));
    }

    /// Adds an exception, which clients type by `name`, when the last event was due.
    pub(crate) fn add_exception(&mut self, name: &str, payload: &[u8]) {
        let last = self.last();
        match self.framing {
            Framing::EventStream => event_stream::put_exception(&mut self.bytes, name, payload),
            Framing::ServerSent => put_server_sent(&mut self.bytes, Some(name), payload),
        }
        self.beats.push(Beat { end: self.bytes.len(), ..last });
    }

    /// Adds the frame that `put` appends, when the last event was due.
    pub(crate) fn add_frame(&mut self, put: impl FnOnce(&mut BytesMut)) {
        let last = self.last();
        put(&mut self.bytes);
        self.beats.push(Beat { end: self.bytes.len(), ..last });
    }

    /// Puts an event before the one at `at`.
    pub(crate) fn insert_event(&mut self, at: usize, name: &str, payload: &[u8]) {
        let tail_beats = self.beats.split_off(at.min(self.beats.len()));
        let before = self.last();
        let tail = self.bytes.split_off(before.end);
        match self.framing {
            Framing::EventStream => event_stream::put_event(&mut self.bytes, name, payload),
            Framing::ServerSent => put_server_sent(&mut self.bytes, Some(name), payload),
        }
        let longer = self.bytes.len() - before.end;
        self.beats.push(Beat { end: self.bytes.len(), ..before });
        self.bytes.unsplit(tail);
        self.beats
            .extend(tail_beats.into_iter().map(|beat| Beat { end: beat.end + longer, ..beat }));
    }

    /// Drops all but the first `count` frames.
    pub(crate) fn keep(&mut self, count: usize) {
        self.beats.truncate(count);
        self.bytes.truncate(self.last().end);
    }

    /// Drops all but the first `count` frames and half of the next one.
    pub(crate) fn keep_and_half(&mut self, count: usize) {
        let Some(broken) = self.beats.get(count).copied() else { return };
        self.beats.truncate(count);
        let whole = self.last().end;
        let end = whole + (broken.end - whole) / 2;
        self.bytes.truncate(end);
        match self.beats.last_mut() {
            Some(last) => last.end = end,
            None => self.beats.push(Beat { end, chars: 0, ..broken }),
        }
    }

    /// Drops the first frame of that role and all after it.
    pub(crate) fn keep_before(&mut self, role: Role) {
        if let Some(at) = self.beats.iter().position(|beat| beat.role == role) {
            self.keep(at);
        }
    }

    /// Drops the frames of that role.
    pub(crate) fn drop_role(&mut self, role: Role) {
        let mut bytes = BytesMut::with_capacity(self.bytes.len());
        let mut start = 0;
        self.beats.retain_mut(|beat| {
            let frame = &self.bytes[start..beat.end];
            start = beat.end;
            if beat.role == role {
                return false;
            }
            bytes.extend_from_slice(frame);
            beat.end = bytes.len();
            true
        });
        self.bytes = bytes;
    }

    /// Sets when each frame is due by the characters told by then, where `due` says so.
    pub(crate) fn retime(&mut self, due: impl Fn(usize) -> Option<Duration>) {
        for beat in &mut self.beats {
            beat.due = due(beat.chars).unwrap_or(beat.due);
        }
    }

    /// Holds up the frames from the one at `from` on.
    pub(crate) fn hold(&mut self, from: usize, delay: Duration) {
        for beat in self.beats.iter_mut().skip(from) {
            beat.due += delay;
            beat.held += delay;
        }
    }

    /// Flips a bit of the last checksum of the frame at `at`.
    pub(crate) fn break_checksum(&mut self, at: usize) {
        if let Some(beat) = self.beats.get(at) {
            self.bytes[beat.end - 1] ^= 1;
        }
    }

    /// How many frames there are.
    pub(crate) fn len(&self) -> usize {
        self.beats.len()
    }

    /// The frames, and their beats in order.
    pub(crate) fn into_parts(self) -> (Bytes, Vec<Beat>) {
        (self.bytes.freeze(), self.beats)
    }

    fn last(&self) -> Beat {
        self.beats.last().copied().unwrap_or_default()
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

fn put_server_sent(out: &mut BytesMut, name: Option<&str>, payload: &[u8]) {
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(payload);
    if let Some(name) = name {
        out.extend_from_slice(b"\nevent: ");
        out.extend_from_slice(name.as_bytes());
    }
    out.extend_from_slice(b"\n\n");
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
