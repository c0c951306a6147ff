//! Plays a script at its pace.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use spanproof_schemas::speed::Speed;

use crate::recorder::Recorder;
use crate::script::{Beat, Script};
use crate::timer::{Sleep, Timer};
use crate::timing;

/// A script being played. Deadlines are absolute, so that lateness does not add up, and all that
/// is due goes out in one piece.
pub(crate) struct Player {
    bytes: Bytes,
    taken: usize,
    beats: Vec<Beat>,
    next: usize,
    began: Instant,
    speed: Speed,
    timer: Arc<Timer>,
    sleep: Option<Sleep>,
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
    pub(crate) fn new(script: Script, began: Instant, speed: Speed, timer: Arc<Timer>) -> Self {
        let (bytes, beats) = script.into_parts();
        Player { bytes, taken: 0, beats, next: 0, began, speed, timer, sleep: None }
    }

    /// Whether everything was played.
    pub(crate) fn is_over(&self) -> bool {
        self.next == self.beats.len()
    }

    /// The next frames as they come due, or `None` when the script is over. `recorder` sees each.
    pub(crate) fn poll_due(
        &mut self,
        recorder: &Recorder,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Due>> {
        if self.is_over() {
            return Poll::Ready(None);
        }
        // Once a frame is held up, so are those after it.
        let is_held = self.beats.last().is_some_and(|beat| !beat.held.is_zero());
        if self.speed == Speed::Max && !is_held {
            return Poll::Ready(Some(self.take(self.beats.len())));
        }
        loop {
            let now = Instant::now();
            let passed = now - self.began;
            let waiting = &self.beats[self.next..];
            let frames = waiting.partition_point(|beat| self.wait(beat) <= passed);
            if frames > 0 {
                for (number, beat) in waiting[..frames].iter().enumerate() {
                    let planned = self.began + self.wait(beat);
                    recorder.frame(self.next + number, planned, now);
                }
                return Poll::Ready(Some(self.take(self.next + frames)));
            }
            let deadline = self.began + self.wait(&waiting[0]);
            let sleep = self.sleep.get_or_insert_with(|| self.timer.sleep_until(deadline));
            sleep.reset(deadline);
            if Pin::new(sleep).poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// How long after the arrival of the request a frame goes out.
    fn wait(&self, beat: &Beat) -> Duration {
        timing::wait(self.speed, beat.due, beat.held)
    }

    /// Takes the frames up to the `next`th.
    fn take(&mut self, next: usize) -> Due {
        let frames = u32::try_from(next - self.next).unwrap_or(u32::MAX);
        self.next = next;
        let last = self.beats[next - 1];
        let bytes = self.bytes.split_to(last.end - self.taken);
        self.taken = last.end;
        Due { bytes, frames, chars: last.chars }
    }
}
