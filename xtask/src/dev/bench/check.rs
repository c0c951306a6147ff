//! Judging beside decoding: both from the same encoded batches.
//!
//! The ceiling decodes with prost and judges nothing. Ours decodes and runs every rule: on one core
//! and on two.

use std::hint::black_box;
use std::num::NonZero;
use std::time::Instant;

use anyhow::{Result, ensure};
use conformance::capture::{Encoded, ReadError, Record, Request, Signal};
use conformance_core::{Judge, Judgement, Redaction, Settings};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use spanproof::judging::parts::take_in;

use super::telemetry::{BATCH, batch, content_batch};
use super::{Comparison, median};

/// Enough for a second or two on each side, and several windows of the judge, whose last is settled
/// on one thread when all is in.
const BATCHES: u64 = 1_200;

/// Likewise, of spans three times as long.
const CONTENT_BATCHES: u64 = 60;

pub(super) const ONE: NonZero<usize> = NonZero::<usize>::MIN;
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

pub(super) fn encoded(batch: &ExportTraceServiceRequest) -> Encoded {
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
    Ok(take_in(Judge::new(settings), records, std::iter::empty(), threads)?.finish())
}

pub(super) fn per_second(spans: usize, started: Instant) -> Result<f64> {
    Ok(f64::from(u32::try_from(spans)?) / started.elapsed().as_secs_f64())
}

fn per(many: usize, of: usize) -> Result<f64> {
    Ok(f64::from(u32::try_from(many)?) / f64::from(u32::try_from(of)?))
}
