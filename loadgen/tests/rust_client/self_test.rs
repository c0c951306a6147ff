//! What a load reports of its own times, against a mock whose delays are known and a bystander that
//! looks on: no time is less than what is known to have passed, and none more than the bystander saw.
//!
//! Bounds are of the same run, so that a machine that is busy widens them and fails nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use loadgen::{
    Accounting, AtRate, Capabilities, CatchUp, Client, ClientError, Clock, LoadConfig, LoadOutcome,
    Plan, PlanConfig, RustClient, RustClientConfig, Scenario, Shard, Timing, run,
};
use mock_bedrock::{FaultPlan, InMemory, Server};
use spanproof_schemas::ledger::Exchange;
use spanproof_schemas::load_result::HistogramCounts;
use spanproof_schemas::semconv::Version;
use spanproof_schemas::speed::Speed;
use spanproof_schemas::worker::{Call, Done};

use super::SEED;
use super::collector::Collector;

/// How fast simulated time runs, for the plan and for the mock.
const TIMES: f64 = 1_000.0;

/// What the mock waits before it answers, in real time, and what that is called in simulated time.
const DELAY: Duration = Duration::from_millis(60);
const DELAY_SIMULATED: &str = "slow-first-byte=60s";

const CALLS: u64 = 20;

/// The clocks of the mock and of the load are read once each from the clock on the wall, and may
/// differ by what that was set meanwhile.
const CLOCKS_DIFFER: Duration = Duration::from_millis(5);

/// A client that notes when each call was asked for and when it had ended.
struct Watched {
    client: RustClient,
    clock: Clock,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A call as a bystander saw it, in nanoseconds since 1970.
#[derive(Clone, Copy, Debug)]
struct Seen {
    call: u64,
    asked: u64,
    ended: u64,
}

impl Client for Watched {
    fn name(&self) -> String {
        self.client.name()
    }

    async fn call(&self, call: Call) -> Result<Done, ClientError> {
        let (call_number, asked) = (call.call, self.clock.now());
        let done = self.client.call(call).await;
        let seen = Seen { call: call_number, asked, ended: self.clock.now() };
        self.seen.lock().unwrap().push(seen);
        done
    }

    async fn finish(&self) -> Result<(), ClientError> {
        self.client.finish().await
    }

    fn accounting(&self) -> Option<Accounting> {
        self.client.accounting()
    }
}

/// A run, and what was seen of it.
struct Tested {
    outcome: LoadOutcome,
    /// When each call was due, in the order of the plan.
    planned: Vec<u64>,
    /// What was seen of each call, in the same order.
    seen: Vec<Seen>,
    /// What the mock served, in the order of arrival.
    served: Vec<Exchange>,
}

/// Makes streamed calls, of which the mock delays those that `faults` strike, at most `in_flight` at
/// once.
async fn tested(faults: &str, in_flight: usize) -> Tested {
    let plan = || {
        let plan = Plan::new(PlanConfig {
            scenario: Scenario { faults: Vec::new(), ..Scenario::named("streaming").unwrap() },
            capabilities: Capabilities::all(),
            seed: SEED,
            timing: Timing::AtRate(AtRate::even(
                "80000/day".parse().unwrap(),
                Duration::from_hours(24),
            )),
            most_calls: Some(CALLS),
            shard: Shard::WHOLE,
        });
        plan.unwrap()
    };
    let speed = Speed::Times(TIMES);
    let faults: FaultPlan = serde_json::from_str(faults).unwrap();
    let ledger = InMemory::default();
    let mock =
        mock_bedrock::Config { seed: SEED, speed, faults, ..mock_bedrock::Config::default() };
    let mock = Server::start(mock, ledger.clone()).unwrap();
    let (_collector, address) = Collector::start().await;
    let config = LoadConfig { in_flight, catch_up: CatchUp::All, ..LoadConfig::new(speed) };
    let clock = config.clock.clone();
    let client = RustClient::start(RustClientConfig {
        bedrock_endpoint: mock.endpoint(),
        otlp_endpoint: format!("http://{address}"),
        semconv: Version::LATEST,
        content: false,
        speed,
        clock: clock.clone(),
    })
    .unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let client = Watched { client, clock, seen: Arc::clone(&seen) };
    let outcome = run(config, plan(), client, |_| ()).await;
    mock.shutdown().await.unwrap();
    assert_eq!(outcome.statistics.load(String::new()).completed, CALLS);
    let start = outcome.statistics.window().start_unix_nanos;
    let due = |planned: loadgen::Planned| start + nanos(speed.scale(planned.at));
    let planned = plan().planned().map(due).collect();
    let mut seen = seen.lock().unwrap().clone();
    seen.sort_by_key(|seen| seen.call);
    Tested { outcome, planned, seen, served: ledger.exchanges() }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap()
}

/// The times of a histogram in order, in nanoseconds: each the most that its bucket stands for.
fn times(counts: &HistogramCounts) -> Vec<u64> {
    let each = counts.0.iter().flat_map(|(micros, count)| {
        std::iter::repeat_n(micros * 1_000, usize::try_from(*count).unwrap())
    });
    each.collect()
}

/// Holds that as many times were reported as there are bounds, and that each can be of one of them:
/// what lies between two bounds call by call does so in order of size too.
fn assert_between(what: &str, reported: &HistogramCounts, mut bounds: Vec<(u64, u64)>) {
    let reported = times(reported);
    assert_eq!(reported.len(), bounds.len(), "{what}");
    let mut upper: Vec<u64> = bounds.iter().map(|(_, upper)| *upper).collect();
    upper.sort_unstable();
    bounds.sort_unstable();
    for ((reported, (lower, _)), upper) in reported.into_iter().zip(bounds).zip(upper) {
        // A microsecond, and a thousandth: that is how exact the histograms are.
        assert!(reported + 1_000 >= lower, "{what}: {reported} ns, of {lower} at least");
        assert!(reported <= upper + upper / 1_000 + 2_000, "{what}: {reported} ns, of {upper}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reported_times_are_no_less_than_the_known_delays_and_no_more_than_a_bystander_saw() {
    let faults = format!(r#"{{"rules":[{{"fault":"{DELAY_SIMULATED}","attempts":1}}]}}"#);
    for in_flight in [1, 5] {
        let Tested { outcome, planned, seen, served } = tested(&faults, in_flight).await;
        let histograms = outcome.statistics.histograms();
        let delay = nanos(DELAY);
        let took = |seen: &Seen| (delay, seen.ended - seen.asked);
        let bounds = seen.iter().map(took).collect::<Vec<_>>();
        assert_between("first chunk", &histograms.ttft, bounds.clone());
        assert_between("service", &histograms.service, bounds);

        let calls = planned.iter().zip(&seen);
        let latency = calls.clone().map(|(planned, seen)| {
            (seen.asked.saturating_sub(*planned) + delay, seen.ended - planned)
        });
        assert_between("latency", &histograms.latency, latency.collect());
        // A call was sent after it was asked for, and before it arrived.
        let mut arrived: Vec<u64> = served.iter().map(|served| served.arrived_unix_nanos).collect();
        arrived.sort_unstable();
        let lag = calls.zip(&arrived).map(|((planned, seen), arrived)| {
            let latest = if in_flight == 1 { arrived + nanos(CLOCKS_DIFFER) } else { seen.ended };
            (seen.asked.saturating_sub(*planned), latest.saturating_sub(*planned))
        });
        assert_between("lag", &histograms.lag, lag.collect());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stall_of_two_seconds_counts_for_every_call_that_it_delayed() {
    // 2,000 simulated seconds, of the fifth call alone; the others wait for it.
    let stalled = 5;
    let stall = Duration::from_secs(2);
    let faults = format!(
        r#"{{"rules":[{{"fault":"slow-first-byte=2000s","call":{stalled},"attempts":1}}]}}"#
    );
    let Tested { outcome, planned, .. } = tested(&faults, 1).await;
    let histograms = outcome.statistics.histograms();
    let at_least = |counts: &HistogramCounts, least: Duration| {
        let least = nanos(least);
        times(counts).into_iter().filter(|time| *time >= least).count() as u64
    };
    // All that came due until the stall was over: the plan is shorter than that.
    let after = planned.last().unwrap() - planned[stalled - 1];
    let left = stall.checked_sub(Duration::from_nanos(after)).unwrap();
    assert!(left > Duration::from_secs(1), "the plan is over long before the stall is");
    let delayed = CALLS - stalled as u64 + 1;
    assert!(at_least(&histograms.latency, left) >= delayed);
    assert!(at_least(&histograms.lag, left) >= delayed - 1);
    assert!(at_least(&histograms.service, stall) >= 1);
    // A closed loop would have seen one slow call: the times of service add up to little more than
    // the time of the run, those of response to many times that.
    let sum = |counts: &HistogramCounts| times(counts).into_iter().sum::<u64>();
    assert!(sum(&histograms.latency) >= delayed * nanos(left));
    let run = outcome.statistics.window();
    let length = run.end_unix_nanos - run.start_unix_nanos;
    assert!(sum(&histograms.service) <= length + length / 100);
}
