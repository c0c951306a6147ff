//! Random numbers that depend on nothing but the seed, a purpose and a position.
//!
//! The numbers of call `k`, of gap `k` or of session `k` are the stream `k` of a `ChaCha8` generator
//! keyed by the seed and what the numbers are for. No state passes from one call to the next, so a
//! plan is the same whoever evaluates which part of it, in whatever order.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What random numbers are for. Two purposes never share numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The gaps between calls.
    Arrival,
    /// Where tenants with evenly spaced calls start.
    Phase,
    /// Which session a call belongs to.
    Place,
    /// What stays the same in a session: model, system prompt, tools, feature, turns.
    Session,
    /// The name of a session.
    Conversation,
    /// What is said in a call of a session and how it is answered: lengths, and why the answer ends.
    Exchange,
    /// What else a call looks like: limits, parameters, fault.
    Shape,
    /// The words of a call's prompt.
    Text,
    /// The words that stand for a call's answer in those after it.
    StandIn,
    /// The words of a system prompt that many calls share.
    SharedPrompt,
    /// The ids of a synthetic trace.
    Ids,
    /// What becomes of the calls of a synthetic trace, and what its other spans say.
    Trace,
    /// The words of a synthetic trace.
    Prose,
    /// The attributes of the resource of synthetic traces.
    Resource,
    /// The words that prose is made of.
    Vocabulary,
}

/// The random numbers for `position` of `purpose` in a plan with `seed`.
pub(crate) fn stream(seed: u64, purpose: Purpose, position: u64) -> ChaCha8Rng {
    let purpose = match purpose {
        Purpose::Arrival => b"arrival\0",
        Purpose::Phase => b"phase\0\0\0",
        Purpose::Place => b"place\0\0\0",
        Purpose::Session => b"session\0",
        Purpose::Conversation => b"conversa",
        Purpose::Exchange => b"exchange",
        Purpose::Shape => b"shape\0\0\0",
        Purpose::Text => b"text\0\0\0\0",
        Purpose::StandIn => b"standin\0",
        Purpose::SharedPrompt => b"shared\0\0",
        Purpose::Ids => b"ids\0\0\0\0\0",
        Purpose::Trace => b"trace\0\0\0",
        Purpose::Prose => b"prose\0\0\0",
        Purpose::Resource => b"resource",
        Purpose::Vocabulary => b"vocabula",
    };
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(purpose);
    key[16..].copy_from_slice(b"spanproof loadgn");
    let mut generator = ChaCha8Rng::from_seed(key);
    generator.set_stream(position);
    generator
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn streams_differ_by_seed_purpose_and_position_and_never_change() {
        let first = |seed, purpose, position| stream(seed, purpose, position).next_u64();
        let told = [
            first(1, Purpose::Shape, 0),
            first(1, Purpose::Shape, 1),
            first(2, Purpose::Shape, 0),
            first(1, Purpose::Text, 0),
        ];
        insta::assert_snapshot!(format!("{told:016x?}"));
    }
}
