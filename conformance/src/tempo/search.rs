//! Finding the ids of traces, window of time by window of time.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::client::{Client, JSON};
use super::{Query, TempoError};

/// The longest window that is searched at once. Tempo refuses those of more than a week
/// (`query_frontend.search.max_duration`), and long ones take long.
const WINDOW_SECONDS: u64 = 24 * 60 * 60;

/// How many traces are asked for at once. An answer with as many may have left some out.
pub(super) const PAGE_TRACES: usize = 1_000;

/// What of a query is still to be searched.
pub(super) struct Search<'q> {
    query: &'q Query,
    /// Windows, the next one last.
    waiting: Vec<(u64, u64)>,
}

impl<'q> Search<'q> {
    pub(super) fn new(query: &'q Query) -> Self {
        let mut waiting = Vec::new();
        let mut start = query.unix_seconds.start;
        while start < query.unix_seconds.end {
            let end = query.unix_seconds.end.min(start.saturating_add(WINDOW_SECONDS));
            waiting.push((start, end));
            start = end;
        }
        Search { query, waiting }
    }

    /// The ids that the next window holds, in order; none when all were searched.
    pub(super) async fn next(
        &mut self,
        client: &mut Client<'_>,
    ) -> Result<Option<Vec<String>>, TempoError> {
        while let Some((start, end)) = self.waiting.pop() {
            let mut ids = self.ids(client, start, end).await?;
            if ids.len() < PAGE_TRACES {
                ids.sort();
                return Ok(Some(ids));
            }
            let middle = start + (end - start) / 2;
            if middle == start {
                return Err(TempoError::TooMany { second: start, most: PAGE_TRACES });
            }
            self.waiting.extend([(start, middle), (middle, end)]);
        }
        Ok(None)
    }

    async fn ids(
        &self,
        client: &mut Client<'_>,
        start: u64,
        end: u64,
    ) -> Result<Vec<String>, TempoError> {
        let traceql = utf8_percent_encode(&self.query.traceql, NON_ALPHANUMERIC);
        // Only ids are wanted: one span of each trace is the fewest that can be asked for.
        let path =
            format!("/api/search?q={traceql}&start={start}&end={end}&limit={PAGE_TRACES}&spss=1");
        let answer = client.get(&path, JSON).await?;
        if let Some(refused) = answer.not_found(&path) {
            return Err(refused);
        }
        let page: Page = serde_json::from_slice(&answer.body)
            .map_err(|error| TempoError::Undecodable { path, why: error.to_string() })?;
        page.traces.unwrap_or_default().iter().map(Found::id).collect()
    }
}

/// What `/api/search` answers.
#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    traces: Option<Vec<Found>>,
}

#[derive(Deserialize)]
struct Found {
    #[serde(rename = "traceID")]
    trace_id: String,
}

impl Found {
    /// The id in full: Tempo leaves leading zeros out.
    fn id(&self) -> Result<String, TempoError> {
        let id = &self.trace_id;
        if id.is_empty() || id.len() > 32 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(TempoError::Undecodable {
                path: "/api/search".to_owned(),
                why: format!("`{id}` is no id of a trace"),
            });
        }
        Ok(format!("{id:0>32}"))
    }
}
