//! The operations that the mock serves, one file each.

mod converse;
mod converse_stream;
mod invoke_model;
mod invoke_model_with_response_stream;

use http::{HeaderName, HeaderValue};
use spanproof_schemas::ledger;

use crate::answer::Answer;
use crate::error::ServiceError;
use crate::families::Family;
use crate::script::Script;
use crate::turn::Turn;

/// Every operation. A new one is a file beside this one, and a line here.
pub(crate) static OPERATIONS: &[&dyn Operation] = &[
    &converse::Converse,
    &converse_stream::ConverseStream,
    &invoke_model::InvokeModel,
    &invoke_model_with_response_stream::InvokeModelWithResponseStream,
];

/// How an operation reads requests and writes answers.
pub(crate) trait Operation: Sync {
    /// Its name in the ledger.
    fn operation(&self) -> ledger::Operation;

    /// The last segment of its path, after `/model/{modelId}/`.
    fn segment(&self) -> &'static str;

    /// Reads the body of a request.
    fn read(
        &self,
        family: &dyn Family,
        body: &[u8],
        model: &crate::model::Model,
    ) -> Result<Turn, ServiceError>;

    /// Writes an answer.
    fn write(&self, family: &dyn Family, answer: &Answer) -> Written;

    /// The response id and the model name that the answer's body states.
    fn stated(&self, family: &dyn Family, answer: &Answer) -> Stated {
        let _ = (family, answer);
        Stated::default()
    }
}

/// An answer as it goes out.
#[derive(Debug)]
pub(crate) struct Written {
    /// Headers beside the content type, which the body tells, and the request id.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: WrittenBody,
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum WrittenBody {
    Whole(Vec<u8>),
    Stream(Script),
}

impl WrittenBody {
    pub(crate) fn content_type(&self) -> HeaderValue {
        HeaderValue::from_static(match self {
            WrittenBody::Whole(_) => "application/json",
            WrittenBody::Stream(_) => "application/vnd.amazon.eventstream",
        })
    }
}

/// What an answer's body says of itself.
#[derive(Debug, Default)]
pub(crate) struct Stated {
    pub(crate) response_id: Option<String>,
    pub(crate) response_model: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_in_the_slice_and_every_operation_of_the_ledger_is_served() {
        let mut files: Vec<String> =
            std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/operations"))
                .unwrap()
                .map(|entry| {
                    entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()
                })
                .filter(|stem| stem != "mod")
                .collect();
        files.sort();
        let mut registered: Vec<String> =
            OPERATIONS.iter().map(|operation| snake_case(operation.operation().name())).collect();
        registered.sort();
        assert_eq!(files, registered);
        let served: Vec<_> = OPERATIONS.iter().map(|operation| operation.operation()).collect();
        assert_eq!(served, ledger::Operation::ALL);
    }

    fn snake_case(name: &str) -> String {
        let mut snake = String::new();
        for letter in name.chars() {
            if letter.is_uppercase() && !snake.is_empty() {
                snake.push('_');
            }
            snake.extend(letter.to_lowercase());
        }
        snake
    }
}
