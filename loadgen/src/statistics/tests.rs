use spanproof_schemas::report::Quantiles;

use super::*;
use crate::pacing::Time;
use crate::plan::Planned;

const MS: u64 = 1_000_000;

fn expected(fault: Option<&str>) -> Expected {
    Expected {
        call: 7,
        operation: Operation::Converse,
        model: "amazon.nova-lite-v1:0".to_owned(),
        feature: None,
        fault: fault.map(|name| name.parse().unwrap()),
    }
}

fn done(started_ms: u64, first_ms: Option<u64>, finished_ms: u64) -> Done {
    Done {
        call: 7,
        started_unix_nanos: started_ms * MS,
        first_chunk_unix_nanos: first_ms.map(|at| at * MS),
        finished_unix_nanos: finished_ms * MS,
        error: None,
        usage: None,
        stop_reason: None,
    }
}

fn due(call: u64, planned_ms: Option<u64>) -> Due {
    let planned = planned_ms
        .map(|ms| Time { unix_nanos: ms * MS, minute: u32::try_from(ms / 60_000).unwrap() });
    let released = planned_ms.unwrap_or_default() * MS;
    Due { event: Planned::numbered(call), planned, released }
}

fn admitted(planned_ms: Option<u64>, released_ms: u64, admitted_ms: u64) -> Admitted {
    let due = Due { released: released_ms * MS, ..due(7, planned_ms) };
    Admitted { due, at: admitted_ms * MS }
}

fn statistics(intended: u64) -> Statistics {
    Statistics::new(intended, 0, Speed::REAL)
}

fn assert_about(name: &str, quantiles: Quantiles, wanted: f64) {
    // To three digits.
    assert!((quantiles.max - wanted).abs() <= wanted / 1_000.0, "{name}: {quantiles:?}");
}

#[test]
fn times_count_from_the_plan_and_lag_is_told_by_its_parts() {
    let mut statistics = statistics(1);
    // Due at 100 ms, released at 101, admitted at 103, sent at 107, first chunk at 112, done at 120.
    statistics.ended(&expected(None), &admitted(Some(100), 101, 103), &done(107, Some(112), 120));
    let load = statistics.load("rust".to_owned());
    let parts = load.lag_parts.unwrap();
    for (name, quantiles, wanted) in [
        ("timer", parts.timer_ms, 1.0),
        ("room", parts.room_ms, 2.0),
        ("client", parts.client_ms, 4.0),
        ("lag", load.schedule_lag_ms, 7.0),
        ("latency", load.latency_ms, 20.0),
        ("service", load.service_ms, 13.0),
        ("first chunk", load.ttft_ms, 5.0),
    ] {
        assert_about(name, quantiles, wanted);
    }
}

#[test]
fn without_a_plan_nothing_is_late() {
    let mut statistics = statistics(1);
    statistics.ended(&expected(None), &admitted(None, 1, 2), &done(103, None, 120));
    let load = statistics.load("rust".to_owned());
    assert_eq!(load.schedule_lag_ms, Quantiles::default());
    assert_eq!(load.latency_ms, load.service_ms);
    assert_eq!((load.rate, load.lag_parts, load.minutes.len()), (None, None, 0));
}

#[test]
fn swapped_times_and_a_call_of_a_day_are_counted_at_the_bounds() {
    let mut statistics = statistics(1);
    statistics.ended(&expected(None), &admitted(Some(100), 90, 90), &done(90, None, 86_400_000));
    let load = statistics.load("rust".to_owned());
    assert_eq!(load.schedule_lag_ms, Quantiles::default());
    assert!(load.latency_ms.max >= 3_600_000.0);
}

#[test]
fn only_an_unplanned_end_is_a_failure() {
    let mut statistics = statistics(100);
    let call = admitted(None, 0, 0);
    let throttled = Done { error: Some("ThrottlingException".into()), ..done(0, None, 1) };
    statistics.ended(&expected(Some("ThrottlingException")), &call, &throttled);
    statistics.ended(&expected(None), &call, &done(0, None, 1));
    assert_eq!((statistics.completed, statistics.failed), (2, 0));
    for _ in 0..2 * KEPT_FAILURES {
        statistics.ended(&expected(None), &call, &throttled);
    }
    assert_eq!((statistics.completed, statistics.failed), (2, 2 * KEPT_FAILURES as u64));
    assert_eq!(statistics.failures.len(), KEPT_FAILURES);
    insta::assert_snapshot!(
        statistics.failures[0],
        @"call 7 (Converse amazon.nova-lite-v1:0): ThrottlingException"
    );
}

/// A call a second for two minutes, each taking a millisecond, but that the server stalls from
/// second 30 to second 50 and serves one call at a time.
fn with_a_stall() -> Statistics {
    with_a_stall_from(30)
}

/// The same with a stall of twenty seconds from that second on.
fn with_a_stall_from(second: u64) -> Statistics {
    let mut statistics = statistics(120);
    let mut free = 0;
    for call in 0..120 {
        let planned = 1_000 * call;
        let sent = free.max(planned);
        let finished = if call == second { 1_000 * (second + 20) } else { sent + 1 };
        free = finished;
        statistics.due(&due(call, Some(planned)));
        statistics.started();
        let call = admitted(Some(planned), planned, sent);
        statistics.ended(&expected(None), &call, &done(sent, None, finished));
    }
    statistics
}

#[test]
fn a_stall_shows_in_the_response_time_of_every_call_it_delayed_and_once_in_service_time() {
    let statistics = with_a_stall();
    let histograms = statistics.histograms();
    let above = |counts: &spanproof_schemas::load_result::HistogramCounts, micros: u64| {
        counts.0.iter().filter(|(value, _)| *value > micros).map(|(_, count)| count).sum::<u64>()
    };
    assert_eq!(above(&histograms.service, 900_000), 1);
    // Calls 30 to 49 wait for the end of the stall, the last of them for a second.
    assert_eq!(above(&histograms.latency, 900_000), 20);
    let load = statistics.load("rust".to_owned());
    assert!(load.service_ms.p99 < 2.0, "{:?}", load.service_ms);
    assert!(load.latency_ms.p99 > 18_000.0, "{:?}", load.latency_ms);
}

#[test]
fn a_minute_has_what_was_due_in_it_and_what_was_sent_in_it() {
    let load = with_a_stall().load("rust".to_owned());
    let minute = |minute, sent| LoadMinute { minute, planned: 60, sent, completed: 60 };
    assert_eq!(load.minutes, [minute(0, 60), minute(1, 60)]);
    // What waited until the minute was over was sent in the next.
    let late = with_a_stall_from(50).load("rust".to_owned());
    assert_eq!(late.minutes, [minute(0, 51), minute(1, 69)]);
    assert_eq!(load.peak_minute().unwrap().minute, 0);
    let rate = load.rate.unwrap();
    assert!((rate.share() - 1.0).abs() < 1e-9, "{rate:?}");
}

#[test]
fn a_generator_that_falls_behind_achieves_less_than_planned() {
    let mut statistics = statistics(100);
    // Due within 10 s, sent within 20.
    for call in 0..100 {
        let (planned, sent) = (100 * call, 200 * call);
        statistics.due(&due(call, Some(planned)));
        statistics.started();
        let call = admitted(Some(planned), planned, planned);
        statistics.ended(&expected(None), &call, &done(sent, None, sent));
    }
    let rate = statistics.load("rust".to_owned()).rate.unwrap();
    assert!((rate.share() - 0.5).abs() < 1e-9, "{rate:?}");
}

#[test]
fn what_is_left_out_is_counted_and_the_first_are_named() {
    let mut statistics = statistics(9);
    statistics.skipped(&Due { released: 2_500 * MS, ..due(1, Some(500)) });
    for call in 2..9 {
        statistics.dropped(&due(call, Some(600)), 4);
    }
    let load = statistics.load("rust".to_owned());
    assert_eq!((load.skipped, load.dropped, load.not_made()), (1, 7, 1));
    assert_eq!(
        statistics.left_out(),
        [
            "call 1 was skipped, overdue by 2.000 s",
            "call 2 was dropped, with 4 calls open",
            "call 3 was dropped, with 4 calls open"
        ]
    );
}

#[test]
fn merged_halves_are_the_whole_and_time_counts_once() {
    let whole = with_a_stall();
    let written = |statistics: &Statistics| {
        let load = statistics.load("rust".to_owned());
        let (histograms, slices) = (statistics.histograms(), statistics.slices());
        Statistics::of(&load, &histograms, &slices, statistics.window(), &[]).unwrap()
    };
    assert_eq!(written(&whole).load("rust".to_owned()), whole.load("rust".to_owned()));
    let mut twice = written(&whole);
    twice.merge(&whole);
    let (one, two) = (whole.load("rust".to_owned()), twice.load("rust".to_owned()));
    assert_eq!((two.completed, two.minutes[1].sent), (240, 120));
    assert_eq!((two.wall_s.to_bits(), two.latency_ms), (one.wall_s.to_bits(), one.latency_ms));
    let rates = (one.rate.unwrap().achieved_per_s, two.rate.unwrap().achieved_per_s);
    assert!((rates.1 - 2.0 * rates.0).abs() < 1e-9, "{rates:?}");
}

#[test]
fn merged_parts_add_up_in_every_count() {
    let mut part = statistics(4);
    let usage = Usage { input_tokens: 7, output_tokens: 5, ..Usage::default() };
    let answered = Done {
        usage: Some(usage),
        stop_reason: Some("end_turn".to_owned()),
        ..done(103, None, 120)
    };
    part.due(&due(7, Some(100)));
    part.started();
    part.ended(&expected(None), &admitted(Some(100), 101, 102), &answered);
    part.started();
    part.failed("lost".to_owned());
    part.skipped(&Due { released: 2_500 * MS, ..due(1, Some(500)) });
    part.dropped(&due(2, Some(600)), 4);
    part.clock_step(-3_000_000_000);
    let mut other = part.clone();
    other.clock_step(5_000_000_000);
    part.merge(&other);
    let load = part.load("rust".to_owned());
    assert_eq!((load.intended, load.started, load.completed, load.failed), (8, 4, 2, 2));
    assert_eq!((load.skipped, load.dropped), (2, 2));
    assert_eq!(load.minutes, [LoadMinute { minute: 0, planned: 2, sent: 2, completed: 2 }]);
    assert_eq!(load.answers.stop_reasons.get("end_turn"), Some(&2));
    let share = &load.answers.shares[0];
    let tokens = (share.tokens.input_tokens, share.tokens.output_tokens);
    assert_eq!((share.calls, tokens), (2, (14, 10)));
    assert_eq!(load.slices[0].tokens.output_tokens, 10);
    // The clock that was set the furthest is told.
    assert_eq!(part.window().clock_step_ms, 5_000);
}
