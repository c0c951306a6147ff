//! Sound: hearing when somebody has spoken, and speaking.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::draw::{self, Purpose};
use crate::error::ServiceError;
use crate::prose;

/// Seconds of silence after which a turn is over.
const SILENCE_SECONDS: f64 = 0.8;
/// The mean amplitude below which samples of 16 bits are silence.
const SILENCE_AMPLITUDE: u64 = 300;
/// Seconds of sound to a token. The service does not publish its rate.
const SECONDS_PER_TOKEN: f64 = 0.04;
/// How fast people speak.
const CHARS_PER_SECOND: f64 = 14.0;
/// The length of one piece of sound.
const PIECE: Duration = Duration::from_millis(100);
/// The most sound that one answer speaks, so that an answer of any length stays small.
const MOST_PIECES: usize = 600;

/// The samples in a text of base64: 16 bits each, little-endian.
///
/// # Errors
///
/// A `ValidationException` for what is not base64.
pub(super) fn samples(content: &str) -> Result<Vec<i16>, ServiceError> {
    let bytes = STANDARD
        .decode(content)
        .map_err(|error| ServiceError::validation(format!("audioInput is not base64: {error}")))?;
    Ok(bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect())
}

/// Tokens that so many seconds of sound are.
pub(super) fn tokens(seconds: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sound lasts for minutes, and never for less than no time"
    )]
    let tokens = (seconds / SECONDS_PER_TOKEN).ceil() as u64;
    tokens
}

/// What somebody may have said in so many seconds.
pub(super) fn transcript(seconds: f64, key: u64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sound lasts for minutes, and never for less than no time"
    )]
    let chars = (seconds * CHARS_PER_SECOND) as usize;
    let mut text = String::new();
    prose::write(&mut text, chars.clamp(8, 2_000), &mut draw::generator(key, Purpose::Answer));
    text
}

/// Listens for the end of speech.
#[derive(Debug)]
pub(super) struct Ear {
    hertz: f64,
    spoken: f64,
    silent: f64,
}

impl Ear {
    pub(super) fn new(hertz: u32) -> Self {
        Ear { hertz: f64::from(hertz.max(1)), spoken: 0.0, silent: 0.0 }
    }

    /// The seconds that were spoken, when `samples` end a turn.
    pub(super) fn hear(&mut self, samples: &[i16]) -> Option<f64> {
        if samples.is_empty() {
            return None;
        }
        let loudness: u64 = samples.iter().map(|sample| u64::from(sample.unsigned_abs())).sum();
        #[expect(clippy::cast_precision_loss, reason = "an event holds far less than 2^52 samples")]
        let seconds = samples.len() as f64 / self.hertz;
        if loudness / samples.len() as u64 >= SILENCE_AMPLITUDE {
            self.spoken += seconds + std::mem::take(&mut self.silent);
            return None;
        }
        if self.spoken > 0.0 {
            self.silent += seconds;
            if self.silent >= SILENCE_SECONDS {
                self.silent = 0.0;
                return Some(std::mem::take(&mut self.spoken));
            }
        }
        None
    }

    /// The seconds spoken since the last turn, when there are any.
    pub(super) fn rest(self) -> Option<f64> {
        (self.spoken > 0.0).then_some(self.spoken)
    }
}

/// Speaks: a soft tone as long as the words would take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Voice {
    hertz: u32,
}

impl Voice {
    pub(super) fn new(hertz: u32) -> Self {
        Voice { hertz: hertz.clamp(8_000, 48_000) }
    }

    /// The pieces of sound for `text`, each with its length, in base64.
    pub(super) fn sounds(self, text: &str) -> impl Iterator<Item = (Duration, String)> + use<> {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "texts are far below 2^52 characters, and the quotient is small and positive"
        )]
        let pieces = (text.len() as f64 / CHARS_PER_SECOND / PIECE.as_secs_f64()).ceil() as usize;
        let samples = self.hertz as usize / 10;
        (0..pieces.min(MOST_PIECES)).map(move |piece| {
            let mut bytes = Vec::with_capacity(samples * 2);
            for sample in piece * samples..(piece + 1) * samples {
                // A triangle of 200 Hz.
                let period = self.hertz as usize / 200;
                let at = sample % period;
                let rise = if at * 2 < period { at * 2 } else { (period - at) * 2 };
                let level = i16::try_from(rise * 4_000 / period).unwrap_or(0) - 2_000;
                bytes.extend_from_slice(&level.to_le_bytes());
            }
            (PIECE, STANDARD.encode(bytes))
        })
    }
}
