//! Tables and sentences that all formats for people have.

use spanproof_schemas::forecast::{Forecast, LimitForecast, PolicyForecast};
use spanproof_schemas::size::{BlockSize, ColumnSize, Limited, SizeReport};

use super::number::{bytes, bytes_of, counted, digits, dollars, each, grouped, times, whole};

/// A table: a caption, the heads of its columns, and rows. All but the first column are numbers.
pub(super) struct Table {
    pub(super) caption: String,
    pub(super) heads: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    fn new(caption: &str, heads: &[&str], rows: Vec<Vec<String>>) -> Table {
        let heads = heads.iter().map(|head| (*head).to_owned()).collect();
        Table { caption: caption.to_owned(), heads, rows }
    }
}

/// How many columns of a block are shown, the largest first.
const SHOWN_COLUMNS: usize = 12;

/// The heading of a report about a block.
pub(super) fn block_title(report: &SizeReport) -> String {
    format!("{} as one block of {}", report.source, report.block.encoding)
}

/// What the block has, in a line.
pub(super) fn block_summary(report: &SizeReport) -> String {
    format!("{}, {}", counted(report.traces, "trace"), counted(report.spans, "span"))
}

/// The files of a block, and its largest columns.
pub(super) fn block_tables(report: &SizeReport) -> [Table; 2] {
    [files(report), columns(&report.block)]
}

fn files(report: &SizeReport) -> Table {
    let block = &report.block;
    let row = |name: &str, size: u64| {
        let spans = if report.spans == 0 { String::new() } else { each(size, report.spans) };
        vec![name.to_owned(), grouped(size), each(size, report.traces), spans]
    };
    let mut rows: Vec<Vec<String>> =
        report.otlp_bytes.iter().map(|bytes| row("OTLP received", *bytes)).collect();
    rows.push(row("data.parquet", block.data_parquet_bytes));
    rows.push(row("bloom filters", block.bloom_bytes));
    rows.push(row("index and meta.json", block.index_bytes + block.meta_bytes));
    rows.push(row("block", block.total_bytes()));
    if let Some(otlp_bytes) = report.otlp_bytes {
        let smaller = times(otlp_bytes, block.total_bytes());
        rows.push(vec!["OTLP : block".to_owned(), smaller, String::new(), String::new()]);
    }
    Table::new("", &["", "bytes", "per trace", "per span"], rows)
}

fn columns(block: &BlockSize) -> Table {
    let mut largest: Vec<&ColumnSize> = block.columns.iter().collect();
    largest.sort_by(|left, right| right.bytes.cmp(&left.bytes).then(left.name.cmp(&right.name)));
    let share = |of: u64| {
        let tenths = u128::from(of) * 1_000 / u128::from(block.data_parquet_bytes.max(1));
        format!("{}.{} %", tenths / 10, tenths % 10)
    };
    let mut rows: Vec<Vec<String>> = largest
        .iter()
        .take(SHOWN_COLUMNS)
        .map(|column| {
            let smaller = format!("{}x", times(column.uncompressed_bytes, column.bytes));
            vec![column_name(column), bytes(column.bytes), share(column.bytes), smaller]
        })
        .collect();
    let rest: Vec<&&ColumnSize> = largest.iter().skip(SHOWN_COLUMNS).collect();
    let rest_bytes = rest.iter().map(|column| column.bytes).sum();
    if !rest.is_empty() {
        let name = format!("{} more", rest.len());
        rows.push(vec![name, bytes(rest_bytes), share(rest_bytes), String::new()]);
    }
    let footer = block.footer_bytes;
    rows.push(vec!["footer and indexes".to_owned(), bytes(footer), share(footer), String::new()]);
    Table::new("", &["largest columns", "bytes", "of file", "compressed"], rows)
}

/// The attribute that a column is dedicated to, or its path without what all paths have.
fn column_name(column: &ColumnSize) -> String {
    column.attribute.clone().unwrap_or_else(|| {
        let path = column.name.replace(".list.element", "");
        path.trim_start_matches("rs.").trim_start_matches("ss.").to_owned()
    })
}

/// What limits did to the telemetry of a block.
pub(super) fn block_notes(limited: &Limited) -> Vec<String> {
    let Limited { cut_values, trace_too_large_spans, invalid_id_spans } = *limited;
    let mut notes = Vec::new();
    if cut_values > 0 {
        notes.push(format!(
            "{} cut at Tempo's distributor.max_attribute_bytes: JSON in it no longer parses, and \
             nothing but a counter says so. Raise the limit there, and size with \
             --max-attribute-bytes 0 to lift it here.",
            counted(cut_values, "attribute value"),
        ));
    }
    if trace_too_large_spans > 0 {
        notes.push(format!(
            "{} left out: the trace is beyond Tempo's max_bytes_per_trace. Raise it there, and size \
             with --max-trace-bytes 0 to lift it here.",
            counted(trace_too_large_spans, "span"),
        ));
    }
    if invalid_id_spans > 0 {
        let spans = counted(invalid_id_spans, "span");
        notes.push(format!("{spans} left out: the trace id is not of 16 bytes."));
    }
    notes
}

/// The heading of a forecast.
pub(super) fn load_title(forecast: &Forecast) -> String {
    let load = &forecast.load;
    format!(
        "{}: {} traces a day in {}, kept {} days",
        load.scenario,
        grouped(whole(load.traces_per_day)),
        load.encoding,
        digits(load.retention_days),
    )
}

/// What the forecast assumes, in a sentence or two.
pub(super) fn load_summary(forecast: &Forecast) -> String {
    let load = &forecast.load;
    let samples: Vec<String> = load.sampled_traces.iter().map(|traces| grouped(*traces)).collect();
    format!(
        "{} spans a trace; the busiest hour has {} times the mean rate. A block is cut every {} \
         seconds at the latest; replication {}. Sampled traces, by seed: {}.",
        digits(load.spans_per_trace),
        digits(load.peak_factor),
        digits(load.block_cut_seconds),
        load.replication,
        samples.join(", "),
    )
}

/// Stored bytes, what else it takes, and what searches read, by policy.
pub(super) fn load_tables(forecast: &Forecast) -> [Table; 3] {
    let policies = &forecast.policies;
    let stored = policies.iter().map(|policy| {
        let uncertainty = policy.uncertainty;
        let range = format!(
            "{}..{}",
            bytes_of(uncertainty.least_bytes_at_retention),
            bytes_of(uncertainty.greatest_bytes_at_retention),
        );
        vec![
            policy.policy.clone(),
            bytes_of(policy.otlp_bytes_per_trace),
            bytes_of(policy.stored_bytes_per_trace),
            bytes_of(policy.stored_bytes_per_span),
            bytes_of(policy.stored_bytes_per_day),
            bytes_of(policy.stored_bytes_at_retention),
            range,
        ]
    });
    let rest = policies.iter().map(|policy| {
        let cost = policy.cost;
        vec![
            policy.policy.clone(),
            format!("{}/s", bytes_of(policy.ingest.mean_bytes_per_second)),
            format!("{}/s", bytes_of(policy.ingest.peak_bytes_per_second)),
            bytes_of(policy.local_disk.wal_bytes + policy.local_disk.recent_block_bytes),
            dollars(cost.storage_usd),
            dollars(cost.write_requests_usd + cost.read_requests_usd),
        ]
    });
    let heads = ["content", "OTLP/trace", "a trace", "a span", "a day", "retained", "range"];
    let rest_heads = ["content", "ingest", "at peak", "local disk", "storage", "requests"];
    [
        Table::new("Stored after compaction", &heads, stored.collect()),
        Table::new("What else it takes; S3 in US dollars a month", &rest_heads, rest.collect()),
        searches(policies),
    ]
}

fn searches(policies: &[PolicyForecast]) -> Table {
    let first = policies.first().map_or(&[][..], |policy| &policy.queries);
    let rows = policies.iter().map(|policy| {
        let read = policy.queries.iter().map(|query| bytes_of(query.bytes_per_day));
        std::iter::once(policy.policy.clone()).chain(read).collect()
    });
    let names = first.iter().map(|query| query.name.as_str());
    let heads: Vec<&str> = std::iter::once("content").chain(names).collect();
    Table::new("Read by a search of one day", &heads, rows.collect())
}

/// A limit that is hit, with the policies that hit it.
pub(super) struct Hit<'a> {
    pub(super) limit: &'a LimitForecast,
    pub(super) policies: Vec<&'a str>,
}

/// The limits that are hit.
pub(super) fn hits(forecast: &Forecast) -> Vec<Hit<'_>> {
    let mut hits: Vec<Hit<'_>> = Vec::new();
    for policy in &forecast.policies {
        for limit in policy.limits.iter().filter(|limit| limit.is_hit) {
            match hits.iter_mut().find(|hit| hit.limit.setting == limit.setting) {
                Some(hit) => {
                    hit.policies.push(&policy.policy);
                    if limit.load > hit.limit.load {
                        hit.limit = limit;
                    }
                }
                None => hits.push(Hit { limit, policies: vec![&policy.policy] }),
            }
        }
    }
    hits
}

impl Hit<'_> {
    /// What is hit, by whom and how far.
    pub(super) fn what(&self) -> String {
        let limit = self.limit;
        let amount = |amount: f64| match limit.unit.as_str() {
            "bytes" => bytes_of(amount),
            "bytes a second" => format!("{}/s", bytes_of(amount)),
            unit => format!("{} {unit}", digits(amount)),
        };
        // The load is that of the policy that hits it the furthest.
        let most = if self.policies.len() > 1 { "up to " } else { "" };
        format!(
            "{}: {most}{} of {} ({})",
            limit.setting,
            amount(limit.load),
            amount(limit.limit),
            self.policies.join(", "),
        )
    }

    /// What happens, and what to do.
    pub(super) fn so(&self) -> String {
        format!("{}: {}", self.limit.consequence, self.limit.remedy)
    }
}

/// What holds whatever becomes of content, and where figures are from.
pub(super) fn load_notes(forecast: &Forecast) -> Vec<String> {
    let (series, bedrock) = (&forecast.series, &forecast.bedrock);
    let dimensions = match series.dimensions.as_slice() {
        [] => "without further dimensions".to_owned(),
        dimensions => format!("with {}", dimensions.join(", ")),
    };
    let mut notes = vec![
        components(forecast),
        format!(
            "Series of span metrics, {dimensions}: {}. Each further model id adds {}; with a thousand \
             that users make up there are {}.",
            grouped(series.active_series),
            grouped(series.series_per_model_id),
            grouped(series.with_thousand_model_ids),
        ),
        format!(
            "Bedrock itself: {} a day, {} a month (prices of {}, {}).",
            dollars(bedrock.usd_per_day),
            dollars(bedrock.usd_per_month),
            bedrock.prices.as_of,
            bedrock.prices.region,
        ),
    ];
    if !bedrock.unpriced_models.is_empty() {
        notes.push(format!("Not in the price table: {}.", bedrock.unpriced_models.join(", ")));
    }
    let worst = forecast.policies.iter().map(|policy| policy.uncertainty);
    let off = worst.map(|off| off.seeds + off.extrapolation).fold(0.0, f64::max);
    notes.push(format!(
        "The range is {} % for seeds and extrapolation, and for text what lies between prose and \
         random words. S3 prices of {}, {}: {}.",
        digits(off * 100.0),
        forecast.prices.as_of,
        forecast.prices.region,
        forecast.prices.source,
    ));
    notes
}

fn components(forecast: &Forecast) -> String {
    let of = |policy: &PolicyForecast| {
        let each = policy
            .components
            .iter()
            .map(|component| format!("{} {}", component.replicas, component.name));
        each.collect::<Vec<_>>().join(", ")
    };
    let mut by_count: Vec<(String, Vec<&str>)> = Vec::new();
    for policy in &forecast.policies {
        let components = of(policy);
        match by_count.iter_mut().find(|(known, _)| *known == components) {
            Some((_, policies)) => policies.push(&policy.policy),
            None => by_count.push((components, vec![&policy.policy])),
        }
    }
    match by_count.as_slice() {
        [(components, _)] => format!("Tempo by its guide: {components}."),
        several => {
            let each = several.iter().map(|(components, policies)| {
                format!("{} for {}", components, policies.join(", "))
            });
            format!("Tempo by its guide: {}.", each.collect::<Vec<_>>().join("; "))
        }
    }
}
