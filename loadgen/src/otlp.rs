//! Sends OTLP requests that are encoded already: over gRPC or HTTP, by several connections, with
//! compression, headers and TLS.
//!
//! Requests wait in a queue that is bounded, and whoever makes them waits for room: nothing is
//! dropped, and a receiver that is too slow shows as lag.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use spanproof_schemas::accounting::Accounting;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;

use crate::accounting::Books;
use crate::client::{ClientError, ClientErrorKind};
use crate::delivery::{Retrying, deliver};
use crate::rust_client::OtlpProtocol;
use crate::synthetic::Encoded;

mod compression;
mod connect;
mod grpc;
mod headers;
mod http;
mod tls;

pub use compression::{Compression, ParseCompressionError};
pub use headers::{Header, ParseHeaderError};
pub use tls::Tls;

use connect::Connector;

/// Exports that are under way at once on a gRPC connection: with more, two cores only wait for
/// each other.
const GRPC_EXPORTS: usize = 2;

/// Requests that wait for a connection, for each export that can be under way.
const WAITING: usize = 2;

/// The most errors that are kept for people.
const KEPT_ERRORS: usize = 5;

/// Where telemetry goes, and how.
#[derive(Clone, Debug)]
pub struct OtlpConfig {
    /// The base URL, such as `http://127.0.0.1:4317` or `https://collector:4318`.
    pub endpoint: String,
    /// The protocol.
    pub protocol: OtlpProtocol,
    /// How many connections there are.
    pub connections: usize,
    /// How bodies are compressed.
    pub compression: Compression,
    /// What every request has beside its own headers.
    pub headers: Vec<Header>,
    /// What an `https` endpoint is trusted by, and shown.
    pub tls: Tls,
    /// How long and how often a request is tried.
    pub retrying: Retrying,
}

impl OtlpConfig {
    /// One connection over gRPC to `endpoint`, without compression.
    #[must_use]
    pub fn new(endpoint: impl Into<String>) -> OtlpConfig {
        OtlpConfig {
            endpoint: endpoint.into(),
            protocol: OtlpProtocol::Grpc,
            connections: 1,
            compression: Compression::None,
            headers: Vec::new(),
            tls: Tls::default(),
            retrying: Retrying::default(),
        }
    }
}

/// Sends requests.
pub struct Exporter {
    queue: Sender<Encoded>,
    senders: JoinSet<()>,
    shared: Arc<Shared>,
}

/// What all connections tell.
#[derive(Debug, Default)]
struct Shared {
    books: Books,
    errors: Mutex<Vec<String>>,
}

/// An endpoint, taken apart.
#[derive(Clone, Debug)]
struct Address {
    is_tls: bool,
    host: String,
    port: u16,
    /// What stands before the path of a request over HTTP.
    base: String,
}

impl Exporter {
    /// Starts the connections, in the current runtime. Connects to nothing yet.
    ///
    /// # Errors
    ///
    /// When the endpoint is no URL of a server, or a file of certificates or keys cannot be used.
    pub fn start(config: &OtlpConfig) -> Result<Exporter, ClientError> {
        let address = Address::of(&config.endpoint)?;
        let connector = Connector::new(&address, config)?;
        let exports = match config.protocol {
            OtlpProtocol::Grpc => GRPC_EXPORTS,
            OtlpProtocol::HttpProtobuf => 1,
        };
        let connections = config.connections.max(1);
        let (queue, waiting) = channel(connections * exports * WAITING);
        let waiting = Arc::new(tokio::sync::Mutex::new(waiting));
        let shared = Arc::new(Shared::default());
        let mut senders = JoinSet::new();
        for _ in 0..connections {
            let transport = match config.protocol {
                OtlpProtocol::Grpc => {
                    Transport::Grpc(grpc::Connection::new(&address, connector.clone(), config)?)
                }
                OtlpProtocol::HttpProtobuf => {
                    Transport::Http(http::Connection::new(&address, connector.clone(), config)?)
                }
            };
            for _ in 0..exports {
                let (waiting, shared) = (Arc::clone(&waiting), Arc::clone(&shared));
                senders.spawn(send_all(transport.clone(), config.retrying, waiting, shared));
            }
        }
        Ok(Exporter { queue, senders, shared })
    }

    /// Hands over a request, once there is room for it. Its spans count as created from here on.
    pub async fn send(&self, request: Encoded) {
        let spans = request.spans;
        self.shared.books.created(spans);
        if self.queue.send(request).await.is_err() {
            // Only a panic of all connections closes the queue.
            self.shared.books.dropped(spans);
        }
    }

    /// The books as they are now.
    #[must_use]
    pub fn books(&self) -> Accounting {
        self.shared.books.read()
    }

    /// Waits until everything has been sent, and gives the books and the first errors.
    pub async fn finish(self) -> (Accounting, Vec<String>) {
        let Exporter { queue, mut senders, shared } = self;
        drop(queue);
        while senders.join_next().await.is_some() {}
        shared.settled()
    }

    /// Gives up what has not been sent yet.
    pub async fn abandon(self) -> (Accounting, Vec<String>) {
        let Exporter { queue, mut senders, shared } = self;
        senders.shutdown().await;
        drop(queue);
        shared.settled()
    }
}

impl Shared {
    /// The books at the end. What was handed over and never answered for was dropped.
    fn settled(&self) -> (Accounting, Vec<String>) {
        let open = self.books.read().imbalance();
        self.books.dropped(u64::try_from(open).unwrap_or(0));
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (self.books.read(), errors)
    }

    fn failed(&self, error: String) {
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        if errors.len() < KEPT_ERRORS && !errors.contains(&error) {
            errors.push(error);
        }
    }
}

/// A connection, of whichever protocol.
#[derive(Clone)]
enum Transport {
    Grpc(grpc::Connection),
    Http(http::Connection),
}

/// Sends what waits, one request after another, until nothing more comes.
async fn send_all(
    transport: Transport,
    retrying: Retrying,
    waiting: Arc<tokio::sync::Mutex<Receiver<Encoded>>>,
    shared: Arc<Shared>,
) {
    loop {
        let next = waiting.lock().await.recv().await;
        let Some(Encoded { body, spans }) = next else { return };
        let body = Bytes::from(body);
        let delivery = match &transport {
            Transport::Grpc(connection) => {
                deliver(spans, retrying, || connection.clone().export(body.clone())).await
            }
            Transport::Http(connection) => {
                let body = connection.compressed(body);
                deliver(spans, retrying, || connection.clone().export(body.clone())).await
            }
        };
        shared.books.delivered(&delivery);
        if let Some(error) = delivery.error {
            shared.failed(error);
        }
    }
}

impl Address {
    fn of(endpoint: &str) -> Result<Address, ClientError> {
        let wrong = || {
            start_error(format!(
                "`{endpoint}` is no URL of a receiver: write such as http://127.0.0.1:4317"
            ))
        };
        let (is_tls, rest) = match endpoint.split_once("://") {
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            _ => return Err(wrong()),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let authority: ::http::uri::Authority = authority.parse().map_err(|_| wrong())?;
        let port = match authority.port_u16() {
            Some(port) => port,
            None if authority.as_str() == authority.host() => {
                if is_tls {
                    443
                } else {
                    80
                }
            }
            // A name and a password, or a port that is none.
            None => return Err(wrong()),
        };
        Ok(Address {
            is_tls,
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port,
            base: path.trim_end_matches('/').to_owned(),
        })
    }

    /// Host and port as a URL has them.
    fn authority(&self) -> String {
        let Address { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    fn scheme(&self) -> &'static str {
        if self.is_tls { "https" } else { "http" }
    }
}

fn start_error(message: String) -> ClientError {
    ClientError::new(ClientErrorKind::Start, message)
}
