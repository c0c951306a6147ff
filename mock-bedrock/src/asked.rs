//! A request on its way to an operation.

use std::borrow::Cow;

use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use spanproof_schemas::ledger::Exchange;

use crate::error::ServiceError;
use crate::exchange::Service;
use crate::fault::Fault;
use crate::model::Model;
use crate::route::Labels;

/// What an operation gets: the request, and the record that it fills in.
pub(crate) struct Asked<'a> {
    pub(crate) service: &'a Service,
    pub(crate) head: &'a Parts,
    pub(crate) labels: Labels,
    pub(crate) body: &'a [u8],
    /// What holds of the request goes in here first, so that the record of a failed exchange has it
    /// too.
    pub(crate) exchange: &'a mut Exchange,
    admission: Option<Option<Fault>>,
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
        Asked { service, head, labels, body, exchange, admission: None }
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
        if self.admission.is_some() {
            return Ok(());
        }
        let _ = subject;
        let asked = Fault::asked(&self.head.headers, self.exchange.operation.is_streamed())?;
        self.admission = Some(asked.map(|(_, fault)| fault));
        if let Some((name, fault)) = asked {
            self.exchange.fault = Some(name.to_owned());
            if let Some(error) = fault.exception() {
                return Err(error);
            }
        }
        Ok(())
    }

    /// The fault that is to be done to the answer, once the request was let through.
    pub(crate) fn fault(&self) -> Option<Fault> {
        self.admission.flatten()
    }
}
