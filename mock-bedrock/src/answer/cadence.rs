//! How the text of an answer comes, where a script says so.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;

use super::Answer;
use crate::script::Pieces;

/// The pieces of a text, and when each is due.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cadence {
    /// Characters of each piece of the text; none to cut it as the family does.
    pub(crate) lengths: Vec<usize>,
    /// By when so many characters of the whole answer are told, in order, in simulated time from
    /// the arrival of the request; none to keep to the model's pace.
    pub(crate) dues: Vec<(usize, Duration)>,
}

impl Cadence {
    /// When what tells the first `chars` characters is due.
    pub(crate) fn due(&self, chars: usize) -> Option<Duration> {
        let told = self.dues.iter().find(|(told, _)| chars <= *told).or(self.dues.last());
        told.map(|(_, due)| *due)
    }
}

impl Answer {
    /// `text` in the pieces that a stream tells it in.
    pub(crate) fn pieces<'t>(
        &self,
        pieces: Pieces,
        text: &'t str,
        draws: &mut ChaCha8Rng,
    ) -> impl Iterator<Item = &'t str> {
        let lengths = match &self.cadence {
            Some(cadence) if cadence.lengths.iter().sum::<usize>() == text.chars().count() => {
                cadence.lengths.clone()
            }
            _ => Vec::new(),
        };
        let unstated = if lengths.is_empty() { text } else { "" };
        let mut rest = text;
        let stated = lengths.into_iter().map(move |length| {
            let end = rest.char_indices().nth(length).map_or(rest.len(), |(at, _)| at);
            let (piece, left) = rest.split_at(end);
            rest = left;
            piece
        });
        stated.chain(pieces.of(unstated, self.model, draws))
    }
}
