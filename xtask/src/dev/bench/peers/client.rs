//! The client that drives every server alike: raw HTTP/1.1 over keep-alive connections, each
//! sending its next request when it has the whole answer to the last.

use std::net::SocketAddr;
use std::str;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Operation;

/// A request, as bytes, and what its answer must be.
pub(super) struct Request {
    bytes: Vec<u8>,
}

impl Request {
    /// The request that the connection of this number sends. The credential is of no account; a
    /// server that stands for many services tells by it which one is meant.
    pub(super) fn new(address: SocketAddr, operation: Operation, connection: usize) -> Request {
        let body = format!(
            r#"{{"messages":[{{"role":"user","content":[{{"text":"Hello from connection {connection}, how are you?"}}]}}],"inferenceConfig":{{"maxTokens":64}}}}"#
        );
        let head = format!(
            "POST /model/anthropic.claude-3-haiku-20240307-v1%3A0/{} HTTP/1.1\r\nhost: {address}\r\n\
             content-type: application/json\r\nauthorization: AWS4-HMAC-SHA256 \
             Credential=AKIDEXAMPLE/20261122/us-east-1/bedrock/aws4_request, SignedHeaders=host, \
             Signature=00\r\ncontent-length: {}\r\n\r\n",
            operation.path(),
            body.len()
        );
        Request { bytes: (head + &body).into_bytes() }
    }
}

/// A connection, opened anew when the server closes it between two requests.
pub(super) struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    received: BytesMut,
    /// The body of the last answer.
    pub(super) body: Vec<u8>,
}

/// What the head of an answer says.
struct Head {
    status: u16,
    length: Length,
    closes: bool,
}

enum Length {
    Bytes(usize),
    Chunked,
}

impl Connection {
    pub(super) fn new(address: SocketAddr) -> Connection {
        let received = BytesMut::with_capacity(32 * 1024);
        Connection { address, stream: None, received, body: Vec::with_capacity(32 * 1024) }
    }

    /// Sends `request` and takes in the whole answer: its status, and its body in `self.body`.
    pub(super) async fn exchange(&mut self, request: &Request) -> Result<u16> {
        self.body.clear();
        self.received.clear();
        let reused = self.stream.is_some();
        if let Err(error) = self.send(request).await {
            // A server may close an idle connection at any time; a new one is not idle.
            ensure!(reused && self.received.is_empty(), error);
            self.stream = None;
            self.send(request).await?;
        }
        let head = self.head()?.context("the answer has no head")?;
        match head.length {
            Length::Bytes(length) => self.take(length).await?,
            Length::Chunked => self.take_chunks().await?,
        }
        if head.closes {
            self.stream = None;
        }
        Ok(head.status)
    }

    /// Sends, and receives until the head is whole.
    async fn send(&mut self, request: &Request) -> Result<()> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let stream = TcpStream::connect(self.address).await?;
                stream.set_nodelay(true)?;
                none.insert(stream)
            }
        };
        stream.write_all(&request.bytes).await?;
        while head_length(&self.received).is_none() {
            self.receive().await?;
        }
        Ok(())
    }

    /// Takes the head off what was received.
    fn head(&mut self) -> Result<Option<Head>> {
        let Some(length) = head_length(&self.received) else { return Ok(None) };
        let head = self.received.split_to(length);
        let mut lines = str::from_utf8(&head)?.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
        let (mut length, mut closes) = (None, false);
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                length = Some(Length::Bytes(value.parse()?));
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                ensure!(value.eq_ignore_ascii_case("chunked"), "transfer-encoding is {value}");
                length = Some(Length::Chunked);
            } else if name.eq_ignore_ascii_case("connection") {
                closes = value.eq_ignore_ascii_case("close");
            }
        }
        let length = length.context("the answer does not say how long it is")?;
        Ok(Some(Head { status: status.parse().context("no HTTP status")?, length, closes }))
    }

    async fn take(&mut self, length: usize) -> Result<()> {
        while self.received.len() < length {
            self.receive().await?;
        }
        self.body.extend_from_slice(&self.received[..length]);
        self.received.advance(length);
        Ok(())
    }

    async fn take_chunks(&mut self) -> Result<()> {
        loop {
            let line = self.line().await?;
            let size = str::from_utf8(&line)?.split(';').next().unwrap_or_default().trim();
            let Ok(size) = usize::from_str_radix(size, 16) else {
                bail!("a chunk says that its size is `{size}`")
            };
            if size == 0 {
                // What follows are trailers, and the empty line that ends them.
                while !self.line().await?.is_empty() {}
                return Ok(());
            }
            self.take(size).await?;
            ensure!(self.line().await?.is_empty(), "a chunk is longer than it says");
        }
    }

    async fn line(&mut self) -> Result<BytesMut> {
        loop {
            if let Some(end) = self.received.windows(2).position(|two| two == b"\r\n") {
                let line = self.received.split_to(end);
                self.received.advance(2);
                return Ok(line);
            }
            self.receive().await?;
        }
    }

    async fn receive(&mut self) -> Result<()> {
        let stream = self.stream.as_mut().context("not connected")?;
        ensure!(
            stream.read_buf(&mut self.received).await? > 0,
            "the server closed the connection within an answer"
        );
        Ok(())
    }
}

/// Length of the head with the empty line that ends it, once it is whole.
fn head_length(received: &[u8]) -> Option<usize> {
    received.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// A server that gives these answers, each as soon as a request begins to arrive, and closes
    /// the connection before those that are marked.
    async fn serve(answers: Vec<(bool, &'static [u8])>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            for (anew, answer) in answers {
                if anew {
                    drop(stream);
                    (stream, _) = listener.accept().await.unwrap();
                }
                let mut request = BytesMut::new();
                while !request.ends_with(b"}}") {
                    stream.read_buf(&mut request).await.unwrap();
                }
                for byte in answer {
                    stream.write_all(&[*byte]).await.unwrap();
                }
            }
            // Open until the client has gone.
            let _ = stream.read_buf(&mut BytesMut::new()).await;
        });
        address
    }

    async fn bodies(answers: Vec<(bool, &'static [u8])>) -> Vec<(u16, String)> {
        let count = answers.len();
        let address = serve(answers).await;
        let request = Request::new(address, Operation::Converse, 1);
        let mut connection = Connection::new(address);
        let mut bodies = Vec::new();
        for _ in 0..count {
            let status = connection.exchange(&request).await.unwrap();
            bodies.push((status, String::from_utf8(connection.body.clone()).unwrap()));
        }
        bodies
    }

    #[tokio::test]
    async fn bodies_are_read_however_their_length_is_told() {
        let read = bodies(vec![
            (false, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none"),
            (
                false,
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;a=b\r\ntw\r\n01\r\no\r\n0\r\nx: y\r\n\r\n",
            ),
            (false, b"HTTP/1.1 429 Too Many\r\ncontent-length: 0\r\n\r\n"),
        ])
        .await;
        let expected = [(200, "one"), (200, "two"), (429, "")];
        assert_eq!(read, expected.map(|(status, body)| (status, body.to_owned())));
    }

    #[tokio::test]
    async fn a_connection_closed_between_requests_is_opened_anew() {
        let read = bodies(vec![
            (false, b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: close\r\n\r\na"),
            (true, b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nb"),
            (true, b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nc"),
        ])
        .await;
        let read: String = read.into_iter().map(|(_, body)| body).collect();
        assert_eq!(read, "abc");
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_is_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab").await.unwrap();
            stream.shutdown().await.unwrap();
            let _ = stream.read_buf(&mut BytesMut::new()).await;
        });
        let request = Request::new(address, Operation::ConverseStream, 1);
        let error = Connection::new(address).exchange(&request).await.unwrap_err();
        assert_eq!(error.to_string(), "the server closed the connection within an answer");
    }
}
