//! Judging beside decoding: both from the same encoded batches.
//!
//! The ceiling decodes with prost and judges nothing. Ours decodes and runs every rule: on one core,
//! on two, and over a capture so long that memory would show what is kept of it.

use std::fs;
use std::hint::black_box;
use std::num::NonZero;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use conformance::capture::{Encoded, ReadError, Record, Request, Signal};
use conformance_core::{Judge, Judgement, Redaction, Settings};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use spanproof::judging::parts::take_in;

use super::telemetry::{BATCH, batch, content_batch};
use super::{Comparison, median};

/// Enough for a second or so on each side.
const BATCHES: u64 = 400;

/// Likewise, of spans three times as long.
const CONTENT_BATCHES: u64 = 60;

const ONE: NonZero<usize> = NonZero::<usize>::MIN;
const TWO: NonZero<usize> = NonZero::new(2).unwrap();

/// What is judged, and by what.
struct Subject {
    what: &'static str,
    records: Vec<Encoded>,
    redaction: Redaction,
    notes: &'static str,
}

/// Spans as they are by default: without content.
pub(super) fn compare(runs: usize) -> Result<Comparison> {
    let subject = Subject {
        what: "check",
        records: (0..BATCHES).map(|number| encoded(&batch(number))).collect(),
        redaction: Redaction::default(),
        notes: "decode included, all rules, 20 attributes",
    };
    compare_with_decoding(&subject, runs)
}

/// Spans with content, which is parsed and held against the schemas of the conventions.
pub(super) fn compare_content(runs: usize) -> Result<Comparison> {
    let subject = Subject {
        what: "content",
        records: (0..CONTENT_BATCHES).map(|number| encoded(&content_batch(number))).collect(),
        redaction: Redaction::ContentAllowed,
        notes: "content-allowed, 23 attributes with 2.6 kB of content",
    };
    compare_with_decoding(&subject, runs)
}

fn compare_with_decoding(subject: &Subject, runs: usize) -> Result<Comparison> {
    let Subject { records, .. } = subject;
    let spans = records.len() * BATCH;
    let bytes: usize = records.iter().map(|record| record.request.protobuf.len()).sum();
    let mut comparison = Comparison::new(subject.what, "spans/s");
    let mut ratios = Vec::new();
    for _ in 0..runs {
        let started = Instant::now();
        for record in records {
            let protobuf = record.request.protobuf.clone();
            black_box(ExportTraceServiceRequest::decode(protobuf)?);
        }
        comparison.ceiling.push(per_second(spans, started)?);
        let one = judged_per_second(subject, ONE)?;
        comparison.ours.push(one);
        ratios.push(judged_per_second(subject, TWO)? / one);
    }
    let megabytes_per_span = per(bytes, spans)? / 1e6;
    comparison.notes = format!(
        "{}; one thread, {:.0} MB/s beside {:.0}; two threads {:.2} times one",
        subject.notes,
        median(&mut comparison.ours) * megabytes_per_span,
        median(&mut comparison.ceiling) * megabytes_per_span,
        median(&mut ratios)
    );
    Ok(comparison)
}

/// Judges a capture of so many spans, made as it is read, and says what it took. The peak is that of
/// this process, so nothing large may come before.
pub(super) fn long(spans: u64) -> Result<String> {
    let different: Vec<Renumbered> = (0..DIFFERENT).map(Renumbered::new).collect();
    let batches = spans.div_ceil(BATCH as u64);
    let records = (0..batches).zip(different.iter().cycle());
    let records = records.map(|(number, batch)| Ok(Record::Encoded(batch.with(number))));
    let started = Instant::now();
    let judgement = judged(records, Redaction::default(), ONE)?;
    let judged = judgement.telemetry.gen_ai_spans;
    ensure!(judged == batches * BATCH as u64, "the judge saw {judged} GenAI spans");
    Ok(format!(
        "check    {judged} spans in one capture   {:.0} s   peak memory {} MB",
        started.elapsed().as_secs_f64(),
        peak_kilobytes()? / 1_000
    ))
}

/// Different batches of a long capture. Making spans costs more than judging them, so these are
/// given other ids in turn.
const DIFFERENT: u64 = 16;

/// An encoded batch that can be had with other trace ids.
struct Renumbered {
    encoded: Encoded,
    /// Where the trace ids are.
    offsets: Vec<usize>,
}

impl Renumbered {
    fn new(number: u64) -> Renumbered {
        let batch = batch(number);
        let encoded = encoded(&batch);
        let bytes = &encoded.request.protobuf;
        let mut offsets = Vec::with_capacity(BATCH);
        let mut from = 0;
        for span in batch.resource_spans.iter().flat_map(|r| &r.scope_spans).flat_map(|s| &s.spans)
        {
            let id = &span.trace_id;
            let found = bytes[from..].windows(id.len()).position(|window| window == id);
            from += found.unwrap_or_default();
            offsets.push(from);
        }
        Renumbered { encoded, offsets }
    }

    fn with(&self, number: u64) -> Encoded {
        let mut protobuf = self.encoded.request.protobuf.to_vec();
        for offset in &self.offsets {
            protobuf[*offset..offset + 8].copy_from_slice(&number.to_be_bytes());
        }
        let request = Request { signal: Signal::Traces, protobuf: protobuf.into() };
        Encoded { request, ..self.encoded.clone() }
    }
}

fn encoded(batch: &ExportTraceServiceRequest) -> Encoded {
    let request = Request { signal: Signal::Traces, protobuf: batch.encode_to_vec().into() };
    Encoded { request, path: std::path::Path::new("bench").into(), offset: 0 }
}

fn judged_per_second(subject: &Subject, threads: NonZero<usize>) -> Result<f64> {
    let Subject { records, redaction, .. } = subject;
    let started = Instant::now();
    let given = records.iter().map(|record| Ok(Record::Encoded(record.clone())));
    let judgement = judged(given, *redaction, threads)?;
    let spans = records.len() * BATCH;
    ensure!(
        judgement.telemetry.gen_ai_spans == spans as u64,
        "the judge did not see every span as a GenAI client span: {:?}",
        judgement.telemetry
    );
    per_second(spans, started)
}

fn judged(
    records: impl Iterator<Item = Result<Record, ReadError>> + Send,
    redaction: Redaction,
    threads: NonZero<usize>,
) -> Result<Judgement> {
    let mut settings = Settings::default();
    settings.redaction = redaction;
    Ok(take_in(Judge::new(settings), records, threads)?.finish())
}

fn per_second(spans: usize, started: Instant) -> Result<f64> {
    Ok(f64::from(u32::try_from(spans)?) / started.elapsed().as_secs_f64())
}

fn per(many: usize, of: usize) -> Result<f64> {
    Ok(f64::from(u32::try_from(many)?) / f64::from(u32::try_from(of)?))
}

/// The most memory that this process had, in kB.
fn peak_kilobytes() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = value.and_then(|text| text.split_whitespace().next());
    Ok(kilobytes.context("/proc/self/status has no VmHWM")?.parse()?)
}
