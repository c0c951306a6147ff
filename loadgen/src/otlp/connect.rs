//! Connections, encrypted or not, for either protocol.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use ::http::Uri;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use tower_service::Service;

use super::OtlpProtocol;
use super::{Address, OtlpConfig, start_error};
use crate::client::ClientError;

/// Makes connections to one address.
#[derive(Clone)]
pub(super) struct Connector {
    host: String,
    port: u16,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

/// A connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(super) type Connected = TokioIo<Box<dyn Stream>>;

impl Connector {
    pub(super) fn new(address: &Address, config: &OtlpConfig) -> Result<Connector, ClientError> {
        let protocol: &[u8] = match config.protocol {
            OtlpProtocol::Grpc => b"h2",
            OtlpProtocol::HttpProtobuf => b"http/1.1",
        };
        let tls = if address.is_tls {
            let name = ServerName::try_from(address.host.clone()).map_err(|_| {
                start_error(format!("`{}` is no name that a certificate can have", address.host))
            })?;
            Some((config.tls.config(protocol)?, name))
        } else {
            None
        };
        Ok(Connector { host: address.host.clone(), port: address.port, tls })
    }

    pub(super) async fn connect(self) -> io::Result<Connected> {
        let tcp = TcpStream::connect((self.host.as_str(), self.port)).await?;
        tcp.set_nodelay(true)?;
        let stream: Box<dyn Stream> = match self.tls {
            None => Box::new(tcp),
            Some((config, name)) => Box::new(TlsConnector::from(config).connect(name, tcp).await?),
        };
        Ok(TokioIo::new(stream))
    }
}

impl Service<Uri> for Connector {
    type Response = Connected;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Connected>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        Box::pin(self.clone().connect())
    }
}
