//! What makes one plan another, without going through it.

use std::fmt::{self, Write as _};

use sha2::{Digest as _, Sha256};

use super::PlanConfig;

impl PlanConfig {
    /// SHA-256 over all that the whole plan follows from: the same for every shard of a plan, and
    /// another one for another plan. Only of one version of this program, since a later one may plan
    /// otherwise; hashes of the lines of a plan ([`super::PlanHash`]) are for all.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let PlanConfig { scenario, capabilities, seed, timing, most_calls, shard: _ } = self;
        let mut hashed = Hashed(Sha256::new());
        // The derived form has every member by name, in a fixed order, and hashing cannot fail.
        let _ = write!(hashed, "{:?}", (scenario, capabilities, seed, timing, most_calls));
        hashed.0.finalize().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

/// Hashes text as it is written, so that that of a long trace is never in memory.
struct Hashed(Sha256);

impl fmt::Write for Hashed {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{AtRate, Capabilities, PlanConfig, Scenario, Shard, Timing};

    #[test]
    fn shards_of_a_plan_have_its_fingerprint_and_other_plans_another() {
        let rate = "80000/day".parse().unwrap();
        let config = PlanConfig {
            scenario: Scenario::named("chat").unwrap(),
            capabilities: Capabilities::all(),
            seed: 1,
            timing: Timing::AtRate(AtRate::even(rate, Duration::from_hours(24))),
            most_calls: None,
            shard: Shard::WHOLE,
        };
        let same = PlanConfig { shard: "3/8".parse().unwrap(), ..config.clone() };
        assert_eq!(same.fingerprint(), config.fingerprint());
        assert_eq!(config.fingerprint().len(), 64);
        let shorter = Timing::AtRate(AtRate::even(rate, Duration::from_hours(23)));
        for other in [
            PlanConfig { seed: 2, ..config.clone() },
            PlanConfig { scenario: Scenario::named("rag").unwrap(), ..config.clone() },
            PlanConfig { most_calls: Some(1_000_000), ..config.clone() },
            PlanConfig { timing: shorter, ..config.clone() },
        ] {
            assert_ne!(other.fingerprint(), config.fingerprint());
        }
    }
}
