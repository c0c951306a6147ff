//! Asynchronous invocations: what was started, and how far it is.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use spanproof_schemas::speed::Speed;
use spanproof_schemas::time::UnixNanos;

use crate::timestamp::iso8601;
use crate::timing;

/// The most invocations remembered; beyond it the oldest are forgotten.
const CAPACITY: usize = 10_000;

/// How long an invocation takes: a plausible median for a few seconds of video.
const MEDIAN_MS: f64 = 90_000.0;

/// The invocations that were started, the oldest first. Each belongs to a test, or to none; tests do
/// not see each other's.
#[derive(Debug)]
pub(crate) struct AsyncInvokes {
    speed: Speed,
    invocations: Mutex<VecDeque<Invocation>>,
}

/// One invocation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Invocation {
    pub(crate) test_id: Option<String>,
    /// The order in which invocations were started.
    pub(crate) number: u64,
    pub(crate) arn: String,
    pub(crate) model_arn: String,
    pub(crate) client_request_token: Option<String>,
    /// The hash of everything that was asked for: a token stands for one request only.
    pub(crate) fingerprint: u64,
    pub(crate) submitted: UnixNanos,
    pub(crate) output: Output,
    /// Why it fails at its end, if it does.
    pub(crate) failure: Option<&'static str>,
}

/// Where the result of an invocation is to go.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    pub(crate) s3_output_data_config: S3Output,
}

/// A place in S3.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct S3Output {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bucket_owner: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kms_key_id: Option<String>,
    pub(crate) s3_uri: String,
}

/// How far an invocation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Status {
    InProgress,
    Completed,
    Failed,
}

impl Status {
    pub(crate) const ALL: [(Status, &'static str); 3] = [
        (Status::InProgress, "InProgress"),
        (Status::Completed, "Completed"),
        (Status::Failed, "Failed"),
    ];
}

/// A token that already stands for another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TokenTaken;

impl AsyncInvokes {
    pub(crate) fn new(speed: Speed) -> Self {
        AsyncInvokes { speed, invocations: Mutex::default() }
    }

    /// Starts `invocation`, and returns its ARN; that of an earlier one if the token stands for it.
    ///
    /// # Errors
    ///
    /// [`TokenTaken`] when the token stands for a request that asked for something else.
    pub(crate) fn start(&self, invocation: Invocation) -> Result<String, TokenTaken> {
        let mut invocations = self.invocations.lock().unwrap_or_else(PoisonError::into_inner);
        let known = invocation.client_request_token.as_ref().and_then(|_| {
            invocations.iter().find(|known| {
                known.test_id == invocation.test_id
                    && known.client_request_token == invocation.client_request_token
            })
        });
        if let Some(known) = known {
            return if known.fingerprint == invocation.fingerprint {
                Ok(known.arn.clone())
            } else {
                Err(TokenTaken)
            };
        }
        let arn = invocation.arn.clone();
        if invocations.len() == CAPACITY {
            invocations.pop_front();
        }
        invocations.push_back(invocation);
        Ok(arn)
    }

    /// The invocation of a test that has the ARN `arn`, as it stands at `now`.
    pub(crate) fn get(
        &self,
        test_id: Option<&str>,
        arn: &str,
        now: UnixNanos,
    ) -> Option<Described> {
        let invocations = self.invocations.lock().unwrap_or_else(PoisonError::into_inner);
        let known = invocations
            .iter()
            .find(|known| known.test_id.as_deref() == test_id && known.arn == arn)?;
        Some(self.describe(known, now))
    }

    /// A test's invocations as they stand at `now`, by their numbers, in the order of their start.
    pub(crate) fn list(&self, test_id: Option<&str>, now: UnixNanos) -> Vec<(u64, Described)> {
        let invocations = self.invocations.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<(u64, Described)> = invocations
            .iter()
            .filter(|known| known.test_id.as_deref() == test_id)
            .map(|known| (known.number, self.describe(known, now)))
            .collect();
        drop(invocations);
        // Two that arrive together may get here in the other order.
        found.sort_unstable_by_key(|(number, _)| *number);
        found
    }

    /// Forgets the invocations of a test, or all if none is named.
    pub(crate) fn forget(&self, test_id: Option<&str>) {
        let mut invocations = self.invocations.lock().unwrap_or_else(PoisonError::into_inner);
        invocations.retain(|known| test_id.is_some() && known.test_id.as_deref() != test_id);
    }

    fn describe(&self, invocation: &Invocation, now: UnixNanos) -> Described {
        let takes = self.speed.scale(timing::latency(MEDIAN_MS, invocation.fingerprint));
        let end = invocation.submitted.saturating_add(nanos(takes));
        let status = if now < end {
            Status::InProgress
        } else if invocation.failure.is_some() {
            Status::Failed
        } else {
            Status::Completed
        };
        let is_over = status != Status::InProgress;
        Described {
            client_request_token: invocation.client_request_token.clone(),
            end_time: is_over.then(|| iso8601(end)),
            failure_message: invocation.failure.filter(|_| is_over),
            invocation_arn: invocation.arn.clone(),
            last_modified_time: iso8601(if is_over { end } else { invocation.submitted }),
            model_arn: invocation.model_arn.clone(),
            output_data_config: invocation.output.clone(),
            status,
            submit_time: iso8601(invocation.submitted),
            submitted: invocation.submitted,
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// An invocation as the service describes it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Described {
    #[serde(skip_serializing_if = "Option::is_none")]
    client_request_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_message: Option<&'static str>,
    invocation_arn: String,
    last_modified_time: String,
    model_arn: String,
    output_data_config: Output,
    pub(crate) status: Status,
    submit_time: String,
    #[serde(skip)]
    pub(crate) submitted: UnixNanos,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation(number: u64, token: Option<&str>) -> Invocation {
        Invocation {
            test_id: None,
            number,
            arn: format!("arn/{number}"),
            model_arn: "model".to_owned(),
            client_request_token: token.map(ToOwned::to_owned),
            fingerprint: 7,
            submitted: 1_000,
            output: Output {
                s3_output_data_config: S3Output {
                    bucket_owner: None,
                    kms_key_id: None,
                    s3_uri: "s3://bucket".to_owned(),
                },
            },
            failure: None,
        }
    }

    #[test]
    fn an_invocation_is_in_progress_until_its_time_is_over() {
        let store = AsyncInvokes::new(Speed::REAL);
        store.start(invocation(0, None)).unwrap();
        store.start(Invocation { failure: Some("no bucket"), ..invocation(1, None) }).unwrap();
        let second = 1_000_000_000;
        let at = |arn, now| store.get(None, arn, now).unwrap();
        assert_eq!(at("arn/0", second).status, Status::InProgress);
        assert_eq!(at("arn/0", second).end_time, None);
        let over = at("arn/0", 3_600 * second);
        assert_eq!(over.status, Status::Completed);
        assert_eq!(over.end_time, Some(over.last_modified_time));
        let failed = at("arn/1", 3_600 * second);
        assert_eq!((failed.status, failed.failure_message), (Status::Failed, Some("no bucket")));
        assert_eq!(at("arn/1", second).failure_message, None);
    }

    #[test]
    fn a_token_stands_for_one_request() {
        let store = AsyncInvokes::new(Speed::Max);
        assert_eq!(store.start(invocation(0, Some("t"))).unwrap(), "arn/0");
        assert_eq!(store.start(invocation(1, Some("t"))).unwrap(), "arn/0");
        let other = Invocation { fingerprint: 8, ..invocation(2, Some("t")) };
        assert_eq!(store.start(other), Err(TokenTaken));
        let elsewhere = Invocation {
            test_id: Some("a".to_owned()),
            fingerprint: 8,
            ..invocation(3, Some("t"))
        };
        assert_eq!(store.start(elsewhere).unwrap(), "arn/3");
        assert_eq!(store.start(invocation(4, None)).unwrap(), "arn/4");
        assert_eq!(store.list(None, 0).len(), 2);
        store.forget(Some("a"));
        assert!(store.list(Some("a"), 0).is_empty());
        assert_eq!(store.list(None, 0).len(), 2);
        store.forget(None);
        assert!(store.list(None, 0).is_empty());
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let store = AsyncInvokes::new(Speed::Max);
        for number in 0..=CAPACITY as u64 {
            store.start(invocation(number, None)).unwrap();
        }
        assert_eq!(store.get(None, "arn/0", 0), None);
        let known = store.list(None, 0);
        assert_eq!((known.len(), known[0].0), (CAPACITY, 1));
    }
}
