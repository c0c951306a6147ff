//! A part of a plan, for one of several processes that share it.

use std::fmt;
use std::str::FromStr;

/// Shard `index` of `count`: every `count`-th call of the plan, the first being call `index`.
///
/// All shards go through the whole plan, which is cheap, and keep their own calls. So the calls and
/// their times are those of the whole plan for any number of shards, and bursts stay bursts.
///
/// ```
/// let shard: loadgen::Shard = "2/8".parse().unwrap();
/// assert!(shard.holds(10) && !shard.holds(11));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u64,
    count: u64,
}

impl Shard {
    /// The whole plan.
    pub const WHOLE: Shard = Shard { index: 0, count: 1 };

    /// Its index, from 0.
    #[must_use]
    pub fn index(self) -> u64 {
        self.index
    }

    /// How many shards there are.
    #[must_use]
    pub fn count(self) -> u64 {
        self.count
    }

    /// Whether call `call` of the plan is in this shard.
    #[must_use]
    pub fn holds(self, call: u64) -> bool {
        call % self.count == self.index
    }

    /// How many of the first `calls` calls of a plan are in this shard.
    #[must_use]
    pub fn of(self, calls: u64) -> u64 {
        calls / self.count + u64::from(calls % self.count > self.index)
    }
}

impl Default for Shard {
    fn default() -> Self {
        Shard::WHOLE
    }
}

/// A text that is not a shard, and why.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a shard: {why}; write its index, from 0, and how many there are: `0/4`")]
pub struct ParseShardError {
    given: String,
    why: &'static str,
}

impl FromStr for Shard {
    type Err = ParseShardError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        parse(given).map_err(|why| ParseShardError { given: given.to_owned(), why })
    }
}

fn parse(given: &str) -> Result<Shard, &'static str> {
    let (index, count) = given.split_once('/').ok_or("there is no `/` in it")?;
    let index: u32 = index.parse().map_err(|_| "its index is not a whole number")?;
    let count: u32 = count.parse().map_err(|_| "the number of shards is not a whole number")?;
    if index < count {
        Ok(Shard { index: index.into(), count: count.into() })
    } else {
        Err("its index is not below the number of shards")
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_not_a_shard_is_told_with_what_to_write() {
        let said: String = ["", "1", "1/", "/2", "2/2", "0/0", "-1/2", "0/99999999999"]
            .into_iter()
            .map(|text| text.parse::<Shard>().unwrap_err().to_string())
            .collect::<Vec<String>>()
            .join("\n");
        insta::assert_snapshot!(said);
    }

    proptest! {
        #[test]
        fn each_call_is_in_one_shard_and_they_are_counted(count in 1_u64..20, calls in 0_u64..500) {
            let shards = (0..count).map(|index| Shard { index, count });
            for call in 0..calls {
                prop_assert_eq!(shards.clone().filter(|shard| shard.holds(call)).count(), 1);
            }
            for shard in shards {
                let held = (0..calls).filter(|call| shard.holds(*call)).count() as u64;
                prop_assert_eq!(shard.of(calls), held);
            }
        }
    }
}
