//! Settling: when it is known what spans and calls stand for, the rules about them run, they are
//! added to the sums, and nothing else of them is kept.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use spanproof_schemas::ledger::Usage;
use spanproof_schemas::report::Join;

use crate::attached::{Attached, Attachments};
use crate::call::Call;
use crate::catalogue::{VersionIndex, catalogue};
use crate::finding::Tally;
use crate::intake::Intake;
use crate::join::{Joined, join, join_surely};
use crate::judge::Judge;
use crate::judgement::ModelUsage;
use crate::model::{FinishReasons, Node, Role, SpanFacts, SpanId};
use crate::scopes::Scopes;
use crate::span_sums::{Billed, Called, Sent, SpanSums};
use crate::symbol::Symbols;
use crate::truth_table::Rows;
use crate::view::{Absence, CallView, Match, Recent, Spoken, Standing, StandingView, Telling};

/// What settled spans and calls came to.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub(crate) spans: SpanSums,
    pub(crate) join: Join,
    /// Tokens served, by the scope whose version says how they are counted; of calls without a
    /// span by none.
    pub(crate) served: BTreeMap<Option<usize>, Usage>,
    /// Calls and tokens served, by model id as sent.
    pub(crate) by_model: BTreeMap<String, ModelUsage>,
    /// What was found by the versions that scopes had spoken by then.
    pub(crate) by_version: ByVersion,
    /// Calls beside their spans.
    pub(crate) truth: Rows,
    /// What is attached to spans that are no GenAI spans.
    pub(crate) astray: BTreeMap<SpanId, Attached>,
}

/// Findings by the place of a scope and the version that it had spoken by then.
#[derive(Debug, Default)]
pub(crate) struct ByVersion(BTreeMap<(usize, VersionIndex), Tally>);

impl ByVersion {
    fn of(&mut self, scope: usize, version: VersionIndex) -> &mut Tally {
        self.0.entry((scope, version)).or_default()
    }

    /// Gives what was found by the version that each scope turned out to speak, and notes for the
    /// scopes how much was not.
    pub(crate) fn into_tally(self, intake: &mut Intake) -> Tally {
        let mut all = Tally::default();
        for ((place, version), tally) in self.0 {
            let scope = &mut intake.scopes.all[place];
            if scope.version(intake.settings.semconv, &intake.symbols).index == version {
                all.merge(tally);
            } else {
                *scope.facts.outgrown.entry(version).or_default() += tally.count();
            }
        }
        all
    }
}

impl Judge {
    /// Settles what has been looked at for long enough.
    pub(crate) fn advance(&mut self) {
        for span in self.intake.spans.drain(..) {
            self.window.add(span, &self.intake.symbols);
        }
        self.window.add_nodes(&mut self.intake.nodes);
        if self.ledger.is_there {
            if self.window.is_generation_full() {
                self.settle_decided();
            }
            return;
        }
        while self.window.is_full() {
            self.settle_versions();
            let oldest = self.window.least;
            self.settle_spans(&Joined::default(), &[], |at| at < oldest);
            self.window.forget(oldest);
        }
    }

    /// Settles what is decided, and begins a generation.
    fn settle_decided(&mut self) {
        self.settle_versions();
        self.ledger.sort();
        let mut exchanges = std::mem::take(&mut self.ledger.exchanges);
        let (calls, places) = Call::group(&exchanges);
        let symbols = &self.intake.symbols;
        let (joined, decided) = join_surely(&calls, &self.window, &self.ledger, symbols);
        let called = self.settle_calls(&calls, &joined, |call| decided.calls[call]);
        self.settle_spans(&joined, &called, |span| decided.spans[span]);
        drop(calls);
        let is_settled = |at: usize| decided.calls[places[at]];
        self.ledger.note_settled(exchanges.iter().enumerate().filter(|(at, _)| is_settled(*at)));
        let mut at = 0..;
        exchanges.retain(|_| at.next().is_some_and(|at| !is_settled(at)));
        let open = exchanges.iter().filter_map(|exchange| exchange.current_span);
        let open = open.map(|span| span.trace).collect();
        let generation = self.window.generation;
        let left =
            exchanges.iter().filter(|exchange| exchange.came.generation < generation).count();
        self.ledger.exchanges = exchanges;
        let standing = joined.standing(&self.window.spans);
        self.window.credit(decided.credits, decided.unresolved_until);
        let others = self.window.forget_settled(&decided.spans, &standing, open, left);
        self.note_astray(&others);
    }

    /// Settles everything.
    pub(crate) fn settle_all(&mut self) {
        self.ledger.sort();
        let exchanges = std::mem::take(&mut self.ledger.exchanges);
        self.window.sort(&self.intake.symbols);
        self.settle_versions();
        let (calls, _) = Call::group(&exchanges);
        let joined = join(&calls, &self.window, &self.intake.symbols);
        let others = std::mem::take(&mut self.window.nodes);
        self.note_astray(&others);
        let called = self.settle_calls(&calls, &joined, |_| true);
        self.settle_spans(&joined, &called, |_| true);
    }

    /// Notes what is attached to spans that are no GenAI spans.
    fn note_astray(&mut self, others: &[Node]) {
        let attachments = &mut self.intake.attachments;
        for node in others {
            if let Some(attached) = attachments.take(node.id) {
                self.settled.astray.insert(node.id, attached);
            }
        }
        while self.settled.astray.len() > Attachments::MOST {
            self.settled.astray.pop_last();
        }
    }

    /// Gives each span the version that its scope speaks as a whole.
    fn settle_versions(&mut self) {
        let scopes = &self.intake.scopes.all;
        let versions: Vec<VersionIndex> = scopes
            .iter()
            .map(|scope| scope.version(self.intake.settings.semconv, &self.intake.symbols).index)
            .collect();
        for span in &mut self.window.spans {
            span.semconv = versions[span.scope_place];
        }
    }

    /// Runs the rules about the calls that are settled, and says for each span what its call
    /// was.
    fn settle_calls(
        &mut self,
        calls: &[Call<'_>],
        joined: &Joined,
        is_settled: impl Fn(usize) -> bool,
    ) -> Vec<Option<Called>> {
        let spans = &self.window.spans;
        let symbols = &self.intake.symbols;
        let mut called = vec![None; spans.len()];
        for (at, call) in calls.iter().enumerate().filter(|(at, _)| is_settled(*at)) {
            let duplicates: Vec<&SpanFacts> =
                joined.duplicates[at].iter().map(|span| &spans[*span]).collect();
            let mut late_children = None;
            if let Some((span, _)) = joined.by_call[at] {
                late_children = joined.late_children.get(&span);
                note_parity(&mut self.intake.scopes, call, &spans[span], symbols);
            }
            let is_asked = Cell::new(false);
            let (matched, semconv) = match joined.by_call[at] {
                Some((span, means)) => {
                    (Match::Span(&spans[span], means), catalogue().conventions(spans[span].semconv))
                }
                None => {
                    (Match::None(joined.absences[at]), self.intake.settings.default_conventions())
                }
            };
            let view = CallView {
                call,
                matched,
                duplicates: &duplicates,
                carried: joined.carried[at],
                late_children: late_children.map_or(&[], Vec::as_slice),
                attached: joined.by_call[at]
                    .and_then(|(span, _)| self.intake.attachments.of(spans[span].id)),
                spoken: Spoken { semconv, is_asked: &is_asked },
                symbols,
                settings: &self.intake.settings,
            };
            let mut found: BTreeSet<&str> = match matched {
                Match::Span(span, _) => symbols.text(span.found).split_whitespace().collect(),
                Match::None(_) => BTreeSet::new(),
            };
            let scope = joined.by_call[at].map(|(span, _)| spans[span].scope_place);
            for check in &self.intake.active.call {
                is_asked.set(false);
                for finding in (check.check)(&view) {
                    let tally = match scope.filter(|_| is_asked.get()) {
                        Some(scope) => self.settled.by_version.of(scope, semconv.index),
                        None => &mut self.intake.tally,
                    };
                    tally.add(&check.rule, finding, || view.place());
                    found.insert(check.id());
                }
            }
            self.settled.truth.call(&view, &found);

            let served = call.usage();
            // Charged, but the client was never told how much: nothing to compare.
            let is_withheld = served != Usage::default() && !call.was_told_usage(symbols);
            if !is_withheld {
                *self.settled.served.entry(scope).or_default() += served;
            }
            let model = call.last().model;
            let sums = self.settled.by_model.entry(symbols.text(model).to_owned()).or_default();
            sums.calls += 1;
            sums.served += served;
            self.settled.join.calls += 1;
            self.intake.looks.calls += 1;
            if let Some((span, means)) = joined.by_call[at] {
                let billed = Billed { model: Some(model), is_withheld };
                called[span] = Some(Called { billed, sent: sent(call) });
                self.settled.join.matched += 1;
                *self.settled.join.by.entry(means).or_default() += 1;
            } else {
                self.settled.join.unmatched_calls += 1;
                let is_late = joined.absences[at] == Absence::Late;
                self.settled.join.late_calls += u64::from(is_late);
            }
        }
        called
    }

    /// Runs the rules about spans and what is around them for the spans that are settled. `joined`
    /// and `called` are of each span, or empty where no span has a call.
    fn settle_spans(
        &mut self,
        joined: &Joined,
        called: &[Option<Called>],
        is_settled: impl Fn(usize) -> bool,
    ) {
        let Judge { intake, window, settled, ledger, .. } = self;
        let standing = joined.standing(&window.spans);
        let recent = Recent { window, standing: &standing };
        for (at, span) in window.spans.iter().enumerate().filter(|(at, _)| is_settled(*at)) {
            let undertaking = joined.undertakings.get(&at).copied();
            let standing = recent.standing(at);
            let is_asked = Cell::new(false);
            let semconv = catalogue().conventions(span.semconv);
            let view = StandingView {
                span,
                standing,
                undertaking: undertaking.filter(|_| !span.lacks_inner),
                attached: intake.attachments.of(span.id),
                recent,
                spoken: Spoken { semconv, is_asked: &is_asked },
                has_ledger: ledger.is_there,
                symbols: &intake.symbols,
                settings: &intake.settings,
            };
            for check in &intake.active.standing {
                is_asked.set(false);
                for finding in (check.check)(&view) {
                    let tally = if is_asked.get() {
                        settled.by_version.of(span.scope_place, span.semconv)
                    } else {
                        &mut intake.tally
                    };
                    tally.add(&check.rule, finding, || span.place(&intake.symbols));
                }
            }
            let called = called.get(at).copied().flatten();
            if span.role.is_model_call() && called.is_none() {
                settled.join.unmatched_spans += 1;
                settled.join.late_spans += u64::from(standing == Standing::Late);
            }
            settled.spans.add(span, called);
            intake.attachments.forget(span.id);
            intake.looks.standings += 1;
        }
    }
}

/// When the stream of a call was sent, if its answer was one.
fn sent(call: &Call<'_>) -> Option<Sent> {
    let exchange = call.last();
    let (first, last_chunk) = (exchange.first_chunk?, exchange.last_chunk?);
    let first_wait = first.saturating_sub(exchange.arrived);
    Some(Sent { first_wait, spread: last_chunk.saturating_sub(first), last_chunk })
}

/// Notes for the scope of a call's span what that says, if the call was answered in full.
fn note_parity(scopes: &mut Scopes, call: &Call<'_>, span: &SpanFacts, symbols: &Symbols) {
    if span.role != Role::ModelCall || !call.was_told_usage(symbols) {
        return;
    }
    let exchange = call.last();
    let served = call.usage();
    let (sent, said) = (exchange.sampling, span.sampling);
    let facts = scopes.at(span.scope_place);
    let parity = facts.parity.entry(exchange.operation).or_default();
    parity.note(Telling::InputTokens, served.all_input_tokens() > 0, span.usage.input.is_some());
    parity.note(Telling::OutputTokens, served.output_tokens > 0, span.usage.output.is_some());
    let has_reasons = span.finish_reasons != FinishReasons::Absent;
    parity.note(Telling::FinishReasons, exchange.stop_reason.is_some(), has_reasons);
    parity.note(Telling::MaxTokens, sent.max_tokens.is_some(), said.max_tokens.is_some());
    parity.note(Telling::Temperature, sent.temperature.is_some(), said.temperature.is_some());
}
