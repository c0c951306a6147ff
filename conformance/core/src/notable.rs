//! What is worth a look among the attributes of a span.
//!
//! Most rules about attributes mind something that hardly any attribute has. To have each of them
//! go through all attributes of every span costs more than to read the span, so one pass tells for
//! all of them what there is.

use std::ops::{BitOr, BitOrAssign};

use spanproof_schemas::semconv::Attribute;

use crate::catalogue::{Name, NameId};
use crate::field::Field;
use crate::otlp::{KeyValue, Value};
use crate::value;

/// A set of things that rules look for among attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notable(u8);

impl Notable {
    /// Nothing.
    pub const NOTHING: Notable = Notable(0);
    /// A name that the judged version does not define.
    pub const UNDEFINED: Notable = Notable(1);
    /// A name of the conventions for GenAI that the judged version has deprecated.
    pub const DEPRECATED: Notable = Notable(1 << 1);
    /// A name of the conventions for GenAI whose values the judged version lists.
    pub const LISTED: Notable = Notable(1 << 2);
    /// A value that is not of the type that the judged version gives it.
    pub const MISTYPED: Notable = Notable(1 << 3);
    /// A text that is longer than [`Notable::LONG_BYTES`].
    pub const LONG: Notable = Notable(1 << 4);
    /// Keys that may be the same.
    pub const ALIKE: Notable = Notable(1 << 5);
    /// A map, or a list within a list.
    pub const NESTED: Notable = Notable(1 << 6);

    /// What Tempo keeps of a text by default from 2.7 on, in bytes.
    pub const LONG_BYTES: usize = 2048;

    /// Whether there is any of this.
    #[must_use]
    pub fn has(self, any: Notable) -> bool {
        self.0 & any.0 != 0
    }

    /// What a version says of one of its names.
    pub(crate) fn of_definition(name: &Name, definition: &Attribute) -> Notable {
        let mut notable = Notable::NOTHING;
        if name.is_gen_ai && definition.deprecated.is_some() {
            notable |= Notable::DEPRECATED;
        }
        // Providers are judged with the ledger.
        let is_provider = matches!(name.field, Some(Field::Provider | Field::System));
        if name.is_gen_ai && !is_provider && !definition.members.is_empty() {
            notable |= Notable::LISTED;
        }
        notable
    }

    /// What a value has, whatever its name.
    #[inline]
    pub(crate) fn of_value(value: Option<&Value>) -> Notable {
        match value {
            Some(Value::StringValue(text)) if text.len() > Notable::LONG_BYTES => Notable::LONG,
            Some(Value::ArrayValue(array)) => {
                let has_list = array.values.iter().any(|element| {
                    matches!(element.value, Some(Value::ArrayValue(_) | Value::KvlistValue(_)))
                });
                if has_list { Notable::NESTED } else { Notable::NOTHING }
            }
            Some(Value::KvlistValue(_)) => Notable::NESTED,
            _ => Notable::NOTHING,
        }
    }

    /// What a value has by the definition of its name.
    #[inline]
    pub(crate) fn of_type(value: Option<&Value>, definition: &Attribute) -> Notable {
        if value.is_some_and(|value| value::has_type(value, definition.value_type)) {
            Notable::NOTHING
        } else {
            Notable::MISTYPED
        }
    }
}

impl BitOr for Notable {
    type Output = Notable;

    fn bitor(self, other: Notable) -> Notable {
        Notable(self.0 | other.0)
    }
}

impl BitOrAssign for Notable {
    fn bitor_assign(&mut self, other: Notable) {
        self.0 |= other.0;
    }
}

/// Tells keys apart by what the conventions know of them, which costs less than comparing them.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    met: [u64; Keys::WORDS],
}

impl Keys {
    /// Room for more names than there are in the registries.
    const WORDS: usize = 16;

    /// Whether a key may be one that was met before: it is, or the conventions know only the family
    /// of its name, or nothing of it.
    #[inline]
    pub(crate) fn may_be_met(&mut self, attribute: &KeyValue, name: Option<&Name>) -> bool {
        match name {
            Some(name) if name.text.len() == attribute.key.len() => self.is_met(name.id),
            _ => true,
        }
    }

    fn is_met(&mut self, id: NameId) -> bool {
        let Some(word) = self.met.get_mut(id.place() / 64) else { return true };
        let bit = 1 << (id.place() % 64);
        let is_met = *word & bit != 0;
        *word |= bit;
        is_met
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::catalogue;

    #[test]
    fn there_is_room_for_every_name() {
        assert!(catalogue().names().len() <= 64 * Keys::WORDS);
    }

    #[test]
    fn a_key_is_told_from_others_by_its_name_alone() {
        let mut keys = Keys::default();
        let mut is_met = |key: &str| {
            let attribute = KeyValue { key: key.to_owned(), ..KeyValue::default() };
            keys.may_be_met(&attribute, catalogue().name_or_family(key))
        };
        assert!(!is_met("gen_ai.request.model"));
        assert!(!is_met("gen_ai.response.model"));
        assert!(is_met("gen_ai.request.model"));
        assert!(is_met("app.unknown"), "what the conventions do not know may be anything");
        assert!(is_met("gen_ai.prompt.variable.topic"), "so may what they know by its beginning");
    }
}
