//! The server: HTTP/1.1 and HTTP/2 with prior knowledge on one port.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::config::{Config, ConfigError};
use crate::exchange::Service;
use crate::ledger::{LedgerError, LedgerSink};

/// How long a shutdown waits for exchanges in progress.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to pause when the system has no more connections to give.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(20);

/// A running mock. Dropping it stops it at once; [`Server::shutdown`] stops it properly.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    acceptor: JoinHandle<()>,
    /// Ends when no exchange is open.
    closed: mpsc::Receiver<Infallible>,
    sink: SinkHandle,
}

/// The sink of the ledger, which need not be printable.
struct SinkHandle(Arc<dyn LedgerSink>);

impl std::fmt::Debug for SinkHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LedgerSink")
    }
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is one that no server can have.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Another program listens there.
    #[error(
        "cannot listen on {0}: the port is in use; stop what listens there, or choose port 0 to take a free one"
    )]
    PortInUse(SocketAddr),
    /// The system does not let us listen there.
    #[error(
        "cannot listen on {address}: {source}; choose an address of this machine, such as 127.0.0.1:0"
    )]
    Listen {
        /// Where we meant to listen.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The server needs a Tokio runtime around it.
    #[error("the mock was started outside a tokio runtime: call it from within one")]
    NoRuntime,
}

impl Server {
    /// Starts a server on the current Tokio runtime. It answers as soon as this returns, and the
    /// ledger's first record has been handed to `ledger`.
    ///
    /// # Errors
    ///
    /// A [`StartError`] that says what to change.
    pub fn start(config: Config, ledger: impl LedgerSink) -> Result<Server, StartError> {
        config.validate()?;
        let runtime = Handle::try_current().map_err(|_| StartError::NoRuntime)?;
        let listen = config.listen;
        let (listener, address) = bind(listen).map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => StartError::PortInUse(listen),
            _ => StartError::Listen { address: listen, source },
        })?;
        let sink: Arc<dyn LedgerSink> = Arc::new(ledger);
        let (open, closed) = mpsc::channel(1);
        let service = Arc::new(Service::new(config, Arc::clone(&sink), address, open));
        let (stop, stopped) = watch::channel(false);
        let acceptor = runtime.spawn(accept(listener, service, stopped));
        Ok(Server { address, stop, acceptor, closed, sink: SinkHandle(sink) })
    }

    /// Where the server listens, with the port it took.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The endpoint to give to an SDK, such as `http://127.0.0.1:43123`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops accepting, lets exchanges in progress finish for a few seconds, ends the rest, and
    /// flushes the ledger: every exchange is in it when this returns.
    ///
    /// # Errors
    ///
    /// When the ledger could not be kept.
    pub async fn shutdown(mut self) -> Result<(), LedgerError> {
        self.stop.send_replace(true);
        // An acceptor that panicked has nothing left to wait for.
        let _ = (&mut self.acceptor).await;
        // Streams of HTTP/2 have tasks of their own, which end just after their connection.
        let _ = tokio::time::timeout(PATIENCE, self.closed.recv()).await;
        let sink = Arc::clone(&self.sink.0);
        match tokio::task::spawn_blocking(move || sink.flush()).await {
            Ok(flushed) => flushed,
            // The runtime is shutting down and takes no more blocking work.
            Err(_) => self.sink.0.flush(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

fn bind(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = StdTcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((TcpListener::from_std(listener)?, address))
}

async fn accept(listener: TcpListener, service: Arc<Service>, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, Arc::clone(&service), stopped.clone()));
                }
                // A client that left while it waited, or no more file descriptors.
                Err(_) => tokio::time::sleep(EXHAUSTED_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
            _ = stopped.changed() => break,
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    // What is not finished by then is cut, and recorded as not delivered.
    let _ = tokio::time::timeout(PATIENCE, drained).await;
    connections.shutdown().await;
}

/// Serves one connection until it ends, a fault cuts it, or the server stops.
async fn converse(stream: TcpStream, service: Arc<Service>, mut stopped: watch::Receiver<bool>) {
    // Answers are small and wait for nobody. An error means that the client has left already.
    let _ = stream.set_nodelay(true);
    let cut = Arc::new(Notify::new());
    let answer = service_fn(|request| {
        let (service, cut) = (Arc::clone(&service), Arc::clone(&cut));
        async move { Ok::<_, Infallible>(service.serve(request, &cut).await) }
    });
    let builder = Builder::new(TokioExecutor::new());
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), answer));
    let mut is_stopping = false;
    loop {
        tokio::select! {
            // The connection first: it flushes what it holds before a cut takes effect.
            biased;
            // Errors are the client's: it left, or it did not speak HTTP.
            _ = connection.as_mut() => return,
            () = cut.notified() => return,
            _ = stopped.changed(), if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}
