//! The rate over a stretch of time as a function, its integral, and the inverse of that.

use std::time::Duration;

use crate::day_curve::DayCurve;
use crate::spike::Spike;

/// Seconds in an hour.
const HOUR: f64 = 3_600.0;

/// What makes the rate differ from its mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RateShape {
    /// How the rate varies by the hour.
    pub day_curve: DayCurve,
    /// The rate rises from nothing to its full height over this long, in a straight line.
    pub ramp: Option<Duration>,
    /// Stretches with another rate. Where two overlap, their factors multiply.
    pub spikes: Vec<Spike>,
}

/// The intensity of a stretch of time: the rate against its mean, which is made of straight lines.
#[derive(Clone, Debug)]
pub(crate) struct Intensity {
    lines: Vec<Line>,
    /// The integral over all of it, in seconds at the mean rate.
    total: f64,
    length_seconds: f64,
}

/// A part of the stretch in which the intensity is a straight line.
#[derive(Clone, Copy, Debug)]
struct Line {
    start: f64,
    end: f64,
    /// The integral before `end`.
    reached: f64,
    at_start: f64,
    at_end: f64,
}

impl Intensity {
    pub(crate) fn new(shape: &RateShape, length: Duration) -> Self {
        let length_seconds = length.as_secs_f64();
        let bounds = bounds(shape, length_seconds);
        let mut total = 0.0;
        let lines = bounds
            .windows(2)
            .map(|bounds| {
                let (start, end) = (bounds[0], bounds[1]);
                let level = shape.level(f64::midpoint(start, end));
                let (at_start, at_end) = (level * shape.risen(start), level * shape.risen(end));
                total += f64::midpoint(at_start, at_end) * (end - start);
                Line { start, end, reached: total, at_start, at_end }
            })
            .collect();
        Self { lines, total, length_seconds }
    }

    /// The stretch's length as it counts towards the number of calls: as long as it is for whole
    /// days, less for a stretch of quiet hours, more for one with spikes.
    pub(crate) fn effective(&self) -> Duration {
        Duration::from_secs_f64(self.total)
    }

    /// When the share `fraction`, in [0, 1], of the stretch's calls has been made, in seconds from
    /// its start.
    pub(crate) fn when(&self, fraction: f64) -> f64 {
        let wanted = fraction * self.total;
        let index = self.lines.partition_point(|line| line.reached <= wanted);
        let Some(line) = self.lines.get(index) else { return self.length_seconds };
        let before = if index == 0 { 0.0 } else { self.lines[index - 1].reached };
        let left = wanted - before;
        if left <= 0.0 {
            return line.start;
        }
        // The root of the quadratic equation, in the form that also holds where it is linear.
        let slope = (line.at_end - line.at_start) / (line.end - line.start);
        let root = (line.at_start * line.at_start + 2.0 * slope * left).max(0.0).sqrt();
        (line.start + 2.0 * left / (line.at_start + root)).min(line.end)
    }
}

/// Where the intensity changes its course, the ends of the stretch included.
fn bounds(shape: &RateShape, length_seconds: f64) -> Vec<f64> {
    let hours = (1_u32..).map(|hour| f64::from(hour) * HOUR).take_while(|at| *at < length_seconds);
    let spikes = shape
        .spikes
        .iter()
        .flat_map(|spike| [spike.start.as_secs_f64(), (spike.start + spike.length).as_secs_f64()]);
    let ramp = shape.ramp.map(|ramp| ramp.as_secs_f64());
    let mut bounds: Vec<f64> = hours
        .chain(spikes)
        .chain(ramp)
        .filter(|at| (0.0..length_seconds).contains(at))
        .chain([0.0, length_seconds])
        .collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    bounds
}

impl RateShape {
    /// The intensity at `seconds`, but for the ramp.
    fn level(&self, seconds: f64) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "hours of ten years at most"
        )]
        let hour = (seconds / HOUR) as usize;
        let spikes = self.spikes.iter().filter(|spike| {
            let start = spike.start.as_secs_f64();
            (start..start + spike.length.as_secs_f64()).contains(&seconds)
        });
        self.day_curve.multiplier(hour) * spikes.map(|spike| spike.factor).product::<f64>()
    }

    /// How much of its height the ramp has reached at `seconds`.
    fn risen(&self, seconds: f64) -> f64 {
        self.ramp.map_or(1.0, |ramp| (seconds / ramp.as_secs_f64()).min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shape(curve: &str) -> RateShape {
        RateShape { day_curve: curve.parse().unwrap(), ..RateShape::default() }
    }

    fn hours(hours: u64) -> Duration {
        Duration::from_hours(hours)
    }

    #[test]
    fn an_hour_holds_its_share_of_the_day() {
        let coding = shape("coding");
        let intensity = Intensity::new(&coding, hours(24));
        let when: Vec<f64> =
            (0..80_000).map(|k| intensity.when(f64::from(k) / 80_000.0) / HOUR).collect();
        let before = |hour: u32| when.partition_point(|at| *at < f64::from(hour));
        for hour in 0..24_u32 {
            let calls = f64::from(u32::try_from(before(hour + 1) - before(hour)).unwrap());
            let expected = 80_000.0 / 24.0 * coding.day_curve.multiplier(hour as usize);
            assert!((calls - expected).abs() <= 1.0, "hour {hour}: {calls}");
        }
    }

    #[test]
    fn whole_days_and_weeks_count_in_full_and_quiet_hours_for_less() {
        for curve in DayCurve::names() {
            for weeks in 1..4 {
                let days = if curve.ends_with("-week") { 7 * weeks } else { weeks };
                let effective = Intensity::new(&shape(curve), hours(24 * days)).effective();
                assert!(effective.abs_diff(hours(24 * days)) < Duration::from_micros(1), "{curve}");
            }
        }
        assert!(Intensity::new(&shape("coding"), hours(6)).effective() < hours(6));
    }

    #[test]
    fn a_ramp_takes_half_of_its_length_and_rises_in_a_straight_line() {
        let ramp = RateShape { ramp: Some(hours(2)), ..RateShape::default() };
        let intensity = Intensity::new(&ramp, hours(4));
        assert_eq!(intensity.effective(), hours(3));
        // Half the height is reached after an hour, with a quarter of the ramp's calls.
        assert!((intensity.when(0.25 / 3.0) - HOUR).abs() < 1e-6);
        assert!((intensity.when(2.0 / 3.0) - 3.0 * HOUR).abs() < 1e-6);
    }

    #[test]
    fn a_spike_adds_its_calls_where_it_is_and_an_outage_has_none() {
        let spikes = ["5x@1h+30m", "0x@2h+1h"].map(|spike| spike.parse().unwrap()).to_vec();
        let intensity = Intensity::new(&RateShape { spikes, ..RateShape::default() }, hours(4));
        assert_eq!(intensity.effective(), hours(5));
        let when: Vec<f64> = (0..5_000).map(|k| intensity.when(f64::from(k) / 5_000.0)).collect();
        let within = |from: f64, to: f64| {
            when.iter().filter(|at| (from * HOUR..to * HOUR).contains(*at)).count()
        };
        assert_eq!((within(1.0, 1.5), within(2.001, 3.0), within(3.0, 4.0)), (2_500, 0, 1_000));
    }

    proptest! {
        #[test]
        fn times_rise_with_the_share_and_stay_within(
            curve in 0_usize..7, seconds in 1_u64..1_000_000, ramp in 0_u64..200_000,
            start in 0_u64..900_000, factor in 0.0..9.0, shares in proptest::collection::vec(0.0..=1.0, 2..20),
        ) {
            let spike = Spike { factor, start: Duration::from_secs(start), length: hours(3) };
            let shape = RateShape {
                day_curve: DayCurve::names().nth(curve).unwrap().parse().unwrap(),
                ramp: (ramp > 0).then(|| Duration::from_secs(ramp)),
                spikes: vec![spike],
            };
            let intensity = Intensity::new(&shape, Duration::from_secs(seconds));
            let mut shares = shares;
            shares.sort_by(f64::total_cmp);
            let times: Vec<f64> = shares.iter().map(|share| intensity.when(*share)).collect();
            let end = intensity.length_seconds;
            prop_assert!(times.iter().all(|at| (0.0..=end).contains(at)));
            prop_assert!(times.windows(2).all(|two| two[0] <= two[1] + 1e-9));
        }
    }
}
