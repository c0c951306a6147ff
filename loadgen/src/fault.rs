//! Faults that a call asks the mock service for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use spanproof_schemas::worker::{Call, Done};

/// The request header that asks for a fault.
const HEADER: &str = "x-spanproof-fault";

/// Ends a fault's name when only the first attempt of the call shall fail.
const FIRST_ATTEMPT: &str = "@1";

/// What faults an exception in place of the answer, one in the stream, and a cut connection are.
const NAMES: &[(&str, Kind)] = &[
    ("ThrottlingException", Kind::Exception),
    ("ValidationException", Kind::Exception),
    ("AccessDeniedException", Kind::Exception),
    ("ResourceNotFoundException", Kind::Exception),
    ("ModelTimeoutException", Kind::Exception),
    ("ModelErrorException", Kind::Exception),
    ("ModelNotReadyException", Kind::Exception),
    ("InternalServerException", Kind::Exception),
    ("ServiceUnavailableException", Kind::Exception),
    ("stream:throttlingException", Kind::InStream),
    ("stream:modelStreamErrorException", Kind::InStream),
    ("stream:internalServerException", Kind::InStream),
    ("stream:validationException", Kind::InStream),
    ("stream:serviceUnavailableException", Kind::InStream),
    ("cut", Kind::Cut),
    ("no-metadata", Kind::NoMetadata),
];

/// Where a fault shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// In place of the answer, by the name of the exception.
    Exception,
    /// After a few events of a stream.
    InStream,
    /// As a connection that ends within the answer.
    Cut,
    /// As a stream without its usage, which is no error.
    NoMetadata,
}

/// A fault to ask for, by its name: `ThrottlingException`, `stream:throttlingException`, `cut`,
/// each with `@1` after it to fail only the first attempt of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    name: &'static str,
    kind: Kind,
    first_attempt_only: bool,
}

impl Fault {
    /// The fault that `call` asks for.
    #[must_use]
    pub fn of(call: &Call) -> Option<Fault> {
        call.headers
            .iter()
            .find(|(name, _)| name == HEADER)
            .and_then(|(_, value)| value.parse().ok())
    }

    /// Whether the fault needs a streaming operation.
    #[must_use]
    pub fn needs_stream(self) -> bool {
        matches!(self.kind, Kind::InStream | Kind::NoMetadata)
    }

    /// The name of the error that the call ends with; nothing where an attempt that comes after it
    /// is answered, or where it is no error.
    pub(crate) fn error_type(self) -> Option<String> {
        match self.kind {
            _ if self.first_attempt_only => None,
            Kind::Exception => Some(self.name.to_owned()),
            Kind::InStream => {
                let name = self.name.trim_start_matches("stream:");
                let first = name.chars().next().map(|first| first.to_ascii_uppercase());
                Some(first.into_iter().chain(name.chars().skip(1)).collect())
            }
            Kind::Cut => Some("response".to_owned()),
            Kind::NoMetadata => None,
        }
    }

    /// Whether the answer states no usage, although it is one.
    pub(crate) fn hides_usage(self) -> bool {
        self.kind == Kind::NoMetadata
    }

    /// The HTTP status of the attempts that it strikes.
    pub(crate) fn status(self) -> u16 {
        if self.kind != Kind::Exception {
            return 200;
        }
        match self.name {
            "ThrottlingException" | "ModelNotReadyException" => 429,
            "AccessDeniedException" => 403,
            "ResourceNotFoundException" => 404,
            "ModelTimeoutException" => 408,
            "ModelErrorException" => 424,
            "InternalServerException" => 500,
            "ServiceUnavailableException" => 503,
            _ => 400,
        }
    }

    /// How many attempts it strikes when a client makes `most`.
    pub(crate) fn struck_attempts(self, most: u32) -> u32 {
        let is_retried = matches!(self.status(), 429 | 500 | 503);
        if self.first_attempt_only || !is_retried { 1 } else { most }
    }

    pub(crate) fn header(self) -> (String, String) {
        (HEADER.to_owned(), self.to_string())
    }

    /// Whether `done` is an end that this fault explains.
    ///
    /// A fault of the first attempt alone may end either way: clients differ in what they retry.
    /// What a client calls a broken stream differs too, so there any error will do.
    fn explains(self, done: &Done) -> bool {
        match (self.kind, done.error.as_deref()) {
            (_, None) => self.first_attempt_only || self.kind == Kind::NoMetadata,
            (Kind::Exception, Some(error)) => error == self.name,
            (Kind::InStream | Kind::Cut, Some(_)) => true,
            (Kind::NoMetadata, Some(_)) => false,
        }
    }
}

/// What is wrong with how a call ended, or nothing when it ended as planned.
pub(crate) fn unplanned_end(planned: Option<Fault>, done: &Done) -> Option<String> {
    match planned {
        Some(fault) if fault.explains(done) => None,
        Some(fault) => Some(match &done.error {
            Some(error) => format!("{error}, where {fault} was planned"),
            None => format!("an answer, where {fault} was planned"),
        }),
        None => done.error.clone(),
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if self.first_attempt_only { f.write_str(FIRST_ATTEMPT) } else { Ok(()) }
    }
}

/// A name that no fault has.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown fault `{given}`; known are {known}, each with `@1` after it for the first attempt only", known = known())]
pub struct UnknownFault {
    given: String,
}

fn known() -> String {
    NAMES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let (wanted, first_attempt_only) = match given.strip_suffix(FIRST_ATTEMPT) {
            Some(name) => (name, true),
            None => (given, false),
        };
        NAMES
            .iter()
            .find(|(name, _)| *name == wanted)
            .map(|&(name, kind)| Fault { name, kind, first_attempt_only })
            .ok_or_else(|| UnknownFault { given: given.to_owned() })
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(error: Option<&str>) -> Done {
        Done {
            call: 0,
            started_unix_nanos: 0,
            first_chunk_unix_nanos: None,
            finished_unix_nanos: 0,
            error: error.map(str::to_owned),
            usage: None,
            stop_reason: None,
        }
    }

    #[test]
    fn names_read_back() {
        for (name, _) in NAMES {
            for text in [(*name).to_owned(), format!("{name}@1")] {
                assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
            }
        }
        insta::assert_snapshot!("Throttling".parse::<Fault>().unwrap_err());
    }

    #[test]
    fn a_call_ends_as_planned_or_it_is_told_how_not() {
        let told: String = [
            (None, None),
            (None, Some("ThrottlingException")),
            (Some("ThrottlingException"), Some("ThrottlingException")),
            (Some("ThrottlingException"), Some("timeout")),
            (Some("ThrottlingException"), None),
            (Some("ThrottlingException@1"), None),
            (Some("ThrottlingException@1"), Some("ThrottlingException")),
            (Some("stream:throttlingException"), Some("EventStreamError")),
            (Some("stream:throttlingException"), None),
            (Some("cut"), Some("connection")),
            (Some("cut"), None),
            (Some("no-metadata"), None),
            (Some("no-metadata"), Some("connection")),
        ]
        .into_iter()
        .map(|(planned, error)| {
            let end = unplanned_end(planned.map(|name| name.parse().unwrap()), &done(error));
            format!("{planned:?} {error:?}: {}", end.as_deref().unwrap_or("as planned"))
        })
        .collect::<Vec<String>>()
        .join("\n");
        insta::assert_snapshot!(told);
    }
}
