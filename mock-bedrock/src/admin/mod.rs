//! What is asked about the mock itself, under one prefix that the service does not have.

mod exposition;
mod faults;
mod kept;
mod lateness;
mod ledger;
mod metrics;
mod observer;
mod query;
mod reply;

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt as _, Limited};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use tokio::sync::watch;

use exposition::Exposition;
pub(crate) use kept::Kept;
pub(crate) use metrics::Metrics;
pub(crate) use observer::Observer;
use query::Query;
pub(crate) use reply::AdminBody;
use reply::Refused;

use crate::config::Config;
use crate::exchange::Service;
use crate::ledger::LedgerSink;
use crate::recorder::Open;

/// What every path of an admin endpoint begins with.
const PREFIX: &str = "/_spanproof/";
/// What stands between the prefix and the id of a test.
const TESTS: &str = "tests/";
/// What may stand after the id of a test, so that the paths are the same below a test's endpoint
/// and below the server's.
const AGAIN: &str = "_spanproof/";

const ENDPOINT_NAMES: [&str; 5] = ["health", "metrics", "ledger", "reset", "faults"];
const ENDPOINTS: &str = "GET health, GET metrics, GET ledger, POST reset, GET, PUT and DELETE \
                         faults; all of them also below tests/ID/, where ledger, reset and faults \
                         are those of the test";
/// The largest body.
const BODY_LIMIT_BYTES: usize = 1 << 20;

/// The admin endpoints of a server.
pub(crate) struct Admin {
    pub(crate) service: Arc<Service>,
    metrics: Arc<Metrics>,
    /// Only if the ledger is to be shown.
    kept: Option<Arc<Kept>>,
    started: Instant,
    stopped: watch::Receiver<bool>,
}

/// An admin endpoint, perhaps of one test alone.
#[derive(Debug, PartialEq, Eq)]
struct Target<'a> {
    endpoint: &'a str,
    test: Option<String>,
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    version: &'static str,
    seed: u64,
    speed: String,
    uptime_seconds: f64,
    open_exchanges: usize,
    open_streams: usize,
}

/// Whether `path` is the admin's: everything below the prefix but what tests call by their own
/// endpoint.
pub(crate) fn is_admin(path: &str) -> bool {
    path.strip_prefix(PREFIX).is_some_and(|rest| match rest.strip_prefix(TESTS) {
        None => true,
        Some(rest) => rest.split_once('/').is_none_or(|(_, rest)| {
            rest.is_empty() || rest.starts_with(AGAIN) || ENDPOINT_NAMES.contains(&rest)
        }),
    })
}

impl Admin {
    /// The endpoints of a new service, which keeps its records in `ledger`. Whoever follows them
    /// does so until it is `stopped`.
    pub(crate) fn of(
        config: Config,
        ledger: impl LedgerSink,
        address: SocketAddr,
        open: Open,
        stopped: watch::Receiver<bool>,
    ) -> Self {
        let metrics = Arc::new(Metrics::default());
        let kept = (config.kept_records > 0).then(|| Arc::new(Kept::new(config.kept_records)));
        let sink = Arc::new(Observer {
            metrics: Arc::clone(&metrics),
            kept: kept.clone(),
            ledger: Box::new(ledger),
        });
        let service = Arc::new(Service::new(config, sink, address, open));
        Admin { service, metrics, kept, started: Instant::now(), stopped }
    }

    /// Answers one request whose path [`is_admin`].
    pub(crate) async fn answer<B>(&self, request: Request<B>) -> Response<AdminBody>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        // Bodies are plans of faults, and small.
        let body = match Limited::new(body, BODY_LIMIT_BYTES).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => {
                return Refused::bad(format!(
                    "the body could not be read, or has more than {BODY_LIMIT_BYTES} bytes: {error}"
                ))
                .into();
            }
        };
        self.try_answer(&head, &body).unwrap_or_else(Response::from)
    }

    fn try_answer(&self, head: &Parts, body: &[u8]) -> Result<Response<AdminBody>, Refused> {
        let target = target(head.uri.path());
        let method = &head.method;
        match (target.endpoint, &target.test) {
            ("health", _) => {
                only(method, &[Method::GET, Method::HEAD], "GET").map(|()| self.health())
            }
            ("metrics", _) => only(method, &[Method::GET], "GET").map(|()| self.metrics()),
            ("ledger", _) => {
                only(method, &[Method::GET], "GET")?;
                self.ledger(Query::read(&head.uri, target.test)?)
            }
            ("reset", test) => {
                only(method, &[Method::POST], "POST")?;
                Ok(self.reset(test.as_deref()))
            }
            ("faults", test) => faults::answer(&self.service.plans, method, test.as_deref(), body),
            (other, _) => Err(Refused::unknown(format!(
                "there is no `{other}` under {PREFIX}; there are {ENDPOINTS}"
            ))),
        }
    }

    fn health(&self) -> Response<AdminBody> {
        let (open_exchanges, open_streams) = self.service.open_exchanges();
        reply::json(&Health {
            status: "ok",
            version: env!("CARGO_PKG_VERSION"),
            seed: self.service.config.seed,
            speed: self.service.config.speed.to_string(),
            uptime_seconds: self.started.elapsed().as_secs_f64(),
            open_exchanges,
            open_streams,
        })
    }

    fn metrics(&self) -> Response<AdminBody> {
        let mut out = Exposition::default();
        self.metrics.write(&mut out);
        let (exchanges, streams) = self.service.open_exchanges();
        out.gauge(
            "mock_bedrock_open_exchanges",
            "Exchanges whose answer has not ended.",
            exchanges,
        );
        out.gauge("mock_bedrock_open_streams", "Those of them whose answer is a stream.", streams);
        reply::whole(exposition::CONTENT_TYPE, out.into_text())
    }

    fn ledger(&self, query: Query) -> Result<Response<AdminBody>, Refused> {
        let Some(kept) = &self.kept else {
            return Err(Refused::unknown(
                "no records are kept for this endpoint: start the mock with `kept_records` \
                 (on the command line: --keep-records N)",
            ));
        };
        Ok(if query.follow {
            ledger::follow(Arc::clone(kept), query, self.stopped.clone())
        } else {
            ledger::page(kept, &query)
        })
    }

    /// Forgets what earlier requests left behind: of one test, or everything.
    fn reset(&self, test: Option<&str>) -> Response<AdminBody> {
        self.service.forget(test);
        if let Some(kept) = &self.kept {
            kept.forget(|exchange| test.is_none() || exchange.test_id.as_deref() == test);
        }
        reply::done()
    }
}

fn target(path: &str) -> Target<'_> {
    let rest = path.strip_prefix(PREFIX).unwrap_or_default();
    match rest.strip_prefix(TESTS).map(|rest| rest.split_once('/').unwrap_or((rest, ""))) {
        None => Target { endpoint: rest, test: None },
        Some((test, endpoint)) => {
            let endpoint = endpoint.strip_prefix(AGAIN).unwrap_or(endpoint);
            let test = percent_decode_str(test).decode_utf8_lossy().into_owned();
            Target { endpoint, test: Some(test) }
        }
    }
}

fn only(method: &Method, allowed: &[Method], allow: &'static str) -> Result<(), Refused> {
    if allowed.contains(method) { Ok(()) } else { Err(Refused::method(allow)) }
}
