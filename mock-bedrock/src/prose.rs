//! Plausible English prose from a seeded stream of words.

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

/// Words by the place they take in a sentence; each list has a power of two of them.
const OPENERS: [&str; 16] = [
    "The",
    "This",
    "Each",
    "In practice the",
    "Here the",
    "Overall the",
    "For most cases the",
    "Typically the",
    "As a rule the",
    "First the",
    "Then the",
    "Meanwhile the",
    "Where possible the",
    "By default the",
    "Afterwards the",
    "At that point the",
];
const ADJECTIVES: [&str; 32] = [
    "remote", "quiet", "recent", "steady", "partial", "ordered", "nearby", "shared", "early",
    "simple", "broad", "careful", "second", "regional", "daily", "narrow", "local", "former",
    "final", "complete", "usual", "separate", "modest", "familiar", "distant", "open", "seasonal",
    "useful", "relevant", "formal", "common", "original",
];
const NOUNS: [&str; 64] = [
    "report",
    "harbour",
    "review",
    "record",
    "balance",
    "journey",
    "garden",
    "market",
    "letter",
    "answer",
    "schedule",
    "village",
    "customer",
    "station",
    "result",
    "archive",
    "bridge",
    "contract",
    "delivery",
    "engine",
    "factor",
    "gallery",
    "history",
    "invoice",
    "kitchen",
    "language",
    "measure",
    "network",
    "object",
    "pattern",
    "question",
    "reason",
    "sample",
    "table",
    "update",
    "valley",
    "window",
    "budget",
    "chapter",
    "decision",
    "estimate",
    "forecast",
    "group",
    "household",
    "interval",
    "journal",
    "library",
    "message",
    "notice",
    "outcome",
    "process",
    "quarter",
    "request",
    "service",
    "theory",
    "uplift",
    "vendor",
    "weather",
    "yield",
    "agenda",
    "branch",
    "catalogue",
    "district",
    "exchange",
];
const VERBS: [&str; 32] = [
    "covers",
    "follows",
    "explains",
    "improves",
    "describes",
    "supports",
    "changes",
    "reaches",
    "limits",
    "confirms",
    "includes",
    "replaces",
    "precedes",
    "joins",
    "informs",
    "reflects",
    "separates",
    "shapes",
    "measures",
    "keeps",
    "returns",
    "answers",
    "compares",
    "carries",
    "collects",
    "delays",
    "balances",
    "combines",
    "suggests",
    "requires",
    "restores",
    "marks",
];
const LINKS: [&str; 16] = [
    "of the",
    "with a",
    "for every",
    "near the",
    "before the",
    "after each",
    "without a",
    "and also the",
    "rather than the",
    "because of the",
    "around the",
    "under the",
    "across each",
    "between the",
    "from the",
    "beside a",
];

/// Appends sentences to `text` until it has at least `chars` characters. The words are ASCII, so
/// characters are bytes.
pub(crate) fn write(text: &mut String, chars: usize, draws: &mut ChaCha8Rng) {
    while text.len() < chars {
        if !text.is_empty() {
            // A paragraph now and then, as models write them.
            text.push_str(if draws.random_range(0..6) == 0 { "\n\n" } else { " " });
        }
        sentence(text, draws);
    }
}

/// One to `words` plain words, for the values of a tool's arguments.
pub(crate) fn words(count: usize, draws: &mut ChaCha8Rng) -> String {
    let mut text = String::new();
    for _ in 0..count {
        if !text.is_empty() {
            text.push('-');
        }
        text.push_str(pick(&NOUNS, draws.next_u32()));
    }
    text
}

fn sentence(text: &mut String, draws: &mut ChaCha8Rng) {
    let bits = draws.next_u64();
    let word = |shift: u32| u32::try_from((bits >> shift) & 0xffff).unwrap_or_default();
    text.push_str(pick(&OPENERS, word(0)));
    push(text, pick(&ADJECTIVES, word(4)));
    push(text, pick(&NOUNS, word(9)));
    push(text, pick(&VERBS, word(15)));
    push(text, "the");
    push(text, pick(&NOUNS, word(20)));
    for round in 0..word(26) & 3 {
        let shift = 28 + 9 * round;
        push(text, pick(&LINKS, word(shift)));
        push(text, pick(&NOUNS, word(shift + 4)));
    }
    text.push('.');
}

fn push(text: &mut String, word: &str) {
    text.push(' ');
    text.push_str(word);
}

fn pick<const N: usize>(words: &[&'static str; N], bits: u32) -> &'static str {
    words[bits as usize % N]
}
