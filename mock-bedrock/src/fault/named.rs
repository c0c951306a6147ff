//! From the name of a fault to what it does.

use spanproof_schemas::ledger::{Operation, Task};

use super::damage::{Damage, Frame, lower};
use super::declared;
use super::exceptions::{EXCEPTIONS, Exception};
use super::{Effect, Fault, Reason, span};
use crate::error::ServiceError;

/// The request that a fault is to strike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting<'a> {
    pub(crate) operation: Operation,
    pub(crate) task: Task,
    /// Whether the answer is a stream.
    pub(crate) streams: bool,
    pub(crate) model_id: &'a str,
}

/// The faults that have a name alone, but for exceptions and stop reasons.
const PLAIN: &[(&str, Effect)] = &[
    ("cut", Effect::Damage(Damage::Cut)),
    ("cut:before-headers", Effect::CutBeforeHeaders),
    ("cut:between-frames", Effect::Damage(Damage::CutBetweenFrames)),
    ("no-message-stop", Effect::Damage(Damage::NoMessageStop)),
    ("no-metadata", Effect::Damage(Damage::NoMetadata)),
    ("bad-crc", Effect::Damage(Damage::BadCrc)),
    ("unknown-event", Effect::Damage(Damage::UnknownEvent)),
    ("unknown-stop-reason", Effect::Stop(Reason::Unknown)),
];

/// A throttling without its type, as a proxy in front of the service would send it.
const UNTYPED: &str = "untyped:429";
/// From which likeness on, of 1, a name is taken for a mistyped one.
const LIKE: f64 = 0.8;
/// A frame of the kind that is neither event nor exception.
const ERROR_FRAME: &str = "stream:error";

/// The fault that `name` names, for a request of this kind.
///
/// # Errors
///
/// What is wrong with the name, or why it does not fit the request.
pub(super) fn read(name: &str, setting: Setting<'_>) -> Result<Fault, String> {
    let effect = effect(name, setting)?;
    let needs = match &effect {
        Effect::Damage(damage) => damage.needs(),
        Effect::Stop(_) => Needs::Message,
        Effect::Refusal(_) | Effect::CutBeforeHeaders => Needs::Nothing,
    };
    match needs.missing(setting) {
        None => Ok(Fault { name: name.to_owned(), effect, is_planned: false }),
        Some(what) => Err(format!("`{name}` needs {what}")),
    }
}

/// As [`read`], for a request that is not known yet: only the name is judged.
pub(super) fn check(name: &str) -> Result<(), String> {
    let is_exception = |name: &str| Exception::find(name).is_some();
    let in_stream = name.strip_prefix("stream:").is_some_and(|frame| {
        name == ERROR_FRAME || upper(frame).is_some_and(|name| is_exception(&name))
    });
    if name == UNTYPED || is_exception(name) || in_stream {
        return Ok(());
    }
    simple(name).map(|_| ())
}

fn effect(name: &str, setting: Setting<'_>) -> Result<Effect, String> {
    let operation = setting.operation;
    let undeclared =
        |exception: &str| format!("`{name}`: {} does not declare {exception}", operation.name());
    if name == UNTYPED {
        let throttled = Exception::find("ThrottlingException");
        let error = throttled.and_then(|known| known.refusal(operation, setting.model_id));
        let error = error.ok_or_else(|| undeclared("ThrottlingException"))?;
        return Ok(Effect::Refusal(Box::new(ServiceError { is_typed: false, ..error })));
    }
    if let Some(exception) = Exception::find(name) {
        let error = exception.refusal(operation, setting.model_id);
        let error = error.ok_or_else(|| undeclared(exception.name))?;
        return Ok(Effect::Refusal(Box::new(error)));
    }
    if name == ERROR_FRAME {
        return Ok(Effect::Damage(Damage::Frame(Frame::Error)));
    }
    if let Some(exception) =
        name.strip_prefix("stream:").and_then(upper).and_then(|name| Exception::find(&name))
    {
        if !setting.streams {
            return Err(format!("`{name}` needs a streaming operation"));
        }
        let error = exception.in_stream(operation, setting.model_id);
        let error = error.ok_or_else(|| {
            format!("`{name}`: the stream of {} has no such exception", operation.name())
        })?;
        return Ok(Effect::Damage(Damage::Frame(Frame::Exception(Box::new(error)))));
    }
    simple(name)
}

/// The effect of a fault that is no exception.
fn simple(name: &str) -> Result<Effect, String> {
    if let Some((_, effect)) = PLAIN.iter().find(|(known, _)| *known == name) {
        return Ok(effect.clone());
    }
    if let Some(reason) = name.strip_prefix("stop:").and_then(Reason::named) {
        return Ok(Effect::Stop(reason));
    }
    let parameter = |key: &str| name.strip_prefix(key)?.strip_prefix('=');
    if let Some(text) = parameter("slow-first-byte") {
        return Ok(Effect::Damage(Damage::SlowFirstByte(span::parse(text)?)));
    }
    if let Some(text) = parameter("stall") {
        return Ok(Effect::Damage(Damage::Stall(span::parse(text)?)));
    }
    Err(unknown(name))
}

/// What to tell who asks for a fault that there is not: the name that was meant, if one is near.
fn unknown(name: &str) -> String {
    let likeness =
        |known: &str| strsim::jaro_winkler(&known.to_ascii_lowercase(), &name.to_ascii_lowercase());
    let nearest = all().into_iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    let meant = match nearest.filter(|known| likeness(known) >= LIKE) {
        Some(known) => format!("did you mean `{known}`? "),
        None => String::new(),
    };
    format!("unknown fault `{name}`; {meant}`spanproof mock faults` lists them all")
}

/// Every name, as one asks for it.
pub(super) fn all() -> Vec<String> {
    let mut names: Vec<String> = EXCEPTIONS.iter().map(Exception::asked_for_by).collect();
    names.push(UNTYPED.to_owned());
    let in_streams = EXCEPTIONS.iter().filter(|exception| {
        exception.is_plain()
            && Operation::ALL
                .iter()
                .any(|operation| declared::in_stream(*operation).contains(&exception.name))
    });
    names.extend(in_streams.map(|exception| format!("stream:{}", lower(exception.name))));
    names.push(ERROR_FRAME.to_owned());
    names.extend(PLAIN.iter().map(|(name, _)| (*name).to_owned()));
    names.extend(["slow-first-byte=5s".to_owned(), "stall=5s".to_owned()]);
    names.extend(Reason::NAMED.iter().map(|reason| format!("stop:{}", reason.as_str())));
    names
}

/// The operations that the fault `name` can strike, for some request.
pub(super) fn operations(name: &str) -> Vec<Operation> {
    let strikes = |operation: Operation| {
        let streams = operation.is_streamed()
            || matches!(operation, Operation::ChatCompletions | Operation::Messages);
        let setting = Setting { operation, task: Task::Chat, streams, model_id: "" };
        read(name, setting).is_ok()
    };
    Operation::ALL.iter().copied().filter(|operation| strikes(*operation)).collect()
}

/// `ThrottlingException` for `throttlingException`.
fn upper(name: &str) -> Option<String> {
    let first = name.chars().next().filter(char::is_ascii_lowercase)?;
    Some(first.to_ascii_uppercase().to_string() + &name[1..])
}

/// What a fault needs of the answer that it strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    Nothing,
    Stream,
    /// A stream in the binary framing of AWS.
    EventStream,
    /// The stream of a model, which says why it ended and what it used.
    ModelStream,
    /// A message by a model, which says why it ended. What speaks ends its turns for one reason
    /// alone, and agents do not tell why their models stopped.
    Message,
}

impl Needs {
    /// What the request lacks, in words.
    fn missing(self, setting: Setting<'_>) -> Option<&'static str> {
        let is_framed =
            !matches!(setting.operation, Operation::ChatCompletions | Operation::Messages);
        let writes_message = matches!(
            setting.operation,
            Operation::Converse
                | Operation::ConverseStream
                | Operation::InvokeModel
                | Operation::InvokeModelWithResponseStream
                | Operation::ChatCompletions
                | Operation::Messages
        );
        let runs_model =
            writes_message || setting.operation == Operation::InvokeModelWithBidirectionalStream;
        let is_message =
            writes_message && matches!(setting.task, Task::Chat | Task::TextCompletion);
        match self {
            Needs::Nothing => None,
            Needs::Stream => (!setting.streams).then_some("a streaming operation"),
            Needs::EventStream => {
                (!(setting.streams && is_framed)).then_some("an event stream of AWS")
            }
            Needs::ModelStream => {
                (!(setting.streams && runs_model)).then_some("the stream of a model")
            }
            Needs::Message => (!is_message).then_some(
                "a message that says why it ended, which conversations in speech and agents do not have",
            ),
        }
    }
}
