//! An exchange in which events go both ways at once.

use std::collections::VecDeque;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::combinators::UnsyncBoxBody;
use spanproof_schemas::ledger::Content;
use spanproof_schemas::speed::Speed;
use tokio::time::{Instant, Sleep};

use crate::config::Config;
use crate::draw;
use crate::error::ServiceError;
use crate::event_stream::{self, Decoder, Frame};
use crate::recorder::Recorder;
use crate::sonic::{self, Session};

/// The body of a request that is still coming.
pub(crate) type Incoming = UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>;

/// The answer to a request whose events are still coming. Nothing runs beside it: the connection
/// drives both directions when it asks for the next frame.
pub(crate) struct Duplex {
    /// `None` once the client has said everything.
    request: Option<Incoming>,
    decoder: Decoder,
    session: Session,
    due: VecDeque<Due>,
    /// When the last event in `due` is due.
    latest: Instant,
    speed: Speed,
    sleep: Option<Pin<Box<Sleep>>>,
    keeps_content: bool,
    /// Whether the session ended as it should.
    is_complete: bool,
    recorder: Recorder,
}

/// A frame that is to be sent.
struct Due {
    at: Instant,
    frame: Bytes,
}

impl Duplex {
    pub(crate) fn new(
        config: &Config,
        request: Incoming,
        session: Session,
        recorder: Recorder,
    ) -> Self {
        Duplex {
            request: Some(request),
            decoder: Decoder::default(),
            session,
            due: VecDeque::new(),
            latest: Instant::now(),
            speed: config.speed,
            sleep: None,
            keeps_content: config.keep_content,
            is_complete: false,
            recorder,
        }
    }

    /// The recorder, for what the pipeline knows.
    pub(crate) fn recorder(&mut self) -> &mut Recorder {
        &mut self.recorder
    }

    /// The frames that are due, or `None` when there will be no more.
    pub(crate) fn poll_frames(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.listen(cx);
        let now = Instant::now();
        let mut frames = BytesMut::new();
        let mut count = 0;
        while let Some(due) = self.due.pop_front_if(|due| due.at <= now) {
            frames.extend_from_slice(&due.frame);
            count += 1;
        }
        if count > 0 {
            let usage = self.session.usage();
            self.recorder.charge(usage);
            self.recorder.chunks(count, usage.output_tokens);
            return Poll::Ready(Some(frames.freeze()));
        }
        let Some(next) = self.due.front() else {
            if self.request.is_none() {
                self.end();
                return Poll::Ready(None);
            }
            return Poll::Pending;
        };
        let sleep = self.sleep.insert(Box::pin(tokio::time::sleep_until(next.at)));
        if sleep.as_mut().poll(cx).is_ready() {
            // It became due just now.
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Takes in what the client has sent by now.
    fn listen(&mut self, cx: &mut Context<'_>) {
        while let Some(request) = &mut self.request {
            match Pin::new(request).poll_frame(cx) {
                Poll::Pending => return,
                Poll::Ready(Some(Ok(frame))) => {
                    let Ok(part) = frame.into_data() else { continue };
                    self.decoder.push(&part);
                    if let Err(error) = self.hear() {
                        self.refuse(&error);
                    }
                }
                // The client is done, or gone.
                Poll::Ready(None | Some(Err(_))) => self.request = None,
            }
        }
    }

    fn hear(&mut self) -> Result<(), ServiceError> {
        loop {
            let taken = self.decoder.take();
            let frame = taken.map_err(|error| ServiceError::validation(error.to_string()))?;
            let Some(frame) = frame else { return Ok(()) };
            let Some(payload) = unwrapped(frame)? else { continue };
            let taken = self.session.take(sonic::decode(&payload)?)?;
            let now = Instant::now();
            let mut frame = BytesMut::new();
            // Answers to a later event do not overtake those to an earlier one.
            let from = self.latest.max(now);
            for reply in taken.replies {
                event_stream::put_event(&mut frame, "chunk", &reply.payload);
                let at = match self.speed {
                    Speed::Max => now,
                    Speed::Times(_) => from + self.speed.scale(reply.after),
                };
                self.latest = self.latest.max(at);
                self.due.push_back(Due { at: self.latest, frame: frame.split().freeze() });
            }
            if taken.is_over {
                self.is_complete = true;
                self.request = None;
                return Ok(());
            }
        }
    }

    /// Ends the stream with an exception.
    fn refuse(&mut self, error: &ServiceError) {
        let mut frame = BytesMut::new();
        let payload = error.body();
        event_stream::put_exception(&mut frame, "validationException", &payload);
        let at = self.latest.max(Instant::now());
        self.due.push_back(Due { at, frame: frame.freeze() });
        self.recorder.exchange().exception = Some("validationException".to_owned());
        self.request = None;
    }

    /// Everything has been sent.
    fn end(&mut self) {
        if self.is_complete {
            let usage = self.session.usage();
            self.recorder.charge(usage);
            self.recorder.exchange().stop_reason = Some("END_TURN".to_owned());
            self.recorder.delivered();
        }
    }
}

impl Drop for Duplex {
    /// However the exchange ended, its record says what was said.
    fn drop(&mut self) {
        let prompt = self.session.prompt();
        let exchange = self.recorder.exchange();
        exchange.prompt_sha256 = draw::sha256(&prompt);
        exchange.completion_sha256 = draw::sha256(self.session.completion());
        exchange.parameters = self.session.parameters().clone();
        exchange.markers.extend_from_slice(self.session.markers());
        if self.keeps_content {
            let completion = self.session.completion().to_owned();
            exchange.content = Some(Content { prompt, completion });
        }
    }
}

/// The payload of an event. SDKs that sign their events wrap each in another frame, whose headers
/// are the date and the signature; an empty one of those ends the stream.
fn unwrapped(frame: Frame) -> Result<Option<Bytes>, ServiceError> {
    if frame.header(":chunk-signature").is_none() {
        return Ok(Some(frame.payload));
    }
    let mut inner = Decoder::default();
    inner.push(&frame.payload);
    let taken = inner.take().map_err(|error| ServiceError::validation(error.to_string()))?;
    Ok(taken.map(|frame| frame.payload))
}
