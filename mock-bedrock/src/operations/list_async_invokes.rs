//! ListAsyncInvokes: the asynchronous invocations of a test, filtered, sorted, in pages.

use std::time::SystemTime;

use serde::Serialize;
use spanproof_schemas::ledger;
use spanproof_schemas::time::{UnixNanos, unix_nanos};

use super::start_async_invoke::MEDIAN_LATENCY_MS;
use super::{Operation, Written};
use crate::asked::Asked;
use crate::async_invoke::{Described, Status};
use crate::constraint;
use crate::draw::Fold;
use crate::error::ServiceError;
use crate::paging;
use crate::route::Route;
use crate::timestamp;
use crate::timing;

/// Invocations of a page when the request does not say; the service's own number is not known.
const DEFAULT_PAGE: i64 = 100;

/// `GET /async-invoke`
pub(crate) struct ListAsyncInvokes;

impl Operation for ListAsyncInvokes {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::ListAsyncInvokes
    }

    fn route(&self) -> Route {
        Route::get("/async-invoke")
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        let query = Query::read(asked)?;
        let now = unix_nanos(SystemTime::now());
        let service = asked.service;
        let test_id = asked.exchange.test_id.as_deref();
        let mut found = service.async_invokes.list(test_id, now);
        if query.is_descending {
            found.reverse();
        }
        let list = query.fingerprint();
        // A page begins behind the last invocation of the page before it, wherever that is by now.
        let behind = match &query.token {
            Some(token) => Some(paging::place(list, token)?),
            None => None,
        };
        let mut found = found.into_iter().filter(|(number, described)| {
            let is_behind = behind.is_none_or(|place| {
                if query.is_descending { *number < place } else { *number > place }
            });
            is_behind && query.lets_through(described)
        });
        let page: Vec<(u64, Described)> = found.by_ref().take(query.size).collect();
        let next_token =
            found.next().and_then(|_| page.last()).map(|(number, _)| paging::token(list, *number));
        let async_invoke_summaries = page.into_iter().map(|(_, described)| described).collect();
        let due = timing::latency(MEDIAN_LATENCY_MS, service.config.seed);
        Ok(Written::json(&Body { async_invoke_summaries, next_token }, due))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    async_invoke_summaries: Vec<Described>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

struct Query {
    after: Option<UnixNanos>,
    before: Option<UnixNanos>,
    status: Option<Status>,
    is_descending: bool,
    size: usize,
    token: Option<String>,
}

impl Query {
    fn read(asked: &Asked<'_>) -> Result<Self, ServiceError> {
        let time = |name| match asked.query(name) {
            None => Ok(None),
            Some(text) => match timestamp::parse(&text) {
                Some(time) => Ok(Some(time)),
                // The framework's text for what is no timestamp is not known.
                None => Err(ServiceError::validation(format!(
                    "Value '{text}' at '{name}' is not a timestamp."
                ))),
            },
        };
        let status = match asked.query("statusEquals") {
            None => None,
            Some(word) => {
                let words = Status::ALL.map(|(_, word)| word);
                constraint::one_of("statusEquals", &word, &words)?;
                Status::ALL.into_iter().find(|(_, known)| *known == word).map(|(status, _)| status)
            }
        };
        if let Some(word) = asked.query("sortBy") {
            constraint::one_of("sortBy", &word, &["SubmissionTime"])?;
        }
        let order = asked.query("sortOrder").unwrap_or("Descending".into());
        constraint::one_of("sortOrder", &order, &["Ascending", "Descending"])?;
        let size = match asked.query("maxResults") {
            Some(text) => constraint::integer("maxResults", &text, &(1..=1_000))?,
            None => DEFAULT_PAGE,
        };
        Ok(Query {
            after: time("submitTimeAfter")?,
            before: time("submitTimeBefore")?,
            status,
            is_descending: order == "Descending",
            size: usize::try_from(size).unwrap_or(usize::MAX),
            token: asked.query("nextToken").map(std::borrow::Cow::into_owned),
        })
    }

    fn lets_through(&self, described: &Described) -> bool {
        self.after.is_none_or(|after| described.submitted > after)
            && self.before.is_none_or(|before| described.submitted < before)
            && self.status.is_none_or(|status| described.status == status)
    }

    /// The hash of everything but the page.
    fn fingerprint(&self) -> u64 {
        let mut fold = Fold::new(1);
        for time in [self.after, self.before] {
            fold.word(time.unwrap_or(u64::MAX));
        }
        fold.word(self.status.map_or(u64::MAX, |status| status as u64));
        fold.word(u64::from(self.is_descending));
        fold.finish()
    }
}
