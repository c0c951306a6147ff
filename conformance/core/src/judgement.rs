//! The end of a run: the rules about scopes and the run, and the sums.

use std::collections::BTreeMap;
use std::sync::Arc;

use spanproof_schemas::baseline::Counted;
use spanproof_schemas::ledger::Usage;
use spanproof_schemas::report::{
    Coverage, FindingGroup, Join, RuleOutcome, Telemetry, TruthTable, UsageComparison,
};

use crate::catalogue::catalogue;
use crate::excerpt::Excerpts;
use crate::judge::Judge;
use crate::model::Role;
use crate::outcome::outcomes;
use crate::scan::{Plantings, Scanner};
use crate::settled::Settled;
use crate::settlement::{Expected, settle};
use crate::span_sums::SpanSum;
use crate::symbol::Symbols;
use crate::usage;

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement {
    /// How much telemetry there was.
    pub telemetry: Telemetry,
    /// The versions that GenAI spans were judged by, with the number of spans of each.
    pub semconv: BTreeMap<String, u64>,
    /// How calls and spans were brought together; nothing without a ledger.
    pub join: Option<Join>,
    /// What was found and is not expected, worst first, then by rule id and message.
    pub findings: Vec<FindingGroup>,
    /// What became of each deviation that the user expects, in their order.
    pub deviations: Vec<Expected>,
    /// Each line of the baseline, and what became of it: in the order of the baseline, or sorted
    /// where one is made of what is found.
    pub baseline: Vec<(Counted, Expected)>,
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
    plantings: Plantings,
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
        judge.settle_all();
        let Judge { mut intake, settled, ledger, plantings, .. } = judge;
        let Settled { spans, join, served, by_model, by_version, truth, astray } = settled;
        let by_version = by_version.into_tally(&mut intake);
        let served = intake.expected_usage(&served);
        let spans = spans.into_sorted(&intake.scopes, intake.settings.semconv, &intake.symbols);
        intake.check_scopes();
        intake.check_run(&spans, &astray);
        let scanner = Arc::clone(&intake.scanner);
        let mask = |text: &mut String| scanner.mask(text);
        let looks = intake.looks();
        let mut tally = intake.tally;
        tally.merge(by_version);
        tally.merge(intake.met.into_tally());
        tally.merge(intake.met_points.into_tally());
        tally.merge(intake.met_exports.into_tally());
        let settlement = settle(tally, &intake.settings.expectations, mask);
        let mut judgement = Judgement {
            telemetry: intake.telemetry,
            semconv: BTreeMap::new(),
            join: ledger.is_there.then_some(join),
            usage: UsageComparison { served, ..UsageComparison::default() },
            calls_by_model: by_model,
            rules: outcomes(&intake.settings, looks, &settlement),
            truth: ledger.is_there.then(|| truth.into_table(mask)),
            coverage: intake.coverage.into_coverage(),
            findings: settlement.findings,
            deviations: settlement.deviations,
            baseline: settlement.baseline,
            plantings,
        };
        judgement.add_spans(&spans, &intake.symbols);
        judgement
    }

    /// A collector of the traces around the examples of the findings, to be given all of the
    /// telemetry once more: the judge keeps no spans.
    #[must_use]
    pub fn excerpts(&self) -> Excerpts {
        Excerpts::new(&self.findings, Scanner::new(&self.plantings))
    }

    fn add_spans(&mut self, spans: &[SpanSum], symbols: &Symbols) {
        let mut names_cache_tokens = false;
        for sum in spans {
            let semconv = catalogue().conventions(sum.semconv);
            if !matches!(sum.role, Role::Foreign(_)) {
                let version = semconv.version.as_str().to_owned();
                *self.semconv.entry(version).or_default() += sum.count;
            }
            if !sum.role.is_model_call() {
                continue;
            }
            if !sum.billed.is_withheld {
                usage::add(&mut self.usage.reported, usage::reported(sum));
            }
            let stating = sum.cache_read.spans + sum.cache_write.spans;
            names_cache_tokens |= semconv.names_cache_tokens || stating > 0;
            let model = symbols.option(sum.billed.model).unwrap_or_default().to_owned();
            self.calls_by_model.entry(model).or_default().reported +=
                usage::as_served(sum, semconv);
        }
        let has_calls = spans.iter().any(|sum| sum.role.is_model_call());
        self.usage.cache_tokens_unnamed = has_calls && !names_cache_tokens;
    }
}
