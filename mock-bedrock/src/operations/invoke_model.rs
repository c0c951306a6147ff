//! InvokeModel: a whole answer in the body of the model's family; token counts stand in headers too.

use http::{HeaderName, HeaderValue};
use spanproof_schemas::ledger;

use super::{Operation, Stated, Written};
use crate::answer::{Answer, Stop};
use crate::asked::Asked;
use crate::error::ServiceError;
use crate::families::Family;
use crate::inference::{self, Shape};
use crate::model::Model;
use crate::route::Route;
use crate::turn::Turn;

/// `POST /model/{modelId}/invoke`
pub(crate) struct InvokeModel;

const LATENCY: HeaderName = HeaderName::from_static("x-amzn-bedrock-invocation-latency");
const CACHE_WRITE: HeaderName =
    HeaderName::from_static("x-amzn-bedrock-cache-write-input-token-count");
const CACHE_READ: HeaderName =
    HeaderName::from_static("x-amzn-bedrock-cache-read-input-token-count");
const OUTPUT: HeaderName = HeaderName::from_static("x-amzn-bedrock-output-token-count");
const INPUT: HeaderName = HeaderName::from_static("x-amzn-bedrock-input-token-count");

impl Operation for InvokeModel {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::InvokeModel
    }

    fn route(&self) -> Route {
        Route::post("/model/{modelId}/invoke")
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        inference::answer(self, asked)
    }
}

impl Shape for InvokeModel {
    fn read(&self, family: &dyn Family, body: &[u8], model: &Model) -> Result<Turn, ServiceError> {
        family.read(body, model)
    }

    fn write(&self, family: &dyn Family, answer: &Answer) -> Written {
        let usage = answer.usage;
        let mut headers = vec![(LATENCY, HeaderValue::from(answer.timing.total_ms()))];
        if answer.model.cache_minimum_tokens > 0 {
            headers.push((CACHE_WRITE, HeaderValue::from(usage.cache_write_input_tokens)));
            headers.push((CACHE_READ, HeaderValue::from(usage.cache_read_input_tokens)));
        }
        // A reranker states neither count, and an embedding model only that of its input.
        let task = family.task();
        if !matches!(task, ledger::Task::Embeddings | ledger::Task::Rerank) {
            headers.push((OUTPUT, HeaderValue::from(usage.output_tokens)));
        }
        if task != ledger::Task::Rerank {
            headers.push((INPUT, HeaderValue::from(usage.input_tokens)));
        }
        Written::whole(answer, family.write(answer)).with_headers(headers)
    }

    fn stop_word<'s>(&self, family: &dyn Family, stop: &'s Stop) -> &'s str {
        family.stop_word(stop)
    }

    fn stated(&self, family: &dyn Family, answer: &Answer) -> Stated {
        family.stated(answer)
    }
}
