//! How fast models answer where a user says otherwise than the catalogue.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use crate::catalogue;
use crate::model::Model;
use crate::timing::Pace;

/// The name that stands for every model.
const EVERY_MODEL: &str = "*";

/// What is to differ from the catalogue in how fast a model answers. Times are simulated: the speed
/// of the server scales them. A spread, or sigma, is the standard deviation of the logarithm; 0
/// makes every draw the median.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(
    default,
    deny_unknown_fields,
    rename_all = "kebab-case",
    expecting = "the timing of a model is a table, such as { tokens-per-second = 40.0 }"
)]
pub struct PaceOverride {
    /// Median of the time to the first token, in milliseconds.
    pub first_token_median_ms: Option<f64>,
    /// Spread of the time to the first token.
    pub first_token_sigma: Option<f64>,
    /// Median of the speed of generation after the first token.
    pub tokens_per_second: Option<f64>,
    /// Spread of that speed from one answer to the next.
    pub tokens_per_second_sigma: Option<f64>,
    /// Spread of the time between two chunks of a stream.
    pub gap_sigma: Option<f64>,
}

/// A pace that no model can have.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PaceError {
    /// The catalogue has no such model.
    #[error(
        "the timing of `{0}` is overridden, which is no model's id; name one without a region's prefix, or `*` for every model"
    )]
    UnknownModel(String),
    /// A median is not above zero, or a spread is below.
    #[error(
        "the timing of `{model}` has a {name} of {value}: medians are above 0, spreads from 0 to 5"
    )]
    OutOfRange {
        /// The model as it was named.
        model: String,
        /// The setting.
        name: &'static str,
        /// What it was set to.
        value: f64,
    },
}

/// The pace of every model.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pacing {
    /// Those that differ from the catalogue.
    overridden: HashMap<&'static str, Pace>,
}

impl Pacing {
    /// The catalogue's paces but for `overrides`, of which that for `*` comes first and is amended
    /// by the one for a model.
    ///
    /// # Errors
    ///
    /// For models that are not in the catalogue, and values that no pace can have.
    pub(crate) fn new(overrides: &BTreeMap<String, PaceOverride>) -> Result<Self, PaceError> {
        for (name, pace) in overrides {
            pace.check(name)?;
            if name != EVERY_MODEL && !catalogue::all().iter().any(|model| model.id == *name) {
                return Err(PaceError::UnknownModel(name.clone()));
            }
        }
        let mut overridden = HashMap::new();
        for model in catalogue::all() {
            let for_model = [EVERY_MODEL, &model.id].into_iter().filter_map(|id| overrides.get(id));
            let pace = for_model.fold(model.pace(), |pace, over| over.amend(pace));
            if pace != model.pace() {
                overridden.insert(model.id.as_str(), pace);
            }
        }
        Ok(Pacing { overridden })
    }

    /// The pace of `model`, where it is not the catalogue's.
    pub(crate) fn overridden(&self, model: &Model) -> Option<Pace> {
        // Mostly empty, and then not worth a hash for every request.
        if self.overridden.is_empty() { None } else { self.overridden.get(&*model.id).copied() }
    }
}

impl PaceOverride {
    fn check(&self, model: &str) -> Result<(), PaceError> {
        let medians = [
            ("first-token-median-ms", self.first_token_median_ms),
            ("tokens-per-second", self.tokens_per_second),
        ];
        let spreads = [
            ("first-token-sigma", self.first_token_sigma),
            ("tokens-per-second-sigma", self.tokens_per_second_sigma),
            ("gap-sigma", self.gap_sigma),
        ];
        let medians = medians.map(|(name, value)| (name, value, f64::MIN_POSITIVE..=1e9));
        let spreads = spreads.map(|(name, value)| (name, value, 0.0..=5.0));
        for (name, value, range) in medians.into_iter().chain(spreads) {
            if let Some(value) = value
                && !range.contains(&value)
            {
                return Err(PaceError::OutOfRange { model: model.to_owned(), name, value });
            }
        }
        Ok(())
    }

    fn amend(&self, pace: Pace) -> Pace {
        Pace {
            first_token_median_ms: self.first_token_median_ms.unwrap_or(pace.first_token_median_ms),
            first_token_sigma: self.first_token_sigma.unwrap_or(pace.first_token_sigma),
            tokens_per_second: self.tokens_per_second.unwrap_or(pace.tokens_per_second),
            tokens_per_second_sigma: self
                .tokens_per_second_sigma
                .unwrap_or(pace.tokens_per_second_sigma),
            gap_sigma: self.gap_sigma.unwrap_or(pace.gap_sigma),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HAIKU: &str = "anthropic.claude-3-haiku-20240307-v1:0";

    fn pacing(toml_like: &serde_json::Value) -> Result<Pacing, PaceError> {
        Pacing::new(&serde_json::from_value(toml_like.clone()).unwrap())
    }

    #[test]
    fn a_model_s_own_override_amends_the_one_for_every_model() {
        let pacing = pacing(&serde_json::json!({
            "*": {"first-token-median-ms": 10, "gap-sigma": 0},
            HAIKU: {"first-token-median-ms": 20, "tokens-per-second": 7},
        }))
        .unwrap();
        let of = |id| pacing.overridden(catalogue::resolve(id).unwrap()).unwrap();
        let haiku = catalogue::resolve(HAIKU).unwrap().pace();
        assert_eq!(
            of(HAIKU),
            Pace { first_token_median_ms: 20.0, tokens_per_second: 7.0, gap_sigma: 0.0, ..haiku }
        );
        let nova = catalogue::resolve("amazon.nova-lite-v1:0").unwrap().pace();
        assert_eq!(
            of("amazon.nova-lite-v1:0"),
            Pace { first_token_median_ms: 10.0, gap_sigma: 0.0, ..nova }
        );
    }

    #[test]
    fn what_no_pace_can_be_is_named() {
        let told = |overrides| pacing(&overrides).unwrap_err().to_string();
        assert_eq!(
            told(serde_json::json!({"us.amazon.nova-lite-v1:0": {}})),
            "the timing of `us.amazon.nova-lite-v1:0` is overridden, which is no model's id; name one without a region's prefix, or `*` for every model"
        );
        assert_eq!(
            told(serde_json::json!({"*": {"tokens-per-second": 0}})),
            "the timing of `*` has a tokens-per-second of 0: medians are above 0, spreads from 0 to 5"
        );
        assert_eq!(
            told(serde_json::json!({HAIKU: {"gap-sigma": -0.1}})),
            format!(
                "the timing of `{HAIKU}` has a gap-sigma of -0.1: medians are above 0, spreads from 0 to 5"
            )
        );
    }
}
