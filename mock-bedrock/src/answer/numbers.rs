//! Answers that are numbers: vectors and rankings.

use rand::RngExt;

use super::Block;
use crate::draw::{self, Purpose};
use crate::turn::Embedding;

/// `count` vectors.
pub(super) fn vectors(count: usize, embedding: Embedding, key: u64) -> Vec<Block> {
    (0..count as u64).map(|n| vector(embedding, key.wrapping_add(n))).collect()
}

/// The best `top` of so many documents, the most relevant first.
pub(super) fn ranking(documents: usize, top: usize, key: u64) -> Vec<Block> {
    let mut draws = draw::generator(key, Purpose::Vector);
    let mut ranked: Vec<(usize, f64)> =
        (0..documents).map(|index| (index, draws.random_range(0.0..1.0))).collect();
    ranked.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    ranked.truncate(top);
    ranked.into_iter().map(|(index, score)| Block::Ranked { index, score }).collect()
}

fn vector(embedding: Embedding, key: u64) -> Block {
    let mut draws = draw::generator(key, Purpose::Vector);
    let mut values: Vec<f32> =
        (0..embedding.dimensions).map(|_| draws.random_range(-1.0..1.0_f32)).collect();
    if embedding.normalized {
        let norm = values.iter().map(|value| value * value).sum::<f32>().sqrt();
        if norm > 0.0 {
            for value in &mut values {
                *value /= norm;
            }
        }
    }
    Block::Vector { values, embedding }
}
