//! One exchange: from a request to the body of its answer.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Version};
use http_body::Body;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use memchr::memmem::Finder;
use spanproof_schemas::ledger::{
    Exchange, LEDGER_VERSION, MarkerKind, Planted, Record, Run, marker_stem,
};
use spanproof_schemas::time::unix_nanos;

use crate::admin::Observer;
use crate::agent_runtime::Sessions;
use crate::asked::{Asked, Subject};
use crate::async_invoke::AsyncInvokes;
use crate::auth::{EventSignatures, Refusal, Sent};
use crate::body::{AnswerBody, Cut, Ending};
use crate::cache::PromptCache;
use crate::config::Config;
use crate::draw;
use crate::duplex::{Duplex, Incoming, Opening};
use crate::error::ServiceError;
use crate::fault::{self, Damage, FaultPlans};
use crate::guardrail::Guardrails;
use crate::line::{Line, Severed};
use crate::operations::{Operation, Written, WrittenBody};
use crate::pacing::Pacing;
use crate::patience;
use crate::player::Player;
use crate::quirk::Quirks;
use crate::recorder::{Open, OpenStream, Recorder};
use crate::request;
use crate::route::{self, Labels};
use crate::scripted::Scripts;
use crate::sent;
use crate::throttle::{Reservation, Throttle};
use crate::timer::Timer;
use crate::timing;

/// The largest body that the service takes.
const BODY_LIMIT_BYTES: usize = 25_000_000;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What every exchange of a server shares.
pub(crate) struct Service {
    pub(crate) config: Config,
    pub(crate) sink: Arc<Observer>,
    /// Cloned into every exchange that is not in the ledger yet.
    pub(crate) open: Open,
    /// Cloned into every answer that is streamed.
    streams: OpenStream,
    pub(crate) cache: PromptCache,
    pub(crate) plans: FaultPlans,
    pub(crate) throttle: Throttle,
    pub(crate) guardrails: Guardrails,
    pub(crate) quirks: Quirks,
    pub(crate) scripts: Scripts,
    pub(crate) pacing: Pacing,
    pub(crate) timer: Arc<Timer>,
    pub(crate) async_invokes: AsyncInvokes,
    pub(crate) sessions: Sessions,
    /// Finds what markers in prompts begin with.
    pub(crate) prompt_stem: Finder<'static>,
    pub(crate) completion_stem: String,
    /// What is planted into completions.
    planted: Vec<Planted>,
    sequence: AtomicU64,
    misrouted: AtomicU64,
}

/// The body of a request, read as far as it went.
enum Received {
    Whole(Bytes),
    TooLong,
    /// The client left, or broke HTTP, in the middle of its request.
    BrokenOff,
}

/// What an operation answers.
struct Granted {
    written: Written,
    /// What is to be done to it.
    damage: Option<Damage>,
    /// The tokens that it holds until it has ended.
    reservation: Option<Reservation>,
}

/// Why an operation gave no answer.
enum Failure {
    Refused(ServiceError),
    /// A fault drops the connection.
    Severed,
}

/// How an answer goes out.
struct Way<'a> {
    operation: &'static dyn Operation,
    line: &'a Arc<Line>,
    version: Version,
    damage: Option<Damage>,
    /// The request, where it comes while the answer goes out, and what its events must be signed
    /// with.
    incoming: Option<Incoming>,
    signatures: Option<EventSignatures>,
}

impl Service {
    /// A service at `address`, its first record handed to `sink`.
    pub(crate) fn new(
        config: Config,
        sink: Arc<Observer>,
        address: SocketAddr,
        open: Open,
    ) -> Self {
        let prompt_stem = marker_stem(MarkerKind::Prompt, config.seed);
        let completion_stem = marker_stem(MarkerKind::Completion, config.seed);
        let [mut planted, in_completions] = [MarkerKind::Prompt, MarkerKind::Completion]
            .map(|origin| Planted::all(origin, config.seed));
        planted.extend_from_slice(&in_completions);
        sink.record(Record::Run(Run {
            version: LEDGER_VERSION,
            seed: config.seed,
            started_unix_nanos: unix_nanos(SystemTime::now()),
            server_address: address.ip().to_string(),
            server_port: address.port(),
            marker_stems: vec![prompt_stem.clone(), completion_stem.clone()],
            planted,
        }));
        Service {
            cache: PromptCache::new(config.speed),
            plans: FaultPlans::new(config.seed, config.faults.clone()),
            throttle: Throttle::new(config.speed, config.quotas.clone()),
            guardrails: Guardrails::of(&config.guardrails),
            quirks: Quirks::of(&config.quirks),
            scripts: Scripts::new(config.scripted.clone()),
            // The configuration was checked before it came here.
            pacing: Pacing::new(&config.timing).unwrap_or_default(),
            timer: Arc::default(),
            async_invokes: AsyncInvokes::new(config.speed),
            sessions: Sessions::new(config.speed),
            config,
            sink,
            open,
            streams: Arc::default(),
            prompt_stem: Finder::new(&prompt_stem).into_owned(),
            completion_stem,
            planted: in_completions,
            sequence: AtomicU64::new(0),
            misrouted: AtomicU64::new(0),
        }
    }

    /// What the answer to a turn plants: each kind as often as the others.
    pub(crate) fn planted(&self, turn: u64) -> Option<&Planted> {
        let kinds = self.planted.len().max(1) as u64;
        usize::try_from(turn % kinds).ok().and_then(|kind| self.planted.get(kind))
    }

    /// How many exchanges have not ended, and how many of their answers are streams.
    pub(crate) fn open_exchanges(&self) -> (usize, usize) {
        // The service itself holds one of each.
        let streams = Arc::strong_count(&self.streams) - 1;
        (self.open.strong_count().saturating_sub(1), streams)
    }

    /// Forgets all that earlier requests of a test may do to later ones, or those of all tests if
    /// none is named.
    pub(crate) fn forget(&self, test_id: Option<&str>) {
        self.cache.forget(test_id);
        self.async_invokes.forget(test_id);
        self.sessions.forget(test_id);
        self.throttle.forget(test_id);
        self.plans.reset(test_id, &self.config.faults);
        self.scripts.reset(test_id);
    }

    /// Answers one request that came over `line`.
    ///
    /// # Errors
    ///
    /// When a fault drops the connection, or the stream of HTTP/2, before there is an answer.
    pub(crate) async fn serve<B>(
        &self,
        request: Request<B>,
        line: &Arc<Line>,
    ) -> Result<Response<AnswerBody>, Severed>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let arrived = Instant::now();
        let arrived_unix_nanos = unix_nanos(SystemTime::now());
        let (test_id, path) = request::test_id(request.uri().path(), request.headers());
        let Some((operation, labels)) = route::find(request.method(), path) else {
            return Ok(self.misrouted());
        };
        // The service says so, and HTTP/2 forbids it. Who asks for the connection's end is told so.
        let keeps_alive = request.version() == Version::HTTP_11
            && !request
                .headers()
                .get(CONNECTION)
                .is_some_and(|asked| asked.as_bytes().eq_ignore_ascii_case(b"close"));
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        let headers = request.headers();
        let exchange = Exchange {
            sequence,
            arrived_unix_nanos,
            request_id: draw::uuid(self.config.seed, sequence),
            operation: operation.operation(),
            task: operation.task(),
            model_id: labels.get("modelId").to_owned(),
            test_id,
            trace_context: request::trace_context(headers),
            invocation_id: request::invocation_id(headers),
            attempt: request::attempt(headers),
            ..Exchange::default()
        };
        let mut recorder = Recorder::new(exchange, Arc::clone(&self.sink), self.open.clone());
        let (head, body) = request.into_parts();
        let patience = patience::needed(&head.headers);
        let (body, incoming) = if operation.converses() {
            (Received::Whole(Bytes::new()), Some(body.map_err(Into::into).boxed_unsync()))
        } else {
            (receive(body).await, None)
        };
        // All that takes work happens between two waits: what is alive across a wait is moved about
        // with the request.
        let (mut response, wait) = match body {
            Received::Whole(body) => match self.admitted(&head, &body, recorder.exchange()) {
                Ok(()) => {
                    let answered =
                        self.answer(&head, labels, &body, operation, recorder.exchange());
                    match answered {
                        Ok(Granted { written, damage, reservation }) => {
                            recorder.hold(reservation);
                            let version = head.version;
                            let signatures = incoming.as_ref().and_then(|_| self.signatures(&head));
                            let way =
                                Way { operation, line, version, damage, incoming, signatures };
                            self.respond(written, way, recorder, arrived)
                        }
                        Err(Failure::Refused(error)) => {
                            (refuse(&error, operation, recorder), Duration::ZERO)
                        }
                        Err(Failure::Severed) => return Err(Severed),
                    }
                }
                Err(refusal) => (turn_away(&refusal, recorder), Duration::ZERO),
            },
            Received::TooLong => {
                let error = ServiceError::body_too_long(BODY_LIMIT_BYTES);
                (refuse(&error, operation, recorder), Duration::ZERO)
            }
            // Nobody hears this answer, so the record says that none was served.
            Received::BrokenOff => {
                let id = request_id(&mut recorder);
                return Ok(
                    exception(&ServiceError::unreadable(), id).map(|()| AnswerBody::Plain(None))
                );
            }
        };
        let wait = wait.max(patience);
        if !wait.is_zero() {
            self.timer.sleep_until(arrived + wait).await;
        }
        if keeps_alive {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("keep-alive"));
        }
        let status = response.status();
        response.body_mut().begin(status);
        Ok(response)
    }

    /// Keeps the request as it was sent, if it is to be kept, and checks who calls.
    fn admitted(&self, head: &Parts, body: &[u8], exchange: &mut Exchange) -> Result<(), Refusal> {
        if self.config.keep_requests {
            exchange.request = Some(Box::new(sent::request(head, body)));
        }
        self.check_caller(head, body)
    }

    /// Checks who calls, by the request as it was sent.
    fn check_caller(&self, head: &Parts, body: &[u8]) -> Result<(), Refusal> {
        let Parts { method, uri, headers, .. } = head;
        self.config.auth.check(Sent { method, uri, headers, body }, SystemTime::now())
    }

    /// What the events of a request must be signed with, if anybody looks.
    fn signatures(&self, head: &Parts) -> Option<EventSignatures> {
        let Parts { method, uri, headers, .. } = head;
        self.config.auth.events(Sent { method, uri, headers, body: &[] })
    }

    /// What the operation answers, and the damage that is to be done to it.
    fn answer(
        &self,
        head: &Parts,
        labels: Labels,
        body: &[u8],
        operation: &'static dyn Operation,
        exchange: &mut Exchange,
    ) -> Result<Granted, Failure> {
        let mut asked = Asked::new(self, head, labels, body, exchange);
        let written = operation.answer(&mut asked).and_then(|written| {
            asked.admit(&Subject::default())?;
            Ok(written)
        });
        match written {
            Ok(written) => {
                let damage = asked.damage().cloned();
                Ok(Granted { written, damage, reservation: asked.reservation.take() })
            }
            Err(_) if asked.is_severed() => Err(Failure::Severed),
            Err(error) => Err(Failure::Refused(error)),
        }
    }

    /// The response that carries `written`, and how long after the arrival of the request its first
    /// byte goes out.
    fn respond(
        &self,
        mut written: Written,
        way: Way<'_>,
        mut recorder: Recorder,
        arrived: Instant,
    ) -> (Response<AnswerBody>, Duration) {
        recorder.charge(written.usage);
        let held = way.damage.as_ref().map(Damage::first_byte_delay).unwrap_or_default();
        let ending = way.damage.as_ref().map_or(fault::Ending::Complete, |damage| {
            damage.apply(&mut written, recorder.exchange(), way.operation)
        });
        let mut response = Response::new(());
        let headers = response.headers_mut();
        // In the order of the service.
        headers.insert(CONTENT_TYPE, written.body.content_type());
        headers.insert(REQUEST_ID, request_id(&mut recorder));
        headers.extend(written.headers);
        let cut = || Cut::new(way.line, way.version);
        let body = match written.body {
            WrittenBody::Whole(bytes) => {
                let bytes = Bytes::from(bytes);
                match ending {
                    fault::Ending::Cut => AnswerBody::Cut {
                        part: Some(bytes.slice(..bytes.len() / 2)),
                        length: bytes.len() as u64,
                        cut: cut(),
                        recorder,
                    },
                    _ => AnswerBody::Whole { bytes: Some(bytes), recorder },
                }
            }
            WrittenBody::Stream(mut script) => {
                let last = script.len().saturating_sub(1);
                script.hold(last, self.config.last_frame_delay);
                let ending = match ending {
                    fault::Ending::Complete => Ending::Complete,
                    fault::Ending::Short => Ending::Short,
                    fault::Ending::Cut => Ending::Cut(cut()),
                };
                recorder.streams(Arc::clone(&self.streams));
                let player =
                    Player::new(script, arrived, self.config.speed, Arc::clone(&self.timer));
                AnswerBody::Stream { player, model: written.model, ending, recorder }
            }
            WrittenBody::Session(session) => {
                recorder.streams(Arc::clone(&self.streams));
                let opening = Opening {
                    request: way.incoming.unwrap_or_default(),
                    signatures: way.signatures,
                    cut: cut(),
                    damage: way.damage,
                };
                AnswerBody::Duplex(Box::new(Duplex::new(&self.config, opening, *session, recorder)))
            }
        };
        (response.map(|()| body), timing::wait(self.config.speed, written.due, held))
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

/// The answer to a caller who is not let in, recorded.
fn turn_away(refusal: &Refusal, mut recorder: Recorder) -> Response<AnswerBody> {
    recorder.exchange().exception = Some(refusal.exception.to_owned());
    let bytes = Some(Bytes::from(refusal.body()));
    failed(StatusCode::FORBIDDEN, Some(&refusal.error_type()), request_id(&mut recorder))
        .map(|()| AnswerBody::Whole { bytes, recorder })
}

/// An answer that is an exception, recorded.
fn refuse(
    error: &ServiceError,
    operation: &dyn Operation,
    mut recorder: Recorder,
) -> Response<AnswerBody> {
    let exchange = recorder.exchange();
    exchange.exception = error.is_typed.then(|| error.exception.to_owned());
    let bytes = Some(Bytes::from(operation.error_body(error)));
    exception(error, request_id(&mut recorder)).map(|()| AnswerBody::Whole { bytes, recorder })
}

fn exception(error: &ServiceError, request_id: HeaderValue) -> Response<()> {
    let error_type = error.is_typed.then(|| error.error_type());
    failed(error.status, error_type.as_deref(), request_id)
}

fn failed(status: StatusCode, error_type: Option<&str>, request_id: HeaderValue) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(REQUEST_ID, request_id);
    if let Some(error_type) = error_type.and_then(|name| HeaderValue::from_str(name).ok()) {
        headers.insert(ERROR_TYPE, error_type);
    }
    response
}

fn request_id(recorder: &mut Recorder) -> HeaderValue {
    HeaderValue::from_str(&recorder.exchange().request_id)
        .expect("a request id is hexadecimal digits and hyphens")
}

async fn receive<B>(body: B) -> Received
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    match Limited::new(body, BODY_LIMIT_BYTES).collect().await {
        Ok(body) => Received::Whole(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Received::TooLong,
        Err(_) => Received::BrokenOff,
    }
}
