//! Calls beside their spans, kept for the report as they are judged.

use std::collections::BTreeSet;

use spanproof_schemas::report::{JoinMeans, Reported, Served, TruthRow, TruthTable};

use crate::model::{FinishReasons, SpanFacts, hex};
use crate::otlp::StatusCode;
use crate::usage;
use crate::view::{CallView, Match};

/// How many calls are shown whatever came of them.
const FIRST: usize = 200;

/// How many calls are shown at most.
const MOST: usize = 1_000;

/// The rows so far; calls come by arrival.
#[derive(Debug, Default)]
pub(crate) struct Rows(TruthTable);

impl Rows {
    /// Takes in a call with the rules that found something on it or on its span.
    pub(crate) fn call(&mut self, view: &CallView<'_>, rules: &BTreeSet<&str>) {
        let Rows(table) = self;
        table.calls += 1;
        table.calls_with_findings += u64::from(!rules.is_empty());
        let most = if rules.is_empty() { FIRST } else { MOST };
        if table.rows.len() < most && (!rules.is_empty() || table.calls <= FIRST as u64) {
            table.rows.push(row(view, rules));
        }
    }

    /// The table; `mask` sees every text of telemetry.
    pub(crate) fn into_table(self, mask: impl Fn(&mut String)) -> TruthTable {
        let Rows(mut table) = self;
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
            tokens: usage::expected(view.call.usage(), view.semconv),
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
