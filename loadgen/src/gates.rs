//! What a load must reach to count as the load that was asked for.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use spanproof_schemas::report::{Gate, Load};

/// What a load must reach.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gates {
    /// The least part of the planned rate.
    pub min_achieved: Option<Share>,
    /// The most that the 99th percentile of schedule lag may be.
    pub max_lag_p99: Option<Duration>,
    /// How many calls and spans may be lost.
    pub max_lost: u64,
}

/// A part of a whole.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Share(f64);

/// A text that is not a share.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no share: write such as `99%`, at most `100%`")]
pub struct ParseShareError(String);

impl FromStr for Share {
    type Err = ParseShareError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        given
            .strip_suffix('%')
            .and_then(|percent| percent.trim_end().parse::<f64>().ok())
            .filter(|percent| (0.0..=100.0).contains(percent))
            .map(|percent| Share(percent / 100.0))
            .ok_or_else(|| ParseShareError(given.to_owned()))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Cut, not rounded: 99.996 % is not 100 %.
        write!(f, "{} %", (self.0 * 1e4).floor() / 100.0)
    }
}

impl Gates {
    /// What `load` reached of what it must.
    #[must_use]
    pub fn of(&self, load: &Load) -> Vec<Gate> {
        let mut gates = Vec::new();
        gates.extend(self.min_achieved.map(|least| achieved(least, load)));
        gates.extend(self.max_lag_p99.map(|most| lag(most, load)));
        gates.push(lost(self.max_lost, load));
        gates
    }
}

fn achieved(least: Share, load: &Load) -> Gate {
    let (share, of) = match load.rate {
        Some(rate) => (
            Share(rate.share()),
            format!("{:.1} of {:.1} calls/s", rate.achieved_per_s, rate.planned_per_s),
        ),
        // Without planned times, or with but one, a rate is how many of the calls there were.
        None => (
            Share(ratio(load.started, load.intended)),
            format!("{} of {} calls", load.started, load.intended),
        ),
    };
    // As exact as it is shown: the time from the plan's last call to its sending is no shortfall.
    let is_met = share.0 >= least.0;
    Gate {
        name: "--min-achieved".to_owned(),
        asked: format!("at least {least}"),
        seen: format!("{share} ({of})"),
        is_met,
        advice: (!is_met).then(|| slower(load)),
    }
}

fn lag(most: Duration, load: &Load) -> Gate {
    let seen = load.schedule_lag_ms.p99;
    let is_met = seen <= most.as_secs_f64() * 1e3;
    Gate {
        name: "--max-lag-p99".to_owned(),
        asked: format!("at most {}", humantime::format_duration(most)),
        seen: format!("{seen:.3} ms"),
        is_met,
        advice: (!is_met).then(|| slower(load)),
    }
}

fn lost(most: u64, load: &Load) -> Gate {
    let books = load.telemetry.as_ref().and_then(|telemetry| telemetry.client);
    let spans = books.map_or(0, |books| books.created.saturating_sub(books.exported));
    let parts = [
        (load.failed, "failed"),
        (load.skipped, "skipped"),
        (load.dropped, "dropped"),
        (load.not_made(), "not made"),
    ];
    let calls: u64 = parts.iter().map(|(count, _)| count).sum();
    let mut told: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} calls {what}"))
        .collect();
    if spans > 0 {
        told.push(format!("{spans} spans not exported"));
    }
    let is_met = calls.saturating_add(spans) <= most;
    let advice = || {
        let causes = [
            (load.failed, "see how calls failed"),
            (
                load.skipped,
                "give the generator more of the machine, or make up for it with --catch-up all",
            ),
            (load.dropped, "raise --in-flight, or let calls wait with --over-limit queue"),
            (load.not_made(), "let the run go to its end"),
            (spans, "see what the receiver said about the spans"),
        ];
        let told = causes.iter().filter(|(count, _)| *count > 0).map(|(_, what)| *what);
        told.collect::<Vec<_>>().join("; ")
    };
    Gate {
        name: "--max-lost".to_owned(),
        asked: format!("at most {most}"),
        seen: if told.is_empty() { "none".to_owned() } else { told.join(", ") },
        is_met,
        advice: (!is_met).then(advice),
    }
}

/// What helps against lag, by the largest of its parts.
fn slower(load: &Load) -> String {
    let parts = load.lag_parts.unwrap_or_default();
    let [timer, room, client] = [parts.timer_ms.p99, parts.room_ms.p99, parts.client_ms.p99];
    if load.dropped > 0 || (room >= timer && room >= client && room > 0.0) {
        "calls waited for room: raise --in-flight"
    } else if load.skipped > 0 || timer > client {
        "the machine was too busy to wake the generator: give it more processors, or lower --speed"
    } else {
        "the client did not keep up: lower --speed, or share the plan between machines with --shard"
    }
    .to_owned()
}

fn ratio(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a share of a billion calls at most")]
    let ratio = part as f64 / whole.max(1) as f64;
    ratio
}

#[cfg(test)]
mod tests {
    use spanproof_schemas::accounting::Accounting;
    use spanproof_schemas::report::{AchievedRate, LagParts, Quantiles, TelemetryBooks};

    use super::*;

    fn gates() -> Gates {
        Gates {
            min_achieved: Some("99%".parse().unwrap()),
            max_lag_p99: Some(Duration::from_millis(2)),
            max_lost: 0,
        }
    }

    fn good() -> Load {
        Load {
            intended: 100,
            started: 100,
            completed: 100,
            schedule_lag_ms: Quantiles { p50: 0.1, p99: 2.0, max: 9.0 },
            rate: Some(AchievedRate { planned_per_s: 1_000.0, achieved_per_s: 999.96 }),
            ..Load::default()
        }
    }

    fn shown(gates: &[Gate]) -> String {
        gates
            .iter()
            .map(|Gate { name, asked, seen, is_met, advice }| {
                let advice = advice.as_deref().unwrap_or("-");
                format!("{is_met} {name} {asked}: {seen}; {advice}")
            })
            .collect::<Vec<String>>()
            .join("\n")
    }

    #[test]
    fn a_load_at_the_limits_meets_them() {
        insta::assert_snapshot!(shown(&gates().of(&good())));
    }

    #[test]
    fn what_is_missed_is_told_with_what_to_do() {
        let bad = Load {
            intended: 100,
            started: 90,
            completed: 88,
            failed: 2,
            skipped: 3,
            dropped: 4,
            schedule_lag_ms: Quantiles { p50: 0.1, p99: 2.001, max: 9.0 },
            lag_parts: Some(LagParts {
                timer_ms: Quantiles { p50: 0.1, p99: 0.1, max: 1.0 },
                room_ms: Quantiles::default(),
                client_ms: Quantiles { p50: 0.1, p99: 1.9, max: 9.0 },
            }),
            rate: Some(AchievedRate { planned_per_s: 1_000.0, achieved_per_s: 989.0 }),
            telemetry: Some(TelemetryBooks {
                client: Some(Accounting {
                    created: 90,
                    exported: 85,
                    failed: 5,
                    ..Accounting::default()
                }),
                ..TelemetryBooks::default()
            }),
            ..Load::default()
        };
        insta::assert_snapshot!(shown(&gates().of(&bad)));
        let few = Gates { max_lost: 17, ..gates() };
        assert!(few.of(&bad).last().unwrap().is_met);
    }

    #[test]
    fn what_is_not_a_share_is_named() {
        for text in ["", "99", "101%", "-1%", "NaN%", "%"] {
            assert_eq!(text.parse::<Share>(), Err(ParseShareError(text.to_owned())));
        }
        assert_eq!("99.5%".parse::<Share>().unwrap().to_string(), "99.5 %");
    }
}
