//! The clients of a soak: each holds a stream open, and opens the next when it has ended.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderValue};

use crate::dev::event_stream_client::{Connection, Frames};

/// Models of different pace.
const MODELS: [&str; 3] = [
    "anthropic.claude-3-haiku-20240307-v1:0",
    "us.anthropic.claude-sonnet-4-20250514-v1:0",
    "amazon.nova-lite-v1:0",
];
/// The faults, asked for in turn, and what comes of each.
const FAULTS: [(&str, Expected); 15] = [
    ("cut", Expected::Broken),
    ("cut:before-headers", Expected::NoAnswer),
    ("cut:between-frames", Expected::Broken),
    ("no-metadata", Expected::Whole),
    ("no-message-stop", Expected::Whole),
    ("bad-crc", Expected::Whole),
    ("unknown-event", Expected::Whole),
    ("stream:throttlingException", Expected::Whole),
    ("stream:internalServerException", Expected::Whole),
    ("stream:modelStreamErrorException", Expected::Whole),
    ("stream:error", Expected::Whole),
    ("stall=2s", Expected::Whole),
    ("slow-first-byte=2s", Expected::Whole),
    ("ThrottlingException", Expected::Status(429)),
    ("ServiceUnavailableException", Expected::Status(503)),
];
/// One request in so many is left by its client in the middle of the answer.
const LEAVES_EVERY: usize = 101;
/// Frames that a client that leaves still takes.
const FRAMES_BEFORE_LEAVING: usize = 5;
/// The streams open within this, so that they do not march in step.
const RAMP: Duration = Duration::from_secs(5);

/// What a client is to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// A stream that ends cleanly, between two frames.
    Whole,
    /// A stream that is cut.
    Broken,
    /// A connection that closes instead of an answer.
    NoAnswer,
    /// A buffered answer.
    Status(u16),
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It may not have left this process.
    Unsent,
    /// It was sent, and not answered to the end.
    Sent,
    /// It was sent without a fault, and its answer came to the end.
    Whole,
}

/// The requests so far, by the number that each bears as its invocation id.
#[derive(Debug, Default)]
pub(super) struct Sent(Mutex<Vec<Fate>>);

impl Sent {
    fn begin(&self) -> usize {
        let mut fates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        fates.push(Fate::Unsent);
        fates.len() - 1
    }

    fn note(&self, number: usize, fate: Fate) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[number] = fate;
    }

    pub(super) fn fates(&self) -> Vec<Fate> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Requests that were sent.
    pub(super) fn count(&self) -> usize {
        self.fates().into_iter().filter(|fate| *fate != Fate::Unsent).count()
    }
}

/// What the clients saw.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) faults: u64,
    pub(super) left: u64,
    pub(super) frames: u64,
    pub(super) surprises: u64,
    /// The first answer that was not what was asked for.
    pub(super) unexpected: Option<String>,
}

/// Keeps `count` streams open until it is `until`, and waits for the last to end.
pub(super) async fn keep_open(
    address: SocketAddr,
    count: usize,
    faults: f64,
    until: Instant,
    sent: Arc<Sent>,
) -> Result<Tally> {
    let tally = Arc::new(Mutex::new(Tally::default()));
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..count {
        let (sent, tally) = (Arc::clone(&sent), Arc::clone(&tally));
        let share = f64::from(u32::try_from(number)?) / f64::from(u32::try_from(count)?);
        clients.spawn(async move {
            tokio::time::sleep(RAMP.mul_f64(share)).await;
            Client { address, faults, sent, tally, connection: None }.run(until).await
        });
    }
    while let Some(ended) = clients.join_next().await {
        ended??;
    }
    Ok(std::mem::take(&mut *tally.lock().unwrap_or_else(PoisonError::into_inner)))
}

struct Client {
    address: SocketAddr,
    faults: f64,
    sent: Arc<Sent>,
    tally: Arc<Mutex<Tally>>,
    connection: Option<Connection>,
}

impl Client {
    async fn run(mut self, until: Instant) -> Result<()> {
        while Instant::now() < until {
            let number = self.sent.begin();
            let fault = fault(number, self.faults);
            let leaves = fault.is_none() && number.is_multiple_of(LEAVES_EVERY);
            let expected = fault.map_or(Expected::Whole, |(_, expected)| expected);
            let seen = self.request(number, fault.map(|(name, _)| name), leaves).await;
            let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
            tally.faults += u64::from(fault.is_some());
            tally.left += u64::from(leaves);
            let surprise = match seen {
                Ok((seen, frames)) => {
                    tally.frames += frames;
                    (seen != expected && !leaves).then(|| format!("{seen:?}"))
                }
                Err(error) => Some(format!("{error:#}")),
            };
            if let Some(seen) = surprise {
                tally.surprises += 1;
                let asked = fault.map_or("no fault", |(name, _)| name);
                tally.unexpected.get_or_insert_with(|| {
                    format!("request {number} with {asked} gave {seen} for {expected:?}")
                });
            }
        }
        Ok(())
    }

    /// Makes one request, and tells what came of it and how many frames there were.
    async fn request(
        &mut self,
        number: usize,
        fault: Option<&'static str>,
        leaves: bool,
    ) -> Result<(Expected, u64)> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(self.address).await?,
        };
        // The server closes a connection after a cut, and this one may not have heard of it yet.
        if !connection.is_ready().await {
            connection = Connection::open(self.address).await?;
        }
        let mut headers = HeaderMap::new();
        headers.insert("amz-sdk-invocation-id", HeaderValue::from(number));
        if let Some(fault) = fault {
            headers.insert("x-spanproof-fault", HeaderValue::from_static(fault));
        }
        let prompt = format!("Question {number}.");
        let model = MODELS[number % MODELS.len()];
        let answer = match connection.converse_stream(model, &prompt, &headers).await {
            Ok(answer) => answer,
            Err(error) if error.is_canceled() => bail!("not sent: {error}"),
            Err(_) => {
                self.sent.note(number, Fate::Sent);
                return Ok((Expected::NoAnswer, 0));
            }
        };
        self.sent.note(number, Fate::Sent);
        let status = answer.status().as_u16();
        let (end, frames) = read(answer.into_body(), leaves).await?;
        if end == Expected::Whole && !leaves {
            if fault.is_none() {
                self.sent.note(number, Fate::Whole);
            }
            self.connection = Some(connection);
        }
        Ok(if status == 200 { (end, frames) } else { (Expected::Status(status), 0) })
    }
}

/// Takes an answer in, or its beginning if the client leaves.
async fn read(mut body: Incoming, leaves: bool) -> Result<(Expected, u64)> {
    let (mut frames, mut count) = (Frames::default(), 0);
    let mut is_stream = None;
    while let Some(part) = body.frame().await {
        let Ok(part) = part else { return Ok((Expected::Broken, count)) };
        let Ok(part) = part.into_data() else { continue };
        // Exceptions are JSON, and frames begin with a length, far below what a brace stands for.
        if *is_stream.get_or_insert(part.first() != Some(&b'{')) {
            count += frames.take(&part)? as u64;
        }
        if leaves && count >= FRAMES_BEFORE_LEAVING as u64 {
            return Ok((Expected::Broken, count));
        }
    }
    Ok((if frames.is_whole() { Expected::Whole } else { Expected::Broken }, count))
}

/// The fault that the request of this number asks for: `share` of them do, evenly spread.
fn fault(number: usize, share: f64) -> Option<(&'static str, Expected)> {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "requests are far fewer than 2^52, and shares are not negative"
    )]
    let due = |number: usize| (number as f64 * share).floor() as usize;
    let ordinal = due(number + 1);
    (ordinal > due(number)).then(|| FAULTS[ordinal % FAULTS.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_as_many_as_asked_for_and_of_every_kind() {
        let asked: Vec<_> = (0..10_000).filter_map(|number| fault(number, 0.05)).collect();
        assert_eq!(asked.len(), 500);
        assert!(FAULTS.iter().all(|kind| asked.contains(kind)));
        assert!((0..10_000).all(|number| fault(number, 0.0).is_none()));
        assert!((0..10_000).all(|number| fault(number, 1.0).is_some()));
    }
}
