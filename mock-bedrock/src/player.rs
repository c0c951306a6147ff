//! Plays a script at its pace.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use spanproof_schemas::speed::Speed;
use tokio::time::{Instant, Sleep};

use crate::script::{Beat, Script};

/// A script being played. Deadlines are absolute, so that lateness does not add up, and all that
/// is due goes out in one piece.
pub(crate) struct Player {
    bytes: Bytes,
    taken: usize,
    beats: Vec<Beat>,
    next: usize,
    began: Instant,
    speed: Speed,
    sleep: Option<Pin<Box<Sleep>>>,
}

/// Frames that have come due.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) bytes: Bytes,
    /// How many frames there are in `bytes`.
    pub(crate) frames: u32,
    /// Characters of the answer told so far.
    pub(crate) chars: usize,
}

impl Player {
    /// Plays `script` for a request that arrived at `began`.
    pub(crate) fn new(script: Script, began: Instant, speed: Speed) -> Self {
        let (bytes, beats) = script.into_parts();
        Player { bytes, taken: 0, beats, next: 0, began, speed, sleep: None }
    }

    /// Whether everything was played.
    pub(crate) fn is_over(&self) -> bool {
        self.next == self.beats.len()
    }

    /// The next frames as they come due, or `None` when the script is over.
    pub(crate) fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<Option<Due>> {
        loop {
            let waiting = &self.beats[self.next..];
            if waiting.is_empty() {
                return Poll::Ready(None);
            }
            let frames = match self.speed {
                Speed::Max => waiting.len(),
                Speed::Times(_) => {
                    let passed = self.began.elapsed();
                    waiting.partition_point(|beat| self.speed.scale(beat.due) <= passed)
                }
            };
            if frames > 0 {
                return Poll::Ready(Some(self.take(frames)));
            }
            let deadline = self.began + self.speed.scale(waiting[0].due);
            let sleep = match &mut self.sleep {
                Some(sleep) => {
                    if sleep.deadline() != deadline {
                        sleep.as_mut().reset(deadline);
                    }
                    sleep
                }
                None => self.sleep.insert(Box::pin(tokio::time::sleep_until(deadline))),
            };
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn take(&mut self, frames: usize) -> Due {
        self.next += frames;
        let last = self.beats[self.next - 1];
        let bytes = self.bytes.split_to(last.end - self.taken);
        self.taken = last.end;
        Due { bytes, frames: u32::try_from(frames).unwrap_or(u32::MAX), chars: last.chars }
    }
}
