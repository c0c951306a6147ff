//! Which version of the conventions telemetry speaks, and which it is judged by.
//!
//! There are three dialects of the conventions on the wire. Telemetry that states a schema URL and
//! uses no name that is unknown to that version speaks it. Else its names show the dialect, and it
//! speaks the newest release of that. The conventions in development share most names with the last
//! release, so they are spoken only by what says so in its schema URL, or, without a schema URL, by
//! what uses names that no release has.

use crate::catalogue::{Conventions, VersionSet, catalogue};
use crate::settings::Choice;
use crate::vocabulary::FamilySet;

/// A way to speak the conventions that its names give away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// The releases in which the provider is `gen_ai.system`, up to 1.36.0.
    System,
    /// The releases in which it is `gen_ai.provider.name`, from 1.37.0 on.
    Provider,
    /// The GenAI conventions in development.
    Development,
}

impl Dialect {
    /// Every dialect, oldest first.
    pub const ALL: [Dialect; 3] = [Dialect::System, Dialect::Provider, Dialect::Development];

    /// What it is called in findings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Dialect::System => "that of `gen_ai.system` (up to 1.36.0)",
            Dialect::Provider => "that of `gen_ai.provider.name` (from 1.37.0 on)",
            Dialect::Development => "the one in development (genai-dev)",
        }
    }
}

/// A set of dialects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DialectSet(u8);

impl DialectSet {
    /// Every dialect.
    pub const ALL: DialectSet = DialectSet(0b111);

    /// No dialect.
    pub const NONE: DialectSet = DialectSet(0);

    /// The set of one.
    #[must_use]
    pub fn only(dialect: Dialect) -> DialectSet {
        DialectSet(1 << dialect as u8)
    }

    /// The dialects in both sets.
    #[must_use]
    pub fn and(self, other: DialectSet) -> DialectSet {
        DialectSet(self.0 & other.0)
    }

    /// The dialects in either set.
    #[must_use]
    pub fn or(self, other: DialectSet) -> DialectSet {
        DialectSet(self.0 | other.0)
    }

    /// Whether the dialect is in the set.
    #[must_use]
    pub fn contains(self, dialect: Dialect) -> bool {
        self.0 >> dialect as u8 & 1 == 1
    }

    /// The dialects, oldest first.
    pub fn iter(self) -> impl Iterator<Item = Dialect> {
        Dialect::ALL.into_iter().filter(move |dialect| self.contains(*dialect))
    }
}

/// What the names of a span, a metric or a scope show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The versions that define every GenAI name seen, of those that any version defines.
    pub defined_in: VersionSet,
    /// The releases that define every such name that any release defines.
    pub released_in: VersionSet,
    /// The dialects in which every such name is current; none for a mixture.
    pub dialects: DialectSet,
    /// The names of other vocabularies.
    pub foreign: FamilySet,
    /// Whether `gen_ai.system` is there.
    pub has_system: bool,
    /// Whether `gen_ai.provider.name` is there.
    pub has_provider: bool,
}

impl Default for Fingerprint {
    fn default() -> Self {
        Fingerprint {
            defined_in: VersionSet::ALL,
            released_in: VersionSet::ALL,
            dialects: DialectSet::ALL,
            foreign: FamilySet::default(),
            has_system: false,
            has_provider: false,
        }
    }
}

impl Fingerprint {
    /// The fingerprint of both sets of names together.
    #[must_use]
    pub fn and(self, other: Fingerprint) -> Fingerprint {
        Fingerprint {
            defined_in: self.defined_in.and(other.defined_in),
            released_in: self.released_in.and(other.released_in),
            dialects: self.dialects.and(other.dialects),
            foreign: self.foreign.or(other.foreign),
            has_system: self.has_system || other.has_system,
            has_provider: self.has_provider || other.has_provider,
        }
    }
}

/// The version that telemetry speaks: the stated one if it defines every name used that any release
/// defines, else the newest release of the dialect that the names show. The one in development is spoken by what
/// states it, and by what states nothing and uses names that no release has.
#[must_use]
pub fn spoken(stated: Option<&'static Conventions>, names: Fingerprint) -> &'static Conventions {
    if let Some(stated) =
        stated.filter(|stated| !stated.is_release || names.released_in.contains(stated.index))
    {
        return stated;
    }
    let all = catalogue();
    if names.has_system && !names.has_provider {
        return all.newest_release_of(Dialect::System);
    }
    // A stated release says that the names are meant for the releases: it lacks some of them, which
    // is a finding of its own and no reason to judge all of the others by what is in development.
    let is_released = names.defined_in.and(all.releases()).oldest().is_some();
    if stated.is_none()
        && !is_released
        && let Some(unreleased) = all.newest_of(names.defined_in)
    {
        return unreleased;
    }
    all.newest_release()
}

/// The version older than `required` that telemetry speaks, where it is plain that it does: it
/// states one that defines every name used, or its names are current in older dialects only.
#[must_use]
pub fn older(
    required: &Conventions,
    stated: Option<&'static Conventions>,
    names: Fingerprint,
) -> Option<&'static Conventions> {
    let spoken = spoken(stated, names);
    let states_it = stated.is_some_and(|stated| stated.index == spoken.index);
    let shows_it = names.dialects != DialectSet::NONE && !names.dialects.contains(required.dialect);
    (spoken.version < required.version && (states_it || shows_it)).then_some(spoken)
}

/// The version that telemetry is judged by: the one it speaks, or the required one. What speaks an
/// older one than required is told so once, and is judged by what it speaks.
#[must_use]
pub fn judged(
    choice: Choice,
    stated: Option<&'static Conventions>,
    names: Fingerprint,
) -> &'static Conventions {
    match choice {
        Choice::Required(version) => {
            let required = catalogue().of(version);
            older(required, stated, names).unwrap_or(required)
        }
        Choice::Auto => spoken(stated, names),
    }
}
