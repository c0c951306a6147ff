//! Calls beside their spans, kept for the report as they are judged.

use std::collections::BTreeSet;

use spanproof_schemas::report::{JoinMeans, Reported, Served, TruthRow, TruthTable};
use spanproof_schemas::time::UnixNanos;

use crate::model::{ExchangeFacts, FinishReasons, SpanFacts, hex};
use crate::otlp::StatusCode;
use crate::usage;
use crate::view::{CallView, Match};

/// How many calls are shown whatever came of them.
const FIRST: usize = 200;

/// How many calls are shown at most.
const MOST: usize = 1_000;

/// The rows so far, whatever order the calls come in.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    calls: u64,
    with_findings: u64,
    /// The first calls by arrival.
    first: Least<FIRST>,
    /// The first calls with findings by arrival.
    found: Least<MOST>,
}

/// What calls are sorted by: their first attempt, as it arrived.
type Arrival = (u64, UnixNanos, Box<str>);

/// The rows of the first `N` calls of some.
#[derive(Debug, Default)]
struct Least<const N: usize>(Vec<(Arrival, TruthRow)>);

impl<const N: usize> Least<N> {
    /// Where a call stands among them, if it does.
    fn place(&self, first: &ExchangeFacts) -> Option<usize> {
        let (sequence, arrived, request_id) = (first.sequence, first.arrived, &first.request_id);
        let at = self.0.partition_point(|((other_sequence, other_arrived, other_id), _)| {
            (*other_sequence, *other_arrived, other_id) <= (sequence, arrived, request_id)
        });
        (at < N).then_some(at)
    }

    fn keep(&mut self, first: &ExchangeFacts, row: impl FnOnce() -> TruthRow) {
        if let Some(at) = self.place(first) {
            self.0.truncate(N - 1);
            self.0.insert(at, ((first.sequence, first.arrived, first.request_id.clone()), row()));
        }
    }
}

impl Rows {
    /// Takes in a call with the rules that found something on it or on its span.
    pub(crate) fn call(&mut self, view: &CallView<'_>, rules: &BTreeSet<&str>) {
        self.calls += 1;
        let first = view.call.first();
        self.first.keep(first, || row(view, rules));
        if !rules.is_empty() {
            self.with_findings += 1;
            self.found.keep(first, || row(view, rules));
        }
    }

    /// The table; `mask` sees every text of telemetry.
    pub(crate) fn into_table(self, mask: impl Fn(&mut String)) -> TruthTable {
        let last = self.first.0.last().map(|(arrival, _)| arrival.clone());
        let is_further = |(arrival, _): &(Arrival, TruthRow)| last.as_ref() < Some(arrival);
        let further = self.found.0.into_iter().filter(is_further);
        let rows = self.first.0.into_iter().chain(further).take(MOST).map(|(_, row)| row);
        let mut table = TruthTable {
            calls: self.calls,
            calls_with_findings: self.with_findings,
            rows: rows.collect(),
        };
        for reported in table.rows.iter_mut().filter_map(|row| row.reported.as_mut()) {
            let Reported { span_name, model, error_type, finish_reasons, .. } = reported;
            let texts = [Some(span_name), model.as_mut(), error_type.as_mut()];
            texts.into_iter().flatten().chain(finish_reasons).for_each(&mask);
        }
        table
    }
}

fn row(view: &CallView<'_>, rules: &BTreeSet<&str>) -> TruthRow {
    let last = view.call.last();
    let symbols = view.symbols;
    let text = |symbol| symbols.option(symbol).map(ToOwned::to_owned);
    TruthRow {
        exchange: last.sequence,
        attempts: view.call.exchanges().len() as u64,
        operation: last.operation.name().to_owned(),
        served: Served {
            model: symbols.text(last.model).to_owned(),
            status: last.status,
            exception: text(last.exception),
            fault: text(last.fault),
            stop_reason: text(last.stop_reason),
            tokens: usage::expected(view.call.usage(), view.spoken.semconv),
        },
        reported: match view.matched {
            Match::Span(span, by) => Some(reported(view, span, by)),
            Match::None(_) => None,
        },
        rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
    }
}

fn reported(view: &CallView<'_>, span: &SpanFacts, by: JoinMeans) -> Reported {
    let symbols = view.symbols;
    let text = |symbol| symbols.option(symbol).map(ToOwned::to_owned);
    let finish_reasons = match &span.finish_reasons {
        FinishReasons::Absent => Vec::new(),
        FinishReasons::NotArray(reason) => vec![symbols.text(*reason).to_owned()],
        FinishReasons::Array(reasons) => {
            reasons.iter().map(|reason| text(*reason).unwrap_or("null".to_owned())).collect()
        }
    };
    Reported {
        by,
        trace_id: hex(&span.id.trace),
        span_id: hex(&span.id.span),
        span_name: symbols.text(span.name).to_owned(),
        model: text(span.model),
        is_error: span.status == StatusCode::Error,
        error_type: text(span.error_type),
        finish_reasons,
        input_tokens: span.usage.input,
        output_tokens: span.usage.output,
        cache_read_input_tokens: span.usage.cache_read,
        cache_write_input_tokens: span.usage.cache_write,
        duration_nanos: span.end.saturating_sub(span.start),
    }
}
