//! Ports and connections.

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};

/// Pause after a failed accept, which otherwise would spin while the process is out of file
/// descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Why a receiver did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port is taken, or the address is not one of this machine.
    #[error(
        "cannot listen for OTLP/{protocol} on {address}: {source}; choose another port, or 0 for a free one"
    )]
    Listen {
        /// `gRPC` or `HTTP`.
        protocol: &'static str,
        /// As configured.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// What is received cannot be passed on to that address.
    #[error("cannot pass telemetry on to `{address}`: {why}; write such as http://collector:4317")]
    Forward {
        /// As configured.
        address: String,
        /// Why.
        why: String,
    },
    /// The operating system gave no thread to write the capture with.
    #[error("cannot start the capture's writer thread: {0}")]
    Thread(io::Error),
}

/// Takes the port at `address`, if any is asked for.
pub(super) async fn bind(
    protocol: &'static str,
    address: Option<SocketAddr>,
) -> Result<Option<Bound>, StartError> {
    let Some(address) = address else { return Ok(None) };
    let bound = async {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Bound { listener, address })
    };
    bound.await.map(Some).map_err(|source| StartError::Listen { protocol, address, source })
}

/// A port that is taken but not yet served.
pub(super) struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

/// A port that is served.
pub(super) struct Listening {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    connections: JoinHandle<JoinSet<()>>,
    /// Ends accepting, and with it every connection, when this is dropped.
    _abort: AbortOnDrop,
}

impl Bound {
    /// Answers every request, over HTTP/1.1 or HTTP/2 as the client begins, with `answer`.
    pub(super) fn serve<A, F, B>(self, answer: A) -> Listening
    where
        A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (stop, stopped) = watch::channel(false);
        let connections = tokio::spawn(accept(self.listener, answer, stopped));
        let abort = AbortOnDrop(connections.abort_handle());
        Listening { address: self.address, stop, connections, _abort: abort }
    }
}

impl Listening {
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, lets the requests under way end for as long as `wait`, and cuts the rest.
    pub(super) async fn shutdown(self, wait: Duration) {
        self.stop.send_replace(true);
        let Ok(mut connections) = self.connections.await else { return };
        let ended = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(wait, ended).await.is_err() {
            connections.shutdown().await;
        }
    }
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn accept<A, F, B>(
    listener: TcpListener,
    answer: A,
    mut stopped: watch::Receiver<bool>,
) -> JoinSet<()>
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, answer.clone(), stopped.clone()));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
            () = stop_of(&mut stopped) => return connections,
        }
    }
}

async fn serve<A, F, B>(stream: TcpStream, answer: A, mut stopped: watch::Receiver<bool>)
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    // Without it small answers may wait for the peer's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    builder.http2().timer(TokioTimer::new());
    let service = service_fn(|request| {
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    // How a connection ends is the client's affair; what it sent whole has been answered.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = stop_of(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// Ends when the listener is to stop, or its owner is gone.
async fn stop_of(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}
