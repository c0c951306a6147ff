//! Metrics: what each stream came to, however often it was exported.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, ExponentialHistogramDataPoint, HistogramDataPoint, Metric,
    NumberDataPoint, SummaryDataPoint, number_data_point,
};

use super::attributes::{Values, is_about_the_machine, is_time_unit, number};
use super::origin::{Named, Origin};
use super::text::{Lines, quoted};

/// The metrics so far.
#[derive(Debug, Default)]
pub(super) struct Metrics(Vec<(Origin, Metric)>);

/// A point of one stream, and how it adds up with the others of the stream.
#[derive(Clone, Debug, Default)]
struct Point {
    count: u64,
    sum: Sum,
    min: Option<f64>,
    max: Option<f64>,
    /// The boundaries of a histogram's buckets; points with others do not add up with these.
    bounds: Vec<f64>,
    /// Buckets by what they are called.
    buckets: Vec<(String, u64)>,
    /// What only says itself, such as the quantiles of a summary.
    plain: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Sum {
    #[default]
    Absent,
    Int(i128),
    Double(f64),
}

/// When a point was taken, by which the points of a stream are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Taken {
    start: u64,
    time: u64,
}

/// The points of one stream.
type Stream = BTreeMap<Taken, Point>;

/// Streams that are written alike, since what tells them apart differs from run to run.
type Streams = BTreeMap<(Origin, Vec<Vec<u8>>), Stream>;

/// What is the same for all streams of a metric: its lines, and what its values may show.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    lines: Lines,
    temporality: Temporality,
    is_masked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Temporality {
    /// Each point is new.
    Delta,
    /// Each point holds those before it of the same start.
    Cumulative,
    /// The last point alone counts.
    Last,
}

impl Metrics {
    pub(super) fn add(&mut self, origin: Origin, metric: Metric) {
        self.0.push((origin, metric));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn write(&self, named: &Named, values: &Values<'_>, lines: &mut Lines) {
        let mut metrics: BTreeMap<Head, BTreeMap<Lines, Streams>> = BTreeMap::new();
        for (origin, metric) in &self.0 {
            let alike = metrics.entry(head(metric, named.label(*origin))).or_default();
            for (attributes, taken, point) in points(metric) {
                let mut told = values.attributes(attributes, 0);
                if !point.bounds.is_empty() {
                    let bounds: Vec<String> = point.bounds.iter().copied().map(number).collect();
                    told.push(0, format!("boundaries {}", bounds.join(", ")));
                }
                let streams = alike.entry(told).or_default();
                let stream = streams.entry((*origin, identity(attributes))).or_default();
                let known = stream.entry(taken).or_insert_with(|| point.clone());
                // Of two that claim the same time, one whichever came first.
                if point.lines(false) > known.lines(false) {
                    *known = point;
                }
            }
        }
        for (head, alike) in metrics {
            lines.nest(0, &head.lines);
            for (attributes, streams) in alike {
                lines.push(1, "point");
                lines.nest(2, &attributes);
                lines.nest(2, &total(streams, head.temporality).lines(head.is_masked));
            }
        }
    }
}

fn head(metric: &Metric, scope: &str) -> Head {
    let mut lines = Lines::default();
    lines.push(0, format!("metric {}", quoted(&metric.name)));
    lines.push(1, format!("scope {scope}"));
    lines.push(1, format!("unit {}", quoted(&metric.unit)));
    if !metric.description.is_empty() {
        lines.push(1, format!("description {}", quoted(&metric.description)));
    }
    let (instrument, temporality) = match &metric.data {
        None => ("without points".to_owned(), Temporality::Last),
        Some(Data::Gauge(_)) => ("gauge".to_owned(), Temporality::Last),
        Some(Data::Summary(_)) => ("summary".to_owned(), Temporality::Cumulative),
        Some(Data::Sum(sum)) => {
            let monotonic = if sum.is_monotonic { "monotonic sum" } else { "sum" };
            told(monotonic, sum.aggregation_temporality)
        }
        Some(Data::Histogram(histogram)) => told("histogram", histogram.aggregation_temporality),
        Some(Data::ExponentialHistogram(histogram)) => {
            told("exponential histogram", histogram.aggregation_temporality)
        }
    };
    lines.push(1, instrument);
    let is_masked = is_time_unit(&metric.unit) || is_about_the_machine(&metric.name);
    Head { lines, temporality, is_masked }
}

fn told(instrument: &str, temporality: i32) -> (String, Temporality) {
    match AggregationTemporality::try_from(temporality) {
        Ok(AggregationTemporality::Delta) => (format!("{instrument}, delta"), Temporality::Delta),
        Ok(AggregationTemporality::Cumulative) => {
            (format!("{instrument}, cumulative"), Temporality::Cumulative)
        }
        Ok(AggregationTemporality::Unspecified) | Err(_) => {
            (format!("{instrument}, of no temporality"), Temporality::Delta)
        }
    }
}

type Pointed<'a> = (&'a [KeyValue], Taken, Point);

fn points(metric: &Metric) -> Vec<Pointed<'_>> {
    match &metric.data {
        None => Vec::new(),
        Some(Data::Gauge(gauge)) => gauge.data_points.iter().map(of_number).collect(),
        Some(Data::Sum(sum)) => sum.data_points.iter().map(of_number).collect(),
        Some(Data::Histogram(it)) => it.data_points.iter().map(of_histogram).collect(),
        Some(Data::ExponentialHistogram(it)) => it.data_points.iter().map(of_exponential).collect(),
        Some(Data::Summary(it)) => it.data_points.iter().map(of_summary).collect(),
    }
}

fn of_number(point: &NumberDataPoint) -> Pointed<'_> {
    let sum = match point.value {
        None => Sum::Absent,
        Some(number_data_point::Value::AsInt(integer)) => Sum::Int(i128::from(integer)),
        Some(number_data_point::Value::AsDouble(double)) => Sum::Double(double),
    };
    let taken = Taken { start: point.start_time_unix_nano, time: point.time_unix_nano };
    (&point.attributes, taken, Point { sum, ..Point::default() })
}

fn of_histogram(point: &HistogramDataPoint) -> Pointed<'_> {
    let bounds = point.explicit_bounds.clone();
    let name = |at: usize| match (bounds.get(at), bounds.last()) {
        (Some(bound), _) => format!("up to {}", number(*bound)),
        (None, Some(last)) => format!("above {}", number(*last)),
        (None, None) => "in all".to_owned(),
    };
    let buckets = (0..).map(name).zip(point.bucket_counts.iter().copied()).collect();
    let taken = Taken { start: point.start_time_unix_nano, time: point.time_unix_nano };
    let sum = point.sum.map_or(Sum::Absent, Sum::Double);
    let (min, max) = (point.min, point.max);
    let count = point.count;
    (&point.attributes, taken, Point { count, sum, min, max, bounds, buckets, plain: Vec::new() })
}

fn of_exponential(point: &ExponentialHistogramDataPoint) -> Pointed<'_> {
    let side = |sign: &str, buckets: &Option<Buckets>| {
        let buckets = buckets.clone().unwrap_or_default();
        let from = i64::from(buckets.offset);
        let sign = sign.to_owned();
        (from..).map(move |at| format!("{sign}{at}")).zip(buckets.bucket_counts).collect::<Vec<_>>()
    };
    let mut buckets = vec![("in zero".to_owned(), point.zero_count)];
    buckets.extend(side("in negative ", &point.negative));
    buckets.extend(side("in positive ", &point.positive));
    let taken = Taken { start: point.start_time_unix_nano, time: point.time_unix_nano };
    let sum = point.sum.map_or(Sum::Absent, Sum::Double);
    let plain = vec![format!("scale {}", point.scale)];
    let (min, max, count) = (point.min, point.max, point.count);
    let bounds = Vec::new();
    (&point.attributes, taken, Point { count, sum, min, max, bounds, buckets, plain })
}

fn of_summary(point: &SummaryDataPoint) -> Pointed<'_> {
    let quantiles = point.quantile_values.iter();
    let plain = quantiles
        .map(|it| format!("quantile {} {}", number(it.quantile), number(it.value)))
        .collect();
    let taken = Taken { start: point.start_time_unix_nano, time: point.time_unix_nano };
    let sum = Sum::Double(point.sum);
    (&point.attributes, taken, Point { count: point.count, sum, plain, ..Point::default() })
}

/// What tells streams of a metric apart.
fn identity(attributes: &[KeyValue]) -> Vec<Vec<u8>> {
    let mut encoded: Vec<Vec<u8>> = attributes.iter().map(prost::Message::encode_to_vec).collect();
    encoded.sort();
    encoded
}

/// What the points of streams come to.
fn total(streams: Streams, temporality: Temporality) -> Point {
    let mut each: Vec<Point> = Vec::new();
    for stream in streams.into_values() {
        let mut counting: BTreeMap<u64, Point> = BTreeMap::new();
        for (taken, point) in stream {
            match temporality {
                Temporality::Delta => each.push(point),
                // In order of time: the last of each start stays.
                Temporality::Cumulative => drop(counting.insert(taken.start, point)),
                Temporality::Last => drop(counting.insert(0, point)),
            }
        }
        each.extend(counting.into_values());
    }
    // The sum of doubles depends on their order.
    each.sort_by_cached_key(|point| point.lines(false));
    each.into_iter().reduce(Point::and).unwrap_or_default()
}

impl Point {
    fn and(self, other: Point) -> Point {
        let sum = match (self.sum, other.sum) {
            (Sum::Absent, sum) | (sum, Sum::Absent) => sum,
            (Sum::Int(one), Sum::Int(other)) => Sum::Int(one.saturating_add(other)),
            (one, other) => Sum::Double(one.double() + other.double()),
        };
        let one_of =
            |one: Option<f64>, other: Option<f64>, pick: fn(f64, f64) -> f64| match (one, other) {
                (Some(one), Some(other)) => Some(pick(one, other)),
                (one, other) => one.or(other),
            };
        let mut buckets = self.buckets;
        for (name, count) in other.buckets {
            match buckets.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum = sum.saturating_add(count),
                None => buckets.push((name, count)),
            }
        }
        Point {
            count: self.count.saturating_add(other.count),
            sum,
            min: one_of(self.min, other.min, f64::min),
            max: one_of(self.max, other.max, f64::max),
            bounds: self.bounds,
            buckets,
            plain: other.plain,
        }
    }

    fn lines(&self, is_masked: bool) -> Lines {
        let mut lines = Lines::default();
        let shown = |value: String| if is_masked { "<value>".to_owned() } else { value };
        let is_plain_value = self.buckets.is_empty() && self.count == 0 && self.plain.is_empty();
        match self.sum {
            Sum::Absent => {}
            sum if is_plain_value => lines.push(0, format!("value {}", shown(sum.text()))),
            sum => lines.push(0, format!("sum {}", shown(sum.text()))),
        }
        if !is_plain_value {
            lines.push(0, format!("count {}", self.count));
        }
        for (name, value) in [("min", self.min), ("max", self.max)] {
            if let Some(value) = value {
                lines.push(0, format!("{name} {}", shown(number(value))));
            }
        }
        let filled = self.buckets.iter().filter(|(_, count)| *count > 0);
        let filled: Vec<String> = filled.map(|(name, count)| format!("{count} {name}")).collect();
        if !filled.is_empty() {
            lines.push(0, format!("buckets: {}", shown(filled.join(", "))));
        }
        for plain in &self.plain {
            lines.push(0, shown(plain.clone()));
        }
        lines
    }
}

impl Sum {
    fn double(self) -> f64 {
        match self {
            Sum::Absent => 0.0,
            #[expect(clippy::cast_precision_loss, reason = "added to a double, it becomes one")]
            Sum::Int(integer) => integer as f64,
            Sum::Double(double) => double,
        }
    }

    fn text(self) -> String {
        match self {
            Sum::Absent => String::new(),
            Sum::Int(integer) => integer.to_string(),
            Sum::Double(double) => number(double),
        }
    }
}
