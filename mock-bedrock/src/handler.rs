//! The service without a socket.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use tokio::sync::{mpsc, watch};

use crate::admin::{self, Admin};
use crate::config::{Config, ConfigError};
use crate::ledger::LedgerSink;
use crate::line::Line;

/// Answers requests in process, as a [`Server`](crate::Server) does over a socket: for tests and
/// fuzzers. It needs a Tokio runtime with time around it.
pub struct Handler {
    admin: Admin,
}

impl std::fmt::Debug for Handler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handler")
    }
}

impl Handler {
    /// A handler that keeps its records in `ledger`. [`Config::listen`] has no effect but on what
    /// the ledger says.
    ///
    /// # Errors
    ///
    /// For a configuration that no server can have.
    pub fn new(config: Config, ledger: impl LedgerSink) -> Result<Handler, ConfigError> {
        config.validate()?;
        // Nobody waits for open exchanges here.
        let (open, _) = mpsc::channel(1);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, config.listen.port()));
        // Nor is anything to come once a request was answered: who follows the ledger gets what is there.
        let (_, stopped) = watch::channel(true);
        Ok(Handler { admin: Admin::of(config, ledger, address, open, stopped) })
    }

    /// The whole answer to `request`, be it of the service or of the admin endpoints, or as much of it as came before a fault cut the connection.
    /// Where the cut comes before any answer, this is what a proxy in front of a service says that
    /// hung up: 502 and no body.
    pub async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        let request = request.map(Full::new);
        if admin::is_admin(request.uri().path()) {
            let (head, body) = self.admin.answer(request).await.into_parts();
            let Ok(body) = body.collect().await;
            return Response::from_parts(head, body.to_bytes());
        }
        // Nothing is ever waiting to be sent here, so nobody answers flushes.
        let (line, _) = Line::new();
        let line = Arc::new(line);
        let Ok(response) = self.admin.service.serve(request, &line).await else {
            let mut severed = Response::new(Bytes::new());
            *severed.status_mut() = StatusCode::BAD_GATEWAY;
            return severed;
        };
        let (head, mut body) = response.into_parts();
        let mut bytes = BytesMut::new();
        loop {
            tokio::select! {
                biased;
                frame = body.frame() => match frame {
                    Some(Ok(frame)) => {
                        if let Ok(part) = frame.into_data() {
                            bytes.extend_from_slice(&part);
                        }
                    }
                    Some(Err(_)) | None => break,
                },
                () = line.is_cut() => break,
            }
        }
        Response::from_parts(head, bytes.freeze())
    }
}
