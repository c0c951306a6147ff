//! Whether an answer rests on its source, and is about the question, told by words.
//!
//! The service scores by a model; the mock counts words of four letters or more. The grounding
//! score is the share of the answer's words that the source has too; the relevance score is the
//! share of the question's words that the answer has. An answer or a question without such words
//! scores 1.

use std::collections::HashSet;

use super::config::GroundingType;
use super::words::Folded;

const WORD_LETTERS: usize = 4;

/// What an answer is measured against.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ground<'t> {
    pub(crate) sources: Vec<&'t str>,
    pub(crate) queries: Vec<&'t str>,
}

impl Ground<'_> {
    /// Whether there is anything to measure against.
    pub(crate) fn is_given(&self) -> bool {
        !self.sources.is_empty() && !self.queries.is_empty()
    }

    pub(crate) fn chars(&self) -> u64 {
        self.sources.iter().chain(&self.queries).map(|text| text.chars().count() as u64).sum()
    }

    /// The score of an answer, from 0 to 1, to two decimals.
    pub(crate) fn score(&self, r#type: GroundingType, answer: &[Folded]) -> f64 {
        let answer = words(answer);
        let fold = |texts: &[&str]| texts.iter().map(|text| Folded::of(text)).collect::<Vec<_>>();
        match r#type {
            GroundingType::Grounding => share(&answer, &words(&fold(&self.sources))),
            GroundingType::Relevance => share(&words(&fold(&self.queries)), &answer),
        }
    }
}

fn words(texts: &[Folded]) -> HashSet<&str> {
    texts.iter().flat_map(|text| text.long_words(WORD_LETTERS)).collect()
}

/// The share of `words` that `others` have.
#[expect(clippy::cast_precision_loss, reason = "texts have far fewer words than 2^52")]
fn share(words: &HashSet<&str>, others: &HashSet<&str>) -> f64 {
    if words.is_empty() {
        return 1.0;
    }
    let shared = words.intersection(others).count();
    (100.0 * shared as f64 / words.len() as f64).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_shares_of_words() {
        let ground = Ground {
            sources: vec!["London is the capital of the United Kingdom. Tokyo is that of Japan."],
            queries: vec!["What is the capital of Japan?"],
        };
        let score = |r#type, answer: &str| ground.score(r#type, &[Folded::of(answer)]);
        assert!(
            (score(GroundingType::Grounding, "The capital of Japan is Tokyo.") - 1.0).abs() < 1e-9
        );
        assert!(
            (score(GroundingType::Grounding, "The capital is Paris, surely.") - 0.33).abs() < 1e-9
        );
        assert!(
            (score(GroundingType::Relevance, "The capital of Japan is Tokyo.") - 0.67).abs() < 1e-9
        );
        assert!(score(GroundingType::Relevance, "Bananas.").abs() < 1e-9);
        assert!((score(GroundingType::Grounding, "") - 1.0).abs() < 1e-9);
    }
}
