//! RetrieveAndGenerateStream: the same answer as it is generated, each citation behind the text that
//! it is for.

use http::{HeaderName, HeaderValue};
use serde_json::json;
use spanproof_schemas::ledger;

use super::{Operation, Written};
use crate::agent_runtime::{Ends, GroundedRequest, Timeline};
use crate::asked::Asked;
use crate::draw::{self, Purpose};
use crate::error::ServiceError;
use crate::route::Route;
use crate::script::deltas;

const SESSION: HeaderName = HeaderName::from_static("x-amzn-bedrock-knowledge-base-session-id");

/// `POST /retrieveAndGenerateStream`
pub(crate) struct RetrieveAndGenerateStream;

impl Operation for RetrieveAndGenerateStream {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::RetrieveAndGenerateStream
    }

    fn route(&self) -> Route {
        Route::post("/retrieveAndGenerateStream")
    }

    fn task(&self) -> ledger::Task {
        ledger::Task::Chat
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        let request: GroundedRequest = asked.json()?;
        let grounded = request.answer(asked)?;
        let answer = &grounded.answer;
        let mut timeline = Timeline::new(asked);
        timeline.charge(answer.usage);
        timeline.wait_until(answer.timing.first);
        if let Some(action) = grounded.guardrail_action {
            timeline.event("guardrail", json!({ "action": action }));
        }
        let mut pieces = draw::generator(answer.key, Purpose::Deltas);
        let mut rest = grounded.text.as_str();
        let (mut told, mut citations) = (0, grounded.citations.iter().peekable());
        while !rest.is_empty() {
            // A citation comes as soon as its part is told, so no piece reaches beyond it.
            let until = citations.peek().map_or(usize::MAX, |citation| citation.end() - told);
            let part_end = rest.char_indices().nth(until).map_or(rest.len(), |(at, _)| at);
            let (part, behind) = rest.split_at(part_end);
            rest = behind;
            for text in deltas(part, &mut pieces) {
                let chars = text.chars().count();
                told += chars;
                timeline.generate(chars);
                timeline.wait_until(answer.timing.at(told));
                timeline.event("output", json!({ "text": text }));
            }
            if let Some(citation) = citations.next() {
                // Both forms, the older one beside the newer.
                let mut event = citation.json(Ends::BehindLast);
                event["citation"] = citation.json(Ends::BehindLast);
                timeline.event("citation", event);
            }
        }
        let session = HeaderValue::from_str(&grounded.session_id)
            .expect("a session's id was checked, or is a UUID");
        Ok(timeline.written(vec![(SESSION, session)], Some(answer.model)))
    }
}
