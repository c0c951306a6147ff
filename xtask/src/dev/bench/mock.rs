//! A buffered Converse beside a bare hyper server that reads the body and answers with the bytes of
//! one of the mock's answers.
//!
//! Each server has one worker thread, the driver has the other core: closed loop, keep-alive
//! connections, raw HTTP/1.1 so that the client's cost is the same small one for both. The driver
//! never sleeps: else the slower server would pay for waking it with each answer, and the faster
//! one, which keeps it busy, would not.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use spanproof_schemas::speed::Speed;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

use super::{Comparison, median};
use crate::dev::threads;

const CONNECTIONS: usize = 32;
const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(4);
const BARE_THREADS: [&str; 1] = ["bare-server"];
/// The ledger's writer is part of what a request costs.
const MOCK_THREADS: [&str; 2] = ["mock-server", "ledger"];

/// What one measurement gave.
struct Figures {
    per_second: f64,
    /// On a processor, per request, all threads of the server together.
    micros: f64,
}

pub(super) fn compare(runs: usize) -> Result<Comparison> {
    let folder = tempfile::tempdir()?;
    let bare_runtime = server_runtime(BARE_THREADS[0])?;
    let mock_runtime = server_runtime(MOCK_THREADS[0])?;
    let mock = mock_runtime.block_on(async {
        let ledger = mock_bedrock::JsonLines::create(folder.path().join("ledger.jsonl"))?;
        let config = mock_bedrock::Config { speed: Speed::Max, ..mock_bedrock::Config::default() };
        anyhow::Ok(mock_bedrock::Server::start(config, ledger)?)
    })?;
    let body = Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut connection = Connection::open(mock.address(), 0).await?;
        let head = connection.exchange().await?;
        anyhow::Ok(Bytes::copy_from_slice(&connection.answer[head..]))
    })?;
    let bare = bare_runtime.block_on(bare_server(body))?;
    let mut comparison = Comparison::new("mock", "req/s");
    let (mut bare_micros, mut mock_micros) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let Figures { per_second, micros } = measure(bare, &BARE_THREADS)?;
        comparison.ceiling.push(per_second);
        bare_micros.push(micros);
        let Figures { per_second, micros } = measure(mock.address(), &MOCK_THREADS)?;
        comparison.ours.push(per_second);
        mock_micros.push(micros);
    }
    mock_runtime.block_on(mock.shutdown())?;
    let (bare, ours) = (median(&mut bare_micros), median(&mut mock_micros));
    comparison.notes = format!(
        "Converse, ledger on, {CONNECTIONS} connections, one server thread; CPU {bare:.1} and {ours:.1} µs/request, ratio {:.2}",
        bare / ours
    );
    Ok(comparison)
}

fn server_runtime(name: &str) -> Result<Runtime> {
    Ok(Builder::new_multi_thread().worker_threads(1).thread_name(name).enable_all().build()?)
}

/// Answers every request with `body`.
async fn bare_server(body: Bytes) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let body = body.clone();
            tokio::spawn(async move {
                let connection = TokioIo::new(stream);
                let answer = service_fn(move |request| constant_answer(request, body.clone()));
                // A driver that hangs up is the only error there is to see.
                let _ = auto::Builder::new(TokioExecutor::new())
                    .serve_connection(connection, answer)
                    .await;
            });
        }
    });
    Ok(address)
}

async fn constant_answer(
    request: Request<Incoming>,
    body: Bytes,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let _ = request.into_body().collect().await;
    let mut response = Response::new(Full::new(body));
    response.headers_mut().insert(
        hyper::header::CONTENT_TYPE,
        hyper::header::HeaderValue::from_static("application/json"),
    );
    Ok(response)
}

/// Measures for [`MEASURED`] after [`WARM_UP`] a server whose threads have these names.
fn measure(address: SocketAddr, server_threads: &[&str]) -> Result<Figures> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let completed = Arc::new(AtomicU64::new(0));
    runtime.block_on(async {
        let mut drivers = tokio::task::JoinSet::new();
        drivers.spawn(stay_awake());
        for connection in 0..CONNECTIONS {
            drivers.spawn(drive(address, connection, Arc::clone(&completed)));
        }
        tokio::time::sleep(WARM_UP).await;
        let (before, started) = (completed.load(Ordering::Relaxed), Instant::now());
        let cpu_before = threads::on_cpu(server_threads)?;
        tokio::time::sleep(MEASURED).await;
        let done = completed.load(Ordering::Relaxed) - before;
        let seconds = started.elapsed().as_secs_f64();
        let cpu = threads::on_cpu(server_threads)?.saturating_sub(cpu_before);
        drivers.abort_all();
        while let Some(ended) = drivers.join_next().await {
            if let Ok(result) = ended {
                result?;
            }
        }
        ensure!(done > 0, "no request completed");
        let done = f64::from(u32::try_from(done)?);
        Ok(Figures { per_second: done / seconds, micros: cpu.as_secs_f64() * 1e6 / done })
    })
}

/// Keeps the runtime polling its sockets.
async fn stay_awake() -> Result<()> {
    loop {
        tokio::task::yield_now().await;
    }
}

async fn drive(address: SocketAddr, number: usize, completed: Arc<AtomicU64>) -> Result<()> {
    let mut connection = Connection::open(address, number).await?;
    loop {
        connection.exchange().await?;
        completed.fetch_add(1, Ordering::Relaxed);
    }
}

/// A connection, and the request that it sends over and over.
struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr, number: usize) -> Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let body = format!(
            r#"{{"messages":[{{"role":"user","content":[{{"text":"Hello from connection {number}, how are you?"}}]}}],"inferenceConfig":{{"maxTokens":64}}}}"#
        );
        let head = format!(
            "POST /model/anthropic.claude-3-haiku-20240307-v1%3A0/converse HTTP/1.1\r\nhost: {address}\r\n\
             content-type: application/json\r\nauthorization: AWS4-HMAC-SHA256 Credential=x\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        let request = (head + &body).into_bytes();
        Ok(Connection { stream, request, answer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends the request and takes the answer in: its head, of the length returned, and its body.
    async fn exchange(&mut self) -> Result<usize> {
        self.stream.write_all(&self.request).await?;
        self.answer.clear();
        let (head, whole) = loop {
            self.receive().await?;
            if let Some(lengths) = answer_lengths(&self.answer)? {
                break lengths;
            }
        };
        while self.answer.len() < whole {
            self.receive().await?;
        }
        ensure!(self.answer.starts_with(b"HTTP/1.1 200"), "not a 200 answer");
        Ok(head)
    }

    async fn receive(&mut self) -> Result<()> {
        let received = self.stream.read_buf(&mut self.answer).await?;
        ensure!(received > 0, "the server closed the connection");
        Ok(())
    }
}

/// Length of the head, and of head and body together, once the head is complete.
fn answer_lengths(answer: &[u8]) -> Result<Option<(usize, usize)>> {
    let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&answer[..head])?;
    let length = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .context("an answer without content-length")?
        .1;
    let head = head + 4;
    Ok(Some((head, head + length.trim().parse::<usize>()?)))
}
