//! One answer of each operation, looked at closely before anything is measured: what is fast and
//! wrong should not pass for fast.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use mock_bedrock::event_stream::Decoder;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::Operation;
use super::client::{Connection, Request};
use crate::dev::process::Process;

/// How long a server may take to come up: one in Python loads for seconds on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two attempts at a server that is not up yet.
const PAUSE: Duration = Duration::from_millis(100);

/// An answer as it came.
pub(super) struct Trial {
    pub(super) body: Vec<u8>,
    /// Frames of the stream; none when it was buffered.
    pub(super) frames: usize,
    /// What clients would stumble over.
    pub(super) notes: Vec<String>,
}

/// Waits until the server answers, and looks at an answer to `operation`.
pub(super) async fn attempt(process: &mut Process, operation: Operation) -> Result<Trial> {
    let request = Request::new(process.address, operation, 0);
    let started = Instant::now();
    loop {
        process.ensure_running()?;
        let mut connection = Connection::new(process.address);
        match timeout(PATIENCE, connection.exchange(&request)).await {
            Ok(Ok(200)) => return look(connection.body, operation),
            Ok(Ok(status)) => bail!(
                "it answers {} with {status}: {}",
                operation.name(),
                String::from_utf8_lossy(&connection.body).chars().take(200).collect::<String>()
            ),
            Ok(Err(_)) if started.elapsed() < PATIENCE => sleep(PAUSE).await,
            Ok(Err(error)) => return Err(error.context("it does not answer")),
            Err(_) => bail!("{} has no answer after {PATIENCE:?}", operation.name()),
        }
    }
}

fn look(body: Vec<u8>, operation: Operation) -> Result<Trial> {
    match operation {
        Operation::Converse => {
            let answer: Value = serde_json::from_slice(&body).context("its answer is not JSON")?;
            let blocks = answer["output"]["message"]["content"].as_array();
            let text: usize = blocks.into_iter().flatten().map(text_of).sum();
            let notes = if text == 0 { vec!["its answer has no text".to_owned()] } else { vec![] };
            Ok(Trial { body, frames: 0, notes })
        }
        Operation::ConverseStream => look_at_stream(body),
    }
}

fn look_at_stream(body: Vec<u8>) -> Result<Trial> {
    let mut decoder = Decoder::default();
    decoder.push(&body);
    let (mut frames, mut text, mut stops, mut empty_starts) = (0, 0, false, false);
    while let Some(frame) = decoder.take()? {
        let payload: Value = serde_json::from_slice(&frame.payload).unwrap_or_default();
        match frame.event_type() {
            Some("contentBlockDelta") => text += text_of(&payload["delta"]),
            Some("contentBlockStart") => {
                empty_starts |= payload["start"].as_object().is_none_or(serde_json::Map::is_empty);
            }
            Some("messageStop") => stops |= payload["stopReason"].is_string(),
            _ => {}
        }
        frames += 1;
    }
    decoder.finish()?;
    ensure!(frames > 0, "its stream has no frames");
    let mut notes = Vec::new();
    if text == 0 {
        notes.push("no text that a client can read in its stream".to_owned());
    }
    if !stops {
        notes.push("no stop reason in its stream".to_owned());
    }
    if empty_starts {
        notes.push("a contentBlockStart without a start, which boto3 refuses".to_owned());
    }
    Ok(Trial { body, frames, notes })
}

fn text_of(block: &Value) -> usize {
    block["text"].as_str().map_or(0, str::len)
}
