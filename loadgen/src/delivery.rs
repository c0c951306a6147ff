//! Delivers a batch of telemetry: again and again while the receiver says that it may yet take it,
//! and with a count of what became of each item.
//!
//! What is sent again follows the OTLP specification. The exporters of the SDK retry as well, but
//! tell nobody how often, nor of the rest of a partial success; and books that balance need both.

use std::future::Future;
use std::time::Duration;

use http::StatusCode;
use http::header::{HeaderMap, RETRY_AFTER};
use tokio::time::{Instant, sleep, timeout_at};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// What came of one attempt to deliver a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The receiver took the batch, but for `rejected` items.
    Taken {
        /// How many items it left out: those of a partial success.
        rejected: u64,
        /// Why it did.
        why: String,
    },
    /// The receiver takes none of it, and would not take it later either.
    Refused(String),
    /// The receiver took none of it, but may later.
    Later {
        /// How long it asks to wait first.
        after: Option<Duration>,
        /// Why it did not.
        why: String,
    },
    /// No answer came, so that nobody knows whether the receiver took it.
    Unanswered(String),
}

impl Answer {
    /// A response that says how many items were rejected, if any, and why.
    #[must_use]
    pub fn taken(partial_success: Option<(i64, String)>) -> Answer {
        let (rejected, why) = partial_success.unwrap_or_default();
        Answer::Taken { rejected: u64::try_from(rejected).unwrap_or(0), why }
    }

    /// The answer in `status`, which is not OK. `RESOURCE_EXHAUSTED` is worth another attempt only
    /// where it comes with a delay, as the specification has it: without one, the batch is too large
    /// or a quota is used up.
    #[must_use]
    pub fn of_grpc(status: &Status) -> Answer {
        let why = format!("{:?}: {}", status.code(), status.message());
        // A status with a source was made here, of an error of the connection.
        if std::error::Error::source(status).is_some() {
            return Answer::Unanswered(why);
        }
        let after = status.get_details_retry_info().and_then(|info| info.retry_delay);
        match status.code() {
            Code::ResourceExhausted if after.is_none() => Answer::Refused(why),
            Code::Cancelled
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unavailable
            | Code::DataLoss => Answer::Later { after, why },
            _ => Answer::Refused(why),
        }
    }

    /// The answer in an HTTP response that is no success.
    #[must_use]
    pub fn of_http(status: StatusCode, headers: &HeaderMap) -> Answer {
        let why = status.to_string();
        match status {
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Answer::Later { after: retry_after(headers), why },
            _ => Answer::Refused(why),
        }
    }
}

/// The delay of a `Retry-After` in seconds. Its other form, a date, is left to our own delays:
/// clocks of two machines differ by more than such delays last.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// How long and how often a batch is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retrying {
    /// How long one attempt may take.
    pub attempt: Duration,
    /// How long all attempts may take, the waits between them included.
    pub whole: Duration,
    /// The first wait, where the receiver names none; each further one is twice as long.
    pub first_wait: Duration,
    /// The longest wait that we choose ourselves. A receiver may ask for a longer one.
    pub longest_wait: Duration,
}

impl Default for Retrying {
    fn default() -> Self {
        Retrying {
            attempt: Duration::from_secs(10),
            whole: Duration::from_secs(30),
            first_wait: Duration::from_millis(50),
            longest_wait: Duration::from_secs(5),
        }
    }
}

impl Retrying {
    /// A single attempt.
    #[must_use]
    pub fn once(self) -> Retrying {
        Retrying { whole: self.attempt, first_wait: self.attempt, ..self }
    }
}

/// What became of the items of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Items that the receiver took.
    pub exported: u64,
    /// Items that it does not take.
    pub rejected: u64,
    /// Items that it was not asked to take, since it had been given up.
    pub dropped: u64,
    /// Items whose attempts all failed.
    pub failed: u64,
    /// Items sent again, counted each time.
    pub retried: u64,
    /// Items of attempts without an answer, counted each time.
    pub unanswered: u64,
    /// Why not all of it was taken.
    pub error: Option<String>,
}

/// Delivers a batch of `items`, which `attempt` sends.
pub async fn deliver<F, A>(items: u64, retrying: Retrying, mut attempt: F) -> Delivery
where
    F: FnMut() -> A,
    A: Future<Output = Answer>,
{
    let end = Instant::now() + retrying.whole;
    let mut own_wait = retrying.first_wait;
    let mut delivery = Delivery::default();
    loop {
        let limit = end.min(Instant::now() + retrying.attempt);
        let answer = timeout_at(limit, attempt()).await.unwrap_or_else(|_| {
            let limit = retrying.attempt.min(retrying.whole).as_secs_f64();
            Answer::Unanswered(format!("no answer within {limit} s"))
        });
        let (after, why) = match answer {
            Answer::Taken { rejected, why } => {
                delivery.rejected = rejected.min(items);
                delivery.exported = items - delivery.rejected;
                delivery.error = (rejected > 0).then_some(why);
                return delivery;
            }
            Answer::Refused(why) => {
                delivery.rejected = items;
                delivery.error = Some(why);
                return delivery;
            }
            Answer::Later { after, why } => (after, why),
            Answer::Unanswered(why) => {
                delivery.unanswered += items;
                (None, why)
            }
        };
        let wait = after.unwrap_or(own_wait);
        if Instant::now() + wait >= end {
            delivery.failed = items;
            delivery.error = Some(match after {
                Some(after) => format!("{why}; it asks to wait {} s", after.as_secs_f64()),
                None => why,
            });
            return delivery;
        }
        sleep(wait).await;
        own_wait = (own_wait * 2).min(retrying.longest_wait);
        delivery.retried += items;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use tonic_types::ErrorDetails;

    use super::*;

    const QUICK: Retrying = Retrying {
        attempt: Duration::from_mins(1),
        whole: Duration::from_mins(1),
        first_wait: Duration::ZERO,
        longest_wait: Duration::ZERO,
    };

    async fn delivered(answers: impl IntoIterator<Item = Answer>) -> Delivery {
        let mut answers: VecDeque<Answer> = answers.into_iter().collect();
        let delivery = deliver(10, QUICK, || {
            std::future::ready(answers.pop_front().expect("no more attempts than answers"))
        })
        .await;
        assert!(answers.is_empty(), "{answers:?} were not asked for");
        delivery
    }

    fn later(after: Option<Duration>) -> Answer {
        Answer::Later { after, why: "busy".to_owned() }
    }

    #[tokio::test]
    async fn a_batch_is_sent_again_until_it_is_taken_and_each_time_is_counted() {
        let answers = [later(None), Answer::Unanswered("cut".to_owned()), Answer::taken(None)];
        let wanted = Delivery { exported: 10, retried: 20, unanswered: 10, ..Delivery::default() };
        assert_eq!(delivered(answers).await, wanted);
    }

    #[tokio::test]
    async fn the_rest_of_a_partial_success_is_rejected_and_not_sent_again() {
        let answer = Answer::taken(Some((3, "too long".to_owned())));
        let wanted = Delivery {
            exported: 7,
            rejected: 3,
            error: Some("too long".to_owned()),
            ..Delivery::default()
        };
        assert_eq!(delivered([answer]).await, wanted);
        // A receiver that rejects more than there was, or fewer than none, unbalances nothing.
        for (said, rejected) in [(99, 10), (-1, 0)] {
            let delivery = delivered([Answer::taken(Some((said, String::new())))]).await;
            assert_eq!((delivery.rejected, delivery.exported), (rejected, 10 - rejected));
        }
    }

    #[tokio::test]
    async fn a_delay_beyond_the_time_there_is_ends_it() {
        let delivery = delivered([later(None), later(Some(Duration::from_hours(1)))]).await;
        assert_eq!((delivery.failed, delivery.retried), (10, 10));
        assert_eq!(delivery.error.as_deref(), Some("busy; it asks to wait 3600 s"));
    }

    #[tokio::test]
    async fn an_attempt_that_hangs_is_unanswered() {
        let retrying = Retrying { attempt: Duration::ZERO, whole: Duration::ZERO, ..QUICK };
        let delivery = deliver(10, retrying, std::future::pending).await;
        assert_eq!((delivery.failed, delivery.unanswered, delivery.retried), (10, 10, 0));
    }

    #[tokio::test]
    async fn once_is_not_twice() {
        let delivery = deliver(10, QUICK.once(), || std::future::ready(later(None))).await;
        assert_eq!((delivery.failed, delivery.retried), (10, 0));
    }

    #[test]
    fn what_is_worth_another_attempt_is_what_the_specification_says() {
        let delay = Duration::from_millis(1_500);
        let with_delay = |code| {
            let details = ErrorDetails::with_retry_info(Some(delay));
            Answer::of_grpc(&Status::with_error_details(code, "", details))
        };
        let asked =
            |answer| matches!(answer, Answer::Later { after: Some(after), .. } if after == delay);
        assert!(asked(with_delay(Code::ResourceExhausted)));
        assert!(asked(with_delay(Code::Unavailable)));
        let plain = |code| Answer::of_grpc(&Status::new(code, ""));
        assert!(matches!(plain(Code::ResourceExhausted), Answer::Refused(_)));
        assert!(matches!(plain(Code::InvalidArgument), Answer::Refused(_)));
        assert!(matches!(plain(Code::Internal), Answer::Refused(_)));
        assert!(matches!(plain(Code::Unavailable), Answer::Later { after: None, .. }));

        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, http::HeaderValue::from_static("7"));
        let http = |code: u16| Answer::of_http(StatusCode::from_u16(code).unwrap(), &headers);
        for code in [429, 502, 503, 504] {
            let seven = Some(Duration::from_secs(7));
            assert!(matches!(http(code), Answer::Later { after, .. } if after == seven));
        }
        for code in [400, 401, 404, 413, 500] {
            assert!(matches!(http(code), Answer::Refused(_)), "{code}");
        }
    }

    #[test]
    fn a_status_that_no_receiver_wrote_is_no_answer() {
        let broken = std::io::Error::other("connection reset");
        let status = Status::from_error(Box::new(broken));
        assert!(matches!(Answer::of_grpc(&status), Answer::Unanswered(_)));
    }
}
