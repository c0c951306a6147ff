//! Which version of the conventions telemetry speaks, and which it is judged by.

use crate::catalogue::{Conventions, VersionSet, catalogue};
use crate::settings::Choice;

/// What the names of a span, a metric or a scope show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The versions that define every GenAI name seen.
    pub defined_in: VersionSet,
    /// Whether `gen_ai.system` is there.
    pub has_system: bool,
    /// Whether `gen_ai.provider.name` is there.
    pub has_provider: bool,
}

impl Default for Fingerprint {
    fn default() -> Self {
        Fingerprint { defined_in: VersionSet::ALL, has_system: false, has_provider: false }
    }
}

impl Fingerprint {
    /// The fingerprint of both sets of names together.
    #[must_use]
    pub fn and(self, other: Fingerprint) -> Fingerprint {
        Fingerprint {
            defined_in: self.defined_in.and(other.defined_in),
            has_system: self.has_system || other.has_system,
            has_provider: self.has_provider || other.has_provider,
        }
    }
}

/// The version that telemetry speaks: the stated one if it defines every name used, else the
/// newest of the era that the names show.
#[must_use]
pub fn spoken(stated: Option<&'static Conventions>, names: Fingerprint) -> &'static Conventions {
    if let Some(stated) = stated.filter(|stated| names.defined_in.contains(stated.index)) {
        return stated;
    }
    if names.has_system && !names.has_provider {
        let era = catalogue().name("gen_ai.system").map(|name| name.current).unwrap_or_default();
        if let Some(newest) = catalogue().newest_of(era) {
            return newest;
        }
    }
    catalogue().newest()
}

/// The version that telemetry is judged by.
#[must_use]
pub fn judged(
    choice: Choice,
    stated: Option<&'static Conventions>,
    names: Fingerprint,
) -> &'static Conventions {
    match choice {
        Choice::Required(version) => catalogue().of(version),
        Choice::Auto => spoken(stated, names),
    }
}
