//! The server: HTTP/1.1 and HTTP/2 with prior knowledge on one port.

mod connections;

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener as StdTcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::admin::{Admin, Observer};
use crate::config::{Config, ConfigError};
use crate::ledger::{LedgerError, LedgerSink};
#[cfg(feature = "tls")]
use crate::tls::Tls;
use connections::Host;

/// How long a shutdown waits for exchanges in progress.
const PATIENCE: Duration = Duration::from_secs(5);

/// A running mock. Dropping it stops it at once; [`Server::shutdown`] stops it properly.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    stop: watch::Sender<bool>,
    acceptor: JoinHandle<()>,
    /// Ends when no exchange is open.
    closed: mpsc::Receiver<Infallible>,
    sink: SinkHandle,
}

/// The sink of the ledger, which need not be printable.
struct SinkHandle(Arc<Observer>);

impl std::fmt::Debug for SinkHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observer")
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
        #[cfg(feature = "tls")]
        let tls = config.tls.as_ref().map(Tls::acceptor);
        #[cfg(feature = "tls")]
        let scheme = if tls.is_some() { "https" } else { "http" };
        #[cfg(not(feature = "tls"))]
        let scheme = "http";
        let (open, closed) = mpsc::channel(1);
        let (stop, stopped) = watch::channel(false);
        let admin = Admin::of(config, ledger, address, open, stopped.clone());
        let service = Arc::clone(&admin.service);
        let sink = Arc::clone(&service.sink);
        let host = Arc::new(Host {
            service,
            admin,
            #[cfg(feature = "tls")]
            tls,
        });
        let acceptor = runtime.spawn(connections::accept(listener, host, stopped));
        Ok(Server { address, scheme, stop, acceptor, closed, sink: SinkHandle(sink) })
    }

    /// Where the server listens, with the port it took.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The endpoint to give to an SDK on this machine, such as `http://127.0.0.1:43123`: a server
    /// that listens at every address is called at that of loopback.
    #[must_use]
    pub fn endpoint(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(match address.ip() {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("{}://{address}", self.scheme)
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
