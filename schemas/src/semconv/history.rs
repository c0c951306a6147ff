//! Since when a name exists: the registries of every version, turned round.

use std::collections::BTreeMap;

use super::{Registry, Version};

/// Which version has which names, over all versions.
#[derive(Clone, Debug)]
pub struct History {
    attributes: BTreeMap<String, Vec<Version>>,
    metrics: BTreeMap<String, Vec<Version>>,
    events: BTreeMap<String, Vec<Version>>,
}

impl History {
    /// Reads every registry.
    ///
    /// # Panics
    ///
    /// As [`Version::registry`] does.
    #[must_use]
    pub fn read() -> History {
        History::of(Version::all().map(|version| (version, version.registry())))
    }

    /// The history that `registries`, oldest first, tell.
    #[must_use]
    pub fn of(registries: impl IntoIterator<Item = (Version, Registry)>) -> History {
        let mut history = History {
            attributes: BTreeMap::new(),
            metrics: BTreeMap::new(),
            events: BTreeMap::new(),
        };
        for (version, registry) in registries {
            note(&mut history.attributes, version, registry.attributes.into_keys());
            note(&mut history.metrics, version, registry.metrics.into_keys());
            note(&mut history.events, version, registry.events.into_keys());
        }
        history
    }

    /// The versions that define the attribute `name`, deprecated or not, oldest first.
    #[must_use]
    pub fn with_attribute(&self, name: &str) -> &[Version] {
        self.attributes.get(name).map_or(&[], Vec::as_slice)
    }

    /// The versions that define the metric `name`, oldest first.
    #[must_use]
    pub fn with_metric(&self, name: &str) -> &[Version] {
        self.metrics.get(name).map_or(&[], Vec::as_slice)
    }

    /// The versions that define the event `name`, oldest first.
    #[must_use]
    pub fn with_event(&self, name: &str) -> &[Version] {
        self.events.get(name).map_or(&[], Vec::as_slice)
    }

    /// The first version that defines the attribute `name`.
    #[must_use]
    pub fn first_with_attribute(&self, name: &str) -> Option<Version> {
        self.with_attribute(name).first().copied()
    }

    /// The first version that defines the metric `name`.
    #[must_use]
    pub fn first_with_metric(&self, name: &str) -> Option<Version> {
        self.with_metric(name).first().copied()
    }

    /// The first version that defines the event `name`.
    #[must_use]
    pub fn first_with_event(&self, name: &str) -> Option<Version> {
        self.with_event(name).first().copied()
    }
}

fn note(
    versions: &mut BTreeMap<String, Vec<Version>>,
    version: Version,
    names: impl Iterator<Item = String>,
) {
    for name in names {
        versions.entry(name).or_default().push(version);
    }
}
