//! What is kept of the ledger.

use spanproof_schemas::ledger::{self, Record, Task};
use spanproof_schemas::time::UnixNanos;

use crate::field::{Field, FieldSet};
use crate::model::{ExchangeFacts, Sampling, Served, ServedHashes, SpanId};
use crate::redaction::Redaction;
use crate::symbol::{Symbol, Symbols};
use crate::window::Came;

/// The exchanges of the ledger that are not settled.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Whether there is a ledger, even an empty one.
    pub(crate) is_there: bool,
    pub(crate) exchanges: Vec<ExchangeFacts>,
    /// When the last exchange that came in ended. Ledgers are written as exchanges end.
    pub(crate) latest: UnixNanos,
    /// Whether the service ran agents or retrievals, whose spans may then be those of calls.
    pub(crate) has_agents: bool,
    /// When half the calls that were settled a generation ago had ended.
    pub(crate) settled_until: UnixNanos,
}

impl Ledger {
    pub(crate) fn add(
        &mut self,
        record: Record,
        redaction: Redaction,
        generation: u32,
        symbols: &mut Symbols,
    ) {
        self.is_there = true;
        match record {
            // Nobody owes a span for a token count or a list of models.
            Record::Exchange(exchange) if exchange.task != Task::Administration => {
                let served = redaction.captures().then(|| Served::of(&exchange));
                let hashes =
                    (redaction == Redaction::HashOnly).then(|| ServedHashes::of(&exchange));
                self.latest = self.latest.max(exchange.finished_unix_nanos);
                self.has_agents |= matches!(exchange.task, Task::InvokeAgent | Task::Retrieval);
                let is_retry = exchange.attempt.is_some_and(|attempt| attempt > 1);
                let first_sign = if is_retry {
                    exchange.arrived_unix_nanos
                } else {
                    exchange.finished_unix_nanos
                };
                self.exchanges.push(ExchangeFacts {
                    served: served.map(Box::new),
                    hashes: hashes.map(Box::new),
                    came: Came { generation, is_late: first_sign < self.settled_until },
                    ..facts(*exchange, symbols)
                });
            }
            Record::Exchange(_) | Record::Run(_) => {}
        }
    }

    /// Notes the exchanges that are settled, by their places.
    pub(crate) fn note_settled<'a>(
        &mut self,
        exchanges: impl Iterator<Item = (usize, &'a ExchangeFacts)>,
    ) {
        let mut ends: Vec<UnixNanos> = exchanges.map(|(_, exchange)| exchange.finished).collect();
        if !ends.is_empty() {
            let middle = ends.len() / 2;
            self.settled_until = self.settled_until.max(*ends.select_nth_unstable(middle).1);
        }
    }

    /// Sorts the exchanges by arrival at the service, not by when they came.
    pub(crate) fn sort(&mut self) {
        self.exchanges.sort_by(|a, b| {
            (a.sequence, a.arrived, &a.request_id).cmp(&(b.sequence, b.arrived, &b.request_id))
        });
    }
}

fn facts(exchange: ledger::Exchange, symbols: &mut Symbols) -> ExchangeFacts {
    let mut symbol = |text: Option<String>| text.map(|text| symbols.intern(&text));
    let context = exchange.trace_context;
    let parameters = &exchange.parameters;
    let shown = FieldSet::of(&[
        (Field::MaxTokens, parameters.max_tokens.is_some()),
        (Field::Temperature, parameters.temperature.is_some()),
        (Field::TopP, parameters.top_p.is_some()),
        (Field::TopK, parameters.top_k.is_some()),
        (Field::StopSequences, !parameters.stop_sequences.is_empty()),
        (Field::ResponseModel, exchange.response_model.is_some()),
        (Field::ResponseId, exchange.response_id.is_some()),
        (Field::TimeToFirstChunk, exchange.chunks.is_some_and(|chunks| chunks.count > 0)),
        (Field::ReasoningTokens, exchange.usage.reasoning_output_tokens > 0),
    ]);
    ExchangeFacts {
        sequence: exchange.sequence,
        arrived: exchange.arrived_unix_nanos,
        finished: exchange.finished_unix_nanos,
        request_id: exchange.request_id.into(),
        operation: exchange.operation,
        task: exchange.task,
        stop_reason: symbol(exchange.stop_reason),
        exception: symbol(exchange.exception),
        fault: symbol(exchange.fault),
        model: symbol(Some(exchange.model_id)).unwrap_or(Symbol::EMPTY),
        current_span: context
            .as_ref()
            .and_then(|context| SpanId::from_hex(&context.trace_id, &context.span_id)),
        sampled: context.is_none_or(|context| context.sampled),
        invocation_id: exchange.invocation_id.map(Into::into),
        usage: exchange.usage,
        early_output_tokens: exchange.early_output_tokens,
        response_id: exchange.response_id.map(Into::into),
        response_model: symbol(exchange.response_model),
        sampling: sampling(&exchange.parameters),
        status: exchange.status,
        delivered: exchange.delivered,
        has_guardrail: exchange.parameters.guardrail_id.is_some(),
        shown,
        came: Came::default(),
        first_chunk: exchange.chunks.map(|chunks| chunks.first_unix_nanos),
        last_chunk: exchange.chunks.map(|chunks| chunks.last_unix_nanos),
        served: None,
        hashes: None,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "see Sampling")]
fn sampling(parameters: &ledger::Parameters) -> Sampling {
    let half = |value: Option<f64>| value.map(|value| value as f32);
    Sampling {
        max_tokens: parameters.max_tokens.and_then(|max| u32::try_from(max).ok()),
        temperature: half(parameters.temperature),
        top_p: half(parameters.top_p),
        top_k: half(parameters.top_k),
    }
}
