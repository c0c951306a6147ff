//! The shape of a day: how the rate rises and falls by the hour.

use std::time::Duration;

/// Seconds in an hour.
const HOUR: f64 = 3_600.0;
/// Hours in a day.
const HOURS: usize = 24;

/// How the rate varies over a day, whose hours are UTC. A plan starts at midnight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DayCurve {
    /// The same rate all day.
    #[default]
    Flat,
    /// People talking to an assistant on a weekday: two waves and a shallow night.
    Conversation,
    /// Developers at work on a weekday: one high wave and a deep night.
    Coding,
}

/// Weekday multipliers by hour, read off the plots of the Azure LLM inference trace of 2024
/// (conversation service), against the mean of the week.
const CONVERSATION: [f64; HOURS] = [
    1.01, 1.11, 1.09, 0.91, 0.91, 0.99, 1.14, 1.24, 1.27, 1.24, 1.12, 1.17, 1.30, 1.45, 1.53, 1.42,
    1.30, 1.24, 1.23, 1.16, 1.07, 0.89, 0.80, 0.82,
];

/// The same for the coding service.
const CODING: [f64; HOURS] = [
    0.88, 0.85, 0.80, 0.66, 0.52, 0.43, 0.37, 0.31, 0.29, 0.30, 0.32, 0.45, 0.83, 1.43, 2.05, 2.27,
    2.13, 2.43, 2.70, 2.77, 2.59, 1.94, 1.40, 1.03,
];

impl DayCurve {
    /// Every curve, with the name it goes by in options.
    pub const ALL: [(&'static str, DayCurve); 3] = [
        ("flat", DayCurve::Flat),
        ("conversation", DayCurve::Conversation),
        ("coding", DayCurve::Coding),
    ];

    fn multipliers(self) -> [f64; HOURS] {
        match self {
            DayCurve::Flat => [1.0; HOURS],
            DayCurve::Conversation => CONVERSATION,
            DayCurve::Coding => CODING,
        }
    }
}

/// The cumulative intensity of a stretch of days with one curve, and its inverse.
#[derive(Clone, Debug)]
pub(crate) struct Intensity {
    /// Cumulative intensity at the end of each hour of a day, in seconds at the mean rate: the
    /// last is exactly a day.
    by_hour: [f64; HOURS],
    length_seconds: f64,
}

/// A day, in seconds.
const DAY: f64 = 24.0 * HOUR;

impl Intensity {
    pub(crate) fn new(curve: DayCurve, length: Duration) -> Self {
        let multipliers = curve.multipliers();
        let total: f64 = multipliers.iter().sum();
        let mut by_hour = [0.0; HOURS];
        let mut sum = 0.0;
        for (end, multiplier) in by_hour.iter_mut().zip(multipliers) {
            sum += multiplier;
            *end = sum / total * DAY;
        }
        Self { by_hour, length_seconds: length.as_secs_f64() }
    }

    /// The stretch's length as it counts towards the number of calls: as long as it is for whole
    /// days, less for a stretch of quiet hours.
    pub(crate) fn effective(&self) -> Duration {
        Duration::from_secs_f64(self.before(self.length_seconds))
    }

    /// When the share `fraction`, in [0, 1], of the stretch's calls has been made, in seconds from
    /// its start.
    pub(crate) fn when(&self, fraction: f64) -> f64 {
        let wanted = fraction * self.before(self.length_seconds);
        let day = (wanted / DAY).floor();
        let within = wanted - day * DAY;
        let hour = self.by_hour.partition_point(|end| *end <= within).min(HOURS - 1);
        let (start, end) = self.hour_bounds(hour);
        let into_hour = (within - start) / (end - start);
        (day * DAY + (offset(hour) + into_hour) * HOUR).min(self.length_seconds)
    }

    /// The intensity accumulated before `seconds`.
    fn before(&self, seconds: f64) -> f64 {
        let day = (seconds / DAY).floor();
        let hours = (seconds - day * DAY) / HOUR;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "hours of a day, from 0 to 23"
        )]
        let hour = (hours as usize).min(HOURS - 1);
        let (start, end) = self.hour_bounds(hour);
        day * DAY + start + (end - start) * (hours - offset(hour))
    }

    fn hour_bounds(&self, hour: usize) -> (f64, f64) {
        let start = if hour == 0 { 0.0 } else { self.by_hour[hour - 1] };
        (start, self.by_hour[hour])
    }
}

/// `hour` as a number of hours since midnight.
#[expect(clippy::cast_precision_loss, reason = "hours of a day, from 0 to 23")]
fn offset(hour: usize) -> f64 {
    hour as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_curve() -> impl Strategy<Value = DayCurve> {
        proptest::sample::select(DayCurve::ALL.map(|(_, curve)| curve).to_vec())
    }

    #[test]
    fn an_hour_holds_its_share_of_the_day() {
        let intensity = Intensity::new(DayCurve::Coding, Duration::from_hours(24));
        let when: Vec<f64> =
            (0..80_000).map(|k| intensity.when(f64::from(k) / 80_000.0) / HOUR).collect();
        let before = |hour| when.partition_point(|at| *at < offset(hour));
        let calls_by_hour = (0..HOURS).map(|hour| before(hour + 1) - before(hour));
        let mean: f64 = CODING.iter().sum::<f64>() / 24.0;
        for (hour, calls) in calls_by_hour.enumerate() {
            let expected = 80_000.0 / 24.0 * CODING[hour] / mean;
            let calls = f64::from(u32::try_from(calls).unwrap());
            assert!((calls - expected).abs() <= 1.0, "hour {hour}: {calls}");
        }
    }

    #[test]
    fn whole_days_count_in_full_and_quiet_hours_for_less() {
        for (_, curve) in DayCurve::ALL {
            for days in 1..4 {
                let length = Duration::from_hours(24 * days);
                assert_eq!(Intensity::new(curve, length).effective(), length);
            }
        }
        let night = Duration::from_hours(6);
        assert!(Intensity::new(DayCurve::Coding, night).effective() < night);
    }

    proptest! {
        #[test]
        fn the_inverse_undoes_the_sum(
            curve in any_curve(), seconds in 1_u64..1_000_000, fraction in 0.0..1.0,
        ) {
            let intensity = Intensity::new(curve, Duration::from_secs(seconds));
            let reached = intensity.before(intensity.when(fraction));
            let wanted = fraction * intensity.before(intensity.length_seconds);
            prop_assert!((reached - wanted).abs() < 1e-6 * wanted.max(1.0));
        }
    }
}
