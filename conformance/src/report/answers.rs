//! What a load's answers held, put together in the ways that reports show it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use spanproof_schemas::ledger::Usage;
use spanproof_schemas::report::{LoadAnswers, LoadShare};

/// How many of a kind are shown; the rest is put together.
const SHOWN: usize = 12;

/// Calls that are counted together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) calls: u64,
    pub(super) tokens: Usage,
    /// Nothing where no price of what was called is known.
    pub(super) usd: Option<f64>,
}

/// By model, the dearest first.
pub(super) fn by_model(answers: &LoadAnswers) -> Vec<Part> {
    parts(answers, |share| share.model.clone())
}

/// By tenant, the dearest first; nothing where there are no two.
pub(super) fn by_tenant(answers: &LoadAnswers) -> Vec<Part> {
    let parts = parts(answers, |share| match share.tenant {
        Some(tenant) => format!("tenant {tenant}"),
        None => "other tenants".to_owned(),
    });
    if parts.len() < 2 { Vec::new() } else { parts }
}

/// By feature, the dearest first; nothing where there are no two.
pub(super) fn by_feature(answers: &LoadAnswers) -> Vec<Part> {
    let parts = parts(answers, |share| {
        share.feature.clone().unwrap_or_else(|| "for no feature".to_owned())
    });
    if parts.len() < 2 { Vec::new() } else { parts }
}

/// Counts by name, the largest first.
pub(super) fn counts(by_name: &BTreeMap<String, u64>) -> Vec<(&str, u64)> {
    let mut counts: Vec<(&str, u64)> =
        by_name.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let rest = counts.split_off(counts.len().min(SHOWN));
    let sum = rest.iter().fold(0, |sum: u64, (_, count)| sum.saturating_add(*count));
    counts.extend((sum > 0).then_some(("all others", sum)));
    counts
}

/// What all of them cost, where any price is known.
pub(super) fn usd(parts: &[Part]) -> Option<f64> {
    parts.iter().filter_map(|part| part.usd).reduce(|sum, usd| sum + usd)
}

fn parts(answers: &LoadAnswers, name: impl Fn(&LoadShare) -> String) -> Vec<Part> {
    let mut parts: BTreeMap<String, Part> = BTreeMap::new();
    for share in &answers.shares {
        let name = name(share);
        parts.entry(name.clone()).or_insert_with(|| Part { name, ..Part::default() }).add(&Part {
            name: String::new(),
            calls: share.calls,
            tokens: share.tokens,
            usd: share.usd,
        });
    }
    let mut parts: Vec<Part> = parts.into_values().collect();
    parts.sort_by(dearest_first);
    let rest = parts.split_off(parts.len().min(SHOWN));
    if !rest.is_empty() {
        let mut others = Part { name: "all others".to_owned(), ..Part::default() };
        for part in &rest {
            others.add(part);
        }
        parts.push(others);
    }
    parts
}

fn dearest_first(one: &Part, other: &Part) -> Ordering {
    let usd = |part: &Part| part.usd.unwrap_or(-1.0);
    usd(other).total_cmp(&usd(one)).then(other.calls.cmp(&one.calls))
}

impl Part {
    fn add(&mut self, more: &Part) {
        self.calls = self.calls.saturating_add(more.calls);
        self.tokens += more.tokens;
        self.usd = match (self.usd, more.usd) {
            (Some(usd), Some(more)) => Some(usd + more),
            (one, other) => one.or(other),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(model: &str, tenant: Option<u32>, calls: u64, usd: Option<f64>) -> LoadShare {
        LoadShare { model: model.to_owned(), tenant, calls, usd, ..LoadShare::default() }
    }

    #[test]
    fn shares_are_put_together_by_model_and_by_tenant_the_dearest_first() {
        let shares = vec![
            share("a", Some(0), 2, Some(1.0)),
            share("a", None, 1, Some(0.5)),
            share("b", Some(0), 7, Some(2.0)),
            share("c", Some(1), 9, None),
        ];
        let answers = LoadAnswers { shares, ..LoadAnswers::default() };
        let told = |parts: Vec<Part>| {
            parts.into_iter().map(|part| (part.name, part.calls, part.usd)).collect::<Vec<_>>()
        };
        let named = |name: &str, calls, usd| (name.to_owned(), calls, usd);
        let by_model = by_model(&answers);
        assert_eq!(usd(&by_model), Some(3.5));
        assert_eq!(
            told(by_model),
            [named("b", 7, Some(2.0)), named("a", 3, Some(1.5)), named("c", 9, None)]
        );
        assert_eq!(
            told(by_tenant(&answers)),
            [
                named("tenant 0", 9, Some(3.0)),
                named("other tenants", 1, Some(0.5)),
                named("tenant 1", 9, None)
            ]
        );
    }

    #[test]
    fn of_many_the_largest_are_told_and_the_rest_is_not_lost() {
        let many: BTreeMap<String, u64> = (0..50).map(|at| (format!("{at:02}"), at)).collect();
        let counts = counts(&many);
        assert_eq!((counts[0], counts.len()), (("49", 49), SHOWN + 1));
        assert_eq!(counts.iter().map(|(_, count)| count).sum::<u64>(), 49 * 25);
    }
}
