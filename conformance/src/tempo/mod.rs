//! Traces out of a Grafana Tempo, through its HTTP API: a query in its language finds them, and
//! each is fetched whole by its id.
//!
//! A search answers with no more than a number of traces, and any of those that match. So time is
//! cut into windows, and a window whose answer is full is cut in two, until every answer is whole.

mod client;
mod error;
mod search;

use std::collections::BTreeSet;
use std::ops::Range;

use http::StatusCode;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

use crate::capture::Export;
pub use client::Endpoint;
use client::{Client, PROTOBUF};
pub use error::TempoError;
use search::Search;

/// Which traces to fetch.
#[derive(Clone, Debug)]
pub struct Query {
    /// The Tempo.
    pub endpoint: Endpoint,
    /// In Tempo's query language: traces with a match are fetched whole.
    pub traceql: String,
    /// When, in seconds since 1970, the end excluded.
    pub unix_seconds: Range<u64>,
    /// The tenant, for a Tempo that serves several.
    pub tenant: Option<String>,
    /// Fetch no more traces than this.
    pub limit: Option<usize>,
}

/// What came of a query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// How many traces were fetched.
    pub traces: usize,
    /// Whether more were found than [`Query::limit`] allowed.
    pub has_more: bool,
}

/// Calls `each` with every trace that `query` finds, the latest windows of time first.
///
/// # Errors
///
/// If Tempo cannot be reached, refuses or takes too long, or has a trace only in part. What was
/// fetched before has been handed to `each`.
pub async fn fetch(query: &Query, each: &mut dyn FnMut(Export)) -> Result<Fetched, TempoError> {
    let mut client = Client::new(&query.endpoint, query.tenant.as_deref())?;
    let mut search = Search::new(query);
    let mut seen: BTreeSet<String> = BTreeSet::new();
    while let Some(found) = search.next(&mut client).await? {
        for id in found {
            if seen.contains(&id) {
                continue;
            }
            if query.limit.is_some_and(|limit| seen.len() >= limit) {
                return Ok(Fetched { traces: seen.len(), has_more: true });
            }
            each(Export::Traces(trace(&mut client, &id).await?));
            seen.insert(id);
        }
    }
    Ok(Fetched { traces: seen.len(), has_more: false })
}

/// What `/api/v2/traces/ID` answers, of Tempo's `TraceByIDResponse`.
#[derive(Clone, PartialEq, prost::Message)]
struct TraceById {
    /// A trace has the shape of a request.
    #[prost(message, optional, tag = "1")]
    trace: Option<ExportTraceServiceRequest>,
    #[prost(int32, tag = "3")]
    status: i32,
    #[prost(string, tag = "4")]
    message: String,
}

/// [`TraceById::status`] of a trace of which Tempo left spans out.
const PARTIAL: i32 = 1;

/// Fetches one trace. Tempo before 2.6 does not know the second version of the path.
async fn trace(client: &mut Client<'_>, id: &str) -> Result<ExportTraceServiceRequest, TempoError> {
    let path = format!("/api/v2/traces/{id}");
    if let Some(bytes) = client.get(&path, PROTOBUF).await?.found() {
        let answer = TraceById::decode(bytes)
            .map_err(|error| TempoError::Undecodable { path, why: error.to_string() })?;
        if answer.status == PARTIAL {
            return Err(TempoError::Partial { trace: id.to_owned(), message: answer.message });
        }
        return Ok(answer.trace.unwrap_or_default());
    }
    let path = format!("/api/traces/{id}");
    match client.get(&path, PROTOBUF).await?.found() {
        Some(bytes) => ExportTraceServiceRequest::decode(bytes)
            .map_err(|error| TempoError::Undecodable { path, why: error.to_string() }),
        None => Err(TempoError::Gone { trace: id.to_owned() }),
    }
}

impl client::Answer {
    /// The body, unless nothing was found. Other refusals were errors before.
    fn found(self) -> Option<bytes::Bytes> {
        (self.status != StatusCode::NOT_FOUND).then_some(self.body)
    }
}

#[cfg(test)]
mod tests;
