//! The judge: takes ledger and telemetry as they come, keeps facts, and says at the end what it
//! found.

use rustc_hash::FxHashMap;
use spanproof_schemas::ledger::{self, Record, Task};
use spanproof_schemas::report::{Subject, Telemetry};

use crate::active::Active;
use crate::coverage;
use crate::finding::Tally;
use crate::identity::Met;
use crate::judgement::Judgement;
use crate::metric_sums::MetricSums;
use crate::model::{ExchangeFacts, Node, SpanFacts, SpanId};
use crate::outcome::Looks;
use crate::scan::Scanner;
use crate::settings::{Content, Settings};
use crate::symbol::{Symbol, Symbols};
use crate::view::{ContentView, Item, ScopeFacts};

/// Judges one run. Spans are checked as they come in and then dropped; what the rules about calls
/// and the whole run need is kept in compact facts.
///
/// The [`Record::Run`] of the ledger must come before telemetry, for it tells what planted text
/// begins with. Everything else may come in any order.
///
/// ```
/// use conformance_core::{Judge, Settings};
///
/// let judgement = Judge::new(Settings::default()).finish();
/// assert!(judgement.telemetry.is_empty());
/// assert!(judgement.findings.is_empty());
/// ```
#[derive(Debug)]
pub struct Judge {
    pub(crate) settings: Settings,
    pub(crate) active: Active,
    pub(crate) scanner: Option<Scanner>,
    pub(crate) symbols: Symbols,
    pub(crate) tally: Tally,
    pub(crate) telemetry: Telemetry,
    pub(crate) has_ledger: bool,
    pub(crate) exchanges: Vec<ExchangeFacts>,
    pub(crate) spans: Vec<SpanFacts>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) metrics: MetricSums,
    pub(crate) scopes: Scopes,
    /// Items that exports repeat, and that were checked already.
    pub(crate) met: Met,
    /// What the planted text of the run begins with; none where content is allowed.
    pub(crate) marker_stems: Vec<String>,
    pub(crate) looks: Looks,
    pub(crate) coverage: coverage::Counts,
}

/// Facts by scope name and schema URL.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    places: FxHashMap<(Symbol, Symbol), usize>,
    pub(crate) all: Vec<(Symbol, Symbol, ScopeFacts)>,
}

/// How many scopes are told apart; telemetry that makes more of them has the rest taken as one.
const SCOPES: usize = 1 << 12;

impl Scopes {
    /// The place of a scope in the list.
    pub(crate) fn place(&mut self, name: Symbol, schema_url: Symbol) -> usize {
        if let Some(place) = self.places.get(&(name, schema_url)) {
            return *place;
        }
        let key = if self.all.len() < SCOPES { (name, schema_url) } else { Default::default() };
        *self.places.entry(key).or_insert_with(|| {
            self.all.push((key.0, key.1, ScopeFacts::default()));
            self.all.len() - 1
        })
    }

    /// The facts of the scope at a place.
    pub(crate) fn at(&mut self, place: usize) -> &mut ScopeFacts {
        &mut self.all[place].2
    }
}

impl Judge {
    /// A judge that has seen nothing yet.
    #[must_use]
    pub fn new(settings: Settings) -> Judge {
        Judge {
            active: Active::new(&settings),
            settings,
            scanner: None,
            symbols: Symbols::default(),
            tally: Tally::default(),
            telemetry: Telemetry::default(),
            has_ledger: false,
            exchanges: Vec::new(),
            spans: Vec::new(),
            nodes: Vec::new(),
            metrics: MetricSums::default(),
            scopes: Scopes::default(),
            met: Met::default(),
            marker_stems: Vec::new(),
            looks: Looks::default(),
            coverage: coverage::Counts::default(),
        }
    }

    /// Takes in a record of the ledger.
    pub fn ledger(&mut self, record: Record) {
        self.has_ledger = true;
        match record {
            Record::Run(run) => {
                if self.settings.content == Content::Off {
                    self.scanner = Scanner::new(&run.marker_stems);
                    self.marker_stems = run.marker_stems;
                }
            }
            // Nobody owes a span for a token count or a list of models.
            Record::Exchange(exchange) if exchange.task == Task::Administration => {}
            Record::Exchange(exchange) => {
                let facts = self.exchange_facts(*exchange);
                self.exchanges.push(facts);
            }
        }
    }

    fn exchange_facts(&mut self, exchange: ledger::Exchange) -> ExchangeFacts {
        let symbols = &mut self.symbols;
        let mut symbol = |text: Option<String>| text.map(|text| symbols.intern(&text));
        let context = exchange.trace_context;
        ExchangeFacts {
            sequence: exchange.sequence,
            arrived: exchange.arrived_unix_nanos,
            finished: exchange.finished_unix_nanos,
            request_id: exchange.request_id.into(),
            operation: exchange.operation,
            task: exchange.task,
            stop_reason: symbol(exchange.stop_reason),
            exception: symbol(exchange.exception),
            fault: symbol(exchange.fault),
            model: symbol(Some(exchange.model_id)).unwrap_or(Symbol::EMPTY),
            current_span: context
                .as_ref()
                .and_then(|context| SpanId::from_hex(&context.trace_id, &context.span_id)),
            sampled: context.is_none_or(|context| context.sampled),
            invocation_id: exchange.invocation_id.map(Into::into),
            usage: exchange.usage,
            response_id: exchange.response_id.map(Into::into),
            status: exchange.status,
            delivered: exchange.delivered,
            has_guardrail: exchange.parameters.guardrail_id.is_some(),
            last_chunk: exchange.chunks.map(|chunks| chunks.last_unix_nanos),
        }
    }

    /// Searches an item for content, where none may be, and says which rules found some.
    pub(crate) fn search(
        &mut self,
        item: Item<'_>,
        subject: impl Fn() -> Subject,
    ) -> Vec<&'static str> {
        let mut found = Vec::new();
        if self.settings.content == Content::Allowed {
            return found;
        }
        self.looks.texts += 1;
        let view = ContentView { item, scanner: self.scanner.as_ref() };
        for check in &self.active.content {
            for finding in (check.check)(&view) {
                self.tally.add(check.rule, check.fixed, finding, &subject);
                found.push(check.rule.id);
            }
        }
        found
    }

    /// Searches an item that exports repeat, once.
    pub(crate) fn search_once(
        &mut self,
        identity: u64,
        item: Item<'_>,
        subject: impl Fn() -> Subject,
    ) {
        if self.settings.content == Content::Off && self.met.is_first(identity) {
            self.search(item, subject);
        }
    }

    /// Ends the run and says what was found.
    #[must_use]
    pub fn finish(self) -> Judgement {
        Judgement::of(self)
    }
}
