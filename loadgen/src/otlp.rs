//! Sends OTLP requests that are encoded already: over gRPC or HTTP, by several connections, with
//! compression, headers and TLS. Whatever in this process exports spans does it by this.
//!
//! Requests wait in a queue that is bounded, and whoever makes them waits for room: nothing is
//! dropped but for a receiver that was given up, and one that is too slow shows as lag.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use spanproof_schemas::accounting::Accounting;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::accounting::Books;
use crate::client::{ClientError, ClientErrorKind};
use crate::delivery::{Answer, Delivery, Retrying, deliver};

mod address;
mod batch;
mod compression;
mod connect;
mod grpc;
mod headers;
mod http;
mod spares;
mod standing;
mod tls;

pub(crate) use batch::EncodedScope;
pub use batch::{Batch, Encoded, Limits};
pub use compression::{Compression, ParseCompressionError};
pub use headers::{Header, ParseHeaderError};
pub use tls::Tls;

use address::Address;
use connect::Connector;
use spares::Spares;
use standing::Standing;

/// Exports that are under way at once on a gRPC connection: with more, two cores only wait for
/// each other.
const GRPC_EXPORTS: usize = 2;

/// Requests that wait for a connection, for each export that can be under way.
const WAITING: usize = 2;

/// The most errors that are kept for people.
const KEPT_ERRORS: usize = 5;

/// Which protocol carries telemetry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OtlpProtocol {
    /// OTLP/gRPC.
    #[default]
    Grpc,
    /// OTLP/HTTP with binary protobuf.
    HttpProtobuf,
}

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
    queue: Sender<Outgoing>,
    senders: JoinSet<()>,
    shared: Arc<Shared>,
}

/// A request that is to be sent.
struct Outgoing {
    body: Bytes,
    spans: u64,
    spares: Spares,
    /// Told when it is decided what became of it.
    decided: Box<dyn FnOnce(&Delivery) + Send>,
}

/// What all connections share.
struct Shared {
    compression: Compression,
    retrying: Retrying,
    standing: Mutex<Standing>,
    books: Arc<Books>,
    errors: Mutex<Vec<String>>,
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").field("books", &self.shared.books).finish_non_exhaustive()
    }
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
        let shared = Arc::new(Shared {
            compression: config.compression,
            retrying: config.retrying,
            standing: Mutex::default(),
            books: Arc::default(),
            errors: Mutex::default(),
        });
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
                senders.spawn(send_all(transport.clone(), waiting, shared));
            }
        }
        Ok(Exporter { queue, senders, shared })
    }

    /// Hands over a request, once there is room for it. `decided` is told what became of it, but not
    /// when the exporter is abandoned before. The books must know its spans by then.
    pub async fn send(&self, request: Encoded, decided: impl FnOnce(&Delivery) + Send + 'static) {
        let Encoded { body, spans, spares } = request;
        let decided = Box::new(decided);
        let outgoing = Outgoing { body: body.into(), spans, spares, decided };
        if let Err(refused) = self.queue.send(outgoing).await {
            // Only a panic of all connections closes the queue.
            self.shared.drop_unsent(refused.0);
        }
    }

    /// Whether a request can be handed over without waiting.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.queue.capacity() > 0
    }

    /// The books. Whoever makes spans enters them as created; what becomes of them is entered here.
    #[must_use]
    pub fn books(&self) -> &Arc<Books> {
        &self.shared.books
    }

    /// Waits until everything has been sent, or gives up the rest once `abandon` is cancelled. Gives
    /// the books and the first errors.
    pub async fn finish(self, abandon: &CancellationToken) -> (Accounting, Vec<String>) {
        let Exporter { queue, mut senders, shared } = self;
        drop(queue);
        let all = async { while senders.join_next().await.is_some() {} };
        if abandon.run_until_cancelled(all).await.is_none() {
            senders.shutdown().await;
        }
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

    fn standing(&self) -> std::sync::MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn drop_unsent(&self, Outgoing { spans, decided, .. }: Outgoing) {
        let delivery = Delivery { dropped: spans, ..Delivery::default() };
        self.books.delivered(&delivery);
        decided(&delivery);
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
    waiting: Arc<tokio::sync::Mutex<Receiver<Outgoing>>>,
    shared: Arc<Shared>,
) {
    loop {
        let next = waiting.lock().await.recv().await;
        let Some(outgoing) = next else { return };
        let effort = shared.standing().effort(shared.retrying, Instant::now());
        let Some(retrying) = effort else {
            shared.drop_unsent(outgoing);
            continue;
        };
        let Outgoing { body, spans, spares, decided } = outgoing;
        let sent = shared.compression.compressed(&body);
        let sent = sent.map_err(|error| format!("cannot compress: {error}"));
        let mut delivery = deliver(spans, retrying, || {
            let (transport, sent) = (transport.clone(), sent.clone());
            async move {
                match (transport, sent) {
                    (_, Err(why)) => Answer::Refused(why),
                    (Transport::Grpc(connection), Ok(body)) => connection.export(body).await,
                    (Transport::Http(connection), Ok(body)) => connection.export(body).await,
                }
            }
        })
        .await;
        drop(sent);
        spares.give(body);
        shared.standing().note(&delivery);
        shared.books.delivered(&delivery);
        if let Some(error) = delivery.error.take() {
            shared.failed(error);
        }
        decided(&delivery);
    }
}

fn start_error(message: String) -> ClientError {
    ClientError::new(ClientErrorKind::Start, message)
}
