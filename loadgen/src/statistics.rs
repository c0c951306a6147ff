//! What a run measures: counts, and times in histograms. Those of several runs merge.

use std::collections::BTreeMap;
use std::time::Duration;

use spanproof_schemas::ledger::Usage;
use spanproof_schemas::load_result::{LoadHistograms, LoadWindow, SliceHistograms};
use spanproof_schemas::report::{AchievedRate, LagParts, Load, LoadMinute};
use spanproof_schemas::speed::Speed;
use spanproof_schemas::time::UnixNanos;
use spanproof_schemas::worker::{Call, Done, Operation};

use crate::fault::{Fault, unplanned_end};
use crate::pacing::Due;
use crate::run::Progress;
use answers::{Answers, Whose};
use series::{Ended, Series};
use times::Times;

mod answers;
mod series;
mod times;

/// How many failures are kept word for word, and how many calls that were left out.
const KEPT_FAILURES: usize = 10;
const KEPT_LEFT_OUT: usize = 3;

/// The counts and times of the calls of a run, or of several.
#[derive(Clone, Debug)]
pub struct Statistics {
    intended: u64,
    started: u64,
    completed: u64,
    failed: u64,
    skipped: u64,
    dropped: u64,
    failures: Vec<String>,
    left_out: Vec<String>,
    lag: Times,
    timer: Times,
    room: Times,
    client: Times,
    latency: Times,
    service: Times,
    first_chunk: Times,
    /// Lag since progress was told last.
    recent_lag: Times,
    minutes: BTreeMap<u32, LoadMinute>,
    series: Series,
    answers: Answers,
    window: LoadWindow,
    speed: Speed,
}

/// What is kept of a call to judge its end by.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    call: u64,
    operation: Operation,
    model: String,
    feature: Option<String>,
    fault: Option<Fault>,
}

impl Expected {
    pub(crate) fn of(call: &Call, feature: Option<&str>) -> Self {
        Self {
            call: call.call,
            operation: call.operation,
            model: call.model_id.clone(),
            feature: feature.map(str::to_owned),
            fault: Fault::of(call),
        }
    }
}

/// The times of a call before it is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admitted {
    /// What was due.
    pub(crate) due: Due,
    /// When there was room for it among the calls that may be open.
    pub(crate) at: UnixNanos,
}

impl Statistics {
    /// Of a run of `intended` calls that starts at `start`.
    pub(crate) fn new(intended: u64, start: UnixNanos, speed: Speed) -> Self {
        Self {
            intended,
            started: 0,
            completed: 0,
            failed: 0,
            skipped: 0,
            dropped: 0,
            failures: Vec::new(),
            left_out: Vec::new(),
            lag: Times::new(),
            timer: Times::new(),
            room: Times::new(),
            client: Times::new(),
            latency: Times::new(),
            service: Times::new(),
            first_chunk: Times::new(),
            recent_lag: Times::new(),
            minutes: BTreeMap::new(),
            series: Series::default(),
            answers: Answers::default(),
            window: LoadWindow {
                start_unix_nanos: start,
                last_planned_unix_nanos: start,
                last_sent_unix_nanos: start,
                end_unix_nanos: start,
                clock_step_ms: 0,
            },
            speed,
        }
    }

    /// Counts a call that has come due.
    pub(crate) fn due(&mut self, due: &Due) {
        if let Some(planned) = due.planned {
            self.minute(planned.minute).planned += 1;
            let last = &mut self.window.last_planned_unix_nanos;
            *last = planned.unix_nanos.max(*last);
        }
    }

    /// Counts a call that is left out since it was overdue when it was released.
    pub(crate) fn skipped(&mut self, due: &Due) {
        self.skipped += 1;
        if self.left_out.len() < KEPT_LEFT_OUT {
            let planned = due.planned.map_or(due.released, |planned| planned.unix_nanos);
            let overdue = Duration::from_nanos(due.released.saturating_sub(planned)).as_secs_f64();
            let call = due.event.call;
            self.left_out.push(format!("call {call} was skipped, overdue by {overdue:.3} s"));
        }
    }

    /// Counts a call that is left out since `open` calls are open.
    pub(crate) fn dropped(&mut self, due: &Due, open: usize) {
        self.dropped += 1;
        if self.left_out.len() < KEPT_LEFT_OUT {
            let call = due.event.call;
            self.left_out.push(format!("call {call} was dropped, with {open} calls open"));
        }
    }

    /// Counts a call that is handed to the client.
    pub(crate) fn started(&mut self) {
        self.started += 1;
    }

    /// Counts a call that has ended, by what was planned for it.
    pub(crate) fn ended(&mut self, expected: &Expected, call: &Admitted, done: &Done) {
        let ended = Ended {
            sent: done.started_unix_nanos,
            first_chunk: done.first_chunk_unix_nanos,
            finished: done.finished_unix_nanos,
            usage: done.usage.unwrap_or_default(),
        };
        self.took(call, ended);
        let whose = Whose {
            model: expected.model.clone(),
            tenant: Some(call.due.event.tenant),
            feature: expected.feature.clone(),
        };
        self.answers.ended(whose, done);
        match unplanned_end(expected.fault, done) {
            None => self.completed(call),
            Some(end) => {
                let Expected { call, operation, model, .. } = expected;
                self.failed(format!("call {call} ({} {model}): {end}", operation.name()));
            }
        }
    }

    /// Counts a synthetic trace, made at `sent` and answered for at `finished`. What was answered is
    /// a matter of the books of spans.
    pub(crate) fn answered(&mut self, trace: &Admitted, sent: UnixNanos, finished: UnixNanos) {
        self.took(trace, Ended { sent, first_chunk: None, finished, usage: Usage::default() });
        self.completed(trace);
    }

    /// Takes the times of a call. Where calls are made as fast as can be, each is due when it starts.
    fn took(&mut self, call: &Admitted, ended: Ended) {
        let Ended { sent, first_chunk, finished, .. } = ended;
        let planned = call.due.planned.map_or(sent, |planned| planned.unix_nanos);
        self.lag.record(planned, sent);
        self.recent_lag.record(planned, sent);
        self.latency.record(planned, finished);
        self.service.record(sent, finished);
        if let Some(first) = first_chunk {
            self.first_chunk.record(sent, first);
        }
        if let Some(planned) = call.due.planned {
            self.series.ended(planned, ended);
            self.timer.record(planned.unix_nanos, call.due.released);
            self.room.record(call.due.released, call.at);
            self.client.record(call.at, sent);
            let minute = self.minute_of(sent).unwrap_or(planned.minute);
            self.minute(minute).sent += 1;
        }
        self.window.last_sent_unix_nanos = sent.max(self.window.last_sent_unix_nanos);
        self.window.end_unix_nanos = finished.max(self.window.end_unix_nanos);
    }

    fn completed(&mut self, call: &Admitted) {
        self.completed += 1;
        if let Some(planned) = call.due.planned {
            self.minute(planned.minute).completed += 1;
        }
    }

    /// Counts a call that did not end as planned.
    pub(crate) fn failed(&mut self, failure: String) {
        self.failed += 1;
        if self.failures.len() < KEPT_FAILURES {
            self.failures.push(failure);
        }
    }

    /// Calls that were handed to the client and have not ended.
    pub(crate) fn open(&self) -> u64 {
        self.started.saturating_sub(self.completed + self.failed)
    }

    /// How far it has come by `now`, `elapsed` after it was asked for.
    pub(crate) fn progress(&mut self, now: UnixNanos, elapsed: Duration) -> Progress {
        let recent_lag_ms = self.recent_lag.quantiles();
        self.recent_lag.clear();
        let since = Duration::from_nanos(now.saturating_sub(self.window.start_unix_nanos));
        let (tokens, usd) = self.answers.sum();
        Progress {
            intended: self.intended,
            due: self.minutes.values().map(|minute| minute.planned).sum(),
            started: self.started,
            completed: self.completed,
            failed: self.failed,
            errors: self.answers.errors(),
            skipped: self.skipped,
            dropped: self.dropped,
            lag_ms: self.lag.quantiles(),
            recent_lag_ms,
            latency_ms: self.latency.quantiles(),
            tokens,
            usd,
            simulated: match self.speed {
                Speed::Times(times) => Some(simulated(since, times)),
                Speed::Max => None,
            },
            elapsed,
        }
    }

    /// Notes how far the wall clock was set during the run.
    pub(crate) fn clock_step(&mut self, nanos: i128) {
        self.window.clock_step_ms = i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX);
    }

    fn minute(&mut self, minute: u32) -> &mut LoadMinute {
        self.minutes.entry(minute).or_insert(LoadMinute { minute, ..LoadMinute::default() })
    }

    /// The minute of simulated time at `time`.
    fn minute_of(&self, time: UnixNanos) -> Option<u32> {
        let Speed::Times(times) = self.speed else { return None };
        let since = Duration::from_nanos(time.saturating_sub(self.window.start_unix_nanos));
        let minutes = since.as_secs_f64() * times / 60.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is not below zero, and a cast of what is too large gives the most there is"
        )]
        let minute = minutes as u32;
        Some(minute)
    }
}

impl Statistics {
    /// The first calls that did not end as planned, and how they ended.
    #[must_use]
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// The first calls that were left out, and why.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// What was measured by slices of simulated time, to be written.
    #[must_use]
    pub fn slices(&self) -> Vec<SliceHistograms> {
        self.series.histograms()
    }

    /// When it happened.
    #[must_use]
    pub fn window(&self) -> LoadWindow {
        self.window
    }

    /// What was measured, to be written.
    #[must_use]
    pub fn histograms(&self) -> LoadHistograms {
        LoadHistograms {
            lag: self.lag.counts(),
            timer: self.timer.counts(),
            room: self.room.counts(),
            client: self.client.counts(),
            latency: self.latency.counts(),
            service: self.service.counts(),
            ttft: self.first_chunk.counts(),
        }
    }

    /// What a written result says; `None` where its histograms are not such as ours.
    #[must_use]
    pub fn of(
        load: &Load,
        histograms: &LoadHistograms,
        slices: &[SliceHistograms],
        window: LoadWindow,
        failures: &[String],
    ) -> Option<Statistics> {
        Some(Statistics {
            intended: load.intended,
            started: load.started,
            completed: load.completed,
            failed: load.failed,
            skipped: load.skipped,
            dropped: load.dropped,
            failures: failures.to_vec(),
            left_out: Vec::new(),
            lag: Times::of(&histograms.lag)?,
            timer: Times::of(&histograms.timer)?,
            room: Times::of(&histograms.room)?,
            client: Times::of(&histograms.client)?,
            latency: Times::of(&histograms.latency)?,
            service: Times::of(&histograms.service)?,
            first_chunk: Times::of(&histograms.ttft)?,
            recent_lag: Times::new(),
            minutes: load.minutes.iter().map(|minute| (minute.minute, *minute)).collect(),
            series: Series::of(&load.slices, slices)?,
            answers: Answers::of(&load.answers),
            window,
            speed: Speed::Max,
        })
    }

    /// Adds what another part of the same load did at the same time. Rates are then those of the
    /// time from the first start to the last end, so that no time counts twice.
    pub fn merge(&mut self, other: &Statistics) {
        for (sum, more) in [
            (&mut self.intended, other.intended),
            (&mut self.started, other.started),
            (&mut self.completed, other.completed),
            (&mut self.failed, other.failed),
            (&mut self.skipped, other.skipped),
            (&mut self.dropped, other.dropped),
        ] {
            *sum = sum.saturating_add(more);
        }
        let room = KEPT_FAILURES.saturating_sub(self.failures.len());
        self.failures.extend(other.failures.iter().take(room).cloned());
        for (sum, more) in [
            (&mut self.lag, &other.lag),
            (&mut self.timer, &other.timer),
            (&mut self.room, &other.room),
            (&mut self.client, &other.client),
            (&mut self.latency, &other.latency),
            (&mut self.service, &other.service),
            (&mut self.first_chunk, &other.first_chunk),
        ] {
            sum.merge(more);
        }
        for minute in other.minutes.values() {
            let sum = self.minute(minute.minute);
            sum.planned = sum.planned.saturating_add(minute.planned);
            sum.sent = sum.sent.saturating_add(minute.sent);
            sum.completed = sum.completed.saturating_add(minute.completed);
        }
        self.series.merge(&other.series);
        self.answers.merge(&other.answers);
        let (one, other) = (&mut self.window, other.window);
        one.start_unix_nanos = one.start_unix_nanos.min(other.start_unix_nanos);
        one.last_planned_unix_nanos =
            one.last_planned_unix_nanos.max(other.last_planned_unix_nanos);
        one.last_sent_unix_nanos = one.last_sent_unix_nanos.max(other.last_sent_unix_nanos);
        one.end_unix_nanos = one.end_unix_nanos.max(other.end_unix_nanos);
        if one.clock_step_ms.abs() < other.clock_step_ms.abs() {
            one.clock_step_ms = other.clock_step_ms;
        }
    }

    /// All of it, for the report.
    #[must_use]
    pub fn load(&self, client: String) -> Load {
        let is_paced = !self.minutes.is_empty();
        Load {
            client,
            intended: self.intended,
            started: self.started,
            completed: self.completed,
            failed: self.failed,
            skipped: self.skipped,
            dropped: self.dropped,
            wall_s: seconds(self.window.start_unix_nanos, self.window.end_unix_nanos),
            schedule_lag_ms: self.lag.quantiles(),
            lag_parts: is_paced.then(|| LagParts {
                timer_ms: self.timer.quantiles(),
                room_ms: self.room.quantiles(),
                client_ms: self.client.quantiles(),
            }),
            latency_ms: self.latency.quantiles(),
            service_ms: self.service.quantiles(),
            ttft_ms: self.first_chunk.quantiles(),
            rate: self.rate(),
            minutes: self.minutes.values().copied().collect(),
            slices: self.series.slices(),
            answers: self.answers.told(),
            storage: None,
            telemetry: None,
            gates: Vec::new(),
        }
    }

    /// The rate of the calls that came due, and of those sent; `None` where no time passed between
    /// them.
    fn rate(&self) -> Option<AchievedRate> {
        let LoadWindow {
            start_unix_nanos: start,
            last_planned_unix_nanos: last_planned,
            last_sent_unix_nanos: last_sent,
            ..
        } = self.window;
        let planned_s = seconds(start, last_planned);
        let due: u64 = self.minutes.values().map(|minute| minute.planned).sum();
        let per_s = |calls: u64, seconds: f64| {
            #[expect(clippy::cast_precision_loss, reason = "a rate, of a billion calls at most")]
            let per_s = calls as f64 / seconds;
            per_s
        };
        (planned_s > 0.0).then(|| AchievedRate {
            planned_per_s: per_s(due, planned_s),
            achieved_per_s: per_s(self.started, seconds(start, last_planned.max(last_sent))),
        })
    }
}

/// How much simulated time passes in `real` time; an odd speed gives as much as there can be.
fn simulated(real: Duration, times: f64) -> Duration {
    Duration::try_from_secs_f64(real.as_secs_f64() * times).unwrap_or(Duration::MAX)
}

/// The time from `earlier` to `later`.
fn seconds(earlier: UnixNanos, later: UnixNanos) -> f64 {
    Duration::from_nanos(later.saturating_sub(earlier)).as_secs_f64()
}

#[cfg(test)]
mod tests;
