//! One exchange: from a request to the body of its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use spanproof_schemas::ledger::{Content, Exchange};
use spanproof_schemas::speed::Speed;
use spanproof_schemas::time::unix_nanos;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::answer::Answer;
use crate::body::{AnswerBody, Ending};
use crate::cache::PromptCache;
use crate::config::Config;
use crate::draw;
use crate::error::ServiceError;
use crate::families::{self, Family};
use crate::fault::Fault;
use crate::ledger::LedgerSink;
use crate::model;
use crate::operations::{Operation, WrittenBody};
use crate::player::Player;
use crate::recorder::{Open, Recorder};
use crate::request;
use crate::turn::Turn;

/// The largest body that the service takes.
const BODY_LIMIT_BYTES: usize = 25_000_000;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What every exchange of a server shares.
pub(crate) struct Service {
    pub(crate) config: Config,
    pub(crate) sink: Arc<dyn LedgerSink>,
    /// Cloned into every exchange that is not in the ledger yet.
    pub(crate) open: Open,
    pub(crate) cache: PromptCache,
    pub(crate) sequence: AtomicU64,
    pub(crate) misrouted: AtomicU64,
    pub(crate) prompt_stem: String,
    pub(crate) completion_stem: String,
}

/// A request that can be answered.
struct Asked {
    turn: Turn,
    model: &'static model::Model,
    family: &'static dyn Family,
    fault: Option<Fault>,
}

/// The body of a request, read as far as it went.
enum Body {
    Read(Bytes),
    TooLong,
    /// The client left, or broke HTTP, in the middle of its request.
    BrokenOff,
}

impl Service {
    /// Answers one request. `connection` is notified when the connection is to be dropped.
    pub(crate) async fn serve(
        &self,
        request: Request<Incoming>,
        connection: &Arc<Notify>,
    ) -> Response<AnswerBody> {
        let arrived = Instant::now();
        let arrived_unix_nanos = unix_nanos(SystemTime::now());
        let route = request::route(request.uri().path());
        let Some((operation, model_id)) = route.filter(|_| request.method() == Method::POST) else {
            return self.misrouted();
        };
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        let headers = request.headers();
        let exchange = Exchange {
            sequence,
            arrived_unix_nanos,
            request_id: draw::uuid(self.config.seed, sequence),
            operation: operation.operation(),
            model_id,
            trace_context: request::trace_context(headers),
            invocation_id: request::invocation_id(headers),
            attempt: request::attempt(headers),
            ..Exchange::default()
        };
        let mut recorder = Recorder::new(exchange, Arc::clone(&self.sink), self.open.clone());
        let (head, body) = request.into_parts();
        let body = read_body(body).await;
        // All that takes work happens between two waits: what is alive across a wait is moved about
        // with the request.
        let (mut response, due) = match body {
            Body::Read(body) => {
                self.prepare(&head, &body, operation, recorder, arrived, connection)
            }
            Body::TooLong => {
                (refuse(&ServiceError::body_too_long(BODY_LIMIT_BYTES), recorder), None)
            }
            // Nobody hears this answer, so the record says that none was served.
            Body::BrokenOff => {
                let id = request_id(&mut recorder);
                return exception(&ServiceError::unreadable(), id)
                    .map(|()| AnswerBody::Plain(None));
            }
        };
        if let Some(due) = due
            && self.config.speed != Speed::Max
        {
            tokio::time::sleep_until(arrived + self.config.speed.scale(due)).await;
        }
        let status = response.status();
        response.body_mut().begin(status);
        response
    }

    /// The response to a request, and when its first byte is due, in simulated time from its
    /// arrival; at once if that is `None`.
    fn prepare(
        &self,
        head: &Parts,
        body: &[u8],
        operation: &'static dyn Operation,
        mut recorder: Recorder,
        arrived: Instant,
        connection: &Arc<Notify>,
    ) -> (Response<AnswerBody>, Option<Duration>) {
        match self.read(head, body, operation, recorder.exchange()) {
            Ok(asked) => {
                let (response, due) = self.answer(asked, operation, recorder, arrived, connection);
                (response, Some(due))
            }
            Err(error) => (refuse(&error, recorder), None),
        }
    }

    /// Reads the request. What it holds goes into the record first, so that the record of a failed
    /// exchange has it too.
    fn read(
        &self,
        head: &Parts,
        body: &[u8],
        operation: &'static dyn Operation,
        exchange: &mut Exchange,
    ) -> Result<Asked, ServiceError> {
        let fault = Fault::asked(&head.headers, operation.operation().is_streamed());
        exchange.markers = request::markers(body, &self.prompt_stem);
        let model = model::resolve(&exchange.model_id)?;
        let family = families::of(model);
        exchange.task = family.task();
        let turn = operation.read(family, body, model)?;
        exchange.prompt_sha256 = draw::sha256(&turn.prompt);
        exchange.parameters = turn.parameters.clone();
        exchange.conversation = turn.conversation.clone();
        if self.config.keep_content {
            exchange.content =
                Some(Content { prompt: turn.prompt.clone(), completion: String::new() });
        }
        turn.validate(model)?;
        let fault = fault?;
        if let Some((name, fault)) = fault {
            exchange.fault = Some(name.to_owned());
            if let Some(error) = fault.exception() {
                return Err(error);
            }
        }
        Ok(Asked { turn, model, family, fault: fault.map(|(_, fault)| fault) })
    }

    fn answer(
        &self,
        asked: Asked,
        operation: &'static dyn Operation,
        mut recorder: Recorder,
        arrived: Instant,
        connection: &Arc<Notify>,
    ) -> (Response<AnswerBody>, Duration) {
        let Asked { turn, model, family, fault } = asked;
        let division = self.cache.charge(model, &turn);
        let mut answer =
            Answer::compose(self.config.seed, &self.completion_stem, model, turn, division);
        answer.states_usage = fault != Some(Fault::NoMetadata);
        let written = operation.write(family, &answer);
        fill(recorder.exchange(), &answer, operation, family);
        recorder.charge(answer.usage);

        let mut response = Response::new(());
        let headers = response.headers_mut();
        // In the order of the service.
        headers.insert(CONTENT_TYPE, written.body.content_type());
        headers.insert(REQUEST_ID, request_id(&mut recorder));
        headers.extend(written.headers);
        match written.body {
            WrittenBody::Whole(bytes) => {
                let bytes = Bytes::from(bytes);
                let response = response.map(|()| match fault {
                    Some(Fault::Cut) => AnswerBody::Cut {
                        part: Some(bytes.slice(..bytes.len() / 2)),
                        length: bytes.len() as u64,
                        connection: Arc::clone(connection),
                        recorder,
                    },
                    _ => AnswerBody::Whole { bytes: Some(bytes), recorder },
                });
                (response, answer.timing.total)
            }
            WrittenBody::Stream(mut script) => {
                let ending = match fault {
                    Some(Fault::Cut) => {
                        script.cut();
                        recorder.exchange().stop_reason = None;
                        Ending::Cut(Arc::clone(connection))
                    }
                    Some(Fault::Frame(name, message)) => {
                        script.fail(name, message);
                        recorder.exchange().exception = Some(name.to_owned());
                        recorder.exchange().stop_reason = None;
                        Ending::Short
                    }
                    Some(Fault::NoMetadata) => Ending::Short,
                    Some(Fault::Exception(..)) | None => Ending::Complete,
                };
                let player = Player::new(script, arrived, self.config.speed);
                let body = AnswerBody::Stream { player, model, ending, recorder };
                (response.map(|()| body), answer.timing.first)
            }
        }
    }

    /// The answer to a path or method that no operation has. It is no exchange of the ledger.
    fn misrouted(&self) -> Response<AnswerBody> {
        let number = self.misrouted.fetch_add(1, Ordering::Relaxed);
        let id = draw::uuid(!self.config.seed, number);
        let error = ServiceError::unknown_operation();
        let id = HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static(""));
        exception(&error, id).map(|()| AnswerBody::Plain(Some(Bytes::from(error.body()))))
    }
}

/// Records what the answer will say.
fn fill(exchange: &mut Exchange, answer: &Answer, operation: &dyn Operation, family: &dyn Family) {
    let text = answer.text();
    exchange.completion_sha256 = draw::sha256(&text);
    if let Some(content) = &mut exchange.content {
        content.completion = text.into_owned();
    }
    if family.task() == spanproof_schemas::ledger::Task::Chat {
        exchange.stop_reason = Some(answer.stop.as_str().to_owned());
    }
    exchange.markers.extend(answer.marker.clone());
    let stated = operation.stated(family, answer);
    exchange.response_id = stated.response_id;
    exchange.response_model = stated.response_model;
}

/// An answer that is an exception, recorded.
fn refuse(error: &ServiceError, mut recorder: Recorder) -> Response<AnswerBody> {
    let exchange = recorder.exchange();
    exchange.exception = Some(error.exception.to_owned());
    let bytes = Some(Bytes::from(error.body()));
    exception(error, request_id(&mut recorder)).map(|()| AnswerBody::Whole { bytes, recorder })
}

fn exception(error: &ServiceError, request_id: HeaderValue) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = error.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(REQUEST_ID, request_id);
    if let Ok(error_type) = HeaderValue::from_str(&error.error_type()) {
        headers.insert(ERROR_TYPE, error_type);
    }
    response
}

fn request_id(recorder: &mut Recorder) -> HeaderValue {
    HeaderValue::from_str(&recorder.exchange().request_id)
        .expect("a request id is hexadecimal digits and hyphens")
}

async fn read_body(body: Incoming) -> Body {
    match Limited::new(body, BODY_LIMIT_BYTES).collect().await {
        Ok(body) => Body::Read(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Body::TooLong,
        Err(_) => Body::BrokenOff,
    }
}
