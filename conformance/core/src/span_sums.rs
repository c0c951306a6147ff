//! What GenAI spans come to together. No span is kept for it: each is added as soon as it is known
//! what it stands for.

use rustc_hash::FxHashMap;
use spanproof_schemas::time::UnixNanos;

use crate::catalogue::VersionIndex;
use crate::model::{ReportedUsage, Role, SpanFacts};
use crate::scopes::Scopes;
use crate::settings::Choice;
use crate::symbol::{Symbol, Symbols};

/// What the spans of a sum have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    scope_place: usize,
    role: Role,
    model: Option<Symbol>,
    operation: Option<Symbol>,
    error_type: Option<Symbol>,
    billed: Billed,
}

/// How a span's tokens are compared with those served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Billed {
    /// The model id that was sent, where a call is known.
    pub(crate) model: Option<Symbol>,
    /// Whether the client was never told what was charged.
    pub(crate) is_withheld: bool,
}

/// When a call's stream was sent, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    /// From the arrival of the request to the first chunk.
    pub(crate) first_wait: u64,
    /// From the first chunk to the last.
    pub(crate) spread: u64,
    /// When the last chunk was sent.
    pub(crate) last_chunk: UnixNanos,
}

/// What is known of the call that a span stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Called {
    pub(crate) billed: Billed,
    /// Of calls whose answer was a stream, with at least one chunk.
    pub(crate) sent: Option<Sent>,
}

/// The spans whose call was answered with a stream of which a chunk was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Streams {
    /// How many there are.
    pub spans: u64,
    /// From the arrival of their requests to the first chunk, together, in nanoseconds.
    pub first_wait_nanos: u128,
    /// From the first chunk to the last, together.
    pub spread_nanos: u128,
    /// From their own start to the last chunk, together.
    pub last_chunk_nanos: u128,
    /// Their durations together.
    pub nanos: u128,
}

/// Spans of one scope, model, operation and error.
#[derive(Clone, Debug)]
pub struct SpanSum {
    /// The name of their instrumentation scope.
    pub scope: Symbol,
    /// The version they are judged by.
    pub semconv: VersionIndex,
    /// What they are to the judge.
    pub role: Role,
    /// `gen_ai.request.model`
    pub model: Option<Symbol>,
    /// `gen_ai.operation.name`
    pub operation: Option<Symbol>,
    /// `error.type`
    pub error_type: Option<Symbol>,
    /// How many there are.
    pub count: u64,
    /// Their durations together.
    pub nanos: u128,
    /// Input tokens, as the version counts them.
    pub input: Stated,
    /// Output tokens.
    pub output: Stated,
    /// Tokens read from the prompt cache.
    pub cache_read: Stated,
    /// Tokens written to the prompt cache.
    pub cache_write: Stated,
    /// Reasoning tokens.
    pub reasoning: Stated,
    /// Those of streams.
    pub streams: Streams,
    /// How many have no call in the ledger.
    pub without_call: u64,
    /// Input tokens less those of the prompt cache, span by span.
    pub(crate) uncached_input: u64,
    pub(crate) billed: Billed,
}

impl SpanSum {
    /// Their durations together, in seconds.
    #[expect(clippy::cast_precision_loss, reason = "durations need not be exact to the nanosecond")]
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.nanos as f64 / 1e9
    }
}

/// A number that spans may state or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stated {
    /// How many state it.
    pub spans: u64,
    /// What they state, together.
    pub sum: u64,
}

impl Stated {
    fn add(&mut self, stated: Option<u64>) {
        if let Some(number) = stated {
            self.spans += 1;
            // Telemetry may state any number; a sum that cannot be is the largest one.
            self.sum = self.sum.saturating_add(number);
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    count: u64,
    nanos: u128,
    input: Stated,
    output: Stated,
    cache_read: Stated,
    cache_write: Stated,
    reasoning: Stated,
    streams: Streams,
    without_call: u64,
    uncached_input: u64,
}

/// How many sums are kept; telemetry that makes more of them has the rest of a scope taken as one.
const MOST: usize = 1 << 16;

/// The sums so far.
#[derive(Debug, Default)]
pub(crate) struct SpanSums {
    by_key: FxHashMap<Key, Sum>,
}

impl SpanSums {
    /// Adds a span, and what is known of its call, if it has one.
    pub(crate) fn add(&mut self, span: &SpanFacts, called: Option<Called>) {
        let own = Billed { model: span.model, is_withheld: false };
        let billed = called.map_or(own, |called| called.billed);
        let mut key = Key {
            scope_place: span.scope_place,
            role: span.role,
            model: span.model,
            operation: span.operation,
            error_type: span.error_type,
            billed,
        };
        if self.by_key.len() >= MOST && !self.by_key.contains_key(&key) {
            let billed = Billed { model: None, ..billed };
            key = Key { model: None, operation: None, error_type: None, billed, ..key };
        }
        let sum = self.by_key.entry(key).or_default();
        let ReportedUsage { input, output, cache_read, cache_write, reasoning } = span.usage;
        let nanos = u128::from(span.end.saturating_sub(span.start));
        sum.count += 1;
        sum.nanos += nanos;
        sum.without_call += u64::from(called.is_none());
        if let Some(sent) = called.and_then(|called| called.sent) {
            let streams = &mut sum.streams;
            streams.spans += 1;
            streams.nanos += nanos;
            streams.first_wait_nanos += u128::from(sent.first_wait);
            streams.spread_nanos += u128::from(sent.spread);
            streams.last_chunk_nanos += u128::from(sent.last_chunk.saturating_sub(span.start));
        }
        sum.input.add(input);
        sum.output.add(output);
        sum.cache_read.add(cache_read);
        sum.cache_write.add(cache_write);
        sum.reasoning.add(reasoning);
        let cached = cache_read.unwrap_or(0).saturating_add(cache_write.unwrap_or(0));
        let uncached = input.unwrap_or(0).saturating_sub(cached);
        sum.uncached_input = sum.uncached_input.saturating_add(uncached);
    }

    /// The sums by scope, model and so on, with the version of each scope.
    pub(crate) fn into_sorted(
        self,
        scopes: &Scopes,
        choice: Choice,
        symbols: &Symbols,
    ) -> Vec<SpanSum> {
        let versions: Vec<VersionIndex> =
            scopes.all.iter().map(|scope| scope.version(choice, symbols).index).collect();
        let with_key = |(key, sum): (Key, Sum)| SpanSum {
            scope: scopes.all[key.scope_place].name,
            semconv: versions[key.scope_place],
            role: key.role,
            model: key.model,
            operation: key.operation,
            error_type: key.error_type,
            count: sum.count,
            nanos: sum.nanos,
            input: sum.input,
            output: sum.output,
            cache_read: sum.cache_read,
            cache_write: sum.cache_write,
            reasoning: sum.reasoning,
            streams: sum.streams,
            without_call: sum.without_call,
            uncached_input: sum.uncached_input,
            billed: key.billed,
        };
        let mut all: Vec<SpanSum> = self.by_key.into_iter().map(with_key).collect();
        let text = |symbol| symbols.option(symbol);
        all.sort_by(|a, b| {
            let order = |sum: &SpanSum| {
                let texts = (text(sum.model), text(sum.operation), text(sum.error_type));
                let billed = (text(sum.billed.model), sum.billed.is_withheld);
                (symbols.text(sum.scope), sum.semconv, sum.role, texts, billed, sum.nanos)
            };
            order(a).cmp(&order(b))
        });
        all
    }
}
