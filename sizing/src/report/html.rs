//! For people: one page with charts, which loads nothing.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use spanproof_schemas::forecast::Forecast;
use spanproof_schemas::size::SizeReport;

use super::number::{bytes, bytes_of, dollars};
use super::words::{self, Table};

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--bar:#3b7dd8;--hit:light-dark(#b3261e,#ff8a80)}\
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem}\
.scrolls{overflow-x:auto;margin:1rem 0}table{border-collapse:collapse;width:100%}\
caption,figcaption{text-align:left;font-weight:600}\
th,td{padding:.25rem .5rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}\
thead th{white-space:normal;vertical-align:bottom}\
th:first-child,td:first-child{text-align:left}figure{margin:1rem 0}\
.row{display:grid;grid-template-columns:minmax(4.5rem,24%) 1fr;gap:.5rem;font-size:.85em}\
.name{text-align:right;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}\
.track{position:relative;margin-right:4.5rem}.track>*{position:absolute}\
.bar{background:var(--bar);top:.2em;height:1.1em}\
.range{top:.4em;height:.7em;border:solid currentColor;border-width:0 1.5px}\
.range::after{content:'';position:absolute;left:0;right:0;top:calc(50% - .75px);border-top:1.5px solid}\
.label{padding-left:.4rem;white-space:nowrap}.hit strong{color:var(--hit)}";

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
        div class="scrolls" { table {
            @if !table.caption.is_empty() { caption { (table.caption) } }
            thead { tr { @for head in &table.heads { th { (head) } } } }
            tbody {
                @for row in &table.rows { tr { @for cell in row { td { (cell) } } } }
            }
        } }
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

/// Bars are parts of the width that there is, and texts as large as others, so that both can be read on
/// a narrow screen.
fn chart(caption: &str, bars: &[Bar]) -> Markup {
    let end = |bar: &Bar| bar.range.map_or(bar.value, |(_, most)| most.max(bar.value));
    let greatest = bars.iter().map(end).fold(f64::MIN_POSITIVE, f64::max);
    let percent = |value: f64| format!("{:.1}%", value / greatest * 100.0);
    html! {
        figure {
            figcaption { (caption) }
            @for bar in bars {
                div class="row" {
                    span class="name" title=(bar.name) { (bar.name) }
                    div class="track" {
                        span class="bar" style={ "width:" (percent(bar.value)) } {}
                        @if let Some((least, most)) = bar.range {
                            span class="range" style={
                                "left:" (percent(least)) ";width:" (percent(most - least))
                            } {}
                        }
                        span class="label" style={ "left:" (percent(end(bar))) } { (bar.label) }
                    }
                }
            }
        }
    }
}
