//! Strings that recur, kept once: model ids, names, scopes, reasons.

use std::num::NonZeroU32;
use std::sync::Arc;

use rustc_hash::FxHashMap;

/// A string of a [`Symbols`] table. The order is that of first sight, so never sort by it.
///
/// It is the place in the table, counted from one, so that the lack of a symbol takes no memory of
/// its own in what is kept of each span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Symbol(NonZeroU32);

impl Default for Symbol {
    fn default() -> Self {
        Symbol::EMPTY
    }
}

impl Symbol {
    /// The symbol of the empty string in every table.
    pub const EMPTY: Symbol = Symbol(NonZeroU32::MIN);

    fn at(place: usize) -> Symbol {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        Symbol(NonZeroU32::MIN.saturating_add(place))
    }

    fn place(self) -> usize {
        self.0.get() as usize - 1
    }

    /// The symbol that stands for this one's text elsewhere; `symbols` come from
    /// [`Symbols::merge`].
    pub(crate) fn among(self, symbols: &[Symbol]) -> Symbol {
        symbols.get(self.place()).copied().unwrap_or(Symbol::EMPTY)
    }
}

/// The longest text that is kept, in bytes; of a longer one, what comes before.
const LONGEST: usize = 1024;

/// How many texts are kept; telemetry that makes more of them has the rest counted as one.
const MOST: usize = 1 << 18;

/// How many bytes of text are kept.
const MOST_BYTES: usize = 1 << 24;

/// What stands for the texts beyond these bounds.
const FURTHER: &str = "(further texts)";

/// Strings by [`Symbol`]; grows with the number of distinct strings, not with that of spans.
#[derive(Debug)]
pub struct Symbols {
    by_text: FxHashMap<Arc<str>, Symbol>,
    texts: Vec<Arc<str>>,
    bytes: usize,
}

impl Default for Symbols {
    fn default() -> Self {
        let mut symbols = Symbols { by_text: FxHashMap::default(), texts: Vec::new(), bytes: 0 };
        symbols.intern("");
        symbols
    }
}

impl Symbols {
    /// The symbol of `text`, made on first sight.
    pub(crate) fn intern(&mut self, text: &str) -> Symbol {
        let text = crate::value::cut(text, LONGEST);
        if let Some(&symbol) = self.by_text.get(text) {
            return symbol;
        }
        let has_room = self.texts.len() < MOST && self.bytes < MOST_BYTES;
        let text = if has_room { text } else { FURTHER };
        if let Some(&symbol) = self.by_text.get(text) {
            return symbol;
        }
        let symbol = Symbol::at(self.texts.len());
        let text: Arc<str> = text.into();
        self.bytes += text.len();
        self.texts.push(Arc::clone(&text));
        self.by_text.insert(text, symbol);
        symbol
    }

    /// Takes in the texts of another table, leaving it as new, and gives the symbol here of each
    /// symbol there.
    pub(crate) fn merge(&mut self, other: &mut Symbols) -> Vec<Symbol> {
        let moved = other.texts.iter().map(|text| self.intern(text)).collect();
        other.by_text.clear();
        other.texts.clear();
        other.bytes = 0;
        other.intern("");
        moved
    }

    /// The text of `symbol`.
    #[must_use]
    pub fn text(&self, symbol: Symbol) -> &str {
        self.texts.get(symbol.place()).map_or("", |text| text)
    }

    /// The text of `symbol`, or nothing for none.
    #[must_use]
    pub fn option(&self, symbol: Option<Symbol>) -> Option<&str> {
        symbol.map(|symbol| self.text(symbol))
    }
}
