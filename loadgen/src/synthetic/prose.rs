//! Text that compresses as prose does: words of very different frequency, which follow one another
//! more often than by chance.
//!
//! The sentences that the driven clients send come from a short list, and a store that finds them
//! again and again would keep next to nothing of them. These words mean nothing; but gzip makes
//! about a third of them, as of English prose, and what Tempo compresses with about half.

use rand::{Rng, RngExt};

use crate::streams::{Purpose, stream};

/// How many different words there are.
const WORDS: usize = 8192;

/// How many bits a word is drawn by.
const DRAWN_BITS: u32 = 16;

/// In how many of 256 cases a word is followed by one of its usual followers.
const FOLLOWED: u32 = 150;

/// How many usual followers a word has.
const FOLLOWERS: u32 = 6;

/// Roughly how many bytes of English a tokenizer makes one token of.
const BYTES_PER_TOKEN: usize = 4;

/// The words, and how often each is drawn.
#[derive(Debug)]
pub(super) struct Prose {
    words: Vec<String>,
    /// The word for each number that can be drawn: frequent ones stand for many.
    drawn: Vec<u16>,
}

impl Prose {
    pub(super) fn new() -> Prose {
        let random = &mut stream(0, Purpose::Vocabulary, 0);
        let mut words: Vec<String> = (0..WORDS).map(|rank| word(rank, random)).collect();
        "the".clone_into(&mut words[0]);
        // Zipf's law, with Mandelbrot's flatter top.
        let weight = |rank: usize| 1.0 / (f64::from(u32::try_from(rank).unwrap_or(u32::MAX)) + 2.7);
        let sum: f64 = (0..WORDS).map(weight).sum();
        let mut ends = (0..WORDS).scan(0.0, |end, rank| {
            *end += weight(rank) / sum;
            Some(*end)
        });
        let (mut rank, mut end) = (0_u16, ends.next().unwrap_or(1.0));
        let drawn = (0..1_u32 << DRAWN_BITS).map(|number| {
            let at = (f64::from(number) + 0.5) / f64::from(1_u32 << DRAWN_BITS);
            while at > end && usize::from(rank) + 1 < WORDS {
                rank += 1;
                end = ends.next().unwrap_or(1.0);
            }
            rank
        });
        Prose { drawn: drawn.collect(), words }
    }

    /// Appends sentences to `text` until about `tokens` tokens have been added; nothing for none.
    pub(super) fn append(&self, text: &mut String, tokens: u32, random: &mut impl Rng) {
        let wanted = text.len() + usize::try_from(tokens).unwrap_or(usize::MAX) * BYTES_PER_TOKEN;
        text.reserve(wanted - text.len() + 32);
        let mut sentences = 0;
        while text.len() < wanted {
            let words = random.random_range(5..22);
            let mut last = 0;
            for place in 0..words {
                let number = random.next_u32();
                last = self.following(last, number);
                let word = &self.words[usize::from(last)];
                if place == 0 {
                    text.push_str(&word[..1].to_ascii_uppercase());
                    text.push_str(&word[1..]);
                    continue;
                }
                text.push_str(if number >> 28 == 0 { ", " } else { " " });
                text.push_str(word);
                if text.len() >= wanted {
                    break;
                }
            }
            sentences += 1;
            text.push_str(if sentences % 7 == 0 { ".\n\n" } else { ". " });
        }
        text.truncate(text.trim_end().len());
    }

    /// The word after `last` that `number` draws.
    fn following(&self, last: u16, number: u32) -> u16 {
        let number = if number >> 16 & 0xff < FOLLOWED {
            // One of the usual ones, the first being the most usual; which they are is as random as
            // what any other number draws.
            let which = ((number & 0xff) * (number >> 8 & 0xff) * FOLLOWERS) >> 16;
            (u32::from(last) * FOLLOWERS + which).wrapping_mul(0x9e37_79b1) >> (32 - DRAWN_BITS)
        } else {
            number & ((1 << DRAWN_BITS) - 1)
        };
        self.drawn[number as usize]
    }
}

/// A word, short where it is frequent.
fn word(rank: usize, random: &mut impl Rng) -> String {
    const ONSETS: [&str; 24] = [
        "b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "w", "st", "tr",
        "pr", "ch", "sh", "th", "pl", "", "",
    ];
    const VOWELS: [&str; 10] = ["a", "e", "i", "o", "u", "e", "a", "ea", "ou", "io"];
    const CODAS: [&str; 14] =
        ["", "n", "r", "s", "t", "l", "d", "nd", "st", "m", "", "ng", "ck", ""];
    let syllables = match rank {
        0..64 => 1,
        64..1024 => 1 + random.random_range(0..2),
        _ => 2 + random.random_range(0..2),
    };
    let mut word = String::new();
    for _ in 0..syllables {
        word.push_str(ONSETS[random.random_range(0..ONSETS.len())]);
        word.push_str(VOWELS[random.random_range(0..VOWELS.len())]);
        word.push_str(CODAS[random.random_range(0..CODAS.len())]);
    }
    word
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    static PROSE: LazyLock<Prose> = LazyLock::new(Prose::new);

    proptest! {
        #[test]
        fn texts_are_about_as_long_as_asked(tokens in 0_u32..3_000, seed: u64) {
            let mut text = String::new();
            PROSE.append(&mut text, tokens, &mut stream(seed, Purpose::Prose, 0));
            let wanted = tokens as usize * BYTES_PER_TOKEN;
            prop_assert!(text.len().abs_diff(wanted) <= 24, "{} of {wanted}", text.len());
        }
    }
}
