//! Instrumentation scopes, told apart by name and schema URL, with what each emitted.

use rustc_hash::FxHashMap;

use crate::catalogue::{Conventions, catalogue};
use crate::dialect;
use crate::settings::Choice;
use crate::symbol::{Symbol, Symbols};
use crate::view::ScopeFacts;

/// A scope and what it emitted.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) name: Symbol,
    /// Its schema URL, else that of its resource.
    pub(crate) schema_url: Symbol,
    pub(crate) facts: ScopeFacts,
}

impl Scope {
    /// The version that the scope is judged by as a whole. A scope may use a newer name on some
    /// spans only; what is counted over its spans must be counted in one way.
    pub(crate) fn version(&self, choice: Choice, symbols: &Symbols) -> &'static Conventions {
        let stated = catalogue().stated_by(symbols.text(self.schema_url));
        dialect::judged(choice, stated, self.facts.fingerprint)
    }
}

/// Every scope of the telemetry so far.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    places: FxHashMap<(Symbol, Symbol), usize>,
    pub(crate) all: Vec<Scope>,
}

/// How many scopes are told apart; telemetry that makes more of them has the rest taken as one.
const MOST: usize = 1 << 12;

impl Scopes {
    /// The place of a scope in the list.
    pub(crate) fn place(&mut self, name: Symbol, schema_url: Symbol) -> usize {
        if let Some(place) = self.places.get(&(name, schema_url)) {
            return *place;
        }
        let key = if self.all.len() < MOST { (name, schema_url) } else { Default::default() };
        *self.places.entry(key).or_insert_with(|| {
            let (name, schema_url) = key;
            self.all.push(Scope { name, schema_url, facts: ScopeFacts::default() });
            self.all.len() - 1
        })
    }

    /// The facts of the scope at a place.
    pub(crate) fn at(&mut self, place: usize) -> &mut ScopeFacts {
        &mut self.all[place].facts
    }

    /// Takes in the scopes of another part of the telemetry, leaving it without any, and gives the
    /// place here of each place there. `symbols` are the symbols here of the symbols there.
    pub(crate) fn merge(&mut self, other: &mut Scopes, symbols: &[Symbol]) -> Vec<usize> {
        other.places.clear();
        let moved = other.all.drain(..).map(|scope| {
            let place = self.place(scope.name.among(symbols), scope.schema_url.among(symbols));
            self.all[place].facts.merge(scope.facts);
            place
        });
        moved.collect()
    }
}
