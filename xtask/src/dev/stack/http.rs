//! Asking the servers of the stack, which are all on this machine and speak HTTP/1.1.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// A client that waits for each answer.
pub(super) struct Http {
    runtime: Runtime,
}

impl Http {
    pub(super) fn new() -> Result<Http> {
        Ok(Http { runtime: Builder::new_current_thread().enable_all().build()? })
    }

    /// The body at `path` of the server at `address`, which must answer with a success.
    pub(super) fn get(&self, address: SocketAddr, path: &str) -> Result<Bytes> {
        self.ask(address, Method::GET, path, String::new())
    }

    /// The JSON that comes of `fields`, posted as a form.
    pub(super) fn post(
        &self,
        address: SocketAddr,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<Value> {
        let fields = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
        let body = self.ask(address, Method::POST, path, fields.collect::<Vec<_>>().join("&"))?;
        serde_json::from_slice(&body).with_context(|| format!("{address}{path} gave no JSON"))
    }

    fn ask(&self, address: SocketAddr, method: Method, path: &str, body: String) -> Result<Bytes> {
        let answer = async {
            let stream = TcpStream::connect(address).await?;
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header(header::HOST, address.to_string())
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(header::CONNECTION, "close")
                .body(Full::new(Bytes::from(body)))?;
            let answered = async {
                let response = sender.send_request(request).await?;
                let status = response.status();
                let body = response.into_body().collect().await?.to_bytes();
                ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body).trim());
                Ok(body)
            };
            // The connection carries the answer, so both go on until the answer is there.
            tokio::pin!(answered, connection);
            tokio::select! {
                answer = &mut answered => answer,
                ended = &mut connection => {
                    ended?;
                    answered.await
                }
            }
        };
        self.runtime
            .block_on(async { timeout(ANSWER_WITHIN, answer).await })
            .map_err(anyhow::Error::from)
            .and_then(|answer| answer)
            .with_context(|| format!("http://{address}{path}"))
    }
}

/// `text` as it stands in a form or in a query.
pub(super) fn encoded(text: &str) -> String {
    use std::fmt::Write as _;

    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
