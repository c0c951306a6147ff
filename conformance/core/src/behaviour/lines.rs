//! What a program printed.

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Stands in the place of a word that differs by itself.
const OWN: &str = "…";

/// The printed lines of a command with instrumentation beside those without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lines {
    /// The two runs without instrumentation differ too much for a comparison.
    DifferByThemselves,
    /// Where those with instrumentation differ.
    Compared(Vec<LineChange>),
}

impl Default for Lines {
    fn default() -> Self {
        Lines::Compared(Vec::new())
    }
}

/// Lines in the place of others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineChange {
    /// The first line without instrumentation, from 1; nothing where the order means nothing.
    pub line: Option<usize>,
    /// Without instrumentation.
    pub without: Vec<String>,
    /// With.
    pub with: Vec<String>,
}

impl Lines {
    pub(super) fn of(without: [&[String]; 2], with: &[String]) -> Lines {
        let [one, other] = without;
        if one == other {
            return Lines::Compared(changes(one, with, true));
        }
        let sorted = |lines: &[String]| {
            let mut lines = lines.to_vec();
            lines.sort();
            lines
        };
        if sorted(one) == sorted(other) {
            // Threads print in any order.
            return Lines::Compared(changes(&sorted(one), &sorted(with), false));
        }
        if one.len() != other.len() {
            return Lines::DifferByThemselves;
        }
        let patterns: Vec<Pattern> =
            one.iter().zip(other).map(|(one, other)| Pattern::of(one, other)).collect();
        let shown: Vec<String> = patterns.iter().map(Pattern::shown).collect();
        if with.len() == one.len() {
            let masked = patterns.iter().zip(with).map(|(pattern, line)| {
                if pattern.fits(line) { pattern.shown() } else { line.clone() }
            });
            return Lines::Compared(changes(&shown, &masked.collect::<Vec<_>>(), true));
        }
        // Lines came or went: whichever fits a pattern is taken for what it shows.
        let masked = with.iter().map(|line| {
            let fitting = patterns.iter().find(|pattern| pattern.fits(line));
            fitting.map_or_else(|| line.clone(), Pattern::shown)
        });
        Lines::Compared(changes(&shown, &masked.collect::<Vec<_>>(), true))
    }
}

fn changes(without: &[String], with: &[String], is_ordered: bool) -> Vec<LineChange> {
    let ops = capture_diff_slices(Algorithm::Myers, without, with);
    let changed = ops.into_iter().filter(|op| !matches!(op, DiffOp::Equal { .. }));
    changed
        .map(|op| {
            let (old, new) = (op.old_range(), op.new_range());
            LineChange {
                line: is_ordered.then_some(old.start + 1),
                without: without[old].to_vec(),
                with: with[new].to_vec(),
            }
        })
        .collect()
}

/// A line, with the words that differ by themselves left open.
struct Pattern(Vec<Option<String>>);

impl Pattern {
    /// What two runs of the same program have in common of a line.
    fn of(one: &str, other: &str) -> Pattern {
        let (one, other) = (words(one), words(other));
        if one.len() != other.len() {
            return Pattern(vec![None]);
        }
        let same = one.into_iter().zip(other);
        Pattern(same.map(|(one, other)| (one == other).then(|| one.to_owned())).collect())
    }

    fn fits(&self, line: &str) -> bool {
        // Nothing in common: whatever stands there is the program's own doing.
        if self.0.iter().all(Option::is_none) {
            return true;
        }
        let words = words(line);
        words.len() == self.0.len()
            && self
                .0
                .iter()
                .zip(words)
                .all(|(known, word)| known.as_deref().is_none_or(|it| it == word))
    }

    fn shown(&self) -> String {
        self.0.iter().map(|word| word.as_deref().unwrap_or(OWN)).collect()
    }
}

/// Runs of letters and digits, and the characters between them one by one.
fn words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let length = if first.is_alphanumeric() {
            rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (word, after) = rest.split_at(length);
        words.push(word);
        rest = after;
    }
    words
}
