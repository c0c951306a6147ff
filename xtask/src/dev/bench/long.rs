//! Captures so long that memory would show what is kept of them, without a ledger and with one.
//!
//! Making spans and records costs more than judging them, so a few are made and then given other
//! ids and times in turn, as they are read.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use conformance::capture::{Encoded, Record, Request, Signal};
use conformance_core::{Judge, Judgement, Settings};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use spanproof::judging::parts::take_in;
use spanproof_schemas::ledger;

use super::check::{ONE, encoded, per_second};
use super::peak;
use super::telemetry::{BATCH, STEP_NANOS, batch, exchange, run};

/// Judges a capture of so many spans and says what it took.
pub(super) fn alone(spans: u64) -> Result<String> {
    let capture = Capture::new(spans);
    let judge = Judge::new(Settings::default());
    let (judgement, told) =
        measured(|| Ok(take_in(judge, capture.records(), std::iter::empty(), ONE)?.finish()))?;
    ensure!(judgement.telemetry.gen_ai_spans == capture.spans(), "a span was not judged");
    Ok(format!("check    {} spans in one capture   {told}", capture.spans()))
}

/// Judges a capture of so many spans with their ledger, read beside it, and says what it took.
pub(super) fn with_ledger(spans: u64) -> Result<String> {
    let capture = Capture::new(spans);
    let mut judge = Judge::new(Settings::default());
    judge.ledger(run());
    let (judgement, told) =
        measured(|| Ok(take_in(judge, capture.records(), capture.ledger(), ONE)?.finish()))?;
    let join = judgement.join.context("there is no ledger")?;
    ensure!(join.matched == capture.spans(), "{} of {} were joined", join.matched, join.calls);
    Ok(format!("check    {} spans with their ledger   {told}", capture.spans()))
}

/// What judging took. The peak of memory is that since it began, and what an earlier bench left to
/// the allocator is in it.
fn measured(judge: impl FnOnce() -> Result<Judgement>) -> Result<(Judgement, String)> {
    peak::set_back()?;
    let started = Instant::now();
    let judgement = judge()?;
    let spans = usize::try_from(judgement.telemetry.gen_ai_spans)?;
    let told = format!(
        "{:.0} s   {:.0} spans/s   peak memory {} MB",
        started.elapsed().as_secs_f64(),
        per_second(spans, started)?,
        peak::kilobytes()? / 1_000
    );
    Ok((judgement, told))
}

/// How many batches differ.
const DIFFERENT: u64 = 16;

struct Capture {
    batches: u64,
    different: Vec<Renumbered>,
}

impl Capture {
    fn new(spans: u64) -> Capture {
        let different = (0..DIFFERENT).map(Renumbered::new).collect();
        Capture { batches: spans.div_ceil(BATCH as u64), different }
    }

    fn spans(&self) -> u64 {
        self.batches * BATCH as u64
    }

    fn numbered(&self) -> impl Iterator<Item = (u64, &Renumbered)> {
        (0..self.batches).zip(self.different.iter().cycle())
    }

    fn records(
        &self,
    ) -> impl Iterator<Item = Result<Record, conformance::capture::ReadError>> + Send {
        self.numbered().map(|(number, batch)| Ok(Record::Encoded(batch.spans(number))))
    }

    fn ledger(&self) -> impl Iterator<Item = ledger::Record> + Send {
        self.numbered().flat_map(|(number, batch)| batch.exchanges(number))
    }
}

/// An encoded batch, and the records of its calls, that can be had with other trace ids and times.
struct Renumbered {
    own: u64,
    encoded: Encoded,
    /// Where the trace id of each span is, and its start and end, with what stands there.
    places: Vec<Places>,
    /// The line of each call in the ledger.
    lines: Vec<Line>,
}

struct Places {
    trace: usize,
    start: (usize, u64),
    end: (usize, u64),
}

impl Renumbered {
    fn new(number: u64) -> Renumbered {
        let batch = batch(number);
        let encoded = encoded(&batch);
        let bytes = &encoded.request.protobuf;
        let mut from = 0;
        let mut find = |wanted: &[u8]| {
            let found = bytes[from..].windows(wanted.len()).position(|window| window == wanted);
            from += found.unwrap_or_default();
            from
        };
        let places = spans(&batch)
            .map(|span| {
                let (start, end) = (span.start_time_unix_nano, span.end_time_unix_nano);
                Places {
                    trace: find(&span.trace_id),
                    start: (find(&start.to_le_bytes()), start),
                    end: (find(&end.to_le_bytes()), end),
                }
            })
            .collect();
        let lines = spans(&batch).map(Line::new).collect();
        Renumbered { own: number, places, lines, encoded }
    }

    /// How much later the batch with this number is than it was made.
    fn later(&self, number: u64) -> u64 {
        (number - self.own) * BATCH as u64 * STEP_NANOS
    }

    fn spans(&self, number: u64) -> Encoded {
        let later = self.later(number);
        let mut protobuf = self.encoded.request.protobuf.to_vec();
        let mut set = |at: usize, bytes: [u8; 8]| protobuf[at..at + 8].copy_from_slice(&bytes);
        for Places { trace, start, end } in &self.places {
            set(*trace, number.to_be_bytes());
            set(start.0, (start.1 + later).to_le_bytes());
            set(end.0, (end.1 + later).to_le_bytes());
        }
        let request = Request { signal: Signal::Traces, protobuf: protobuf.into() };
        Encoded { request, ..self.encoded.clone() }
    }

    fn exchanges(&self, number: u64) -> impl Iterator<Item = ledger::Record> {
        let later = self.later(number);
        let first = number * BATCH as u64;
        (first..).zip(&self.lines).map(move |(sequence, line)| line.record(sequence, number, later))
    }
}

fn spans(batch: &ExportTraceServiceRequest) -> impl Iterator<Item = &Span> {
    batch.resource_spans.iter().flat_map(|r| &r.scope_spans).flat_map(|s| &s.spans)
}

/// A line of a ledger, to be read as one reads it.
struct Line {
    text: Vec<u8>,
    sequence: usize,
    trace: usize,
    invocation: usize,
    arrived: (usize, u64),
    finished: (usize, u64),
}

/// The first sequence: all have as many digits.
const FIRST: u64 = 1_000_000_000_000;

impl Line {
    fn new(span: &Span) -> Line {
        let exchange = exchange(span, FIRST);
        let (arrived, finished) = (exchange.arrived_unix_nanos, exchange.finished_unix_nanos);
        let record = ledger::Record::Exchange(Box::new(exchange));
        let text = serde_json::to_string(&record).unwrap_or_default();
        let after = |name: &str| text.find(name).map_or(0, |at| at + name.len());
        Line {
            sequence: after("\"sequence\":"),
            trace: after("\"trace_id\":\""),
            invocation: after("\"invocation_id\":\""),
            arrived: (after("\"arrived_unix_nanos\":"), arrived),
            finished: (after("\"finished_unix_nanos\":"), finished),
            text: text.into_bytes(),
        }
    }

    fn record(&self, sequence: u64, number: u64, later: u64) -> ledger::Record {
        let mut text = self.text.clone();
        let mut set = |at: usize, digits: String| {
            text[at..at + digits.len()].copy_from_slice(digits.as_bytes());
        };
        set(self.sequence, (FIRST + sequence).to_string());
        set(self.trace, format!("{number:016x}"));
        set(self.invocation, format!("{number:016x}"));
        set(self.arrived.0, (self.arrived.1 + later).to_string());
        set(self.finished.0, (self.finished.1 + later).to_string());
        serde_json::from_slice(&text).unwrap_or_else(|error| unreachable!("{error}"))
    }
}
