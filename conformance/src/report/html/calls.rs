//! The truth table: each call as it was served, beside what its span says.

use std::collections::BTreeSet;

use maud::{Markup, html};
use spanproof_schemas::report::{JoinMeans, Report, Reported, Served, TruthRow, TruthTable};

use super::findings::anchor;
use crate::report::number::{duration, grouped};
use crate::report::text::visible;

pub(super) fn calls(report: &Report, table: &TruthTable) -> Markup {
    let unexpected: BTreeSet<&str> =
        report.findings.iter().map(|group| group.rule.as_str()).collect();
    let shown = table.rows.len() as u64;
    html! {
        section {
            h2 id="calls" { "Calls" }
            p {
                (grouped(table.calls)) " served, " (grouped(table.calls_with_findings))
                " with findings on the call or its span"
                @if !report.deviations.is_empty() { ", expected ones among them" } ". "
                @if shown < table.calls {
                    (grouped(shown)) " are listed: the first, and after these those with findings. "
                }
                "Each figure is what was served; where the span says otherwise, that follows in colour."
            }
            div.search hidden {
                label { "Search " input type="search" id="search" placeholder="model, trace id, rule, …"; }
                label { input type="checkbox" id="only-findings"; " only with findings" }
                span id="matches" role="status" {}
            }
            div.scroll {
                table.calls {
                    caption.unseen { "Calls beside their spans" }
                    thead { tr {
                        th scope="col" { "#" } th scope="col" { "call" } th scope="col" { "outcome" }
                        th scope="col" { "input" } th scope="col" { "output" }
                        th scope="col" { "cache read" } th scope="col" { "cache write" }
                        th scope="col" { "end" } th scope="col" { "span" } th scope="col" { "found" }
                    } }
                    tbody { @for row in &table.rows { (call(row, &unexpected, report.usage.cache_tokens_unnamed)) } }
                }
            }
        }
    }
}

/// A call. Of rules that have none but expected findings, these are shown.
fn call(row: &TruthRow, unexpected: &BTreeSet<&str>, cache_tokens_unnamed: bool) -> Markup {
    let served = &row.served;
    let tokens = served.tokens;
    let reported = row.reported.as_ref();
    let count = |label: &str, served: u64, reported: fn(&Reported) -> Option<u64>| {
        self::count(label, served, row.reported.as_ref(), reported)
    };
    // What has no name is not amiss where it is absent.
    let cached = |label: &str, served: u64, reported: fn(&Reported) -> Option<u64>| {
        let span = row.reported.as_ref().filter(|_| !cache_tokens_unnamed);
        self::count(label, served, span, reported)
    };
    html! {
        tr class=[row.rules.iter().any(|rule| unexpected.contains(&**rule)).then_some("found")] {
            th scope="row" data-label="#" { (row.exchange) }
            td.call data-label="call" {
                (visible(&row.operation)) br;
                span.model { (visible(&served.model)) }
                @if let Some(model) = reported.and_then(|span| span.model.as_ref()).filter(|model| **model != served.model) {
                    br; span.off { (visible(model)) }
                }
            }
            td.outcome data-label="outcome" { (outcome(row, served)) }
            (count("input", tokens.input_tokens, |span| span.input_tokens))
            (count("output", tokens.output_tokens, |span| span.output_tokens))
            (cached("cache read", tokens.cache_read_input_tokens, |span| span.cache_read_input_tokens))
            (cached("cache write", tokens.cache_write_input_tokens, |span| span.cache_write_input_tokens))
            td data-label="end" {
                @if let Some(reason) = &served.stop_reason { (visible(reason)) }
                @if let Some(span) = reported {
                    @let reasons = span.finish_reasons.join(", ");
                    @if !reasons.is_empty() && Some(&reasons) != served.stop_reason.as_ref() {
                        br; span.says { (visible(&reasons)) }
                    }
                }
            }
            td.span data-label="span" {
                @match reported {
                    Some(span) => (about(span)),
                    None => span.off { "none" },
                }
            }
            td.rules data-label="found" {
                @for rule in &row.rules {
                    @if unexpected.contains(&**rule) { a href={ "#" (anchor(rule)) } { (visible(rule)) } }
                    @else { a href="#expected" { (visible(rule)) " (expected)" } }
                }
            }
        }
    }
}

fn outcome(row: &TruthRow, served: &Served) -> Markup {
    html! {
        @if served.status == 0 { "no status" } @else { (served.status) }
        @if let Some(exception) = &served.exception { " " (visible(exception)) }
        @if let Some(fault) = &served.fault { br; span.fault { "fault: " (visible(fault)) } }
        @if row.attempts > 1 { br; (row.attempts) " attempts" }
        @if let Some(error) = row.reported.as_ref().and_then(|span| span.error_type.as_ref()) {
            br; span.says { "error.type " (visible(error)) }
        }
    }
}

/// A count as served, and what the span says where that differs. An absent count is no zero, but
/// nothing is amiss where nothing was served.
fn count(
    label: &str,
    served: u64,
    span: Option<&Reported>,
    reported: fn(&Reported) -> Option<u64>,
) -> Markup {
    let says = span.and_then(|span| match reported(span) {
        Some(tokens) => (tokens != served).then(|| grouped(tokens)),
        None => (served > 0).then(|| "absent".to_owned()),
    });
    html! {
        td.count data-label=(label) {
            (grouped(served))
            @if let Some(says) = says { br; span.off { (says) } }
        }
    }
}

fn about(span: &Reported) -> Markup {
    let by = match span.by {
        JoinMeans::InvocationId => "invocation id",
        JoinMeans::TraceContext => "trace context",
        JoinMeans::ResponseId => "response id",
        JoinMeans::TimeOverlap => "time, model and operation",
    };
    html! {
        (visible(&span.span_name))
        @if span.is_error { " " strong.error { "ERROR" } }
        ", " (duration(0, span.duration_nanos)) br;
        span.ids { (span.trace_id) " " (span.span_id) } br;
        span.by { "by " (by) }
    }
}
