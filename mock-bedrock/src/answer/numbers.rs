//! Answers that are numbers: vectors and rankings.
//!
//! Texts that share words are near each other, so that searches over the mock's vectors find what
//! they should: a vector is the sum of its words' vectors, and a little of its own.

use std::collections::BTreeMap;

use rand::RngExt;

use super::Block;
use crate::draw::{self, Fold, Purpose};
use crate::turn::Embedding;

/// The most different words of a text that make up its vector: a bound on the work.
const MOST_WORDS: usize = 256;
/// How much of a vector is the text's own, beside what its words give it.
const OWN: f32 = 0.05;
/// The dimensions in which rankings compare texts.
const RANKING_DIMENSIONS: usize = 64;

/// A vector for each of `passages`: the same for the same text, whatever stands beside it. `space`
/// is what the vectors of one model and seed are drawn from.
pub(super) fn vectors(passages: &[String], embedding: Embedding, space: u64) -> Vec<Block> {
    let of = |text: &String| Block::Vector { values: vector(text, embedding, space), embedding };
    passages.iter().map(of).collect()
}

/// The best `top` of `passages` after the first, which is the query: the most relevant first.
pub(super) fn ranking(passages: &[String], top: usize, space: u64) -> Vec<Block> {
    let Some((query, documents)) = passages.split_first() else { return Vec::new() };
    let embedding = Embedding { dimensions: RANKING_DIMENSIONS, normalized: true, by_type: false };
    let query = vector(query, embedding, space);
    let mut ranked: Vec<(usize, f64)> = documents
        .iter()
        .map(|text| relevance(&query, &vector(text, embedding, space)))
        .enumerate()
        .collect();
    ranked.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    ranked.truncate(top);
    ranked.into_iter().map(|(index, score)| Block::Ranked { index, score }).collect()
}

/// From 0 to 1, for two vectors of length 1.
fn relevance(query: &[f32], document: &[f32]) -> f64 {
    let cosine: f32 = query.iter().zip(document).map(|(one, other)| one * other).sum();
    // Rerankers spread their scores: unrelated texts are near 0, not in the middle.
    1.0 / (1.0 + (4.0 - 9.0 * f64::from(cosine)).exp())
}

fn vector(text: &str, embedding: Embedding, space: u64) -> Vec<f32> {
    let mut values = vec![0.0; embedding.dimensions];
    add(&mut values, text, OWN, space);
    let words = words(text);
    #[expect(clippy::cast_precision_loss, reason = "a text has far fewer words than 2^24")]
    let weight = 1.0 / (words.values().sum::<usize>().max(1) as f32).sqrt();
    for (word, count) in words {
        #[expect(clippy::cast_precision_loss, reason = "as above")]
        add(&mut values, &word, weight * (count as f32).sqrt(), space);
    }
    if embedding.normalized {
        let norm = values.iter().map(|value| value * value).sum::<f32>().sqrt();
        if norm > 0.0 {
            for value in &mut values {
                *value /= norm;
            }
        }
    }
    values
}

/// Adds the vector of `what`, times `weight`.
fn add(values: &mut [f32], what: &str, weight: f32, space: u64) {
    let mut key = Fold::new(space);
    key.bytes(what.as_bytes());
    let mut draws = draw::generator(key.finish(), Purpose::Vector);
    for value in values {
        *value += weight * draws.random_range(-1.0..1.0_f32);
    }
}

/// The words of a text in lower case, and how often each stands there.
fn words(text: &str) -> BTreeMap<String, usize> {
    let mut words = BTreeMap::new();
    let split = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    for word in split.map(str::to_lowercase) {
        if words.len() < MOST_WORDS || words.contains_key(&word) {
            *words.entry(word).or_insert(0) += 1;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EMBEDDING: Embedding = Embedding { dimensions: 256, normalized: true, by_type: false };

    fn near(one: &str, other: &str) -> f32 {
        let (one, other) = (vector(one, EMBEDDING, 1), vector(other, EMBEDDING, 1));
        one.iter().zip(&other).map(|(one, other)| one * other).sum()
    }

    #[test]
    fn texts_that_share_words_are_near_each_other() {
        let question = "How deep is the harbour?";
        let related = near(question, "The harbour is twelve metres deep.");
        let unrelated = near(question, "Invoices arrive on Mondays.");
        assert!(related > 0.4 && unrelated < 0.2, "{related} {unrelated}");
        assert!(near(question, "how DEEP is the harbour") > 0.95);
    }

    #[test]
    fn the_most_relevant_document_ranks_first() {
        let texts = ["harbour depth", "the weather", "depth of the harbour", "an invoice"];
        let passages: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let ranked = ranking(&passages, 2, 7);
        let [Block::Ranked { index: 1, score: first }, Block::Ranked { score: second, .. }] =
            ranked[..]
        else {
            panic!("{ranked:?}");
        };
        assert!(first > 0.5 && second < 0.3, "{ranked:?}");
    }

    proptest! {
        #[test]
        fn a_text_has_its_vector_whatever_stands_beside_it(text in ".{0,40}", beside in ".{0,40}") {
            let alone = vectors(std::slice::from_ref(&text), EMBEDDING, 3);
            let second = vectors(&[beside, text], EMBEDDING, 3);
            prop_assert_eq!(&alone[0], &second[1]);
            let Block::Vector { values, .. } = &alone[0] else { panic!("a vector") };
            let norm = values.iter().map(|value| value * value).sum::<f32>().sqrt();
            prop_assert!((norm - 1.0).abs() < 1e-3, "{}", norm);
        }

        #[test]
        fn scores_fall_from_one_to_zero(
            passages in prop::collection::vec(".{0,20}", 1..20), top in 1..30_usize,
        ) {
            let ranked = ranking(&passages, top, 3);
            prop_assert_eq!(ranked.len(), top.min(passages.len() - 1));
            let scores: Vec<f64> = ranked.iter().map(|block| match block {
                Block::Ranked { score, .. } => *score,
                _ => panic!("a place"),
            }).collect();
            prop_assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)));
            prop_assert!(scores.is_sorted_by(|one, other| one >= other));
        }
    }
}
