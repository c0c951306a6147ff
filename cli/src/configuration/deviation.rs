//! `[[expected-deviations]]`: what a project knows to be wrong, and why that is all right for now.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context as _, bail};
use conformance_core::rules::RULES;
use conformance_core::{Expectation, Facet, Settings};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use spanproof_schemas::glob;
use toml::Spanned;
use toml::value::{Date, Datetime};

/// An entry as it is written. Each of the keys that select findings is a pattern, in which `*`
/// stands for any text.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    rename_all = "kebab-case",
    expecting = "an expected deviation is a table of `rule`, `reason` and what findings must match"
)]
pub(crate) struct DeviationTable {
    rule: String,
    reason: String,
    scope: Option<String>,
    span: Option<String>,
    span_type: Option<String>,
    metric: Option<String>,
    event: Option<String>,
    attribute: Option<String>,
    operation: Option<String>,
    model: Option<String>,
    message: Option<String>,
    count: Option<CountTable>,
    #[serde(default, deserialize_with = "date")]
    expires: Option<Date>,
}

/// `count = 3`, or `count = { min = 0, max = 5 }`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged, expecting = "a count is a number, or a table of `min` and `max`")]
enum CountTable {
    Exactly(u64),
    Between(BetweenTable),
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BetweenTable {
    min: Option<u64>,
    max: Option<u64>,
}

/// An entry, and the line of the file that it begins in, from 1.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) line: u64,
    pub(crate) rule: String,
    pub(crate) reason: String,
    pub(crate) matching: BTreeMap<Facet, String>,
    pub(crate) least: u64,
    pub(crate) most: Option<u64>,
    /// The last day on which it is expected, `YYYY-MM-DD`.
    pub(crate) expires: Option<String>,
}

/// The entries of a file, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entries(pub(crate) Vec<Entry>);

impl Entries {
    /// Reads what `text` has of them, which is the whole file.
    ///
    /// # Errors
    ///
    /// If one of them could never hold; the error names its line.
    pub(super) fn read(
        tables: Vec<Spanned<DeviationTable>>,
        text: &str,
        path: &Path,
    ) -> anyhow::Result<Self> {
        let entries = tables.into_iter().map(|table| {
            let line = line(text, &table.span());
            entry(line, table.into_inner()).with_context(|| format!("{}:{line}", path.display()))
        });
        entries.collect::<anyhow::Result<_>>().map(Entries)
    }

    /// Refuses entries whose rules `settings` turn off: they can only be stale. `path` is the file.
    pub(super) fn check(&self, settings: &Settings, path: &Path) -> anyhow::Result<()> {
        for Entry { line, rule, .. } in &self.0 {
            let mut own = RULES.iter().filter(|known| glob::fits(rule, known.id));
            if own.all(|known| settings.level_override(known.id) == Some(None)) {
                bail!(
                    "{}:{line}: `{rule}` is off, so that nothing of it can be expected; remove \
                     this entry, or the line of the rule in [rules]",
                    path.display()
                );
            }
        }
        Ok(())
    }
}

impl Entry {
    /// What the judge is told: `today` is `YYYY-MM-DD`.
    pub(crate) fn expectation(&self, today: &str) -> Expectation {
        Expectation {
            rule: self.rule.clone(),
            matching: self.matching.clone(),
            least: self.least,
            most: self.most,
            is_expired: self.expires.as_deref().is_some_and(|last| last < today),
        }
    }
}

fn line(text: &str, span: &Range<usize>) -> u64 {
    let before = text.as_bytes().get(..span.start).unwrap_or_default();
    before.split(|byte| *byte == b'\n').count() as u64
}

fn entry(line: u64, table: DeviationTable) -> anyhow::Result<Entry> {
    let DeviationTable { rule, reason, count, expires, .. } = &table;
    if !RULES.iter().any(|known| glob::fits(rule, known.id)) {
        bail!("no rule has the id `{rule}`; `spanproof rules` lists the rules");
    }
    if reason.trim().is_empty() {
        bail!("the reason is empty; say why the deviation is expected");
    }
    let (least, most) = match count {
        None => (1, None),
        Some(CountTable::Exactly(0)) => {
            bail!("a count of 0 expects nothing; remove the entry")
        }
        Some(CountTable::Exactly(count)) => (*count, Some(*count)),
        Some(CountTable::Between(BetweenTable { min, max })) => (min.unwrap_or(1), *max),
    };
    if most.is_some_and(|most| most < least || most == 0) {
        bail!("`max` is less than `min`, so that no count fits");
    }
    let (rule, reason) = (rule.clone(), reason.trim().to_owned());
    let expires = expires.as_ref().map(ToString::to_string);
    let given = table.matching();
    if let Some((facet, _)) = given.iter().find(|(_, pattern)| pattern.is_empty()) {
        let key = facet.as_str();
        bail!("`{key}` is empty and fits nothing; leave it out to take any {key}");
    }
    Ok(Entry { line, rule, reason, matching: given, least, most, expires })
}

impl DeviationTable {
    fn matching(self) -> BTreeMap<Facet, String> {
        let given = [
            (Facet::Scope, self.scope),
            (Facet::Span, self.span),
            (Facet::SpanType, self.span_type),
            (Facet::Metric, self.metric),
            (Facet::Event, self.event),
            (Facet::Attribute, self.attribute),
            (Facet::Operation, self.operation),
            (Facet::Model, self.model),
            (Facet::Message, self.message),
        ];
        given.into_iter().filter_map(|(facet, pattern)| Some((facet, pattern?))).collect()
    }
}

/// A day without a time: `expires = 2026-12-31`.
fn date<'d, D: Deserializer<'d>>(input: D) -> Result<Option<Date>, D::Error> {
    let written = Datetime::deserialize(input)?;
    match written {
        Datetime { date: Some(date), time: None, offset: None } => Ok(Some(date)),
        _ => Err(D::Error::custom(format!(
            "`{written}` is not a day such as 2026-12-31: an entry expires when its last day ends"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct File {
        expected_deviations: Vec<Spanned<DeviationTable>>,
    }

    fn read(text: &str) -> anyhow::Result<Entries> {
        Entries::read(toml::from_str::<File>(text)?.expected_deviations, text, Path::new("x.toml"))
    }

    #[test]
    fn an_entry_knows_its_line() {
        let text = "# first\n\n[[expected-deviations]]\nrule = \"usage/*\"\nreason = \"x\"\n\n\
                    [[expected-deviations]]\nrule = \"kind/span-kind\"\nreason = \"y\"\n";
        let lines: Vec<u64> = read(text).unwrap().0.iter().map(|entry| entry.line).collect();
        assert_eq!(lines, [3, 7]);
    }

    #[test]
    fn a_count_is_a_number_or_a_range() {
        let counts = |count: &str| {
            let text = format!(
                "[[expected-deviations]]\nrule = \"usage/*\"\nreason = \"x\"\ncount = {count}"
            );
            read(&text).map(|entries| (entries.0[0].least, entries.0[0].most))
        };
        assert_eq!(counts("3").unwrap(), (3, Some(3)));
        assert_eq!(counts("{ min = 0, max = 5 }").unwrap(), (0, Some(5)));
        assert_eq!(counts("{ max = 5 }").unwrap(), (1, Some(5)));
        for none in ["0", "-1", "{ min = 3, max = 2 }", "{ max = 0 }", "{ least = 1 }", "\"3\""] {
            assert!(counts(none).is_err(), "{none}");
        }
    }

    #[test]
    fn an_entry_is_expected_until_its_last_day_ends() {
        let text = "[[expected-deviations]]\nrule = \"usage/*\"\nreason = \"x\"\n\
                    expires = 2026-12-31";
        let entry = read(text).unwrap().0.remove(0);
        assert!(!entry.expectation("2026-12-31").is_expired);
        assert!(entry.expectation("2027-01-01").is_expired);
    }
}
