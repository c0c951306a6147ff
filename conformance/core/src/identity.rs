//! What tells items apart that exports repeat: a hash, so that nothing of them is kept.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use rustc_hash::FxHashSet;

use crate::finding::Tally;
use crate::otlp::{AnyValue, KeyValue, Value};

/// The hash of anything, the same in every run.
pub(crate) fn of(item: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    item.hash(&mut hasher);
    hasher.finish()
}

/// The hash of a set of attributes, the same for the same set in any order.
pub(crate) fn of_attributes(attributes: &[KeyValue]) -> u64 {
    let each = attributes.iter().map(|attribute| {
        let mut hasher = DefaultHasher::new();
        attribute.key.hash(&mut hasher);
        hash_value(attribute.value.as_ref(), &mut hasher);
        hasher.finish()
    });
    each.fold(attributes.len() as u64, u64::wrapping_add)
}

/// The hash of a value, the same for the same members of a map in any order.
pub(crate) fn of_value(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    hash_inner(Some(value), &mut hasher);
    hasher.finish()
}

fn hash_value(value: Option<&AnyValue>, hasher: &mut DefaultHasher) {
    hash_inner(value.and_then(|value| value.value.as_ref()), hasher);
}

fn hash_inner(value: Option<&Value>, hasher: &mut DefaultHasher) {
    value.map(std::mem::discriminant).hash(hasher);
    match value {
        None => {}
        Some(Value::StringValue(text)) => text.hash(hasher),
        Some(Value::StringValueStrindex(index)) => index.hash(hasher),
        Some(Value::BoolValue(value)) => value.hash(hasher),
        Some(Value::IntValue(value)) => value.hash(hasher),
        Some(Value::DoubleValue(value)) => value.to_bits().hash(hasher),
        Some(Value::BytesValue(bytes)) => bytes.hash(hasher),
        Some(Value::ArrayValue(array)) => {
            array.values.len().hash(hasher);
            array.values.iter().for_each(|value| hash_value(Some(value), hasher));
        }
        Some(Value::KvlistValue(list)) => of_attributes(&list.values).hash(hasher),
    }
}

/// How many identities are remembered; telemetry that makes more of them is met again as new.
const REMEMBERED: usize = 1 << 18;

/// For how many of them findings are held back.
const HELD_BACK: usize = 1 << 14;

/// The items met so far, with what was found in each. Findings are held back by identity, so that
/// parts of the telemetry that were judged apart and found the same count it once.
#[derive(Debug, Default)]
pub(crate) struct Met {
    known: FxHashSet<u64>,
    found: BTreeMap<u64, Tally>,
    /// What was found in items beyond [`HELD_BACK`].
    beyond: Tally,
}

impl Met {
    /// Whether the item with this identity is met for the first time.
    pub(crate) fn is_first(&mut self, identity: u64) -> bool {
        if self.known.len() < REMEMBERED {
            self.known.insert(identity)
        } else {
            !self.known.contains(&identity)
        }
    }

    /// How many items were met, as far as they are remembered.
    pub(crate) fn count(&self) -> u64 {
        self.known.len() as u64
    }

    /// Keeps what was found in an item that was met for the first time.
    pub(crate) fn keep(&mut self, identity: u64, found: Tally) {
        if found.is_empty() {
            return;
        }
        let tally = if self.found.len() < HELD_BACK {
            self.found.entry(identity).or_default()
        } else {
            self.found.get_mut(&identity).unwrap_or(&mut self.beyond)
        };
        tally.merge(found);
    }

    /// Takes in the items of another part of the telemetry, leaving it without any.
    pub(crate) fn merge(&mut self, other: &mut Met) {
        for (identity, found) in std::mem::take(&mut other.found) {
            if !self.known.contains(&identity) {
                self.keep(identity, found);
            }
        }
        self.beyond.merge(std::mem::take(&mut other.beyond));
        let room = REMEMBERED.saturating_sub(self.known.len());
        self.known.extend(other.known.drain().take(room));
    }

    /// Everything found, counted.
    pub(crate) fn into_tally(self) -> Tally {
        let mut tally = self.beyond;
        self.found.into_values().for_each(|found| tally.merge(found));
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::{Met, of_attributes};
    use crate::otlp::{AnyValue, KeyValue, Value};

    fn attribute(key: &str, value: Value) -> KeyValue {
        KeyValue {
            key: key.to_owned(),
            value: Some(AnyValue { value: Some(value) }),
            ..KeyValue::default()
        }
    }

    #[test]
    fn the_order_of_attributes_does_not_show_and_everything_else_does() {
        let a = attribute("a", Value::IntValue(1));
        let b = attribute("b", Value::StringValue("1".to_owned()));
        let set = of_attributes(&[a.clone(), b.clone()]);
        assert_eq!(set, of_attributes(&[b.clone(), a.clone()]));
        assert_ne!(set, of_attributes(std::slice::from_ref(&a)));
        assert_ne!(set, of_attributes(&[a, attribute("b", Value::IntValue(1))]));
    }

    #[test]
    fn an_item_is_new_once() {
        let mut met = Met::default();
        assert!(met.is_first(7) && !met.is_first(7) && met.is_first(8));
    }
}
