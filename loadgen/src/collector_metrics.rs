//! What a Collector or a Tempo says of itself: how many spans it took, and how many it refused.

use std::time::Duration;

use http::Uri;
use http::uri::InvalidUri;
use tokio::time::{Instant, sleep};

use crate::page::{Pages, plain_http};

/// How often it is asked while its counts are below what it acknowledged.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// Counters of spans that came in, the first that is there counts; since its version 0.120 a
/// Collector writes them with `_total` at their end. Tempo's counts those it throws away, too.
const ACCEPTED: [&str; 3] = [
    "otelcol_receiver_accepted_spans",
    "otelcol_receiver_accepted_spans_total",
    "tempo_distributor_spans_received_total",
];
const REFUSED: [&str; 3] = [
    "otelcol_receiver_refused_spans",
    "otelcol_receiver_refused_spans_total",
    "otelcol_receiver_failed_spans_total",
];
const DISCARDED: &str = "tempo_discarded_spans_total";

/// Counters at an address, in the text format of Prometheus.
#[derive(Debug)]
pub struct CollectorMetrics {
    url: Uri,
    pages: Pages,
}

/// What they say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpanCounters {
    /// Spans that were taken.
    pub accepted: u64,
    /// Spans that were refused, or taken and thrown away.
    pub refused: u64,
}

impl SpanCounters {
    /// What came since `earlier`. A counter that fell was reset, and counts from 0.
    #[must_use]
    pub fn since(self, earlier: SpanCounters) -> SpanCounters {
        let since = |now: u64, then: u64| if now < then { now } else { now - then };
        SpanCounters {
            accepted: since(self.accepted, earlier.accepted),
            refused: since(self.refused, earlier.refused),
        }
    }
}

/// Counters that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The address is none.
    #[error(
        "`{given}` is no address of metrics: {why}; write such as http://collector:8888/metrics"
    )]
    Address {
        /// What was given.
        given: String,
        /// Why it is none.
        why: String,
    },
    /// Nobody answers.
    #[error("{url} does not answer: {why}")]
    Unreachable {
        /// The address.
        url: String,
        /// Why.
        why: String,
    },
    /// The answer has no counters of spans.
    #[error(
        "{url} has no counter of received spans, neither {accepted}: is its telemetry of metrics on, and has it received anything?",
        accepted = ACCEPTED.join(" nor ")
    )]
    NoCounters {
        /// The address.
        url: String,
    },
}

impl CollectorMetrics {
    /// The counters at `url`; its path is `/metrics` unless it has one. Connects to nothing yet.
    ///
    /// # Errors
    ///
    /// When it is no URL, or not of HTTP without TLS.
    pub fn at(url: &str) -> Result<CollectorMetrics, MetricsError> {
        let unfit =
            |why: &str| MetricsError::Address { given: url.to_owned(), why: why.to_owned() };
        let uri = plain_http(url).map_err(|why| unfit(&why))?;
        let uri = if uri.path() == "/" {
            let with_path = format!("{}/metrics", url.trim_end_matches('/'));
            with_path.parse().map_err(|error: InvalidUri| unfit(&error.to_string()))?
        } else {
            uri
        };
        Ok(CollectorMetrics { url: uri, pages: Pages::new() })
    }

    /// The address, for people.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.to_string()
    }

    /// What the counters say now. Before anything was received they may not be there: `None`.
    ///
    /// # Errors
    ///
    /// When nobody answers.
    pub async fn read(&self) -> Result<Option<SpanCounters>, MetricsError> {
        let body = self.pages.get(self.url.clone()).await;
        let body = body.map_err(|why| MetricsError::Unreachable { url: self.url(), why })?;
        Ok(counters(&String::from_utf8_lossy(&body)))
    }

    /// What came since `earlier`, once it is at least `expected` spans, or when `wait` is over:
    /// counters follow answers a little later. A Collector that has just taken a load may not answer
    /// at once, and is asked again.
    ///
    /// # Errors
    ///
    /// When nobody answers up to the end, or there are no counters.
    pub async fn settled(
        &self,
        earlier: SpanCounters,
        expected: u64,
        wait: Duration,
    ) -> Result<SpanCounters, MetricsError> {
        let end = Instant::now() + wait;
        loop {
            let since = match self.read().await {
                Ok(now) => now.map(|now| now.since(earlier)),
                Err(error) if Instant::now() >= end => return Err(error),
                Err(_) => None,
            };
            let is_settled = since.is_some_and(|since| since.accepted >= expected);
            if is_settled || Instant::now() >= end {
                return since.ok_or_else(|| MetricsError::NoCounters { url: self.url() });
            }
            sleep(ASK_EVERY).await;
        }
    }
}

/// The counters in `text`; `None` where there is none of spans taken.
fn counters(text: &str) -> Option<SpanCounters> {
    let first = |names: &[&str]| names.iter().find_map(|name| sum(text, name));
    let taken = first(&ACCEPTED)?;
    let discarded = sum(text, DISCARDED).unwrap_or(0);
    Some(SpanCounters {
        accepted: taken.saturating_sub(discarded),
        refused: first(&REFUSED).unwrap_or(0).saturating_add(discarded),
    })
}

/// The sum of the metric `name` over its labels; `None` where there is no such metric.
fn sum(text: &str, name: &str) -> Option<u64> {
    let mut sum = None;
    for line in text.lines() {
        let Some(rest) = line.strip_prefix(name) else { continue };
        let value = match rest.chars().next() {
            // A label may hold whatever it likes, a brace too; the value comes after the last.
            Some('{') => rest.rsplit_once('}').map(|(_, value)| value),
            Some(' ' | '\t') => Some(rest),
            _ => None,
        };
        let number = value.and_then(|value| value.split_whitespace().next());
        let Some(number) = number.and_then(|number| number.parse::<f64>().ok()) else { continue };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counters are whole; a cast of what is none gives the nearest"
        )]
        let number = number as u64;
        sum = Some(sum.unwrap_or(0_u64).saturating_add(number));
    }
    sum
}

#[cfg(test)]
mod tests {
    use wiremock::matchers::path;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;

    const COLLECTOR: &str = "\
# HELP otelcol_receiver_accepted_spans Number of spans
# TYPE otelcol_receiver_accepted_spans counter
otelcol_receiver_accepted_spans{receiver=\"otlp\",transport=\"grpc\"} 1.5e+03
otelcol_receiver_accepted_spans{receiver=\"otlp\",transport=\"}http{\"} 20 1700000000000
otelcol_receiver_accepted_spans_of_another 9
otelcol_receiver_refused_spans{receiver=\"otlp\"} 7
";

    #[test]
    fn counters_of_a_collector_and_of_a_tempo_are_summed_over_their_labels() {
        let collector = SpanCounters { accepted: 1_520, refused: 7 };
        assert_eq!(counters(COLLECTOR), Some(collector));
        let newer = COLLECTOR.replace("_spans{", "_spans_total{");
        assert_eq!(counters(&newer), Some(collector));
        let tempo = "tempo_distributor_spans_received_total{tenant=\"a\"} 100\n\
                     tempo_discarded_spans_total{reason=\"trace_too_large\"} 30\n";
        assert_eq!(counters(tempo), Some(SpanCounters { accepted: 70, refused: 30 }));
        assert_eq!(counters("go_goroutines 7\n"), None);
    }

    #[test]
    fn a_counter_that_was_reset_counts_from_nothing() {
        let (then, now) =
            (SpanCounters { accepted: 9, refused: 1 }, SpanCounters { accepted: 4, refused: 3 });
        assert_eq!(now.since(then), SpanCounters { accepted: 4, refused: 2 });
    }

    #[tokio::test]
    async fn counts_that_lag_behind_are_waited_for() {
        let server = MockServer::start().await;
        let with = |spans: u64| {
            let body = format!("otelcol_receiver_accepted_spans_total {spans}\n");
            Mock::given(path("/metrics"))
                .respond_with(ResponseTemplate::new(200).set_body_string(body))
        };
        with(10).up_to_n_times(2).mount(&server).await;
        with(15).mount(&server).await;
        let metrics = CollectorMetrics::at(&server.uri()).unwrap();
        let earlier = metrics.read().await.unwrap().unwrap();
        let since = metrics.settled(earlier, 5, Duration::from_mins(1)).await.unwrap();
        assert_eq!(since.accepted, 5);
        let short = metrics.settled(earlier, 6, Duration::ZERO).await.unwrap();
        assert_eq!(short.accepted, 5);
    }

    #[tokio::test]
    async fn who_does_not_answer_right_after_a_load_is_asked_again() {
        let server = MockServer::start().await;
        let answering =
            |answer: ResponseTemplate| Mock::given(path("/metrics")).respond_with(answer);
        let busy = ResponseTemplate::new(503);
        answering(busy.clone()).up_to_n_times(2).mount(&server).await;
        let counter = "otelcol_receiver_accepted_spans_total 5\n";
        let taken = ResponseTemplate::new(200).set_body_string(counter);
        answering(taken).up_to_n_times(1).mount(&server).await;
        answering(busy).mount(&server).await;
        let metrics = CollectorMetrics::at(&server.uri()).unwrap();
        let nothing = SpanCounters::default();
        let since = metrics.settled(nothing, 5, Duration::from_mins(1)).await.unwrap();
        assert_eq!(since.accepted, 5);
        let never = metrics.settled(nothing, 5, Duration::ZERO).await.unwrap_err();
        assert!(never.to_string().contains("503"), "{never}");
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_told_with_its_address() {
        for given in ["", "collector:8888", "https://collector:8888/metrics"] {
            assert!(CollectorMetrics::at(given).unwrap_err().to_string().contains(given));
        }
        let server = MockServer::start().await;
        let metrics = CollectorMetrics::at(&server.uri()).unwrap();
        assert!(metrics.read().await.unwrap_err().to_string().contains("404"));
        Mock::given(path("/metrics")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
        let nothing = metrics.settled(SpanCounters::default(), 1, Duration::ZERO).await;
        assert!(nothing.unwrap_err().to_string().contains("otelcol_receiver_accepted_spans"));
    }
}
