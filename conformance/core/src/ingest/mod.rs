//! Taking in OTLP: each item is checked, boiled down to facts, and dropped.

mod events;
mod logs;
mod metrics;
mod traces;

use spanproof_schemas::report::Subject;

use crate::catalogue::{Name, catalogue};
use crate::dialect::Fingerprint;
use crate::field::{Field, Fields};
use crate::held::Held;
use crate::identity;
use crate::intake::Intake;
use crate::notable::{Keys, Notable};
use crate::otlp::{InstrumentationScope, KeyValue, Resource};
use crate::symbol::Symbol;
use crate::view::{Item, Seen};
use crate::vocabulary::FamilySet;

impl Intake {
    /// Searches a resource for content, and says which resource it is.
    fn resource(&mut self, resource: Option<&Resource>) -> u64 {
        let Some(resource) = resource else { return 0 };
        let identity = identity::of((0, identity::of_attributes(&resource.attributes)));
        self.search_once(identity, Item::Resource(resource), Subject::default);
        identity
    }

    /// Searches a scope for content, and says which scope it is.
    fn scope(&mut self, scope: Option<&InstrumentationScope>) -> Symbol {
        let Some(scope) = scope else { return Symbol::EMPTY };
        let attributes = identity::of_attributes(&scope.attributes);
        let identity = identity::of((1, &scope.name, &scope.version, attributes));
        self.search_once(identity, Item::Scope(scope), || Subject {
            scope: Some(scope.name.clone()),
            ..Subject::default()
        });
        self.symbols.intern(&scope.name)
    }

    /// Reads the content among attributes that the user's policy lets be judged.
    fn contents<'a>(
        &self,
        attributes: &[Seen<'a>],
        fields: &Fields<'_>,
        in_log: bool,
    ) -> Vec<Held<'a>> {
        if !fields.has_content() {
            return Vec::new();
        }
        let held = attributes.iter().filter_map(|seen| {
            let kind = seen.name?.content.filter(|kind| self.settings.judges(*kind, in_log))?;
            Some(Held::new(kind, seen.value?))
        });
        held.collect()
    }
}

/// The schema URL that holds for a scope: its own, else that of its resource.
fn schema_url<'a>(scope: &'a str, resource: &'a str) -> &'a str {
    if scope.is_empty() { resource } else { scope }
}

/// What the conventions know of each attribute's name.
fn names(attributes: &[KeyValue]) -> Vec<Option<&'static Name>> {
    attributes.iter().map(|attribute| catalogue().name_or_family(&attribute.key)).collect()
}

/// Notes of every attribute what the engine reads by meaning, and says what the names show and what
/// there is to note whatever the version. `names` are those of [`names`].
fn gather<'a>(
    attributes: &'a [KeyValue],
    names: &[Option<&'static Name>],
    seen: &mut Vec<Seen<'a>>,
    fields: &mut Fields<'a>,
) -> (Fingerprint, Notable) {
    let mut fingerprint = Fingerprint::default();
    let (mut notable, mut keys) = (Notable::NOTHING, Keys::default());
    seen.reserve(attributes.len());
    for (attribute, &name) in attributes.iter().zip(names) {
        let value = attribute.value.as_ref().and_then(|value| value.value.as_ref());
        notable |= Notable::of_value(value);
        if keys.may_be_met(attribute, name) {
            notable |= Notable::ALIKE;
        }
        match name {
            Some(name) => {
                if let Some(field) = name.field {
                    fields.set(field, value);
                }
                // A name that no version has shows nothing of the one that is spoken.
                if name.is_gen_ai && name.defined.oldest().is_some() {
                    fingerprint.defined_in = fingerprint.defined_in.and(name.defined);
                    fingerprint.released_in = fingerprint.released_in.and(name.released);
                    fingerprint.dialects = fingerprint.dialects.and(name.dialects);
                }
                if name.content.is_some() {
                    fields.note_content();
                }
                fingerprint.foreign = fingerprint.foreign.or(name.foreign);
            }
            None => {
                fingerprint.foreign = fingerprint.foreign.or(FamilySet::of(&attribute.key));
            }
        }
        seen.push(Seen { key: &attribute.key, value, name, definition: None });
    }
    fingerprint.has_system = fields.has(Field::System);
    fingerprint.has_provider = fields.has(Field::Provider);
    (fingerprint, notable)
}
