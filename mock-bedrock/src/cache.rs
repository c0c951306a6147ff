//! The prompt cache: which prefixes a model has seen, and until when it remembers them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use spanproof_schemas::ledger::Usage;
use spanproof_schemas::speed::Speed;

use crate::draw::Fold;
use crate::model::Model;
use crate::turn::{CacheTtl, Turn};

/// The most prefixes remembered. Beyond it the expired ones are forgotten, and if none has
/// expired, all of them: a load of unique prefixes must not grow memory without end.
const CAPACITY: usize = 1 << 20;

/// The prefixes seen, by model and by test.
#[derive(Debug)]
pub(crate) struct PromptCache {
    speed: Speed,
    prefixes: Mutex<HashMap<u64, Prefix>>,
}

/// A prefix that was seen.
#[derive(Clone, Copy, Debug)]
struct Prefix {
    expiry: Instant,
    /// The test that it was seen in, folded.
    test: u64,
}

/// How a request's input divides, and what it wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Division {
    /// Input tokens by how they are charged; output is left at zero.
    pub(crate) usage: Usage,
    /// Whether a cacheable prefix was asked for.
    pub(crate) used: bool,
    /// The lifetime of what was written.
    pub(crate) ttl: CacheTtl,
}

impl PromptCache {
    pub(crate) fn new(speed: Speed) -> Self {
        PromptCache { speed, prefixes: Mutex::new(HashMap::new()) }
    }

    /// Charges the input of `turn`: up to the longest prefix seen before it is read, from there to
    /// the last cache point it is written, and the rest is plain input. Prefixes shorter than the
    /// model's minimum are not cached, as in the service. Tests do not see one another's prefixes.
    pub(crate) fn charge(&self, model: &Model, turn: &Turn, test_id: Option<&str>) -> Division {
        let total = turn.input_tokens(model);
        let mut division = Division::default();
        division.usage.input_tokens = total;
        if turn.cache_points.is_empty() || model.cache_minimum_tokens == 0 {
            return division;
        }
        let now = Instant::now();
        let test = folded(test_id);
        let mut prefixes = self.prefixes.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut read, mut written) = (0, 0);
        for point in &turn.cache_points {
            let tokens = model.tokens(point.chars).min(total);
            if tokens < model.cache_minimum_tokens {
                continue;
            }
            let expiry = now + self.lifetime(point.ttl);
            let seen = prefixes.insert(key(model, point.prefix, test), Prefix { expiry, test });
            if seen.is_some_and(|seen| self.speed == Speed::Max || seen.expiry > now) {
                read = tokens;
            }
            written = tokens;
            division.used = true;
            division.ttl = point.ttl;
        }
        if prefixes.len() > CAPACITY {
            prefixes.retain(|_, seen| seen.expiry > now && self.speed != Speed::Max);
            if prefixes.len() > CAPACITY {
                prefixes.clear();
            }
        }
        division.usage.input_tokens = total - written;
        division.usage.cache_read_input_tokens = read;
        division.usage.cache_write_input_tokens = written - read;
        division
    }

    /// Forgets the prefixes of a test, or all if none is named.
    pub(crate) fn forget(&self, test_id: Option<&str>) {
        let mut prefixes = self.prefixes.lock().unwrap_or_else(PoisonError::into_inner);
        match test_id {
            None => prefixes.clear(),
            Some(_) => prefixes.retain(|_, prefix| prefix.test != folded(test_id)),
        }
    }

    /// How many tokens of `turn` would be read from the cache, which this does not change.
    pub(crate) fn held(&self, model: &Model, turn: &Turn, test_id: Option<&str>) -> u64 {
        if turn.cache_points.is_empty() || model.cache_minimum_tokens == 0 {
            return 0;
        }
        let (now, total) = (Instant::now(), turn.input_tokens(model));
        let test = folded(test_id);
        let prefixes = self.prefixes.lock().unwrap_or_else(PoisonError::into_inner);
        let is_held = |prefix: u64| {
            let seen = prefixes.get(&key(model, prefix, test));
            seen.is_some_and(|seen| self.speed == Speed::Max || seen.expiry > now)
        };
        turn.cache_points
            .iter()
            .map(|point| (model.tokens(point.chars).min(total), point.prefix))
            .filter(|(tokens, prefix)| *tokens >= model.cache_minimum_tokens && is_held(*prefix))
            .map(|(tokens, _)| tokens)
            .max()
            .unwrap_or(0)
    }

    fn lifetime(&self, ttl: CacheTtl) -> Duration {
        self.speed.scale(match ttl {
            CacheTtl::FiveMinutes => Duration::from_mins(5),
            CacheTtl::OneHour => Duration::from_hours(1),
        })
    }
}

fn folded(test_id: Option<&str>) -> u64 {
    let mut test = Fold::new(u64::from(test_id.is_some()));
    test.bytes(test_id.unwrap_or_default().as_bytes());
    test.finish()
}

/// Neither models nor tests share prefixes.
fn key(model: &Model, prefix: u64, test: u64) -> u64 {
    let mut key = Fold::new(prefix);
    key.bytes(model.id.as_bytes());
    key.word(test);
    key.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model;

    const SONNET: &str = "us.anthropic.claude-3-7-sonnet-20250219-v1:0";

    fn turn(parts: &[String]) -> Turn {
        let mut turn = Turn::new();
        turn.begin_message("user");
        for part in parts {
            turn.add_text(part);
            turn.add_cache_point(CacheTtl::FiveMinutes);
        }
        turn.add_text("and then?");
        turn
    }

    proptest! {
        #[test]
        fn every_token_is_charged_once(lengths in prop::collection::vec(1..9_000_usize, 0..4), shared in 0..4_usize) {
            let model = model::resolve(SONNET).unwrap();
            let cache = PromptCache::new(Speed::Max);
            let parts: Vec<String> = lengths.iter().map(|length| "a".repeat(*length)).collect();
            cache.charge(model, &turn(&parts[..shared.min(parts.len())]), None);
            for _ in 0..2 {
                let asked = turn(&parts);
                let held = cache.held(model, &asked, None);
                let usage = cache.charge(model, &asked, None).usage;
                prop_assert_eq!(usage.cache_read_input_tokens, held);
                prop_assert_eq!(usage.all_input_tokens(), model.tokens(asked.chars));
                let again = cache.charge(model, &asked, None).usage;
                prop_assert_eq!(again.cache_write_input_tokens, 0);
                prop_assert_eq!(again.cache_read_input_tokens, usage.cache_read_input_tokens + usage.cache_write_input_tokens);
            }
        }
    }

    #[test]
    fn a_prefix_below_the_minimum_is_plain_input() {
        let model = model::resolve(SONNET).unwrap();
        let division =
            PromptCache::new(Speed::Max).charge(model, &turn(&["short".to_owned()]), None);
        assert!(!division.used);
        assert_eq!(division.usage.input_tokens, division.usage.all_input_tokens());
    }

    #[test]
    fn models_do_not_share_prefixes() {
        let cache = PromptCache::new(Speed::Max);
        let asked = turn(&["a".repeat(40_000)]);
        for id in [SONNET, "amazon.nova-lite-v1:0"] {
            let usage = cache.charge(model::resolve(id).unwrap(), &asked, None).usage;
            assert_eq!(usage.cache_read_input_tokens, 0, "{id}");
        }
    }

    #[test]
    fn a_prefix_is_forgotten_when_its_time_is_over() {
        // Five simulated minutes are less than a nanosecond here.
        let cache = PromptCache::new(Speed::Times(1e12));
        let model = model::resolve(SONNET).unwrap();
        let asked = turn(&["a".repeat(40_000)]);
        for _ in 0..2 {
            let usage = cache.charge(model, &asked, None).usage;
            assert_eq!(usage.cache_read_input_tokens, 0);
            assert!(usage.cache_write_input_tokens > 0);
        }
    }

    #[test]
    fn tests_do_not_see_one_anothers_prefixes_and_are_forgotten_one_by_one() {
        let cache = PromptCache::new(Speed::Max);
        let model = model::resolve(SONNET).unwrap();
        let asked = turn(&["a".repeat(40_000)]);
        let is_read = |test| cache.charge(model, &asked, test).usage.cache_read_input_tokens > 0;
        let tests = [None, Some(""), Some("a"), Some("b")];
        assert_eq!(tests.map(is_read), [false; 4]);
        assert_eq!(tests.map(is_read), [true; 4]);
        cache.forget(Some("a"));
        assert_eq!(tests.map(is_read), [true, true, false, true]);
        cache.forget(None);
        assert_eq!(tests.map(is_read), [false; 4]);
    }
}
