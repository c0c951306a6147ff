//! What answers held, as the client's SDK read them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use spanproof_schemas::ledger::Usage;
use spanproof_schemas::price::PriceTable;
use spanproof_schemas::report::{LoadAnswers, LoadShare};
use spanproof_schemas::worker::Done;

static PRICES: LazyLock<PriceTable> = LazyLock::new(PriceTable::built_in);

/// How many tenants are told apart. Shares fall with their number, so that the rest is a small part.
const TOLD_TENANTS: u32 = 100;

/// How many stop reasons and kinds of errors are told apart; what a client makes up has no end.
const TOLD_ENDS: usize = 40;

/// What the rest of them is called.
const OTHERS: &str = "others";

/// Counts of answers.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    stop_reasons: BTreeMap<String, u64>,
    errors: BTreeMap<String, u64>,
    shares: BTreeMap<Whose, (u64, Usage)>,
}

/// Whose calls are counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Whose {
    pub(super) model: String,
    pub(super) tenant: Option<u32>,
    pub(super) feature: Option<String>,
}

impl Answers {
    /// Counts what `done` says of the answer to a call.
    pub(super) fn ended(&mut self, mut whose: Whose, done: &Done) {
        if let Some(reason) = &done.stop_reason {
            count(&mut self.stop_reasons, reason, 1);
        }
        if let Some(error) = &done.error {
            count(&mut self.errors, error, 1);
        }
        whose.tenant = whose.tenant.filter(|tenant| *tenant < TOLD_TENANTS);
        let (calls, tokens) = self.shares.entry(whose).or_default();
        *calls = calls.saturating_add(1);
        *tokens += done.usage.unwrap_or_default();
    }

    pub(super) fn merge(&mut self, other: &Answers) {
        for (reason, calls) in &other.stop_reasons {
            count(&mut self.stop_reasons, reason, *calls);
        }
        for (error, calls) in &other.errors {
            count(&mut self.errors, error, *calls);
        }
        for (whose, (more_calls, more_tokens)) in &other.shares {
            let (calls, tokens) = self.shares.entry(whose.clone()).or_default();
            *calls = calls.saturating_add(*more_calls);
            *tokens += *more_tokens;
        }
    }

    /// For the report.
    pub(super) fn told(&self) -> LoadAnswers {
        let shares = self.shares.iter().map(|(whose, (calls, tokens))| LoadShare {
            model: whose.model.clone(),
            tenant: whose.tenant,
            feature: whose.feature.clone(),
            calls: *calls,
            tokens: *tokens,
            usd: cost_usd(&whose.model, *tokens),
        });
        LoadAnswers {
            stop_reasons: self.stop_reasons.clone(),
            errors: self.errors.clone(),
            shares: shares.collect(),
        }
    }

    /// What a report tells.
    pub(super) fn of(told: &LoadAnswers) -> Answers {
        let shares = told.shares.iter().map(|share| {
            let LoadShare { model, tenant, feature, .. } = share.clone();
            let whose = Whose { model, tenant, feature };
            (whose, (share.calls, share.tokens))
        });
        Answers {
            stop_reasons: told.stop_reasons.clone(),
            errors: told.errors.clone(),
            shares: shares.collect(),
        }
    }

    /// How many calls ended in an error.
    pub(super) fn errors(&self) -> u64 {
        self.errors.values().sum()
    }

    /// All tokens, and what those cost whose price is known, in US dollars.
    pub(super) fn sum(&self) -> (Usage, f64) {
        let (mut sum, mut usd) = (Usage::default(), 0.0);
        for (whose, (_, tokens)) in &self.shares {
            sum += *tokens;
            usd += cost_usd(&whose.model, *tokens).unwrap_or_default();
        }
        (sum, usd)
    }
}

fn cost_usd(model: &str, tokens: Usage) -> Option<f64> {
    PRICES.price(model).map(|price| price.cost_usd(tokens))
}

fn count(ends: &mut BTreeMap<String, u64>, name: &str, calls: u64) {
    let is_told = ends.len() < TOLD_ENDS || ends.contains_key(name);
    let name = if is_told { name } else { OTHERS };
    let sum = ends.entry(name.to_owned()).or_default();
    *sum = sum.saturating_add(calls);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(stop_reason: Option<&str>, error: Option<&str>, input_tokens: u64) -> Done {
        Done {
            call: 0,
            started_unix_nanos: 0,
            first_chunk_unix_nanos: None,
            finished_unix_nanos: 1,
            error: error.map(str::to_owned),
            usage: Some(Usage { input_tokens, ..Usage::default() }),
            stop_reason: stop_reason.map(str::to_owned),
        }
    }

    fn whose(model: &str, tenant: u32) -> Whose {
        let feature = tenant.is_multiple_of(2).then(|| "summary".to_owned());
        Whose { model: model.to_owned(), tenant: Some(tenant), feature }
    }

    #[test]
    fn answers_are_counted_by_end_model_and_tenant_and_priced_where_there_is_a_price() {
        let haiku = "us.anthropic.claude-3-haiku-20240307-v1:0";
        let mut one = Answers::default();
        one.ended(whose(haiku, 0), &done(Some("end_turn"), None, 1_000_000));
        one.ended(whose(haiku, 250), &done(None, Some("ThrottlingException"), 0));
        let mut other = Answers::default();
        other.ended(whose("acme.unheard-of-v1:0", 3), &done(Some("end_turn"), None, 7));
        one.merge(&other);
        let told = one.told();
        assert_eq!(told.stop_reasons, [("end_turn".to_owned(), 2)].into());
        assert_eq!(told.errors, [("ThrottlingException".to_owned(), 1)].into());
        let shares: Vec<_> = told
            .shares
            .iter()
            .map(|share| (&*share.model, share.tenant, share.calls, share.usd))
            .collect();
        let wanted = [
            ("acme.unheard-of-v1:0", Some(3), 1, None),
            (haiku, None, 1, Some(0.0)),
            (haiku, Some(0), 1, Some(0.25)),
        ];
        assert_eq!(shares, wanted);
        assert_eq!(Answers::of(&told).told(), told);
        assert_eq!(one.sum().0.input_tokens, 1_000_007);
    }

    #[test]
    fn however_many_errors_a_client_makes_up_a_few_are_told_and_all_are_counted() {
        let mut answers = Answers::default();
        for number in 0..1_000 {
            let error = format!("error {number}");
            answers.ended(whose("m", 0), &done(None, Some(&error), 0));
        }
        let errors = answers.told().errors;
        assert_eq!(errors.len(), TOLD_ENDS + 1);
        assert_eq!(errors.values().sum::<u64>(), 1_000);
        assert_eq!(answers.errors(), 1_000);
    }
}
