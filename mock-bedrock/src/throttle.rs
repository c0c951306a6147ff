//! Throttling: token and request quotas per model, as buckets that fill up in simulated time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::StatusCode;
use serde::{Deserialize, Serialize};
use spanproof_schemas::glob;
use spanproof_schemas::ledger::Usage;
use spanproof_schemas::speed::Speed;

use crate::error::ServiceError;
use crate::model::Model;

/// The most pairs of a test and a model that are counted. Beyond it all begin with full buckets:
/// tests name themselves, and a load of unique names must not grow memory without end.
const COUNTED: usize = 10_000;

/// How much of a model may be used. Each model, and each test, has buckets of its own; they begin
/// full, and fill up evenly in simulated time. At [`Speed::Max`] simulated time stands still for
/// quotas, as it does for the prompt cache: what is used up stays used up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// The models by base id, with `*` for any text. The first quota that names a model holds.
    #[serde(default = "any_model")]
    pub model: String,
    /// The most requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u64>,
    /// The most tokens. A request takes its input, but for what it reads from the prompt cache, and
    /// `maxTokens` when it comes; when its answer has ended, what was not generated is given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u64>,
    /// The most tokens, counted in the same way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_day: Option<u64>,
    /// How much each generated token counts in the end: AWS documents a burndown rate of 5 for
    /// Claude since 3.7, and 1 otherwise. Default 1.
    #[serde(default = "one")]
    pub output_burndown: u64,
}

fn any_model() -> String {
    "*".to_owned()
}

fn one() -> u64 {
    1
}

impl Default for Quota {
    fn default() -> Self {
        Quota {
            model: any_model(),
            requests_per_minute: None,
            tokens_per_minute: None,
            tokens_per_day: None,
            output_burndown: one(),
        }
    }
}

/// A quota that nobody could keep.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("quota of `{model}`: {limit} is zero; leave it out for no limit")]
pub struct QuotaError {
    /// The quota's pattern.
    pub model: String,
    /// Which of its limits.
    pub limit: &'static str,
}

impl Quota {
    /// Checks what the types do not.
    ///
    /// # Errors
    ///
    /// When a limit is zero.
    pub fn validate(&self) -> Result<(), QuotaError> {
        let limits = [
            ("requests_per_minute", self.requests_per_minute),
            ("tokens_per_minute", self.tokens_per_minute),
            ("tokens_per_day", self.tokens_per_day),
            ("output_burndown", Some(self.output_burndown)),
        ];
        match limits.into_iter().find(|(_, limit)| *limit == Some(0)) {
            Some((limit, _)) => Err(QuotaError { model: self.model.clone(), limit }),
            None => Ok(()),
        }
    }
}

/// A test, if one was named, and the base id of a model.
type Key = (Option<String>, &'static str);

/// The buckets of every model.
#[derive(Debug)]
pub(crate) struct Throttle {
    speed: Speed,
    quotas: Vec<Quota>,
    /// By test and model.
    buckets: Mutex<HashMap<Key, Arc<Mutex<Buckets>>>>,
}

/// The buckets of one model, in the order in which the service was seen to mind them.
#[derive(Debug)]
struct Buckets {
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
    tokens_per_day: Option<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    capacity: f64,
    /// How long an empty one takes to fill up.
    period: Duration,
    level: f64,
    since: Instant,
}

impl Throttle {
    pub(crate) fn new(speed: Speed, quotas: Vec<Quota>) -> Self {
        Throttle { speed, quotas, buckets: Mutex::default() }
    }

    /// The quota that holds for `model`.
    pub(crate) fn quota(&self, model: &Model) -> Option<&Quota> {
        self.quotas.iter().find(|quota| glob::fits(&quota.model, &model.id))
    }

    /// Fills the buckets of a test, or all if none is named.
    pub(crate) fn forget(&self, test: Option<&str>) {
        let mut known = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(known, _), _| test.is_some() && known.as_deref() != test);
    }

    /// Takes one request and `taken` tokens, all of it or nothing: input that is not read from the
    /// prompt cache, and the most output that was asked for.
    ///
    /// # Errors
    ///
    /// The `ThrottlingException` that names what there is too little of.
    pub(crate) fn take(
        &self,
        model: &'static Model,
        test: Option<&str>,
        taken: u64,
    ) -> Result<Option<Reservation>, ServiceError> {
        let Some(quota) = self.quota(model) else { return Ok(None) };
        let buckets = {
            let mut known = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (test.map(str::to_owned), model.id.as_str());
            if known.len() >= COUNTED && !known.contains_key(&key) {
                known.clear();
            }
            Arc::clone(
                known.entry(key).or_insert_with(|| Arc::new(Mutex::new(Buckets::full(quota)))),
            )
        };
        {
            let mut buckets = buckets.lock().unwrap_or_else(PoisonError::into_inner);
            buckets.fill_up(Instant::now(), self.speed);
            let Buckets { requests, tokens, tokens_per_day } = &*buckets;
            for (bucket, amount, what) in [
                (requests, 1, "requests"),
                (tokens, taken, "tokens"),
                (tokens_per_day, taken, "tokens per day"),
            ] {
                if bucket.as_ref().is_some_and(|bucket| bucket.level < float(amount)) {
                    return Err(throttled(what));
                }
            }
            if let Some(requests) = &mut buckets.requests {
                requests.level -= 1.0;
            }
            buckets.change_tokens(-float(taken));
        }
        Ok(Some(Reservation {
            buckets,
            taken,
            output_burndown: quota.output_burndown,
            used: Usage::default(),
        }))
    }
}

fn throttled(what: &str) -> ServiceError {
    ServiceError::new(
        StatusCode::TOO_MANY_REQUESTS,
        "ThrottlingException",
        format!("Too many {what}, please wait before trying again."),
    )
}

/// Tokens that a request holds until its answer has ended; what it did not use goes back then.
#[derive(Debug)]
pub(crate) struct Reservation {
    buckets: Arc<Mutex<Buckets>>,
    taken: u64,
    output_burndown: u64,
    used: Usage,
}

impl Reservation {
    /// States what the request used in the end. Nothing until somebody says so.
    pub(crate) fn settle(&mut self, used: Usage) {
        self.used = used;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let output = self.used.output_tokens.saturating_mul(self.output_burndown);
        let input = self.used.input_tokens.saturating_add(self.used.cache_write_input_tokens);
        let back = float(self.taken) - float(input.saturating_add(output));
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner).change_tokens(back);
    }
}

impl Buckets {
    fn full(quota: &Quota) -> Self {
        let bucket = |limit: Option<u64>, period| {
            limit.map(|limit| Bucket {
                capacity: float(limit),
                period,
                level: float(limit),
                since: Instant::now(),
            })
        };
        Buckets {
            requests: bucket(quota.requests_per_minute, Duration::from_mins(1)),
            tokens: bucket(quota.tokens_per_minute, Duration::from_mins(1)),
            tokens_per_day: bucket(quota.tokens_per_day, Duration::from_hours(24)),
        }
    }

    fn fill_up(&mut self, now: Instant, speed: Speed) {
        let Speed::Times(times) = speed else { return };
        let Buckets { requests, tokens, tokens_per_day } = self;
        for bucket in [requests, tokens, tokens_per_day].into_iter().flatten() {
            let passed = now.saturating_duration_since(bucket.since).as_secs_f64() * times;
            let gained = bucket.capacity * passed / bucket.period.as_secs_f64();
            bucket.level = (bucket.level + gained).min(bucket.capacity);
            bucket.since = now;
        }
    }

    /// Gives tokens back, or takes more. A level below zero is a debt that has to fill up first.
    fn change_tokens(&mut self, tokens: f64) {
        for bucket in [&mut self.tokens, &mut self.tokens_per_day].into_iter().flatten() {
            bucket.level = (bucket.level + tokens).min(bucket.capacity);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "quotas are far below 2^52 tokens")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
