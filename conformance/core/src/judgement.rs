//! The end of a run: joining, the rules about calls, scopes and the run, and the sums.

use std::collections::{BTreeMap, BTreeSet};

use spanproof_schemas::ledger::Usage;
use spanproof_schemas::report::{
    Coverage, FindingGroup, Join, RuleOutcome, Subject, Telemetry, TokenCounts, TruthTable,
    UsageComparison,
};

use crate::call::Call;
use crate::catalogue::{Conventions, catalogue};
use crate::dialect;
use crate::excerpt::Excerpts;
use crate::join::{Joined, join};
use crate::judge::Judge;
use crate::metric_sums::Summed;
use crate::model::{Role, SpanFacts};
use crate::outcome::outcomes;
use crate::scan::Scanner;
use crate::settings::Choice;
use crate::truth_table::Rows;
use crate::usage;
use crate::view::{CallView, Match, RunView, ScopeView, Standing};

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement {
    /// How much telemetry there was.
    pub telemetry: Telemetry,
    /// The versions that GenAI spans were judged by, with the number of spans of each.
    pub semconv: BTreeMap<String, u64>,
    /// How calls and spans were brought together; nothing without a ledger.
    pub join: Option<Join>,
    /// What was found, worst first, then by rule id and message.
    pub findings: Vec<FindingGroup>,
    /// Tokens served and reported, counted as the judged versions count them.
    pub usage: UsageComparison,
    /// Calls and tokens by model id, counted as the service counts them.
    pub calls_by_model: BTreeMap<String, ModelUsage>,
    /// Every rule, by id, and what became of it.
    pub rules: Vec<RuleOutcome>,
    /// Calls beside their spans; nothing without a ledger.
    pub truth: Option<TruthTable>,
    /// Which attributes GenAI spans carry.
    pub coverage: Vec<Coverage>,
    marker_stems: Vec<String>,
}

/// The calls of one model, and their tokens as the service counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModelUsage {
    /// Calls of the ledger.
    pub calls: u64,
    /// Tokens served.
    pub served: Usage,
    /// Tokens that spans report.
    pub reported: Usage,
}

impl Judgement {
    pub(crate) fn of(mut judge: Judge) -> Judgement {
        let mut exchanges = std::mem::take(&mut judge.exchanges);
        exchanges.sort_by(|a, b| {
            (a.sequence, a.arrived, &a.request_id).cmp(&(b.sequence, b.arrived, &b.request_id))
        });
        let mut spans = std::mem::take(&mut judge.spans);
        // An export that was retried delivers its spans twice.
        spans.sort_by(|a, b| order(a, &judge).cmp(&order(b, &judge)));
        spans.dedup_by(|later, first| later.id == first.id);

        judge.settle_versions(&mut spans);
        let calls = Call::group(&exchanges);
        let joined = join(&calls, &spans, &judge.nodes, &judge.symbols);
        let truth = judge.check_calls(&calls, &spans, &joined);
        judge.check_scopes();
        judge.check_run(&spans, &joined);
        let (usage, calls_by_model) = judge.sums(&calls, &spans, &joined);

        let mut semconv = BTreeMap::new();
        for span in spans.iter().filter(|span| !matches!(span.role, Role::Foreign(_))) {
            let version = catalogue().conventions(span.semconv).version.as_str();
            *semconv.entry(version.to_owned()).or_default() += 1;
        }
        judge.looks.calls = calls.len() as u64;
        judge.looks.scopes = judge.scopes.all.len() as u64;
        judge.looks.metric_streams = [Summed::TokenUsage, Summed::Duration]
            .map(|metric| judge.metrics.streams(metric).count() as u64)
            .iter()
            .sum();
        let scanner = judge.scanner;
        let mask = |text: &mut String| {
            if let Some(scanner) = &scanner {
                scanner.mask(text);
            }
        };
        let findings = judge.tally.into_groups(mask);
        Judgement {
            telemetry: judge.telemetry,
            semconv,
            join: judge.has_ledger.then(|| summary(&spans, &joined)),
            usage,
            calls_by_model,
            rules: outcomes(&judge.settings, judge.looks, &findings),
            truth: judge.has_ledger.then(|| truth.into_table(mask)),
            coverage: judge.coverage.into_coverage(),
            findings,
            marker_stems: judge.marker_stems,
        }
    }

    /// A collector of the traces around the examples of the findings, to be given all of the
    /// telemetry once more: the judge keeps no spans.
    #[must_use]
    pub fn excerpts(&self) -> Excerpts {
        Excerpts::new(&self.findings, Scanner::new(&self.marker_stems))
    }
}

/// What each span is beside the ledger.
fn standing(joined: &Joined) -> Vec<Standing> {
    let mut standing: Vec<Standing> = joined
        .by_span
        .iter()
        .map(|joined| if *joined { Standing::Joined } else { Standing::Free })
        .collect();
    for duplicate in joined.duplicates.iter().flatten() {
        standing[*duplicate] = Standing::Duplicate;
    }
    standing
}

/// What spans are sorted by; the texts stand for the symbols, whose order is that of ingestion.
fn order<'a>(span: &'a SpanFacts, judge: &'a Judge) -> impl Ord + 'a {
    let text = |symbol| judge.symbols.text(symbol);
    let usage = span.usage;
    (
        (span.id, span.start, span.end, text(span.name), text(span.scope)),
        (usage.input, usage.output, usage.cache_read, usage.cache_write),
        (&span.response_id, &span.request_id, &span.invocation_id),
    )
}

fn summary(spans: &[SpanFacts], joined: &Joined) -> Join {
    let mut by = BTreeMap::new();
    for (_, means) in joined.by_call.iter().flatten() {
        *by.entry(*means).or_default() += 1;
    }
    let matched = joined.by_call.iter().flatten().count() as u64;
    let free = |(at, span): (usize, &SpanFacts)| span.role.is_model_call() && !joined.by_span[at];
    Join {
        calls: joined.by_call.len() as u64,
        matched,
        unmatched_calls: joined.by_call.len() as u64 - matched,
        unmatched_spans: spans.iter().enumerate().filter(|item| free(*item)).count() as u64,
        by,
    }
}

impl Judge {
    /// The version for what has no span to tell: the required one, else the newest.
    fn default_conventions(&self) -> &'static Conventions {
        match self.settings.semconv {
            Choice::Required(version) => catalogue().of(version),
            Choice::Auto => catalogue().newest(),
        }
    }

    /// Gives each span the version that its scope speaks as a whole. A scope may use a newer name
    /// on some spans only; what is counted over its spans must be counted in one way.
    fn settle_versions(&self, spans: &mut [SpanFacts]) {
        let versions: Vec<_> =
            (0..self.scopes.all.len()).map(|place| self.scope_versions(place).1.index).collect();
        for span in spans {
            span.semconv = versions[span.scope_place];
        }
    }

    /// The versions that the scope at a place speaks and is judged by.
    fn scope_versions(&self, place: usize) -> (&'static Conventions, &'static Conventions) {
        let (_, schema_url, facts) = &self.scopes.all[place];
        let stated = catalogue().stated_by(self.symbols.text(*schema_url));
        let spoken = dialect::spoken(stated, facts.fingerprint);
        (spoken, dialect::judged(self.settings.semconv, stated, facts.fingerprint))
    }

    fn check_calls(&mut self, calls: &[Call<'_>], spans: &[SpanFacts], joined: &Joined) -> Rows {
        let mut rows = Rows::default();
        for (at, call) in calls.iter().enumerate() {
            let duplicates: Vec<&SpanFacts> =
                joined.duplicates[at].iter().map(|span| &spans[*span]).collect();
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
                semconv,
                symbols: &self.symbols,
                settings: &self.settings,
            };
            let mut found: BTreeSet<&str> = match matched {
                Match::Span(span, _) => self.symbols.text(span.found).split_whitespace().collect(),
                Match::None(_) => BTreeSet::new(),
            };
            for check in &self.active.call {
                for finding in (check.check)(&view) {
                    self.tally.add(check.rule, check.fixed, finding, || view.subject());
                    found.insert(check.rule.id);
                }
            }
            rows.call(&view, &found);
        }
        rows
    }

    fn check_scopes(&mut self) {
        for (place, (name, schema_url, facts)) in self.scopes.all.iter().enumerate() {
            let schema_url = self.symbols.text(*schema_url);
            let name = self.symbols.text(*name);
            let (spoken, semconv) = self.scope_versions(place);
            let view =
                ScopeView { name, schema_url, facts, spoken, semconv, settings: &self.settings };
            for check in &self.active.scope {
                for finding in (check.check)(&view) {
                    self.tally.add(check.rule, check.fixed, finding, || Subject {
                        scope: Some(name.to_owned()).filter(|name| !name.is_empty()),
                        ..Subject::default()
                    });
                }
            }
        }
    }

    fn check_run(&mut self, spans: &[SpanFacts], joined: &Joined) {
        let view = RunView {
            spans,
            standing: &standing(joined),
            has_ledger: self.has_ledger,
            metrics: &self.metrics,
            symbols: &self.symbols,
            settings: &self.settings,
        };
        for check in &self.active.run {
            for finding in (check.check)(&view) {
                self.tally.add(check.rule, check.fixed, finding, Subject::default);
            }
        }
    }

    fn sums(
        &self,
        calls: &[Call<'_>],
        spans: &[SpanFacts],
        joined: &Joined,
    ) -> (UsageComparison, BTreeMap<String, ModelUsage>) {
        let mut comparison = UsageComparison::default();
        let mut by_model: BTreeMap<String, ModelUsage> = BTreeMap::new();
        let mut sent_by_span = vec![None; spans.len()];
        for (call, joined) in calls.iter().zip(&joined.by_call) {
            let semconv = joined.map_or_else(
                || self.default_conventions(),
                |(span, _)| catalogue().conventions(spans[span].semconv),
            );
            let served = call.usage();
            // Charged, but the client was never told how much: nothing to compare.
            let is_withheld = served != Usage::default() && !call.was_told_usage(&self.symbols);
            if !is_withheld {
                add(&mut comparison.served, usage::expected(served, semconv));
            }
            let model = call.last().model;
            if let Some((span, _)) = joined {
                sent_by_span[*span] = Some((model, is_withheld));
            }
            let sums = by_model.entry(self.symbols.text(model).to_owned()).or_default();
            sums.calls += 1;
            sums.served += served;
        }
        for (span, sent) in spans.iter().zip(sent_by_span) {
            if !span.role.is_model_call() {
                continue;
            }
            let semconv = catalogue().conventions(span.semconv);
            if !sent.is_some_and(|(_, is_withheld)| is_withheld) {
                add(&mut comparison.reported, usage::reported(span.usage, semconv));
            }
            let sent = sent.map(|(model, _)| model);
            let model = sent.or(span.model).map_or("", |model| self.symbols.text(model));
            by_model.entry(model.to_owned()).or_default().reported +=
                usage::as_served(span.usage, semconv);
        }
        (comparison, by_model)
    }
}

fn add(sum: &mut TokenCounts, more: TokenCounts) {
    // Telemetry may state any number; a sum that cannot be is the largest one.
    let add = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
    add(&mut sum.input_tokens, more.input_tokens);
    add(&mut sum.output_tokens, more.output_tokens);
    add(&mut sum.cache_read_input_tokens, more.cache_read_input_tokens);
    add(&mut sum.cache_write_input_tokens, more.cache_write_input_tokens);
}
