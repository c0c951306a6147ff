//! What searches read: the columns they look at.

use spanproof_schemas::forecast::QueryForecast;

use super::sample::{Measured, float};
use super::{DAY_SECONDS, LoadShape};
use crate::ColumnBytes;

/// A search, and the columns it reads, without what lists wrap them in. Where an attribute has a
/// column of its own, that is read instead.
struct Query {
    name: &'static str,
    traceql: &'static str,
    attribute: Option<&'static str>,
    columns: &'static [&'static str],
}

const QUERIES: &[Query] = &[
    Query {
        name: "answers that were cut short",
        traceql: "{ span.gen_ai.response.finish_reasons = \"max_tokens\" }",
        attribute: Some("gen_ai.response.finish_reasons"),
        columns: &["rs.ss.Spans.Attrs.Key", "rs.ss.Spans.Attrs.Value"],
    },
    Query {
        name: "long answers",
        traceql: "{ span.gen_ai.usage.output_tokens > 4000 }",
        attribute: Some("gen_ai.usage.output_tokens"),
        columns: &["rs.ss.Spans.Attrs.Key", "rs.ss.Spans.Attrs.ValueInt"],
    },
    Query {
        name: "slow spans",
        traceql: "{ duration > 10s }",
        attribute: None,
        columns: &["rs.ss.Spans.DurationNano"],
    },
    Query {
        name: "errors of a service",
        traceql: "{ resource.service.name = \"rag\" && status = error }",
        attribute: None,
        columns: &["rs.Resource.ServiceName", "rs.ss.Spans.StatusCode"],
    },
];

pub(super) fn forecast(load: &LoadShape, measured: &Measured) -> Vec<QueryForecast> {
    let per_hour = load.traces_per_day / DAY_SECONDS * 3_600.0;
    QUERIES
        .iter()
        .map(|query| {
            let read = query.read(measured.columns());
            let bytes_per_hour = float(read) / measured.largest() * per_hour;
            QueryForecast {
                name: query.name.to_owned(),
                traceql: query.traceql.to_owned(),
                bytes_per_hour,
                bytes_per_day: bytes_per_hour * 24.0,
            }
        })
        .collect()
}

impl Query {
    fn read(&self, columns: &[ColumnBytes]) -> u64 {
        let own = columns.iter().find(|column| {
            self.attribute.is_some() && column.attribute.as_deref() == self.attribute
        });
        match own {
            Some(own) => own.compressed_bytes,
            None => columns
                .iter()
                .filter(|column| {
                    let name = column.name.replace(".list.element", "");
                    self.columns.contains(&name.as_str())
                })
                .map(|column| column.compressed_bytes)
                .sum(),
        }
    }
}
