//! Numbers within the bounds of a schema.

use rand::RngExt;
use serde_json::{Map, Number, Value};

use super::Sampler;

impl Sampler<'_> {
    pub(super) fn integer(&mut self, schema: &Map<String, Value>) -> Option<Value> {
        let whole = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
        let least =
            [whole("minimum").map(f64::ceil), whole("exclusiveMinimum").map(|x| x.floor() + 1.0)];
        let most =
            [whole("maximum").map(f64::floor), whole("exclusiveMaximum").map(|x| x.ceil() - 1.0)];
        let least = least.into_iter().flatten().reduce(f64::max);
        let most = most.into_iter().flatten().reduce(f64::min);
        let (least, most) = spread(least, most, 100.0);
        let step = whole("multipleOf").filter(|step| *step > 0.0).unwrap_or(1.0).max(1.0);
        let (from, to) = ((least / step).ceil(), (most / step).floor());
        if from > to || step.fract() != 0.0 {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the cast saturates, and bounds beyond 64 bits are not met in tools"
        )]
        let multiple = self.draws.random_range(from as i64..=to as i64);
        #[expect(clippy::cast_possible_truncation, reason = "a step is a small whole number")]
        let step = step as i64;
        Some(Value::from(multiple.checked_mul(step)?))
    }

    pub(super) fn number(&mut self, schema: &Map<String, Value>) -> Option<Value> {
        let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
        let least = bound("minimum").into_iter().chain(bound("exclusiveMinimum")).reduce(f64::max);
        let most = bound("maximum").into_iter().chain(bound("exclusiveMaximum")).reduce(f64::min);
        let (least, most) = spread(least, most, 100.0);
        if least > most {
            return None;
        }
        if let Some(step) = bound("multipleOf").filter(|step| *step > 0.0) {
            return Number::from_f64((least / step).ceil() * step)
                .filter(|value| value.as_f64().is_some_and(|value| value <= most))
                .map(Value::Number);
        }
        // Off the ends, which may be exclusive, unless they are one point.
        let share = self.draws.random_range(1..=7_u8);
        let value = least + (most - least) * f64::from(share) / 8.0;
        Number::from_f64(value).map(Value::Number)
    }
}

/// Bounds for a number: those stated, else `width` from the one that is, else 1 to `width`.
fn spread(least: Option<f64>, most: Option<f64>, width: f64) -> (f64, f64) {
    match (least, most) {
        (Some(least), Some(most)) => (least, most),
        (Some(least), None) => (least, least + width),
        (None, Some(most)) => (most - width, most),
        (None, None) => (1.0, width),
    }
}
