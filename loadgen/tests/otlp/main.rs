//! The exporter of requests that are encoded already, and receivers of every temper.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod drills;
mod encrypted;
mod receiver;
mod runs;

use std::time::Duration;

use loadgen::accounting::Accounting;
use loadgen::delivery::Retrying;
use loadgen::otlp::{Encoded, Exporter, Limits, OtlpConfig, OtlpProtocol};
use loadgen::synthetic::{Dialogue, Traces};
use tokio_util::sync::CancellationToken;

use loadgen::{AtRate, Plan, PlanConfig, Scenario, Shard, Timing};

/// So quick that a test waits for nothing, and so patient that a busy machine fails nothing.
const QUICK: Retrying = Retrying {
    attempt: Duration::from_mins(1),
    whole: Duration::from_mins(1),
    first_wait: Duration::ZERO,
    longest_wait: Duration::ZERO,
};

const PROTOCOLS: [OtlpProtocol; 2] = [OtlpProtocol::Grpc, OtlpProtocol::HttpProtobuf];

/// Requests of 40 spans in all, ten each.
fn requests() -> Vec<Encoded> {
    let scenario = Scenario::named("rag").unwrap();
    let plan = Plan::new(PlanConfig {
        capabilities: Traces::capabilities(&scenario),
        scenario,
        seed: 7,
        timing: Timing::AtRate(AtRate::even("80000/day".parse().unwrap(), Duration::from_hours(1))),
        most_calls: Some(10),
        shard: Shard::WHOLE,
    });
    let traces = Traces::new(plan.unwrap(), Dialogue::default());
    let limits = Limits { spans: 10, ..Limits::default() };
    traces.requests(limits, 1_767_571_200_000_000_000).collect()
}

/// What becomes of [`requests`] when they are sent by `config`.
async fn exported(config: &OtlpConfig) -> (Accounting, Vec<String>) {
    let exporter = Exporter::start(config).unwrap();
    for request in requests() {
        send(&exporter, request).await;
    }
    let (books, errors) = exporter.finish(&CancellationToken::new()).await;
    assert_eq!((books.created, books.imbalance()), (40, 0), "{books:?}");
    (books, errors)
}

/// Enters a request in the books, and hands it over.
async fn send(exporter: &Exporter, request: Encoded) {
    exporter.books().created(request.spans);
    exporter.send(request, |_| ()).await;
}

fn config(endpoint: String, protocol: OtlpProtocol) -> OtlpConfig {
    OtlpConfig { protocol, retrying: QUICK, ..OtlpConfig::new(endpoint) }
}
