//! Charts as SVG in the page: curves over simulated time, and bars. Colours and sizes of text are the
//! style sheet's; a pointer over a chart shows figures, which need no script for that.

use std::fmt::Write as _;

use maud::{Markup, html};

/// The plot of curves, in units of its view box, and what is left of it and below for figures. Text is
/// larger on narrow screens, which leaves as much room for it as that takes.
const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 216.0;
const LEFT: f64 = 66.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 34.0;

/// How many lines across the plot there are at most, and how many times below it.
const MOST_LINES: f64 = 5.0;
const MOST_TIMES: f64 = 6.0;

/// Between which times lie times that are told, in minutes: whole parts of an hour, a day, a week.
const TIME_STEPS: [f64; 14] =
    [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 180.0, 240.0, 360.0, 720.0, 1_440.0, 10_080.0];

const MINUTES_OF_DAY: u32 = 1_440;

/// A part of simulated time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    /// Its first minute.
    pub(super) minute: u32,
    /// How many it has.
    pub(super) minutes: u32,
}

/// A curve, or what is below one.
#[derive(Clone, Debug)]
pub(super) struct Curve {
    pub(super) name: &'static str,
    pub(super) form: Form,
    /// One for each slice; none where nothing was measured.
    pub(super) values: Vec<Option<f64>>,
}

/// How a curve is drawn. The colours are those of the style sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    First,
    Second,
    Third,
    /// What is below it is filled, behind the other curves.
    Filled,
}

impl Form {
    fn class(self) -> &'static str {
        match self {
            Form::First => "first",
            Form::Second => "second",
            Form::Third => "third",
            Form::Filled => "filled",
        }
    }
}

/// What values are of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit {
    /// A value as people read it.
    pub(super) told: fn(f64) -> String,
    /// One beside a line across, in the same unit as the greatest, which comes second.
    pub(super) beside: fn(f64, f64) -> String,
}

/// Curves over simulated time, from nothing up.
pub(super) fn curves(title: &str, slices: &[Slice], curves: &[Curve], unit: Unit) -> Markup {
    let values = || curves.iter().flat_map(|curve| &curve.values).copied().flatten();
    let plot = Plot::new(slices, values().fold(0.0, f64::max));
    let legend = curves.iter().map(|curve| curve.name).collect::<Vec<_>>().join(", ");
    html! {
        figure.chart {
            figcaption {
                strong { (title) }
                @for curve in curves {
                    span.key { span class={ "swatch " (curve.form.class()) } {} (curve.name) }
                }
            }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label={ (title) ": " (legend) } {
                @for value in plot.lines() {
                    @let y = pixels(plot.y(value));
                    line.grid x1=(LEFT) x2=(WIDTH - RIGHT) y1=(y) y2=(y) {}
                    text.axis x=(LEFT - 8.0) y=(y) dy="0.35em" text-anchor="end" { ((unit.beside)(value, plot.greatest)) }
                }
                @for minute in plot.times() {
                    text.axis x=(pixels(plot.x(minute))) y=(HEIGHT - 8.0) text-anchor="middle" {
                        (time(minute, plot.days()))
                    }
                }
                @for curve in curves { (drawn(curve, slices, &plot)) }
                @for (index, slice) in slices.iter().enumerate() {
                    rect.spot x=(pixels(plot.x(f64::from(slice.minute)))) y=(TOP)
                        width=(pixels(plot.wide(slice.minutes))) height=(HEIGHT - TOP - BOTTOM) {
                        title { (figures(*slice, index, curves, unit, plot.days())) }
                    }
                }
            }
        }
    }
}

/// What a pointer over a slice shows.
fn figures(slice: Slice, index: usize, curves: &[Curve], unit: Unit, days: bool) -> String {
    let mut text = time(f64::from(slice.minute), days);
    for curve in curves {
        let value = curve.values.get(index).copied().flatten();
        let value = value.map_or_else(|| "–".to_owned(), unit.told);
        let _ = write!(text, "\n{}: {value}", curve.name);
    }
    text
}

fn drawn(curve: &Curve, slices: &[Slice], plot: &Plot) -> Markup {
    let class = curve.form.class();
    let paths = pieces(slices, &curve.values);
    html! {
        @for piece in &paths {
            @let points = piece.iter().map(|(slice, value)| (plot.middle(*slice), plot.y(*value)));
            @if let (Form::Filled, [(first, _), ..]) = (curve.form, &piece[..]) {
                // To the edges of its slices, so that a single one can be seen.
                path class=(class) d=(area(*first, piece, plot)) {}
            } @else if piece.len() == 1 {
                @for (x, y) in points { circle class=(class) cx=(pixels(x)) cy=(pixels(y)) r="2.5" {} }
            } @else {
                polyline class=(class) points=(joined(points)) {}
            }
        }
    }
}

/// The curve in pieces: it breaks where nothing was measured.
fn pieces(slices: &[Slice], values: &[Option<f64>]) -> Vec<Vec<(Slice, f64)>> {
    let mut pieces: Vec<Vec<(Slice, f64)>> = Vec::new();
    let mut next = None;
    for (slice, value) in slices.iter().zip(values) {
        let Some(value) = value else {
            next = None;
            continue;
        };
        match pieces.last_mut().filter(|_| next == Some(slice.minute)) {
            Some(piece) => piece.push((*slice, *value)),
            None => pieces.push(vec![(*slice, *value)]),
        }
        next = slice.minute.checked_add(slice.minutes);
    }
    pieces
}

fn area(first: Slice, piece: &[(Slice, f64)], plot: &Plot) -> String {
    let floor = pixels(plot.y(0.0));
    let mut path = format!("M{} {floor}", pixels(plot.x(f64::from(first.minute))));
    for (slice, value) in piece {
        let left = plot.x(f64::from(slice.minute));
        let right = pixels(left + plot.wide(slice.minutes));
        let y = pixels(plot.y(*value));
        let _ = write!(path, "L{} {y}L{right} {y}", pixels(left));
    }
    let last = piece.last().map_or(first, |(slice, _)| *slice);
    let right = plot.x(f64::from(last.minute)) + plot.wide(last.minutes);
    let _ = write!(path, "L{} {floor}Z", pixels(right));
    path
}

fn joined(points: impl Iterator<Item = (f64, f64)>) -> String {
    points.map(|(x, y)| format!("{},{}", pixels(x), pixels(y))).collect::<Vec<_>>().join(" ")
}

/// Where things are.
struct Plot {
    from: f64,
    minutes: f64,
    /// Between two lines across.
    step: f64,
    greatest: f64,
}

impl Plot {
    fn new(slices: &[Slice], greatest: f64) -> Plot {
        let from = slices.first().map_or(0.0, |slice| f64::from(slice.minute));
        let until = slices
            .last()
            .map_or(1.0, |slice| f64::from(slice.minute) + f64::from(slice.minutes.max(1)));
        let step = round_step(greatest);
        let lines = (greatest / step).ceil().max(1.0);
        Plot { from, minutes: (until - from).max(1.0), step, greatest: lines * step }
    }

    fn x(&self, minute: f64) -> f64 {
        LEFT + (minute - self.from) / self.minutes * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - value / self.greatest * (HEIGHT - TOP - BOTTOM)
    }

    fn wide(&self, minutes: u32) -> f64 {
        self.x(self.from + f64::from(minutes)) - LEFT
    }

    fn middle(&self, slice: Slice) -> f64 {
        self.x(f64::from(slice.minute)) + self.wide(slice.minutes) / 2.0
    }

    fn lines(&self) -> Vec<f64> {
        steps(0.0, self.greatest, self.step)
    }

    fn times(&self) -> Vec<f64> {
        let step = TIME_STEPS.iter().copied().find(|step| self.minutes / step <= MOST_TIMES);
        let step = step.unwrap_or_else(|| (self.minutes / MOST_TIMES).ceil());
        steps((self.from / step).ceil() * step, self.from + self.minutes, step)
    }

    /// Whether it covers so much that times are told by the day.
    fn days(&self) -> bool {
        self.from + self.minutes > f64::from(MINUTES_OF_DAY) * 2.0
    }
}

/// From one value to another by steps of which there are few.
fn steps(from: f64, until: f64, step: f64) -> Vec<f64> {
    std::iter::successors(Some(from), |value| Some(value + step))
        // What rounding adds to the last one does not keep it out.
        .take_while(|value| *value <= until + step / 1_000.0)
        .collect()
}

/// A round number, of which the greatest value has but a few.
fn round_step(greatest: f64) -> f64 {
    let least = greatest / MOST_LINES;
    if least <= 0.0 || !least.is_finite() {
        return 1.0;
    }
    let power = 10_f64.powf(least.log10().floor());
    let round = [1.0, 2.0, 5.0, 10.0].map(|digit| digit * power);
    round.into_iter().find(|step| *step >= least * 0.999_999).unwrap_or(least)
}

/// A time of the day, `06:00`; of several days with the day before it, counted from 1.
fn time(minute: f64, with_day: bool) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a minute of a report, which is a whole number from 0 to 2^32 and a little"
    )]
    let minute = minute as u64;
    let (day, minute) = (minute / u64::from(MINUTES_OF_DAY), minute % u64::from(MINUTES_OF_DAY));
    let clock = format!("{:02}:{:02}", minute / 60, minute % 60);
    match (with_day, day) {
        (true, day) if minute == 0 => format!("day {}", day + 1),
        (true, day) => format!("day {} {clock}", day + 1),
        // The end of the only day.
        (false, 1) if minute == 0 => "24:00".to_owned(),
        (false, _) => clock,
    }
}

/// A bar, in the unit of its chart.
#[derive(Clone, Debug)]
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) value: f64,
    /// The least and the greatest that it may be.
    pub(super) range: Option<(f64, f64)>,
    /// As people read it, and what more there is to say.
    pub(super) told: String,
    pub(super) note: String,
}

/// Bars below one another, with their names before them and their figures behind them.
pub(super) fn bars(title: &str, bars: &[Bar]) -> Markup {
    let most = |bar: &Bar| bar.range.map_or(bar.value, |(_, most)| most.max(bar.value));
    let greatest = bars.iter().map(most).fold(f64::MIN_POSITIVE, f64::max);
    let share = |value: f64| format!("{:.2}%", (value / greatest * 100.0).clamp(0.0, 100.0));
    html! {
        figure.chart {
            figcaption { strong { (title) } }
            table.bars {
                thead.unseen { tr { th scope="col" { "name" } th scope="col" { "bar" } th scope="col" { "figure" } } }
                tbody {
                    @for bar in bars {
                        tr {
                            th scope="row" { (bar.name) }
                            td.drawn {
                                svg aria-hidden="true" {
                                    rect.first y="3" height="12" width=(share(bar.value)) {}
                                    @if let Some((least, most)) = bar.range {
                                        line.whisker x1=(share(least)) x2=(share(most)) y1="9" y2="9" {}
                                    }
                                }
                            }
                            td.told { (bar.told) @if !bar.note.is_empty() { " " span.count { (bar.note) } } }
                        }
                    }
                }
            }
        }
    }
}

fn pixels(value: f64) -> String {
    let text = format!("{value:.1}");
    // No number is drawn in two ways.
    if text == "-0.0" { "0.0".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_across_are_at_round_numbers_and_reach_over_the_greatest() {
        let lines = |greatest| Plot::new(&[], greatest).lines();
        assert_eq!(lines(0.0), [0.0, 1.0]);
        assert_eq!(lines(4.0), [0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(lines(172.0), [0.0, 50.0, 100.0, 150.0, 200.0]);
        assert_eq!(lines(1_000.0), [0.0, 200.0, 400.0, 600.0, 800.0, 1_000.0]);
    }

    #[test]
    fn times_are_those_of_a_clock() {
        let times = |minute, minutes| {
            let plot = Plot::new(&[Slice { minute, minutes }], 1.0);
            plot.times().iter().map(|at| time(*at, plot.days())).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(times(0, 1_440), "00:00 04:00 08:00 12:00 16:00 20:00 24:00");
        assert_eq!(times(7, 6), "00:07 00:08 00:09 00:10 00:11 00:12 00:13");
        assert_eq!(times(0, 7 * 1_440), "day 1 day 8");
        assert_eq!(
            times(0, 3 * 1_440),
            "day 1 day 1 12:00 day 2 day 2 12:00 day 3 day 3 12:00 day 4"
        );
    }

    #[test]
    fn a_curve_breaks_where_nothing_was_measured() {
        let slice = |minute| Slice { minute, minutes: 5 };
        let slices = [slice(0), slice(5), slice(15), slice(20), slice(25)];
        let values = [Some(1.0), Some(2.0), Some(3.0), None, Some(4.0)];
        let lengths: Vec<usize> = pieces(&slices, &values).iter().map(Vec::len).collect();
        assert_eq!(lengths, [2, 1, 1]);
    }

    proptest! {
        #[test]
        fn whatever_is_drawn_lies_within_the_plot(
            minutes in prop::collection::btree_set(0_u32.., 1..20),
            length: u32,
            values in prop::collection::vec(prop::option::of(0.0_f64..1e12), 20),
        ) {
            let slices: Vec<Slice> =
                minutes.into_iter().map(|minute| Slice { minute, minutes: length }).collect();
            let plot = Plot::new(&slices, values.iter().flatten().copied().fold(0.0, f64::max));
            prop_assert!(plot.lines().len() <= 8 && plot.times().len() <= 8);
            for value in values.iter().flatten() {
                prop_assert!((TOP..=HEIGHT).contains(&plot.y(*value)));
            }
            for slice in &slices {
                let x = plot.x(f64::from(slice.minute));
                prop_assert!((LEFT..=WIDTH).contains(&x), "{x}");
            }
        }
    }
}
