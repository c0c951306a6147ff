//! A sample of a load's traces, measured.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use crate::{Block, BlockBuilder, BlockError, BlockOptions, ColumnBytes};

/// Traces as a policy for content leaves them.
#[derive(Clone, Debug)]
pub struct PolicySample {
    /// The policy, as it is written on the command line.
    pub policy: String,
    /// Whether the words of prompts and answers are in it.
    pub has_text: bool,
    /// Export requests in protobuf, of each seed. The first is the one that counts.
    pub seeds: Vec<Vec<Vec<u8>>>,
}

/// Why a sample cannot be measured.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// There is no sample, or nothing in it.
    #[error("the sample has no traces; raise the rate, or sample more")]
    Empty,
    /// Something else than requests.
    #[error("the sample is no OTLP: {0}")]
    NotOtlp(#[from] prost::DecodeError),
    /// Its blocks cannot be computed.
    #[error("cannot size the sample: {0}")]
    Block(#[from] BlockError),
}

/// What a sample says.
pub(super) struct Measured {
    pub(super) policy: String,
    pub(super) has_text: bool,
    /// Traces of each seed.
    pub(super) sampled_traces: Vec<u64>,
    pub(super) otlp_bytes_per_trace: f64,
    pub(super) spans_per_trace: f64,
    pub(super) facts: Facts,
    /// Parts by which other seeds differ, the furthest.
    pub(super) seeds_off: f64,
    /// By what part smaller samples foretold the largest wrongly, which has twice as many traces.
    doubling_off: f64,
    /// Blocks of ever more traces of the first seed, the smallest first.
    ladder: Vec<Block>,
}

/// What is said in a sample, beside bytes.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) largest_attribute_bytes: u64,
    pub(super) largest_trace_bytes: u64,
    pub(super) mean_span_bytes: f64,
    pub(super) traces: u64,
    pub(super) spans: Vec<SpanFacts>,
}

/// What metrics and bills look at of a span.
pub(super) struct SpanFacts {
    pub(super) service: String,
    pub(super) name: String,
    pub(super) kind: i32,
    pub(super) status: i32,
    /// Texts and numbers among its attributes, and those of its resource.
    pub(super) attributes: BTreeMap<String, String>,
}

/// The blocks that are computed have this many traces: 1, 8, 64 and so on, and then these parts of
/// all.
const STEP: u64 = 8;

impl Measured {
    pub(super) fn new(sample: &PolicySample, options: &BlockOptions) -> Result<Self, SampleError> {
        let first = sample.seeds.first().ok_or(SampleError::Empty)?;
        let requests: Vec<ExportTraceServiceRequest> = first
            .iter()
            .map(|body| ExportTraceServiceRequest::decode(body.as_slice()))
            .collect::<Result<_, _>>()?;
        let whole = block(options, &requests, None)?;
        let mut counts: Vec<u64> = std::iter::successors(Some(1), |count| Some(count * STEP))
            .take_while(|count| *count < whole.traces / 4)
            .collect();
        counts.extend([whole.traces / 4, whole.traces / 2].into_iter().filter(|count| *count > 0));
        counts.dedup();
        let mut ladder: Vec<Block> = counts
            .into_iter()
            .map(|count| block(options, &requests, Some(count)))
            .collect::<Result<_, _>>()?;
        ladder.push(whole.clone());
        let doubling_off = match ladder.as_slice() {
            [.., quarter, half, whole] => {
                let foretold = beyond(quarter, half, float(whole.traces));
                (foretold - float(whole.data_parquet_bytes)).abs() / float(whole.data_parquet_bytes)
            }
            _ => 0.0,
        };
        let mut sampled_traces = vec![whole.traces];
        let mut seeds_off: f64 = 0.0;
        for bodies in sample.seeds.iter().skip(1) {
            let requests: Vec<ExportTraceServiceRequest> = bodies
                .iter()
                .map(|body| ExportTraceServiceRequest::decode(body.as_slice()))
                .collect::<Result<_, _>>()?;
            let other = block(options, &requests, None)?;
            let of_first = block_of(&ladder, other.traces);
            let off = (float(other.data_parquet_bytes) - of_first).abs() / of_first;
            seeds_off = seeds_off.max(off);
            sampled_traces.push(other.traces);
        }
        Ok(Measured {
            policy: sample.policy.clone(),
            has_text: sample.has_text,
            sampled_traces,
            otlp_bytes_per_trace: float(whole.otlp_bytes) / float(whole.traces),
            spans_per_trace: float(whole.spans) / float(whole.traces),
            facts: Facts::of(&requests, whole.traces),
            seeds_off,
            doubling_off,
            ladder,
        })
    }

    /// The bytes of `data.parquet` of a block of `traces`.
    pub(super) fn data_bytes(&self, traces: f64) -> f64 {
        data_bytes(&self.ladder, traces)
    }

    /// By what part a block of `traces` may be foretold wrongly: for each time that it doubles the
    /// largest that was computed, as much as that was; and as much for any other.
    pub(super) fn extrapolation_off(&self, traces: f64) -> f64 {
        self.doubling_off * (traces / self.largest()).log2().max(1.0)
    }

    /// The columns of the largest block.
    pub(super) fn columns(&self) -> &[ColumnBytes] {
        self.ladder.last().map_or(&[], |block| &block.columns)
    }

    /// Traces of the largest block.
    pub(super) fn largest(&self) -> f64 {
        self.ladder.last().map_or(1.0, |block| float(block.traces))
    }
}

fn block(
    options: &BlockOptions,
    requests: &[ExportTraceServiceRequest],
    most_traces: Option<u64>,
) -> Result<Block, BlockError> {
    let options = BlockOptions { max_live_traces: most_traces, ..options.clone() };
    let mut builder = BlockBuilder::new(options)?;
    for request in requests {
        builder.add(request.clone());
    }
    builder.finish()
}

fn block_of(ladder: &[Block], traces: u64) -> f64 {
    data_bytes(ladder, float(traces))
}

/// On the line between the blocks around `traces`, or beyond the last two, where indexes get wider.
fn data_bytes(ladder: &[Block], traces: f64) -> f64 {
    let after = ladder.iter().position(|block| float(block.traces) >= traces);
    match (after, ladder) {
        (Some(0), [first, ..]) | (_, [first]) => float(first.data_parquet_bytes),
        (Some(after), _) => line_to(&ladder[after - 1], &ladder[after], traces),
        (None, [.., before, last]) => beyond(before, last, traces),
        (None, []) => 0.0,
    }
}

/// Of more traces than `last` has, as it grew since `before`.
fn beyond(before: &Block, last: &Block, traces: f64) -> f64 {
    line_to(before, last, traces) + wider_indexes(before, last, traces)
}

/// What the indexes into dictionaries take beyond the line through the two blocks. Each time that a
/// dictionary doubles, every index into it has a bit more: `n` traces take `n·log2(n)` and no line. A
/// dictionary grows no further than a row group does.
fn wider_indexes(before: &Block, last: &Block, traces: f64) -> f64 {
    let known = float(last.traces);
    let times = known / float(before.traces);
    // Bits for a trace, each time that traces double.
    let columns = before.columns.iter().zip(&last.columns);
    let bits: f64 = columns
        .filter(|(before, last)| before.distinct > 0 && last.distinct > 0)
        .map(|(before, last)| {
            let doublings = (float(last.distinct) / float(before.distinct)).log2() / times.log2();
            float(last.indexes) / known * doublings.clamp(0.0, 1.0)
        })
        .sum();
    let per_row_group =
        known * float(BlockOptions::ROW_GROUP_BYTES) / float(last.estimated_bytes.max(1));
    let most = traces.min(per_row_group).max(known);
    // The line has the growth that there was between the two.
    let in_line = times.log2() / (times - 1.0) * (most - known);
    bits / 8.0 * (most * (most / known).log2() - in_line) * traces / most
}

fn line_to(low: &Block, high: &Block, traces: f64) -> f64 {
    let width = float(high.traces) - float(low.traces);
    let height = float(high.data_parquet_bytes) - float(low.data_parquet_bytes);
    float(low.data_parquet_bytes) + height / width.max(1.0) * (traces - float(low.traces))
}

#[expect(clippy::cast_precision_loss, reason = "sizes stay far below 2^52")]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}

impl Facts {
    fn of(requests: &[ExportTraceServiceRequest], traces: u64) -> Facts {
        let mut facts = Facts { traces, ..Facts::default() };
        let mut trace_bytes: BTreeMap<&[u8], u64> = BTreeMap::new();
        let mut span_bytes = 0;
        for batch in requests.iter().flat_map(|request| &request.resource_spans) {
            let of_resource =
                batch.resource.as_ref().map_or(&[][..], |resource| &resource.attributes);
            let shared: BTreeMap<String, String> = of_resource.iter().filter_map(said).collect();
            for span in batch.scope_spans.iter().flat_map(|scoped| &scoped.spans) {
                let bytes = span.encoded_len() as u64;
                span_bytes += bytes;
                *trace_bytes.entry(&span.trace_id).or_default() += bytes;
                let largest = text_bytes(span).max().unwrap_or(0);
                facts.largest_attribute_bytes = facts.largest_attribute_bytes.max(largest);
                facts.spans.push(SpanFacts::of(&shared, span));
            }
        }
        facts.mean_span_bytes = float(span_bytes) / float(facts.spans.len().max(1) as u64);
        facts.largest_trace_bytes = trace_bytes.into_values().max().unwrap_or(0);
        facts
    }
}

impl SpanFacts {
    fn of(shared: &BTreeMap<String, String>, span: &Span) -> SpanFacts {
        let mut attributes = shared.clone();
        attributes.extend(span.attributes.iter().filter_map(said));
        SpanFacts {
            service: attributes.get("service.name").cloned().unwrap_or_default(),
            name: span.name.clone(),
            kind: span.kind,
            status: span.status.as_ref().map_or(0, |status| status.code),
            attributes,
        }
    }
}

/// The lengths of texts of `span`, in its attributes and in those of its events.
fn text_bytes(span: &Span) -> impl Iterator<Item = u64> {
    let of_events = span.events.iter().flat_map(|event| &event.attributes);
    span.attributes.iter().chain(of_events).filter_map(|attribute| {
        match attribute.value.as_ref()?.value.as_ref()? {
            Value::StringValue(text) => Some(text.len() as u64),
            _ => None,
        }
    })
}

/// What may be a dimension or a count: short texts, and numbers.
fn said(attribute: &KeyValue) -> Option<(String, String)> {
    const LONGEST: usize = 256;
    let value = match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) if text.len() <= LONGEST => text.clone(),
        Value::IntValue(number) => number.to_string(),
        Value::BoolValue(flag) => flag.to_string(),
        _ => return None,
    };
    Some((attribute.key.clone(), value))
}
