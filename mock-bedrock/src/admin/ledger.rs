//! The ledger, page by page or as it grows.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use serde::Serialize;
use spanproof_schemas::ledger::{Exchange, Record};
use tokio::sync::{mpsc, watch};

use super::kept::{Kept, Page};
use super::query::Query;
use super::reply::{self, AdminBody};
use crate::wire;

/// How many records are written at a time.
const BATCH: usize = 256;
/// How many batches a slow reader lets pile up before the writer waits for it.
const BATCHES: usize = 4;

/// A page as it is written.
#[derive(Serialize)]
struct Written<'a> {
    exchanges: Vec<&'a Exchange>,
    /// Where the next page begins: `after=` of the next request.
    next: u64,
    /// Records, whatever they were, that had made room for newer ones.
    missed: u64,
}

/// A line among records that says that some are missing.
#[derive(Serialize)]
struct Gap {
    record: &'static str,
    missed: u64,
}

/// One page.
pub(super) fn page(kept: &Kept, query: &Query) -> Response<AdminBody> {
    let limit = query.limit.unwrap_or(usize::MAX);
    let page = kept.page(begin(kept, query), limit, |exchange| query.filter.matches(exchange));
    reply::json(&Written {
        exchanges: page.exchanges.iter().map(Arc::as_ref).collect(),
        next: page.next,
        missed: page.missed,
    })
}

/// The ledger in its own format, from its first line on, and new records as they come; until the
/// reader leaves, has as many as it asked for, or the server stops.
pub(super) fn follow(
    kept: Arc<Kept>,
    query: Query,
    stopped: watch::Receiver<bool>,
) -> Response<AdminBody> {
    let (lines, body) = mpsc::channel(BATCHES);
    tokio::spawn(write(kept, query, stopped, lines));
    reply::lines(body)
}

async fn write(
    kept: Arc<Kept>,
    query: Query,
    mut stopped: watch::Receiver<bool>,
    lines: mpsc::Sender<Bytes>,
) {
    let mut news = kept.news();
    let mut after = begin(&kept, &query);
    let mut wanted = query.limit.unwrap_or(usize::MAX);
    let mut text = kept.run().map(|run| line(&Record::Run(run))).unwrap_or_default();
    loop {
        // What comes from here on is news again.
        news.borrow_and_update();
        loop {
            let page = kept.page(after, BATCH.min(wanted), |it| query.filter.matches(it));
            let is_all = page.exchanges.len() < BATCH;
            after = page.next;
            wanted -= page.exchanges.len();
            add(&mut text, &page);
            if !text.is_empty() && lines.send(std::mem::take(&mut text).into()).await.is_err() {
                return;
            }
            if wanted == 0 || *stopped.borrow() {
                return;
            }
            if is_all {
                break;
            }
        }
        tokio::select! {
            news = news.changed() => if news.is_err() { return },
            _ = stopped.changed() => {}
            () = lines.closed() => return,
        }
    }
}

/// The position that `query` begins at.
fn begin(kept: &Kept, query: &Query) -> u64 {
    query.last.map_or(query.after, |count| {
        kept.newest(query.after, count, |exchange| query.filter.matches(exchange))
    })
}

fn add(text: &mut Vec<u8>, page: &Page) {
    if page.missed > 0 {
        text.extend(line(&Gap { record: "gap", missed: page.missed }));
    }
    for exchange in &page.exchanges {
        // A line of a ledger is a record, which owns what is in it.
        text.extend(line(&Record::Exchange(Box::new(Exchange::clone(exchange)))));
    }
}

fn line(value: &impl Serialize) -> Vec<u8> {
    let mut line = wire::json(value);
    line.push(b'\n');
    line
}
