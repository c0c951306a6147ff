//! Settling: when it is known what spans and calls stand for, the rules about them run, they are
//! added to the sums, and nothing else of them is kept.

use std::collections::{BTreeMap, BTreeSet};

use spanproof_schemas::ledger::Usage;
use spanproof_schemas::report::{Join, TokenCounts};

use crate::attached::Attached;
use crate::call::Call;
use crate::catalogue::{Conventions, VersionIndex, catalogue};
use crate::join::{Joined, join};
use crate::judge::Judge;
use crate::judgement::ModelUsage;
use crate::model::{FinishReasons, Role, SpanFacts, SpanId};
use crate::scopes::Scopes;
use crate::settings::Choice;
use crate::span_sums::{Billed, SpanSums};
use crate::symbol::Symbols;
use crate::truth_table::Rows;
use crate::usage;
use crate::view::{CallView, Match, Recent, StandingView, Telling};

/// What settled spans and calls came to.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub(crate) spans: SpanSums,
    pub(crate) join: Join,
    /// Tokens served, counted as the judged versions count them.
    pub(crate) served: TokenCounts,
    /// Calls and tokens served, by model id as sent.
    pub(crate) by_model: BTreeMap<String, ModelUsage>,
    /// Calls beside their spans.
    pub(crate) truth: Rows,
    /// What is attached to spans that are no GenAI spans.
    pub(crate) astray: BTreeMap<SpanId, Attached>,
}

impl Judge {
    /// Settles what has been looked at for long enough.
    pub(crate) fn advance(&mut self) {
        for span in self.intake.spans.drain(..) {
            self.window.add(span, &self.intake.symbols);
        }
        self.window.nodes.append(&mut self.intake.nodes);
        while !self.ledger.is_there && self.window.is_full() {
            self.settle_versions();
            self.settle_spans(Judge::WINDOW, &Joined::default(), &[]);
        }
    }

    /// Settles everything.
    pub(crate) fn settle_all(&mut self) {
        let mut exchanges = std::mem::take(&mut self.ledger.exchanges);
        exchanges.sort_by(|a, b| {
            (a.sequence, a.arrived, &a.request_id).cmp(&(b.sequence, b.arrived, &b.request_id))
        });
        self.window.sort(&self.intake.symbols);
        self.settle_versions();
        let calls = Call::group(&exchanges);
        let symbols = &self.intake.symbols;
        let joined = join(&calls, &self.window.spans, &self.window.nodes, symbols);
        let attached = |id| Some((id, self.intake.attachments.of(id)?.clone()));
        let others = self.window.nodes.iter().filter_map(|node| attached(node.id));
        self.settled.astray = others.collect();
        let billed = self.settle_calls(&calls, &joined);
        self.settle_spans(self.window.spans.len(), &joined, &billed);
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

    /// Runs the rules about calls, and says for each span whose call it is.
    fn settle_calls(&mut self, calls: &[Call<'_>], joined: &Joined) -> Vec<Option<Billed>> {
        let spans = &self.window.spans;
        let symbols = &self.intake.symbols;
        let mut billed = vec![None; spans.len()];
        for (at, call) in calls.iter().enumerate() {
            let duplicates: Vec<&SpanFacts> =
                joined.duplicates[at].iter().map(|span| &spans[*span]).collect();
            let mut late_children = None;
            if let Some((span, _)) = joined.by_call[at] {
                late_children = joined.late_children.get(&span);
                note_parity(&mut self.intake.scopes, call, &spans[span], symbols);
            }
            let (matched, semconv) = match joined.by_call[at] {
                Some((span, means)) => {
                    (Match::Span(&spans[span], means), catalogue().conventions(spans[span].semconv))
                }
                None => (Match::None(joined.absences[at]), self.default_conventions()),
            };
            let view = CallView {
                call,
                matched,
                duplicates: &duplicates,
                carried: joined.carried[at],
                late_children: late_children.map_or(&[], Vec::as_slice),
                attached: joined.by_call[at]
                    .and_then(|(span, _)| self.intake.attachments.of(spans[span].id)),
                semconv,
                symbols,
                settings: &self.intake.settings,
            };
            let mut found: BTreeSet<&str> = match matched {
                Match::Span(span, _) => symbols.text(span.found).split_whitespace().collect(),
                Match::None(_) => BTreeSet::new(),
            };
            for check in &self.intake.active.call {
                for finding in (check.check)(&view) {
                    let tally = &mut self.intake.tally;
                    tally.add(&check.rule, finding, || view.place());
                    found.insert(check.id());
                }
            }
            self.settled.truth.call(&view, &found);

            let served = call.usage();
            // Charged, but the client was never told how much: nothing to compare.
            let is_withheld = served != Usage::default() && !call.was_told_usage(symbols);
            if !is_withheld {
                usage::add(&mut self.settled.served, usage::expected(served, semconv));
            }
            let model = call.last().model;
            let sums = self.settled.by_model.entry(symbols.text(model).to_owned()).or_default();
            sums.calls += 1;
            sums.served += served;
            self.settled.join.calls += 1;
            self.intake.looks.calls += 1;
            if let Some((span, means)) = joined.by_call[at] {
                billed[span] = Some(Billed { model: Some(model), is_withheld });
                self.settled.join.matched += 1;
                *self.settled.join.by.entry(means).or_default() += 1;
            } else {
                self.settled.join.unmatched_calls += 1;
            }
        }
        billed
    }

    /// Runs the rules about spans and what is around them for the oldest spans, and forgets these.
    /// `joined` and `billed` are of each span, or empty where no span has a call.
    fn settle_spans(&mut self, oldest: usize, joined: &Joined, billed: &[Option<Billed>]) {
        let Judge { intake, window, settled, ledger, .. } = self;
        let standing = joined.standing();
        let recent = Recent { spans: &window.spans, standing: &standing, by_id: &window.by_id };
        for (at, span) in window.spans[..oldest].iter().enumerate() {
            let view = StandingView {
                span,
                standing: recent.standing(at),
                undertaking: joined.undertakings.get(&at).copied(),
                attached: intake.attachments.of(span.id),
                recent,
                has_ledger: ledger.is_there,
                symbols: &intake.symbols,
                settings: &intake.settings,
            };
            for check in &intake.active.standing {
                for finding in (check.check)(&view) {
                    intake.tally.add(&check.rule, finding, || span.place(&intake.symbols));
                }
            }
            let billed = billed.get(at).copied().flatten();
            if span.role.is_model_call() && billed.is_none() {
                settled.join.unmatched_spans += 1;
            }
            let own = Billed { model: span.model, is_withheld: false };
            settled.spans.add(span, billed.unwrap_or(own));
            intake.attachments.forget(span.id);
        }
        intake.looks.standings += oldest as u64;
        window.forget(oldest);
    }

    /// The version for what has no span to tell: the required one, else the newest
    /// release.
    pub(crate) fn default_conventions(&self) -> &'static Conventions {
        match self.intake.settings.semconv {
            Choice::Required(version) => catalogue().of(version),
            Choice::Auto => catalogue().newest_release(),
        }
    }
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
