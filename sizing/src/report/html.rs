//! For people: one page with charts, which loads nothing.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use spanproof_schemas::forecast::Forecast;
use spanproof_schemas::size::SizeReport;

use super::number::{bytes, bytes_of, dollars};
use super::words::{self, Table};

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--bar:#3b7dd8;--soft:#3b7dd855}\
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem}\
table{border-collapse:collapse;margin:1rem 0;width:100%}caption,figcaption{text-align:left;font-weight:600}\
th,td{padding:.25rem .5rem;border-bottom:1px solid var(--line);text-align:right}\
th:first-child,td:first-child{text-align:left}figure{margin:1rem 0}\
svg{width:100%;height:auto;font:12px system-ui,sans-serif}svg text{fill:currentColor}\
.bar{fill:var(--bar)}.whisker{stroke:currentColor;stroke-width:1.5}.hit strong{color:#c0392b}";

/// The report about a block.
pub(super) fn block(report: &SizeReport) -> String {
    let mut bars: Vec<Bar> = report
        .block
        .columns
        .iter()
        .map(|column| {
            let name = column.attribute.as_ref().unwrap_or(&column.name);
            Bar::new(&name.replace(".list.element", ""), column.bytes, bytes(column.bytes))
        })
        .collect();
    bars.sort_by(|left, right| right.value.total_cmp(&left.value));
    bars.truncate(16);
    let notes = report.limited.as_ref().map(words::block_notes).unwrap_or_default();
    page(
        &words::block_title(report),
        &html! {
            p { (words::block_summary(report)) }
            (chart("Largest columns", &bars))
            @for table in words::block_tables(report) { (table_of(&table)) }
            @for note in notes { p { (note) } }
        },
    )
}

/// The forecast of a load.
pub(super) fn load(forecast: &Forecast) -> String {
    let retained: Vec<Bar> = forecast
        .policies
        .iter()
        .map(|policy| {
            let uncertainty = policy.uncertainty;
            Bar {
                name: policy.policy.clone(),
                value: policy.stored_bytes_at_retention,
                range: Some((
                    uncertainty.least_bytes_at_retention,
                    uncertainty.greatest_bytes_at_retention,
                )),
                label: bytes_of(policy.stored_bytes_at_retention),
            }
        })
        .collect();
    let costs: Vec<Bar> = forecast
        .policies
        .iter()
        .map(|policy| {
            let cost = policy.cost;
            let usd = cost.storage_usd + cost.write_requests_usd + cost.read_requests_usd;
            Bar { name: policy.policy.clone(), value: usd, range: None, label: dollars(usd) }
        })
        .collect();
    let hits = words::hits(forecast);
    page(
        &words::load_title(forecast),
        &html! {
            p { (words::load_summary(forecast)) }
            (chart("Stored at retention, with its range", &retained))
            (chart("S3, US dollars a month", &costs))
            @for table in words::load_tables(forecast) { (table_of(&table)) }
            h2 { @if hits.is_empty() { "No limit is hit" } @else { "Limits that are hit" } }
            ul class="hit" {
                @for hit in hits { li { strong { (hit.what()) } br; (hit.so()) } }
            }
            @for note in words::load_notes(forecast) { p { (note) } }
        },
    )
}

fn page(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { h1 { (title) } (body) }
        }
    };
    let mut text = page.into_string();
    text.push('\n');
    text
}

fn table_of(table: &Table) -> Markup {
    html! {
        table {
            @if !table.caption.is_empty() { caption { (table.caption) } }
            thead { tr { @for head in &table.heads { th { (head) } } } }
            tbody {
                @for row in &table.rows { tr { @for cell in row { td { (cell) } } } }
            }
        }
    }
}

/// A bar of a chart.
struct Bar {
    name: String,
    value: f64,
    /// The least and the greatest that it may be.
    range: Option<(f64, f64)>,
    label: String,
}

impl Bar {
    #[expect(clippy::cast_precision_loss, reason = "it becomes a length in pixels")]
    fn new(name: &str, value: u64, label: String) -> Bar {
        Bar { name: name.to_owned(), value: value as f64, range: None, label }
    }
}

/// Pixels of a chart.
const NAME_WIDTH: f64 = 220.0;
const BAR_WIDTH: f64 = 560.0;
const ROW_HEIGHT: f64 = 24.0;

fn chart(caption: &str, bars: &[Bar]) -> Markup {
    let greatest =
        bars.iter().map(|bar| bar.range.map_or(bar.value, |(_, most)| most.max(bar.value)));
    let greatest = greatest.fold(f64::MIN_POSITIVE, f64::max);
    let length = |value: f64| value / greatest * BAR_WIDTH;
    let rows = || bars.iter().zip(0_u32..).map(|(bar, row)| (bar, f64::from(row) * ROW_HEIGHT));
    let height = rows().last().map_or(0.0, |(_, top)| top + ROW_HEIGHT);
    let pixels = |value: f64| format!("{value:.1}");
    html! {
        figure {
            figcaption { (caption) }
            svg viewBox={ "0 0 900 " (pixels(height)) } role="img" aria-label=(caption) {
                @for (bar, top) in rows() {
                    text x=(pixels(NAME_WIDTH - 8.0)) y=(pixels(top + 16.0)) text-anchor="end" {
                        (bar.name.chars().take(34).collect::<String>())
                    }
                    rect class="bar" x=(pixels(NAME_WIDTH)) y=(pixels(top + 4.0))
                        width=(pixels(length(bar.value))) height="16" {}
                    @if let Some((least, most)) = bar.range {
                        line class="whisker" x1=(pixels(NAME_WIDTH + length(least)))
                            x2=(pixels(NAME_WIDTH + length(most)))
                            y1=(pixels(top + 12.0)) y2=(pixels(top + 12.0)) {}
                        @for end in [least, most] {
                            line class="whisker" x1=(pixels(NAME_WIDTH + length(end)))
                                x2=(pixels(NAME_WIDTH + length(end)))
                                y1=(pixels(top + 8.0)) y2=(pixels(top + 16.0)) {}
                        }
                    }
                    text x=(pixels(NAME_WIDTH + 8.0 + length(bar.range.map_or(bar.value, |(_, most)| most.max(bar.value)))))
                        y=(pixels(top + 16.0)) { (bar.label) }
                }
            }
        }
    }
}
