//! The OTLP receiver: gRPC on one port, HTTP (protobuf and JSON) on another, all three signals,
//! into one capture.
//!
//! Requests wait in a bounded queue for the thread that writes the capture. When the queue is full
//! an exporter first waits for its answer, which slows it down, and then is told to try again.

mod answer;
mod counts;
mod forward;
mod grpc;
mod http;
mod intake;
mod listen;
mod queue;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

pub use counts::Counts;
pub use listen::StartError;

use crate::capture::{WriteError, Writer};
use forward::Forward;
use intake::Intake;
use listen::Listening;
use queue::Queue;

/// Where to listen, and the limits.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to take OTLP/gRPC; `None` for not at all.
    pub grpc: Option<SocketAddr>,
    /// Where to take OTLP/HTTP; `None` for not at all.
    pub http: Option<SocketAddr>,
    /// Another receiver to pass everything on to, by gRPC: `http://collector:4317`. What it refuses
    /// is refused, and does not get into the capture; spans that it rejects of a request do, but are
    /// not counted.
    pub forward: Option<String>,
    /// The largest request, unzipped, in bytes.
    pub max_message_bytes: usize,
    /// How many requests may be under way at once, over both protocols. With
    /// `max_message_bytes` it bounds what unfinished requests hold in memory.
    pub max_concurrent_requests: usize,
    /// How many bytes of requests may wait for the capture's writer.
    pub queue_bytes: usize,
    /// How long a request waits for its turn, and for room in the queue, before the exporter is
    /// told to try again.
    pub queue_wait: Duration,
    /// How long [`Receiver::shutdown`] waits for requests that are under way.
    pub drain_wait: Duration,
}

impl Default for Config {
    /// Both protocols on free loopback ports; requests of 64 MiB, 64 of them at once, 64 MiB of
    /// queue, 5 s of either wait.
    fn default() -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Config {
            grpc: Some(loopback),
            http: Some(loopback),
            forward: None,
            max_message_bytes: 64 << 20,
            max_concurrent_requests: 64,
            queue_bytes: 64 << 20,
            queue_wait: Duration::from_secs(5),
            drain_wait: Duration::from_secs(5),
        }
    }
}

/// A running receiver. Dropping it stops it without waiting for requests under way.
pub struct Receiver {
    grpc: Option<Listening>,
    http: Option<Listening>,
    intake: Arc<Intake>,
    writer: queue::WriterThread,
    drain_wait: Duration,
}

impl Receiver {
    /// Starts to listen, on the current tokio runtime, and to write to `capture`.
    ///
    /// # Errors
    ///
    /// If a port cannot be had, or the writer's thread not be started.
    pub async fn start(config: Config, capture: Writer) -> Result<Receiver, StartError> {
        // Both ports are bound before either serves.
        let grpc = listen::bind("gRPC", config.grpc).await?;
        let http = listen::bind("HTTP", config.http).await?;
        let (queue, writer) = Queue::start(capture, config.queue_bytes, config.queue_wait)
            .map_err(StartError::Thread)?;
        let forward = config.forward.as_deref().map(Forward::to).transpose()?;
        let intake = Intake::new(queue, forward, config.max_concurrent_requests, config.queue_wait);
        let intake = Arc::new(intake);

        let max_bytes = config.max_message_bytes;
        let grpc = match grpc {
            Some(listener) => {
                let service = grpc::Service { intake: Arc::clone(&intake), max_bytes };
                Some(listener.serve(move |request| grpc::answer(service.clone(), request)))
            }
            None => None,
        };
        let http = match http {
            Some(listener) => {
                let service = http::Service { intake: Arc::clone(&intake), max_bytes };
                Some(listener.serve(move |request| http::answer(service.clone(), request)))
            }
            None => None,
        };
        Ok(Receiver { grpc, http, intake, writer, drain_wait: config.drain_wait })
    }

    /// Where OTLP/gRPC is taken.
    #[must_use]
    pub fn grpc_address(&self) -> Option<SocketAddr> {
        self.grpc.as_ref().map(Listening::address)
    }

    /// Where OTLP/HTTP is taken.
    #[must_use]
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(Listening::address)
    }

    /// What has been taken so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.intake.counts()
    }

    /// Stops listening, answers the requests under way, and finishes the capture.
    ///
    /// # Errors
    ///
    /// If something could not be written to the capture, whenever that was.
    pub async fn shutdown(self) -> Result<Counts, WriteError> {
        let drained = [self.grpc, self.http]
            .into_iter()
            .flatten()
            .map(|listening| tokio::spawn(listening.shutdown(self.drain_wait)))
            .collect::<Vec<_>>();
        for task in drained {
            // A listener that panicked has nothing more to drain.
            let _ = task.await;
        }
        let counts = self.intake.counts();
        self.writer.finish().await?;
        Ok(counts)
    }
}

#[cfg(test)]
mod tests;
