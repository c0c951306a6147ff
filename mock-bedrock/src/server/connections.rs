//! Connections: taken, served, and let go.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::Either;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use super::PATIENCE;
use crate::admin::{self, Admin, AdminBody};
use crate::body::AnswerBody;
use crate::exchange::Service;
use crate::line::{Line, Severed};

/// How long to pause when the system has no more connections to give.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(20);
/// How long a client may take to agree on encryption.
#[cfg(feature = "tls")]
const HANDSHAKE: Duration = Duration::from_secs(10);

/// What answers requests.
pub(super) struct Host {
    pub(super) service: Arc<Service>,
    pub(super) admin: Admin,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<tokio_rustls::TlsAcceptor>,
}

/// Takes connections until the server stops, and then gives them a while to finish.
pub(super) async fn accept(
    listener: TcpListener,
    host: Arc<Host>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connect(stream, Arc::clone(&host), stopped.clone()));
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

async fn connect(stream: TcpStream, host: Arc<Host>, stopped: watch::Receiver<bool>) {
    // Answers are small and wait for nobody. An error means that the client has left already.
    let _ = stream.set_nodelay(true);
    #[cfg(feature = "tls")]
    if let Some(tls) = &host.tls {
        // Whoever does not agree is left alone, as by any server.
        if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
            converse(stream, host, stopped).await;
        }
        return;
    }
    converse(stream, host, stopped).await;
}

/// Serves one connection until it ends, a fault cuts it, or the server stops.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    host: Arc<Host>,
    mut stopped: watch::Receiver<bool>,
) {
    let (line, mut orders) = Line::new();
    let line = Arc::new(line);
    let answer = service_fn(|request| {
        let (host, line) = (Arc::clone(&host), Arc::clone(&line));
        async move { host.answer(request, &line).await }
    });
    let builder = Builder::new(TokioExecutor::new());
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), answer));
    let mut is_stopping = false;
    let mut flushed = None;
    loop {
        tokio::select! {
            // The connection first: it flushes what it holds before a cut takes effect.
            biased;
            // Errors are the client's: it left, or it did not speak HTTP.
            _ = connection.as_mut() => return,
            () = line.is_cut() => return,
            // Driven once more since it was asked to flush, the connection has.
            () = std::future::ready(()), if flushed.is_some() => {
                let told: Option<oneshot::Sender<()>> = flushed.take();
                // The answer may have been dropped meanwhile.
                let _ = told.map(|told| told.send(()));
            }
            order = orders.next() => flushed = order,
            _ = stopped.changed(), if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

impl Host {
    async fn answer(
        &self,
        request: Request<Incoming>,
        line: &Arc<Line>,
    ) -> Result<Response<Either<AnswerBody, AdminBody>>, Severed> {
        if admin::is_admin(request.uri().path()) {
            Ok(self.admin.answer(request).await.map(Either::Right))
        } else {
            Ok(self.service.serve(request, line).await?.map(Either::Left))
        }
    }
}
