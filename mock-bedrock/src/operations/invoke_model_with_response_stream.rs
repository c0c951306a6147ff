//! InvokeModelWithResponseStream: the family's own chunks in base64, each with its padding.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue};
use spanproof_schemas::ledger;

use super::{Operation, Stated, Written};
use crate::answer::{Answer, Stop};
use crate::asked::Asked;
use crate::draw::{self, Purpose};
use crate::error::ServiceError;
use crate::event_stream::padding;
use crate::families::{Chunks, Family};
use crate::inference::{self, Shape};
use crate::model::{Capability, Model};
use crate::route::Route;
use crate::script::Script;
use crate::turn::Turn;

/// `POST /model/{modelId}/invoke-with-response-stream`
pub(crate) struct InvokeModelWithResponseStream;

const CONTENT_TYPE: HeaderName = HeaderName::from_static("x-amzn-bedrock-content-type");

impl Operation for InvokeModelWithResponseStream {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::InvokeModelWithResponseStream
    }

    fn route(&self) -> Route {
        Route::post("/model/{modelId}/invoke-with-response-stream")
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        inference::answer(self, asked)
    }
}

impl Shape for InvokeModelWithResponseStream {
    fn read(&self, family: &dyn Family, body: &[u8], model: &Model) -> Result<Turn, ServiceError> {
        if !model.supports(Capability::Stream) {
            return Err(ServiceError::validation("The model is unsupported for streaming."));
        }
        family.read(body, model)
    }

    fn write(&self, family: &dyn Family, answer: &Answer) -> Written {
        let mut script = Script::default();
        let mut draws = draw::generator(answer.key, Purpose::Padding);
        let mut payload = String::with_capacity(512);
        let mut put = |chunk: &[u8], role, due, chars| {
            script.enter(role);
            payload.clear();
            payload.push_str("{\"bytes\":\"");
            STANDARD.encode_string(chunk, &mut payload);
            payload.push_str("\",\"p\":\"");
            payload.push_str(padding(&mut draws));
            payload.push_str("\"}");
            script.event("chunk", payload.as_bytes(), due, chars);
        };
        match &answer.guardrail {
            None => family.stream(answer, &mut Chunks::new(answer, put)),
            Some(told) => {
                let mut chunks = Vec::new();
                let take = |chunk: &[u8], role, due, chars| {
                    chunks.push((chunk.to_vec(), role, due, chars));
                };
                family.stream(answer, &mut Chunks::new(answer, take));
                let last = chunks.len().saturating_sub(1);
                for (n, (chunk, role, due, chars)) in chunks.into_iter().enumerate() {
                    put(&told.chunk(chunk, n == last), role, due, chars);
                }
            }
        }
        let headers = vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        Written::stream(answer, script).with_headers(headers)
    }

    fn stop_word<'s>(&self, family: &dyn Family, stop: &'s Stop) -> &'s str {
        family.stop_word(stop)
    }

    fn stated(&self, family: &dyn Family, answer: &Answer) -> Stated {
        family.stated(answer)
    }
}
