//! Faults: what goes wrong on purpose, and how a request names it.

mod attempts;
mod catalogue;
mod damage;
mod declared;
mod exceptions;
mod named;
mod plan;
mod plans;
mod span;
mod stops;

use http::HeaderMap;

use crate::error::ServiceError;
use crate::request;

pub use attempts::Attempts;
pub use catalogue::{KnownFault, faults};
pub(crate) use damage::{Damage, EVENTS_BEFORE_EXCEPTION, Ending, put_unknown_event};
pub(crate) use named::Setting;
pub use plan::{Calls, FaultPlan, FaultPlanError, FaultRule};
pub(crate) use plans::{FaultPlans, Occasion};
pub use span::Span;
pub(crate) use stops::{Limits, Reason};

/// The request header that asks for a fault.
pub(crate) const HEADER: &str = "x-spanproof-fault";
/// The key of `requestMetadata` that does.
pub(crate) const METADATA_KEY: &str = "spanproof-fault";

/// What goes wrong, and the name that it is known by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    /// As it was asked for, without its attempts: `stall=5s`.
    pub(crate) name: String,
    pub(crate) effect: Effect,
    /// Whether a plan asked for it, not the request itself.
    pub(crate) is_planned: bool,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// An exception in place of the answer.
    Refusal(Box<ServiceError>),
    /// The connection, or the stream of HTTP/2, is dropped in place of the answer.
    CutBeforeHeaders,
    /// The answer is damaged on its way.
    Damage(Damage),
    /// The model ends its answer for a reason of its own.
    Stop(stops::Reason),
}

/// What a request asks for in a header or in its metadata: `NAME`, `NAME@2` or `NAME@1-2`.
///
/// # Errors
///
/// A `ValidationException` for a name that is not known, or that does not fit the request.
pub(crate) fn asked(
    text: &str,
    source: &str,
    setting: Setting<'_>,
    headers: &HeaderMap,
) -> Result<Option<Fault>, ServiceError> {
    let refused = |problem: String| ServiceError::validation(format!("{source}: {problem}"));
    let (name, attempts) = Attempts::split(text.trim()).map_err(refused)?;
    let fault = named::read(name, setting).map_err(refused)?;
    Ok(attempts.contains(request::fault_attempt(headers)).then_some(fault))
}

#[cfg(test)]
mod tests;
