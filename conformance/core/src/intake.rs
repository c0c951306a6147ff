//! What part of the telemetry comes to: findings and facts, without looking at the rest of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use spanproof_schemas::ledger::Usage;
use spanproof_schemas::report::{Subject, Telemetry, TokenCounts};
use spanproof_schemas::time::UnixNanos;

use crate::active::Active;
use crate::attached::{Attached, Attachments};
use crate::behaviour::Behaviour;
use crate::coverage;
use crate::expectation::Place;
use crate::finding::Tally;
use crate::identity::Met;
use crate::metric_sums::{MetricSums, Summed};
use crate::model::{Node, SpanFacts, SpanId};
use crate::outcome::Looks;
use crate::scan::Scanner;
use crate::scopes::Scopes;
use crate::settings::Settings;
use crate::snapshot::Snapshot;
use crate::span_sums::SpanSum;
use crate::sweep::Sweep;
use crate::symbol::Symbols;
use crate::usage;
use crate::view::{ContentView, Item, RunView, ScopeView};
use crate::wire::Recycled;

/// Takes in part of the telemetry: checks each item by itself and boils it down to what the rest
/// of the judging needs. Each of several threads may have one; [`crate::Judge::merge`] brings
/// them together, whatever part each has taken in.
#[derive(Debug)]
pub struct Intake {
    pub(crate) settings: Arc<Settings>,
    pub(crate) active: Arc<Active>,
    pub(crate) scanner: Arc<Scanner>,
    pub(crate) sweep: Sweep,
    pub(crate) symbols: Symbols,
    pub(crate) tally: Tally,
    pub(crate) telemetry: Telemetry,
    pub(crate) metrics: MetricSums,
    pub(crate) scopes: Scopes,
    /// Items that exports repeat, and that were searched for content already.
    pub(crate) met: Met,
    /// Sets of attributes of metric points, likewise checked already.
    pub(crate) met_points: Met,
    /// Exports of metrics, likewise.
    pub(crate) met_exports: Met,
    /// What is attached to spans.
    pub(crate) attachments: Attachments,
    pub(crate) looks: Looks,
    pub(crate) coverage: coverage::Counts,
    /// The GenAI spans, until they are judged beside the others.
    pub(crate) spans: Vec<SpanFacts>,
    /// The other spans, likewise.
    pub(crate) nodes: Vec<Node>,
    /// The memory that spans are read into.
    pub(crate) recycled: Recycled,
    /// Whether anything is joined, so that what it takes is kept.
    pub(crate) is_joined: bool,
}

/// How much later than most spans of a part one may end: parts hold what was exported together.
const FAR_BEYOND: UnixNanos = 600_000_000_000;

impl Intake {
    pub(crate) fn new(settings: Settings) -> Intake {
        let active = Arc::new(Active::new(&settings));
        Intake::empty(Arc::new(settings), active)
    }

    /// Another intake that judges alike and has seen nothing yet.
    pub(crate) fn sibling(&self) -> Intake {
        Intake {
            scanner: Arc::clone(&self.scanner),
            attachments: self.attachments.sibling(),
            is_joined: self.is_joined,
            ..Intake::empty(Arc::clone(&self.settings), Arc::clone(&self.active))
        }
    }

    fn empty(settings: Arc<Settings>, active: Arc<Active>) -> Intake {
        Intake {
            settings,
            active,
            scanner: Scanner::without_plantings(),
            sweep: Sweep::default(),
            symbols: Symbols::default(),
            tally: Tally::default(),
            telemetry: Telemetry::default(),
            metrics: MetricSums::default(),
            scopes: Scopes::default(),
            met: Met::default(),
            met_points: Met::default(),
            met_exports: Met::default(),
            attachments: Attachments::default(),
            looks: Looks::default(),
            coverage: coverage::Counts::default(),
            spans: Vec::new(),
            nodes: Vec::new(),
            recycled: Recycled::default(),
            is_joined: false,
        }
    }

    /// Takes in all that another intake has, leaving it as new.
    pub(crate) fn merge(&mut self, other: &mut Intake) {
        let symbols = self.symbols.merge(&mut other.symbols);
        let places = self.scopes.merge(&mut other.scopes, &symbols);
        self.tally.merge(std::mem::take(&mut other.tally));
        let telemetry = std::mem::take(&mut other.telemetry);
        self.telemetry.spans += telemetry.spans;
        self.telemetry.gen_ai_spans += telemetry.gen_ai_spans;
        self.telemetry.metric_points += telemetry.metric_points;
        self.telemetry.log_records += telemetry.log_records;
        self.metrics.merge(&mut other.metrics, &symbols);
        self.met.merge(&mut other.met);
        self.met_points.merge(&mut other.met_points);
        self.met_exports.merge(&mut other.met_exports);
        self.attachments.merge(&mut other.attachments);
        self.looks.merge(std::mem::take(&mut other.looks));
        self.coverage.merge(&mut other.coverage);
        self.nodes.append(&mut other.nodes);
        self.spans.extend(other.spans.drain(..).map(|mut span| {
            span.move_to(&symbols, &places);
            span
        }));
    }

    /// When the last of the spans ended, of which ledgers should tell before these are merged.
    /// An end that is far beyond that of most of them is a fault, and tells nothing.
    #[must_use]
    pub fn latest_end(&self) -> Option<UnixNanos> {
        let mut ends: Vec<UnixNanos> = self.spans.iter().map(|span| span.end).collect();
        if ends.is_empty() {
            return None;
        }
        let middle = ends.len() / 2;
        let (_, middle, later) = ends.select_nth_unstable(middle);
        let believed = middle.saturating_add(FAR_BEYOND);
        later.iter().chain([&*middle]).copied().filter(|end| *end <= believed).max()
    }

    /// Searches an item for what may not stand in it: credentials, personal data, and content where
    /// there may be none. Says which rules found some.
    pub(crate) fn search<'a, P: Into<Place<'a>>>(
        &mut self,
        item: Item<'_>,
        place: impl Fn() -> P,
    ) -> Vec<&'static str> {
        self.looks.texts += 1;
        if self.active.content.is_empty() {
            return Vec::new();
        }
        let redaction = self.settings.redaction;
        let sightings = self.sweep.item(item, &self.scanner, redaction);
        let view = ContentView { item, redaction, sightings: &sightings };
        search(&self.active, view, &mut self.tally, place)
    }

    /// Searches an item that exports repeat, once.
    pub(crate) fn search_once(
        &mut self,
        identity: u64,
        item: Item<'_>,
        subject: impl Fn() -> Subject,
    ) {
        if self.met.is_first(identity) {
            let mut found = Tally::default();
            let redaction = self.settings.redaction;
            let sightings = self.sweep.item(item, &self.scanner, redaction);
            let view = ContentView { item, redaction, sightings: &sightings };
            search(&self.active, view, &mut found, subject);
            self.met.keep(identity, found);
        }
    }
}

fn search<'a, P: Into<Place<'a>>>(
    active: &Active,
    view: ContentView<'_>,
    tally: &mut Tally,
    place: impl Fn() -> P,
) -> Vec<&'static str> {
    let mut found = Vec::new();
    for check in &active.content {
        for finding in (check.check)(&view) {
            tally.add(&check.rule, finding, &place);
            found.push(check.id());
        }
    }
    found
}

impl Intake {
    /// Runs the rules about scopes.
    pub(crate) fn check_scopes(&mut self) {
        for scope in &self.scopes.all {
            let semconv = scope.version(self.settings.semconv, &self.symbols);
            let name = self.symbols.text(scope.name);
            let view = ScopeView {
                name,
                schema_url: self.symbols.text(scope.schema_url),
                facts: &scope.facts,
                semconv,
                has_ledger: self.is_joined,
                settings: &self.settings,
            };
            for check in &self.active.scope {
                for finding in (check.check)(&view) {
                    self.tally.add(&check.rule, finding, || Subject {
                        scope: Some(name.to_owned()).filter(|name| !name.is_empty()),
                        ..Subject::default()
                    });
                }
            }
        }
    }

    /// Runs the rules about behaviour.
    pub(crate) fn check_behaviour(&mut self, behaviour: &Behaviour) {
        self.looks.comparisons += 1;
        for check in &self.active.behaviour {
            for finding in (check.check)(behaviour) {
                self.tally.add(&check.rule, finding, Subject::default);
            }
        }
    }

    /// Runs the rules about snapshots.
    pub(crate) fn check_snapshot(&mut self, snapshot: &Snapshot) {
        self.looks.snapshots += 1;
        for check in &self.active.snapshot {
            for finding in (check.check)(snapshot) {
                self.tally.add(&check.rule, finding, Subject::default);
            }
        }
    }

    /// How much there was to look at.
    pub(crate) fn looks(&self) -> Looks {
        let summed = Summed::TOKENS.into_iter().chain(Summed::DURATIONS);
        let streams = summed.map(|metric| self.metrics.streams(metric).count() as u64);
        let with_metrics = self.scopes.all.iter().filter(|scope| !scope.facts.metrics.is_empty());
        Looks {
            texts: self.looks.texts + self.met.count(),
            points: self.met_points.count(),
            scopes: self.scopes.all.len() as u64,
            scopes_with_metrics: with_metrics.count() as u64,
            metric_streams: streams.sum(),
            ..self.looks
        }
    }

    /// What spans should say of the usage served, counted as each scope's version counts it.
    pub(crate) fn expected_usage(&self, served: &BTreeMap<Option<usize>, Usage>) -> TokenCounts {
        let mut sum = TokenCounts::default();
        for (scope, served) in served {
            let semconv = match scope.and_then(|place| self.scopes.all.get(place)) {
                Some(scope) => scope.version(self.settings.semconv, &self.symbols),
                None => self.settings.default_conventions(),
            };
            usage::add(&mut sum, usage::expected(*served, semconv));
        }
        sum
    }

    /// Runs the rules about the whole run.
    pub(crate) fn check_run(&mut self, spans: &[SpanSum], astray: &BTreeMap<SpanId, Attached>) {
        let view = RunView {
            spans,
            metrics: &self.metrics,
            astray,
            symbols: &self.symbols,
            settings: &self.settings,
        };
        for check in &self.active.run {
            for finding in (check.check)(&view) {
                self.tally.add(&check.rule, finding, Subject::default);
            }
        }
    }
}
