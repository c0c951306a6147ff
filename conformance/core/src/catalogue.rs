//! The registries of every known version, compiled into one table: a single look-up by name tells
//! what each version says of it.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use spanproof_schemas::content::Kind;
use spanproof_schemas::semconv::{Attribute, Event, Metric, Requirement, SpanKind, Version};

use crate::field::{EXTRA_NAMES, Field};
use crate::pattern::Pattern;
pub use crate::version_set::{VersionIndex, VersionSet};

/// The place of an attribute name in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameId(u16);

impl NameId {
    /// The place as an index.
    pub(crate) fn place(self) -> usize {
        usize::from(self.0)
    }
}

/// A set of attribute names.
#[derive(Clone, Debug, Default)]
pub struct NameSet {
    bits: Vec<u64>,
}

impl NameSet {
    /// Adds a name.
    pub(crate) fn insert(&mut self, id: NameId) {
        let word = usize::from(id.0) / 64;
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        self.bits[word] |= 1 << (id.0 % 64);
    }

    /// Adds the names of another set.
    pub(crate) fn insert_all(&mut self, other: &NameSet) {
        self.bits.resize(self.bits.len().max(other.bits.len()), 0);
        self.bits.iter_mut().zip(&other.bits).for_each(|(bits, more)| *bits |= more);
    }

    /// The names, in the order of the catalogue.
    pub fn iter(&self) -> impl Iterator<Item = &'static Name> + '_ {
        let ids = (0..=u16::MAX).take(self.bits.len() * 64);
        ids.filter(|id| self.bits[usize::from(*id) / 64] >> (id % 64) & 1 == 1)
            .map(|id| catalogue().by_id(NameId(id)))
    }
}

/// An attribute name that some version defines, or that the engine reads.
#[derive(Debug)]
pub struct Name {
    /// Its place.
    pub id: NameId,
    /// The name itself.
    pub text: Box<str>,
    /// The versions that define it, deprecated or not.
    pub defined: VersionSet,
    /// Of these, the ones in which it is not deprecated.
    pub current: VersionSet,
    /// Whether it is one of the conventions for GenAI: `gen_ai.*` or `aws.bedrock.*`.
    pub is_gen_ai: bool,
    /// What the engine reads it as.
    pub field: Option<Field>,
    /// What content it holds, if a schema describes it.
    pub content: Option<Kind>,
    by_version: Vec<Option<Attribute>>,
}

impl Name {
    /// What a version says of the name, if it defines it.
    #[must_use]
    pub fn in_version(&self, version: VersionIndex) -> Option<&Attribute> {
        self.by_version.get(usize::from(version.0)).and_then(Option::as_ref)
    }
}

/// One version of the conventions, compiled.
#[derive(Debug)]
pub struct Conventions {
    /// Its place.
    pub index: VersionIndex,
    /// The version.
    pub version: Version,
    /// Whether `gen_ai.usage.input_tokens` includes cached tokens.
    pub counts_cached_input: bool,
    /// Whether there are names for tokens read from and written to the prompt cache.
    pub names_cache_tokens: bool,
    spans: FxHashMap<String, SpanType>,
}

impl Conventions {
    /// The span type with this id, if the version has it.
    #[must_use]
    pub fn span_type(&self, id: &str) -> Option<&SpanType> {
        self.spans.get(id)
    }
}

/// A kind of span, compiled.
#[derive(Debug)]
pub struct SpanType {
    /// Its id, such as `span.aws.bedrock.client`.
    pub id: String,
    /// The kinds it may have; the first is the expected one.
    pub kinds: Vec<SpanKind>,
    /// Name patterns in order of preference.
    pub patterns: Vec<Pattern>,
    /// The attributes that are required, always or under a condition.
    pub required: Vec<(NameId, Requirement)>,
}

/// All known versions.
#[derive(Debug)]
pub struct Catalogue {
    versions: Vec<Conventions>,
    names: Vec<Name>,
    by_text: FxHashMap<Box<str>, NameId>,
    metrics: FxHashMap<String, Definitions<Metric>>,
    events: FxHashMap<String, Definitions<Event>>,
}

/// What the versions that define a metric or an event say of it.
#[derive(Debug)]
struct Definitions<T> {
    defined: VersionSet,
    by_version: Vec<(VersionIndex, T)>,
}

impl<T> Default for Definitions<T> {
    fn default() -> Self {
        Definitions { defined: VersionSet::default(), by_version: Vec::new() }
    }
}

impl<T> Definitions<T> {
    fn add(&mut self, version: VersionIndex, definition: T) {
        self.defined.insert(version);
        self.by_version.push((version, definition));
    }

    fn in_version(&self, version: VersionIndex) -> Option<&T> {
        self.by_version.iter().find(|(index, _)| *index == version).map(|(_, known)| known)
    }
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::compile);

/// The versions compiled into this crate.
#[must_use]
pub fn catalogue() -> &'static Catalogue {
    &CATALOGUE
}

/// The version from which input tokens include cached ones.
const INPUT_INCLUDES_CACHED_SINCE: &str = "1.40.0";

impl Catalogue {
    fn compile() -> Catalogue {
        let mut all = Catalogue {
            versions: Vec::new(),
            names: Vec::new(),
            by_text: FxHashMap::default(),
            metrics: FxHashMap::default(),
            events: FxHashMap::default(),
        };
        for (text, field) in EXTRA_NAMES {
            let id = all.name_id(text);
            all.names[usize::from(id.0)].field = Some(*field);
        }
        for (index, version) in (0..32).zip(Version::all()) {
            all.add(VersionIndex(index), version);
        }
        all
    }

    fn add(&mut self, index: VersionIndex, version: Version) {
        let registry = version.registry();
        for (text, attribute) in registry.attributes {
            let id = self.name_id(&text);
            let name = &mut self.names[usize::from(id.0)];
            name.defined.insert(index);
            if attribute.deprecated.is_none() {
                name.current.insert(index);
            }
            name.by_version.resize_with(usize::from(index.0), || None);
            name.by_version.push(Some(attribute));
        }
        let mut spans = FxHashMap::default();
        for (id, span) in registry.spans {
            let required = span
                .attributes
                .iter()
                .filter(|(_, requirement)| {
                    matches!(
                        requirement,
                        Requirement::Required | Requirement::ConditionallyRequired(_)
                    )
                })
                .map(|(name, requirement)| (self.name_id(name), *requirement))
                .collect();
            let patterns =
                span.name_patterns.iter().map(|text| Pattern::parse(text, self)).collect();
            spans.insert(id.clone(), SpanType { id, kinds: span.kinds, patterns, required });
        }
        for (name, metric) in registry.metrics {
            self.metrics.entry(name).or_default().add(index, metric);
        }
        for (name, event) in registry.events {
            self.events.entry(name).or_default().add(index, event);
        }
        let names_cache_tokens = self
            .name("gen_ai.usage.cache_read.input_tokens")
            .is_some_and(|name| name.defined.contains(index));
        self.versions.push(Conventions {
            index,
            version,
            counts_cached_input: semver(version.as_str()) >= semver(INPUT_INCLUDES_CACHED_SINCE),
            names_cache_tokens,
            spans,
        });
    }

    pub(crate) fn name_id(&mut self, text: &str) -> NameId {
        if let Some(&id) = self.by_text.get(text) {
            return id;
        }
        // The registries hold some hundreds of names.
        let id = NameId(u16::try_from(self.names.len()).unwrap_or(u16::MAX));
        self.names.push(Name {
            id,
            text: text.into(),
            defined: VersionSet::default(),
            current: VersionSet::default(),
            is_gen_ai: is_gen_ai(text),
            field: None,
            content: Kind::ALL.into_iter().find(|kind| !kind.is_body() && kind.name() == text),
            by_version: Vec::new(),
        });
        self.by_text.insert(text.into(), id);
        id
    }

    /// The name, if any version defines it or the engine reads it.
    #[must_use]
    pub fn name(&self, text: &str) -> Option<&Name> {
        self.by_text.get(text).map(|&id| self.by_id(id))
    }

    /// The name at a place.
    #[must_use]
    pub fn by_id(&self, id: NameId) -> &Name {
        &self.names[usize::from(id.0)]
    }

    /// The name at an index.
    pub(crate) fn at(&self, place: usize) -> &Name {
        &self.names[place]
    }

    /// The versions that define a metric.
    #[must_use]
    pub fn metric(&self, name: &str) -> VersionSet {
        self.metrics.get(name).map(|metric| metric.defined).unwrap_or_default()
    }

    /// What a version says of a metric, if it defines it.
    #[must_use]
    pub fn metric_in(&self, name: &str, version: VersionIndex) -> Option<&Metric> {
        self.metrics.get(name)?.in_version(version)
    }

    /// The versions that define an event.
    #[must_use]
    pub fn event(&self, name: &str) -> VersionSet {
        self.events.get(name).map(|event| event.defined).unwrap_or_default()
    }

    /// The versions that define an event and have not deprecated it.
    #[must_use]
    pub fn current_event(&self, name: &str) -> VersionSet {
        let mut current = VersionSet::default();
        let known = self.events.get(name).into_iter().flat_map(|event| &event.by_version);
        for (index, _) in known.filter(|(_, event)| event.deprecated.is_none()) {
            current.insert(*index);
        }
        current
    }

    /// What a version says of an event, if it defines it.
    #[must_use]
    pub fn event_in(&self, name: &str, version: VersionIndex) -> Option<&Event> {
        self.events.get(name)?.in_version(version)
    }

    /// The conventions at a place.
    #[must_use]
    pub fn conventions(&self, index: VersionIndex) -> &Conventions {
        &self.versions[usize::from(index.0)]
    }

    /// The conventions of a version.
    #[must_use]
    pub fn of(&self, version: Version) -> &Conventions {
        self.versions.iter().find(|known| known.version == version).unwrap_or_else(|| self.newest())
    }

    /// The conventions that a schema URL names, if they are known.
    #[must_use]
    pub fn stated_by(&self, schema_url: &str) -> Option<&Conventions> {
        let (_, version) = schema_url.rsplit_once('/')?;
        self.versions.iter().find(|known| known.version.as_str() == version)
    }

    /// The newest known version.
    ///
    /// # Panics
    ///
    /// If no registry is compiled in, which a test of the schemas rules out.
    #[must_use]
    pub fn newest(&self) -> &Conventions {
        self.versions.last().expect("at least one registry is compiled in")
    }

    /// The newest known version among these.
    #[must_use]
    pub fn newest_of(&self, versions: VersionSet) -> Option<&Conventions> {
        versions.newest().and_then(|index| self.versions.get(usize::from(index.0)))
    }
}

/// Whether a name belongs to the conventions that this crate judges in full.
#[must_use]
pub fn is_gen_ai(name: &str) -> bool {
    name.starts_with("gen_ai.") || name.starts_with("aws.bedrock.")
}

/// The numbers of a version, so that they compare as numbers; nothing for other text.
#[must_use]
pub fn semver(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    let version = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(version)
}
