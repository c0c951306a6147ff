//! The books of a client's spans beside the counts of those who received them.

use std::time::Duration;

use anyhow::Context as _;
use conformance::receiver::Counts;
use loadgen::{Accounting, CollectorMetrics, SpanCounters};
use spanproof_schemas::report::{ReceivedSpans, TelemetryBooks};

use crate::exit::{Failure, OrFail as _};

/// How long counters of a Collector may lag behind its answers, and it itself behind a load that was
/// more than it can take.
const SETTLE_WITHIN: Duration = Duration::from_secs(30);

/// The counters of a Collector or a Tempo, and what they said before the load.
pub(super) struct Watched {
    metrics: CollectorMetrics,
    before: SpanCounters,
}

impl Watched {
    /// Notes what the counters at `url` say before the load.
    pub(super) async fn at(url: &str) -> Result<Watched, Failure> {
        let metrics = CollectorMetrics::at(url).or_usage()?;
        let before = metrics.read().await.context("--collector-metrics").or_could_not_judge()?;
        Ok(Watched { metrics, before: before.unwrap_or_default() })
    }
}

/// The books of `client`, of our receiver and of the one that is watched, and what does not fit.
pub(super) async fn compared(
    client: Option<Accounting>,
    ours: Option<Counts>,
    watched: Option<Watched>,
) -> Result<TelemetryBooks, Failure> {
    let mut books = TelemetryBooks { client, ..TelemetryBooks::default() };
    if let Some(counts) = ours {
        books.receivers.push(ReceivedSpans {
            receiver: ReceivedSpans::OURS.to_owned(),
            accepted: counts.spans,
            refused: counts.rejected_spans,
        });
    }
    if let Some(Watched { metrics, before }) = watched {
        let expected = match (client, ours) {
            (Some(client), _) => client.exported,
            // A program tells nobody what it exports; what we passed on is what there is.
            (None, Some(counts)) => counts.spans,
            (None, None) => 0,
        };
        let SpanCounters { accepted, refused } = metrics
            .settled(before, expected, SETTLE_WITHIN)
            .await
            .context("--collector-metrics")
            .or_could_not_judge()?;
        books.receivers.push(ReceivedSpans { receiver: metrics.url(), accepted, refused });
    }
    for received in &books.receivers {
        let mismatch = match (client, ours) {
            (Some(client), _) => client.mismatch(received.accepted).map(|how| how.to_string()),
            (None, Some(counts)) if received.accepted != counts.spans => Some(format!(
                "{} spans were passed on, and {} arrived",
                counts.spans, received.accepted
            )),
            (None, _) => None,
        };
        let told = mismatch.map(|how| format!("by {}, {how}", received.receiver));
        books.mismatches.extend(told);
    }
    Ok(books)
}
