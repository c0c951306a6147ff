//! The registries of every known version, compiled into one table: a single look-up by name tells
//! what each version says of it.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use spanproof_schemas::content::Kind;
use spanproof_schemas::semconv::{
    self, Attribute, Event, Metric, Requirement, SpanKind, Status, Version,
};

use crate::content::Kept;
use crate::dialect::{Dialect, DialectSet};
use crate::field::{EXTRA_NAMES, Field};
use crate::notable::Notable;
use crate::pattern::Pattern;
pub use crate::version_set::{VersionIndex, VersionSet};
use crate::vocabulary::FamilySet;

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

    /// Whether a name is in the set.
    #[must_use]
    pub fn contains(&self, id: NameId) -> bool {
        self.bits.get(usize::from(id.0) / 64).is_some_and(|word| word >> (id.0 % 64) & 1 == 1)
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
    /// The releases that define it; all versions where none does.
    pub released: VersionSet,
    /// Whether it is one of the conventions for GenAI: `gen_ai.*` or `aws.bedrock.*`.
    pub is_gen_ai: bool,
    /// What the engine reads it as.
    pub field: Option<Field>,
    /// What content it holds, if a schema describes it.
    pub content: Option<Kind>,
    /// The dialects in which it is current; all where it shows nothing: it is no name of GenAI, or
    /// is current nowhere.
    pub dialects: DialectSet,
    /// The family of another vocabulary that it is of.
    pub foreign: FamilySet,
    /// What it is kept for, if that is content.
    pub(crate) kept: Option<Kept>,
    by_version: Vec<Option<Attribute>>,
    /// What there is to note of each definition.
    notable: Vec<Notable>,
}

impl Name {
    /// What a version says of the name, if it defines it.
    #[must_use]
    pub fn in_version(&self, version: VersionIndex) -> Option<&Attribute> {
        self.by_version.get(usize::from(version.0)).and_then(Option::as_ref)
    }

    /// What there is to note of the name in a version.
    #[inline]
    pub(crate) fn notable_in(&self, version: VersionIndex) -> Notable {
        self.notable.get(usize::from(version.0)).copied().unwrap_or(Notable::UNDEFINED)
    }
}

/// One version of the conventions, compiled.
#[derive(Debug)]
pub struct Conventions {
    /// Its place.
    pub index: VersionIndex,
    /// The version.
    pub version: Version,
    /// Whether it has been released.
    pub is_release: bool,
    /// The dialect that it belongs to.
    pub dialect: Dialect,
    /// Whether `gen_ai.usage.input_tokens` includes cached tokens.
    pub counts_cached_input: bool,
    /// Whether there are names for tokens read from and written to the prompt cache.
    pub names_cache_tokens: bool,
    /// What it calls the tokens written to the prompt cache.
    pub cache_write: &'static str,
    /// The attribute that names the provider.
    pub provider: &'static str,
    spans: FxHashMap<String, Vec<SpanType>>,
}

impl Conventions {
    /// The span types that describe an operation, by id.
    #[must_use]
    pub fn span_types_for(&self, operation: &str) -> &[SpanType] {
        self.spans.get(operation).map_or(&[], Vec::as_slice)
    }
}

/// A kind of span, compiled.
#[derive(Debug)]
pub struct SpanType {
    /// Its id, such as `aws.bedrock.client`.
    pub id: String,
    /// The kinds it may have; the first is the expected one.
    pub kinds: Vec<SpanKind>,
    /// The provider whose spans it describes, where that is one.
    pub provider: Option<String>,
    /// The operations that it describes.
    pub operations: Vec<String>,
    /// Whether it describes the spans of any provider and any tool.
    pub is_general: bool,
    /// Name patterns in order of preference.
    pub patterns: Vec<Pattern>,
    /// The attributes that are required, always or under a condition.
    pub required: Vec<(NameId, Requirement)>,
    /// The attributes that are recommended, always or under a condition.
    pub recommended: Vec<(NameId, Requirement)>,
}

/// All known versions.
#[derive(Debug)]
pub struct Catalogue {
    versions: Vec<Conventions>,
    names: Vec<Name>,
    by_text: FxHashMap<Box<str>, NameId>,
    releases: VersionSet,
    /// Names that are the beginning of a family of names.
    templates: Vec<NameId>,
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

impl Catalogue {
    fn compile() -> Catalogue {
        let mut all = Catalogue {
            versions: Vec::new(),
            names: Vec::new(),
            by_text: FxHashMap::default(),
            releases: VersionSet::default(),
            templates: Vec::new(),
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
        all.tell_dialects();
        all.tell_what_is_notable();
        all
    }

    fn add(&mut self, index: VersionIndex, version: Version) {
        let registry = version.registry();
        for (text, attribute) in registry.attributes {
            let id = self.name_id(&text);
            if attribute.template && !self.templates.contains(&id) {
                self.templates.push(id);
            }
            let name = &mut self.names[usize::from(id.0)];
            name.defined.insert(index);
            if attribute.deprecated.is_none() {
                name.current.insert(index);
            }
            name.by_version.resize_with(usize::from(index.0), || None);
            name.by_version.push(Some(attribute));
        }
        let has = |all: &Catalogue, text: &str| {
            all.name(text).is_some_and(|name| name.current.contains(index))
        };
        let names_provider = has(self, "gen_ai.provider.name");
        let provider = if names_provider { "gen_ai.provider.name" } else { "gen_ai.system" };
        let mut spans: FxHashMap<String, Vec<SpanType>> = FxHashMap::default();
        for (id, span) in registry.spans {
            for operation in &span.operations {
                let span_type = self.span_type(&id, &span, provider);
                spans.entry(operation.clone()).or_default().push(span_type);
            }
        }
        for (name, metric) in registry.metrics {
            self.metrics.entry(name).or_default().add(index, metric);
        }
        for (name, event) in registry.events {
            self.events.entry(name).or_default().add(index, event);
        }
        let is_release = version.status() == Status::Released;
        if is_release {
            self.releases.insert(index);
        }
        self.versions.push(Conventions {
            index,
            version,
            is_release,
            dialect: match (is_release, names_provider) {
                (false, _) => Dialect::Development,
                (true, true) => Dialect::Provider,
                (true, false) => Dialect::System,
            },
            counts_cached_input: version >= Version::INPUT_INCLUDES_CACHED,
            names_cache_tokens: has(self, "gen_ai.usage.cache_read.input_tokens"),
            cache_write: if has(self, "gen_ai.usage.cache_write.input_tokens") {
                "gen_ai.usage.cache_write.input_tokens"
            } else {
                "gen_ai.usage.cache_creation.input_tokens"
            },
            provider,
            spans,
        });
    }

    fn span_type(&mut self, id: &str, span: &semconv::SpanType, provider: &str) -> SpanType {
        let mut of_level = |wanted: fn(&Requirement) -> bool| {
            span.attributes
                .iter()
                .filter(|(_, requirement)| wanted(requirement))
                .map(|(name, requirement)| (self.name_id(name), *requirement))
                .collect()
        };
        let required = of_level(|level| {
            matches!(level, Requirement::Required | Requirement::ConditionallyRequired(_))
        });
        let recommended = of_level(|level| {
            matches!(level, Requirement::Recommended | Requirement::RecommendedIf(_))
        });
        let patterns = span.name_patterns.iter().map(|text| Pattern::parse(text, self)).collect();
        SpanType {
            id: id.to_owned(),
            kinds: span.kinds.clone(),
            provider: span.fixed.get(provider).cloned(),
            operations: span.operations.iter().cloned().collect(),
            is_general: span.refines.is_none() && span.fixed.is_empty(),
            patterns,
            required,
            recommended,
        }
    }

    /// Tells each name which releases have it, and in which dialects it is current.
    fn tell_dialects(&mut self) {
        for name in &mut self.names {
            let released = name.defined.and(self.releases);
            if released.oldest().is_some() {
                name.released = released;
            }
            let current = self.versions.iter().filter(|known| name.current.contains(known.index));
            let dialects = current
                .map(|known| DialectSet::only(known.dialect))
                .fold(DialectSet::NONE, DialectSet::or);
            if name.is_gen_ai && dialects != DialectSet::NONE {
                name.dialects = dialects;
            }
        }
    }

    /// Notes of each name what rules look for in each version.
    fn tell_what_is_notable(&mut self) {
        for name in &mut self.names {
            let of_version = |definition: &Option<Attribute>| match definition {
                Some(definition) => Notable::of_definition(name, definition),
                None => Notable::UNDEFINED,
            };
            name.notable = name.by_version.iter().map(of_version).collect();
        }
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
            released: VersionSet::ALL,
            is_gen_ai: is_gen_ai(text),
            field: None,
            content: Kind::ALL.into_iter().find(|kind| !kind.is_body() && kind.name() == text),
            dialects: DialectSet::ALL,
            foreign: FamilySet::of(text),
            kept: Kept::of(text),
            by_version: Vec::new(),
            notable: Vec::new(),
        });
        self.by_text.insert(text.into(), id);
        id
    }

    /// The name, if any version defines it or the engine reads it.
    #[must_use]
    pub fn name(&self, text: &str) -> Option<&Name> {
        self.by_text.get(text).map(|&id| self.by_id(id))
    }

    /// The name, or the one whose family it belongs to, such as `gen_ai.prompt.variable` for
    /// `gen_ai.prompt.variable.topic`.
    #[must_use]
    pub fn name_or_family(&self, text: &str) -> Option<&Name> {
        self.name(text).or_else(|| is_gen_ai(text).then(|| self.template_of(text))?)
    }

    fn template_of(&self, text: &str) -> Option<&Name> {
        let is_of =
            |name: &&Name| text.strip_prefix(&*name.text).is_some_and(|rest| rest.starts_with('.'));
        self.templates.iter().map(|id| self.by_id(*id)).find(is_of)
    }

    /// The name at a place.
    #[must_use]
    pub fn by_id(&self, id: NameId) -> &Name {
        &self.names[usize::from(id.0)]
    }

    /// Every name.
    #[cfg(test)]
    pub(crate) fn names(&self) -> &[Name] {
        &self.names
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
        let known = self.versions.iter().find(|known| known.version == version);
        known.unwrap_or_else(|| self.newest_release())
    }

    /// The conventions that a schema URL names, if they are known. Whatever its number, a schema of
    /// the GenAI conventions, which have left those at large, is the one in development.
    #[must_use]
    pub fn stated_by(&self, schema_url: &str) -> Option<&Conventions> {
        let (family, version) = schema_url.rsplit_once('/')?;
        if family.ends_with("/gen-ai-dev") || family.ends_with("/gen-ai") {
            return self.versions.iter().find(|known| !known.is_release);
        }
        self.versions.iter().find(|known| known.version.as_str() == version)
    }

    /// The newest release.
    ///
    /// # Panics
    ///
    /// If no release is compiled in, which a test of the schemas rules out.
    #[must_use]
    pub fn newest_release(&self) -> &Conventions {
        let mut newest_first = self.versions.iter().rev();
        newest_first.find(|known| known.is_release).expect("a release is compiled in")
    }

    /// The newest release in a dialect; of one that has none, the newest of all.
    #[must_use]
    pub fn newest_release_of(&self, dialect: Dialect) -> &Conventions {
        let mut newest_first = self.versions.iter().rev().filter(|known| known.is_release);
        newest_first.find(|known| known.dialect == dialect).unwrap_or_else(|| self.newest_release())
    }

    /// Every release.
    #[must_use]
    pub fn releases(&self) -> VersionSet {
        self.releases
    }

    /// The newest known version among these.
    #[must_use]
    pub fn newest_of(&self, versions: VersionSet) -> Option<&Conventions> {
        self.versions.iter().rev().find(|known| versions.contains(known.index))
    }
}

/// Whether a name belongs to the conventions that this crate judges in full.
#[must_use]
pub fn is_gen_ai(name: &str) -> bool {
    name.starts_with("gen_ai.") || name.starts_with("aws.bedrock.")
}
