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

use crate::auth::{EventSignatures, Refusal};
use crate::body::Cut;
use crate::config::Config;
use crate::draw;
use crate::error::ServiceError;
use crate::event_stream::{self, DecodeError, Decoder, Frame};
use crate::fault::{self, Damage, EVENTS_BEFORE_EXCEPTION, Ending};
use crate::line::Severed;
use crate::recorder::Recorder;
use crate::script::Role;
use crate::sonic::{self, Reply, Session};
use crate::timing;

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
    /// What the events of the client must be signed with.
    signatures: Option<EventSignatures>,
    damage: Option<Damage>,
    cut: Cut,
    /// Events of the answer so far.
    told: usize,
    /// How the answer ends, once it does.
    ending: Option<Ending>,
    recorder: Recorder,
}

/// How an exchange begins whose request is still coming.
pub(crate) struct Opening {
    pub(crate) request: Incoming,
    /// What its events must be signed with, if anybody looks.
    pub(crate) signatures: Option<EventSignatures>,
    /// What is to be done to the answer, and how it is cut off if that is it.
    pub(crate) damage: Option<Damage>,
    pub(crate) cut: Cut,
}

/// A frame that is to be sent.
struct Due {
    at: Instant,
    frame: Bytes,
}

impl Duplex {
    pub(crate) fn new(
        config: &Config,
        opening: Opening,
        session: Session,
        recorder: Recorder,
    ) -> Self {
        Duplex {
            request: Some(opening.request),
            decoder: Decoder::default(),
            session,
            due: VecDeque::new(),
            latest: Instant::now(),
            speed: config.speed,
            sleep: None,
            keeps_content: config.keep_content,
            signatures: opening.signatures,
            damage: opening.damage,
            cut: opening.cut,
            told: 0,
            ending: None,
            recorder,
        }
    }

    /// The recorder, for what the pipeline knows.
    pub(crate) fn recorder(&mut self) -> &mut Recorder {
        &mut self.recorder
    }

    /// The frames that are due, or `None` when there will be no more.
    ///
    /// # Errors
    ///
    /// When a fault cuts the answer off.
    pub(crate) fn poll_frames(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Severed>>> {
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
            return Poll::Ready(Some(Ok(frames.freeze())));
        }
        let Some(next) = self.due.front() else {
            return match self.ending {
                Some(Ending::Cut) => self.cut.poll(cx),
                _ if self.request.is_some() => Poll::Pending,
                _ => {
                    self.end();
                    Poll::Ready(None)
                }
            };
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
                    if let Err(misheard) = self.hear() {
                        self.refuse(&misheard);
                    }
                }
                // The client is done, or gone.
                Poll::Ready(None | Some(Err(_))) => self.request = None,
            }
        }
    }

    fn hear(&mut self) -> Result<(), Misheard> {
        while self.ending.is_none() {
            let Some(frame) = self.decoder.take().map_err(Misheard::of)? else { return Ok(()) };
            if let Some(signatures) = &mut self.signatures {
                signatures.check(&frame)?;
            }
            let Some(payload) = unwrapped(frame).map_err(Misheard::of)? else { continue };
            let taken = self.session.take(sonic::decode(&payload)?)?;
            // Answers to a later event do not overtake those to an earlier one.
            let mut from = self.latest.max(Instant::now());
            for reply in taken.replies {
                if self.ending.is_none() {
                    self.tell(&reply, &mut from);
                }
            }
            if taken.is_over {
                self.ending.get_or_insert(Ending::Complete);
            }
        }
        self.request = None;
        Ok(())
    }

    /// Adds an event that follows one that came at `from`, with the damage that is to be done there:
    /// once the answer has begun, as in other streams.
    fn tell(&mut self, reply: &Reply, from: &mut Instant) {
        let mut frame = BytesMut::new();
        let is_struck = self.told == EVENTS_BEFORE_EXCEPTION;
        self.told += 1;
        let damage = self.damage.as_ref().filter(|damage| match damage {
            Damage::NoMessageStop => reply.tells == Role::Stop,
            Damage::NoMetadata => reply.tells == Role::Usage,
            // The answer as a whole came later.
            Damage::SlowFirstByte(_) => false,
            _ => is_struck,
        });
        match damage {
            Some(Damage::NoMessageStop) => {
                self.ending = Some(Ending::Short);
                return;
            }
            // It still says why it ended.
            Some(Damage::NoMetadata) => return,
            Some(Damage::CutBetweenFrames) => {
                self.ending = Some(Ending::Cut);
                return;
            }
            Some(Damage::Frame(struck)) => {
                struck.put(&mut frame);
                self.recorder.exchange().exception = Some(struck.name());
                self.ending = Some(Ending::Short);
            }
            Some(Damage::Cut) => {
                event_stream::put_event(&mut frame, "chunk", &reply.payload);
                frame.truncate(frame.len() / 2);
                self.ending = Some(Ending::Cut);
            }
            Some(Damage::BadCrc) => {
                event_stream::put_event(&mut frame, "chunk", &reply.payload);
                let last = frame.len() - 1;
                frame[last] ^= 1;
            }
            Some(Damage::UnknownEvent) => {
                fault::put_unknown_event(&mut frame);
                event_stream::put_event(&mut frame, "chunk", &reply.payload);
            }
            Some(Damage::Stall(length)) => {
                *from += timing::wait(self.speed, *length, *length);
                self.latest = self.latest.max(*from);
                event_stream::put_event(&mut frame, "chunk", &reply.payload);
            }
            Some(Damage::SlowFirstByte(_)) | None => {
                event_stream::put_event(&mut frame, "chunk", &reply.payload);
            }
        }
        self.push(frame, *from + self.speed.scale(reply.after));
    }

    /// Adds what is to be sent at `at`, and not before what was added earlier.
    fn push(&mut self, frame: BytesMut, at: Instant) {
        self.latest = match self.speed {
            Speed::Max => self.latest,
            Speed::Times(_) => self.latest.max(at),
        };
        self.due.push_back(Due { at: self.latest, frame: frame.freeze() });
    }

    /// Ends the stream with an exception, or for a bad signature with an error, which the stream's
    /// model does not have: how the service refuses one there is not known.
    fn refuse(&mut self, misheard: &Misheard) {
        let mut frame = BytesMut::new();
        let exception = match misheard {
            Misheard::Event(error) => {
                let name = "validationException";
                event_stream::put_exception(&mut frame, name, &error.body());
                name
            }
            Misheard::Signature(refusal) => {
                event_stream::put_error(&mut frame, refusal.exception, &refusal.message);
                refusal.exception
            }
        };
        self.push(frame, Instant::now());
        self.recorder.exchange().exception = Some(exception.to_owned());
        self.ending = Some(Ending::Short);
        self.request = None;
    }

    /// Everything has been sent.
    fn end(&mut self) {
        if self.ending != Some(Ending::Complete) {
            return;
        }
        let usage = self.session.usage();
        self.recorder.charge(usage);
        if self.damage != Some(Damage::BadCrc) {
            self.recorder.exchange().stop_reason = Some("END_TURN".to_owned());
        }
        if !matches!(self.damage, Some(Damage::BadCrc | Damage::NoMetadata)) {
            self.recorder.delivered();
        }
    }
}

/// Why an event of the client was not taken.
enum Misheard {
    Event(ServiceError),
    Signature(Refusal),
}

impl Misheard {
    /// What is no event.
    fn of(error: impl std::fmt::Display) -> Self {
        Misheard::Event(ServiceError::validation(error.to_string()))
    }
}

impl From<ServiceError> for Misheard {
    fn from(error: ServiceError) -> Self {
        Misheard::Event(error)
    }
}

impl From<Refusal> for Misheard {
    fn from(refusal: Refusal) -> Self {
        Misheard::Signature(refusal)
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
fn unwrapped(frame: Frame) -> Result<Option<Bytes>, DecodeError> {
    if frame.header(":chunk-signature").is_none() {
        return Ok(Some(frame.payload));
    }
    let mut inner = Decoder::default();
    inner.push(&frame.payload);
    Ok(inner.take()?.map(|frame| frame.payload))
}
