//! Sets of versions of the conventions.

/// A set of known versions; bit *i* is the *i*-th version, oldest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VersionSet(u32);

impl VersionSet {
    /// Every version.
    pub const ALL: VersionSet = VersionSet(u32::MAX);

    /// Whether the version is in the set.
    #[must_use]
    pub fn contains(self, version: VersionIndex) -> bool {
        self.0 >> version.0 & 1 == 1
    }

    /// The versions in both sets.
    #[must_use]
    pub fn and(self, other: VersionSet) -> VersionSet {
        VersionSet(self.0 & other.0)
    }

    pub(crate) fn insert(&mut self, version: VersionIndex) {
        self.0 |= 1 << version.0;
    }

    /// The oldest version of the set.
    #[must_use]
    pub fn oldest(self) -> Option<VersionIndex> {
        (self.0 != 0).then(|| VersionIndex(u8::try_from(self.0.trailing_zeros()).unwrap_or(0)))
    }
}

/// The place of a version in the catalogue, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionIndex(pub(crate) u8);
