//! Strings that recur, kept once: model ids, names, scopes, reasons.

use std::sync::Arc;

use rustc_hash::FxHashMap;

/// A string of a [`Symbols`] table. The order is that of first sight, so never sort by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Symbol(u32);

impl Symbol {
    /// The symbol of the empty string in every table.
    pub const EMPTY: Symbol = Symbol(0);
}

/// The longest text that is kept, in bytes; of a longer one, what comes before.
const LONGEST: usize = 1024;

/// How many texts are kept; telemetry that makes more of them has the rest counted as one.
const MOST: usize = 1 << 18;

/// What stands for the texts beyond [`MOST`].
const FURTHER: &str = "(further texts)";

/// Strings by [`Symbol`]; grows with the number of distinct strings, not with that of spans.
#[derive(Debug)]
pub struct Symbols {
    by_text: FxHashMap<Arc<str>, Symbol>,
    texts: Vec<Arc<str>>,
}

impl Default for Symbols {
    fn default() -> Self {
        let mut symbols = Symbols { by_text: FxHashMap::default(), texts: Vec::new() };
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
        let text = if self.texts.len() < MOST { text } else { FURTHER };
        if let Some(&symbol) = self.by_text.get(text) {
            return symbol;
        }
        let symbol = Symbol(u32::try_from(self.texts.len()).unwrap_or(u32::MAX));
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.by_text.insert(text, symbol);
        symbol
    }

    /// The text of `symbol`.
    #[must_use]
    pub fn text(&self, symbol: Symbol) -> &str {
        self.texts.get(symbol.0 as usize).map_or("", |text| text)
    }

    /// The text of `symbol`, or nothing for none.
    #[must_use]
    pub fn option(&self, symbol: Option<Symbol>) -> Option<&str> {
        symbol.map(|symbol| self.text(symbol))
    }
}
