//! A client of event streams that costs little and hides nothing: it tells frames apart by their
//! length and looks into none.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// A keep-alive connection, on which one stream runs at a time.
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
    host: String,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // How it ends is seen by whoever reads the answer.
        let driver = tokio::spawn(async { drop(connection.await) });
        Ok(Connection { sender, driver, host: address.to_string() })
    }

    /// Whether it takes another request.
    pub(super) async fn is_ready(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    /// Sends a request for a stream, and returns when the head of the answer is there.
    pub(super) async fn converse_stream(
        &mut self,
        model: &str,
        prompt: &str,
        headers: &HeaderMap,
    ) -> hyper::Result<Response<Incoming>> {
        let body =
            format!(r#"{{"messages":[{{"role":"user","content":[{{"text":"{prompt}"}}]}}]}}"#);
        let mut request = Request::new(Full::from(body));
        *request.method_mut() = hyper::Method::POST;
        *request.uri_mut() = format!("/model/{model}/converse-stream")
            .parse()
            .expect("model ids of benches are letters, digits, dots and hyphens");
        let own = request.headers_mut();
        own.insert(CONTENT_TYPE, "application/json".parse().expect("a constant"));
        own.insert(AUTHORIZATION, "AWS4-HMAC-SHA256 Credential=x".parse().expect("a constant"));
        own.insert(HOST, self.host.parse().expect("an address is ASCII"));
        own.extend(headers.clone());
        self.sender.send_request(request).await
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Counts the frames in a stream of bytes.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// The frame that is not whole yet.
    partial: Vec<u8>,
}

impl Frames {
    /// How many frames `bytes` complete.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<usize> {
        self.partial.extend_from_slice(bytes);
        let (mut whole, mut at) = (0, 0);
        while let Some(length) = self.partial.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
            let length = usize::try_from(u32::from_be_bytes(*length))?;
            ensure!((16..=1 << 24).contains(&length), "a frame says that it has {length} bytes");
            if self.partial.len() - at < length {
                break;
            }
            at += length;
            whole += 1;
        }
        self.partial.drain(..at);
        Ok(whole)
    }

    /// Whether the last frame is whole.
    pub(super) fn is_whole(&self) -> bool {
        self.partial.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_counted_however_they_are_cut() {
        let mut stream = Vec::new();
        for length in [16_u32, 40, 17] {
            stream.extend_from_slice(&length.to_be_bytes());
            stream.resize(stream.len() + length as usize - 4, 7);
        }
        for size in 1..stream.len() {
            let mut frames = Frames::default();
            let counts = stream.chunks(size).map(|part| frames.take(part).unwrap());
            assert_eq!(counts.sum::<usize>(), 3, "in pieces of {size}");
            assert!(frames.is_whole());
        }
        assert!(Frames::default().take(b"HTTP").is_err());
    }
}
