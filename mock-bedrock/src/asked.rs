//! A request on its way to an operation.

use std::borrow::Cow;

use http::HeaderName;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use spanproof_schemas::ledger::{Content, Exchange};

use crate::answer::Answer;
use crate::cache::Division;
use crate::draw;
use crate::error::ServiceError;
use crate::exchange::Service;
use crate::fault::{self, Damage, Effect, Fault, Limits, Occasion, Setting};
use crate::model::Model;
use crate::outline::{self, Outline};
use crate::request;
use crate::request_metadata::Metadata;
use crate::route::Labels;
use crate::throttle::Reservation;
use crate::turn::Turn;

// Names made once: looking one up by text would parse it for every request.
const FAULT: HeaderName = HeaderName::from_static(fault::HEADER);
const OUTLINE: HeaderName = HeaderName::from_static(outline::HEADER);

/// What an operation gets: the request, and the record that it fills in.
pub(crate) struct Asked<'a> {
    pub(crate) service: &'a Service,
    pub(crate) head: &'a Parts,
    pub(crate) labels: Labels,
    pub(crate) body: &'a [u8],
    /// What holds of the request goes in here first, so that the record of a failed exchange has it
    /// too.
    pub(crate) exchange: &'a mut Exchange,
    /// Whether the answer will be a stream, which for some operations the body says.
    pub(crate) streams: bool,
    /// Tokens of the model's quota, once the request was let through.
    pub(crate) reservation: Option<Reservation>,
    metadata: Metadata,
    /// Whether it was let through, or refused.
    is_decided: bool,
    fault: Option<Fault>,
}

/// What decides whether a request is let through, and what is done to its answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Subject<'a> {
    pub(crate) model: Option<&'static Model>,
    /// The text of the prompt.
    pub(crate) prompt: &'a str,
    /// Tokens that count toward the model's quota: the input that is not read from the prompt
    /// cache, and the most output that was asked for.
    pub(crate) quota_tokens: u64,
}

impl<'a> Asked<'a> {
    pub(crate) fn new(
        service: &'a Service,
        head: &'a Parts,
        labels: Labels,
        body: &'a [u8],
        exchange: &'a mut Exchange,
    ) -> Self {
        let streams = exchange.operation.is_streamed();
        let mut metadata = Metadata::of(exchange.operation, &head.headers, body);
        exchange.request_metadata = std::mem::take(&mut metadata.other);
        if exchange.test_id.is_none() {
            exchange.test_id.clone_from(&metadata.test);
        }
        Asked {
            service,
            head,
            labels,
            body,
            exchange,
            streams,
            reservation: None,
            metadata,
            is_decided: false,
            fault: None,
        }
    }

    /// The body as JSON.
    ///
    /// # Errors
    ///
    /// A `ValidationException` in the service's words when it is not, or not of this shape.
    pub(crate) fn json<'b, T: Deserialize<'b>>(&self) -> Result<T, ServiceError>
    where
        'a: 'b,
    {
        serde_json::from_slice(self.body).map_err(|_| ServiceError::unreadable())
    }

    /// The first value of the query parameter `name`, percent-decoded.
    pub(crate) fn query(&self, name: &str) -> Option<Cow<'a, str>> {
        self.head.uri.query()?.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key == name).then(|| percent_decode_str(value).decode_utf8_lossy())
        })
    }

    /// Lets the request through, or not, once an operation knows what it is about: here faults take
    /// the place of the answer. Operations call it when they have read and validated their request;
    /// for those that have no model and no prompt the pipeline does.
    ///
    /// # Errors
    ///
    /// The exception that is to be served.
    pub(crate) fn admit(&mut self, subject: &Subject<'_>) -> Result<(), ServiceError> {
        if self.is_decided {
            return Ok(());
        }
        let fault = self.asked_fault(subject)?;
        self.suffer(fault)?;
        if let Some(model) = subject.model
            && subject.quota_tokens > 0
        {
            let test = self.exchange.test_id.as_deref();
            self.reservation = self.service.throttle.take(model, test, subject.quota_tokens)?;
        }
        Ok(())
    }

    /// Does the fault that the scripted answer `script` names, unless the request has one already.
    ///
    /// # Errors
    ///
    /// The exception that is to be served, or a `ValidationException` for a fault that does not fit
    /// the request.
    pub(crate) fn strike(&mut self, fault: &str, script: &str) -> Result<(), ServiceError> {
        if self.effect().is_some() {
            return Ok(());
        }
        let source = format!("scripted answer {script}");
        let fault = fault::asked(fault, &source, self.setting(), &self.head.headers)?;
        self.suffer(fault)
    }

    /// Takes `fault` for what happens to the request.
    fn suffer(&mut self, fault: Option<Fault>) -> Result<(), ServiceError> {
        self.exchange.fault = fault.as_ref().map(|fault| fault.name.clone());
        let refused = match fault.as_ref().map(|fault| &fault.effect) {
            Some(Effect::Refusal(error)) => Some(ServiceError::clone(error)),
            // Nobody hears what it says.
            Some(Effect::CutBeforeHeaders) => Some(ServiceError::unreadable()),
            Some(Effect::Damage(_) | Effect::Stop(_)) | None => None,
        };
        self.is_decided = true;
        self.fault = fault;
        refused.map_or(Ok(()), Err)
    }

    /// What the request says its answer is to be like, in a header or else in its metadata.
    ///
    /// # Errors
    ///
    /// A `ValidationException` for what is no outline.
    pub(crate) fn outline(&self) -> Result<Option<Outline>, ServiceError> {
        let refused =
            |source: &str, problem| ServiceError::validation(format!("{source}: {problem}"));
        if let Some(value) = self.head.headers.get(OUTLINE) {
            let outline = String::from_utf8_lossy(value.as_bytes()).parse();
            return outline.map(Some).map_err(|problem| refused(outline::HEADER, problem));
        }
        let Some(text) = &self.metadata.outline else { return Ok(None) };
        let source = format!("requestMetadata {}", outline::METADATA_KEY);
        text.parse().map(Some).map_err(|problem| refused(&source, problem))
    }

    /// Records the turn that the request asks of a model.
    pub(crate) fn record(&mut self, turn: &Turn) {
        self.exchange.prompt_sha256 = draw::sha256(&turn.prompt);
        if turn.conversation.system_blocks > 0 {
            let (system, messages) = turn.halves();
            self.exchange.system_sha256 = Some(draw::sha256(system));
            self.exchange.messages_sha256 = Some(draw::sha256(messages));
        }
        self.exchange.parameters = turn.parameters.clone();
        self.exchange.conversation = turn.conversation.clone();
        if self.service.config.keep_content {
            self.exchange.content =
                Some(Content { prompt: turn.prompt.clone(), completion: String::new() });
        }
    }

    /// What `model` answers to `turn`, whose prompt the cache divides so.
    pub(crate) fn compose(&self, model: &'static Model, turn: Turn, division: Division) -> Answer {
        let service = self.service;
        let mut answer =
            Answer::compose(service.config.seed, &service.completion_stem, model, turn, division);
        answer.quirks = service.quirks;
        answer.request_id.clone_from(&self.exchange.request_id);
        answer.created_unix_seconds = self.exchange.arrived_unix_nanos / 1_000_000_000;
        answer.states_usage = self.damage() != Some(&Damage::NoMetadata);
        if let Some(pace) = service.pacing.overridden(model) {
            answer.set_pace(pace);
        }
        answer
    }

    /// What is to be done to the answer on its way, once the request was let through.
    pub(crate) fn damage(&self) -> Option<&Damage> {
        match self.effect() {
            Some(Effect::Damage(damage)) => Some(damage),
            _ => None,
        }
    }

    /// Makes `answer` end as a fault says, if one does.
    ///
    /// # Errors
    ///
    /// A `ValidationException` when the request asks for an end that it gives the model no chance
    /// to come to. What only a plan asks for is then left out.
    pub(crate) fn stop(
        &mut self,
        answer: &mut Answer,
        limits: &Limits,
    ) -> Result<(), ServiceError> {
        let Some(Fault { effect: Effect::Stop(reason), is_planned, .. }) = self.fault.as_ref()
        else {
            return Ok(());
        };
        reason.apply(answer, limits).or_else(|error| {
            self.exchange.fault = None;
            if *is_planned { Ok(()) } else { Err(error) }
        })
    }

    /// Whether the request gets no answer at all.
    pub(crate) fn is_severed(&self) -> bool {
        matches!(self.effect(), Some(Effect::CutBeforeHeaders))
    }

    fn effect(&self) -> Option<&Effect> {
        self.fault.as_ref().map(|fault| &fault.effect)
    }

    fn setting(&self) -> Setting<'_> {
        Setting {
            operation: self.exchange.operation,
            task: self.exchange.task,
            streams: self.streams,
            model_id: &self.exchange.model_id,
        }
    }

    /// The fault that the request itself asks for, in a header or else in its metadata; or else the
    /// one that a plan has for it.
    fn asked_fault(&self, subject: &Subject<'_>) -> Result<Option<Fault>, ServiceError> {
        let headers = &self.head.headers;
        let setting = self.setting();
        if let Some(value) = headers.get(FAULT) {
            let text = String::from_utf8_lossy(value.as_bytes());
            return fault::asked(&text, fault::HEADER, setting, headers);
        }
        match self.metadata.fault.as_deref() {
            Some(text) => {
                let source = format!("requestMetadata {}", fault::METADATA_KEY);
                fault::asked(text, &source, setting, headers)
            }
            None if !self.service.plans.is_planned() => Ok(None),
            None => Ok(self.service.plans.strike(Occasion {
                setting,
                model: subject.model.map(|model| model.id.as_str()),
                test: self.exchange.test_id.as_deref(),
                invocation_id: self.exchange.invocation_id.as_deref(),
                attempt: request::fault_attempt(headers),
                prompt: subject.prompt,
            })),
        }
    }
}
