//! What an agent tells of how it came to its answer.

use std::time::Duration;

use serde_json::{Value, json};

use super::agent::Agent;
use super::timeline::Timeline;
use crate::answer::Answer;
use crate::draw;
use crate::families;
use crate::timing::milliseconds;

/// Tells the steps of an agent, if the request wants to know them.
pub(super) struct Tracer<'a> {
    agent: &'a Agent,
    session_id: &'a str,
    is_enabled: bool,
    /// The id of the whole run, which those of the steps begin with.
    run: String,
    key: u64,
    /// Requests to other services that were told so far.
    calls: u64,
}

/// A call of a model, as a trace tells it.
pub(super) struct Call<'c> {
    /// What the model is asked for.
    pub(super) prompt: &'c str,
    pub(super) kind: &'static str,
    pub(super) began: Duration,
    pub(super) ended: Duration,
}

impl<'a> Tracer<'a> {
    pub(super) fn new(agent: &'a Agent, session_id: &'a str, is_enabled: bool, key: u64) -> Self {
        Tracer { agent, session_id, is_enabled, run: draw::uuid(key, 0), key, calls: 0 }
    }

    /// The id of a step, as `…-0` for the first.
    pub(super) fn step(&self, step: impl std::fmt::Display) -> String {
        format!("{}-{step}", self.run)
    }

    /// Tells a step of the orchestration.
    pub(super) fn orchestration(&self, timeline: &mut Timeline, step: &Value) {
        self.tell(timeline, &json!({ "orchestrationTrace": step }));
    }

    /// Tells any trace.
    pub(super) fn tell(&self, timeline: &mut Timeline, trace: &Value) {
        if !self.is_enabled {
            return;
        }
        let agent = self.agent;
        let mut part = json!({
            "callerChain": [{ "agentAliasArn": agent.alias_arn }],
            "eventTime": timeline.wall(timeline.due()),
            "sessionId": self.session_id,
            "trace": trace,
        });
        if let Some(version) = &agent.version {
            part["agentAliasId"] = agent.alias_id.as_str().into();
            part["agentId"] = agent.id.as_str().into();
            part["agentVersion"] = version.as_str().into();
        }
        timeline.event("trace", part);
    }

    /// How long something took; `usage` is what a model charged.
    pub(super) fn metadata(
        &mut self,
        timeline: &Timeline,
        began: Duration,
        ended: Duration,
    ) -> Value {
        self.calls += 1;
        json!({
            "clientRequestId": draw::uuid(self.key, self.calls),
            "endTime": timeline.wall(ended),
            "startTime": timeline.wall(began),
            "totalTimeMs": milliseconds(ended.saturating_sub(began)),
        })
    }

    /// A model is called. The answer to a search is asked for without naming the model, as
    /// recorded.
    pub(super) fn model_input(&self, timeline: &mut Timeline, call: &Call<'_>, trace_id: &str) {
        let mut input = json!({ "text": call.prompt, "traceId": trace_id, "type": call.kind });
        if call.kind == "ORCHESTRATION" {
            input["foundationModel"] = self.agent.model_id.as_str().into();
        }
        if let Some(configuration) = self.agent.inference_configuration() {
            input["inferenceConfiguration"] = configuration;
        }
        self.orchestration(timeline, &json!({ "modelInvocationInput": input }));
    }

    /// A model has answered: what it said in its family's own words, and what it charged.
    pub(super) fn model_output(
        &mut self,
        timeline: &mut Timeline,
        call: &Call<'_>,
        answer: &Answer,
        trace_id: &str,
    ) {
        let native = families::of(answer.model).write(answer);
        let mut output = json!({
            "rawResponse": { "content": String::from_utf8_lossy(&native) },
            "traceId": trace_id,
        });
        let mut metadata = self.metadata(timeline, call.began, call.ended);
        if answer.states_usage {
            metadata["usage"] = json!({
                "inputTokens": answer.usage.input_tokens,
                "outputTokens": answer.usage.output_tokens,
            });
        }
        output["metadata"] = metadata;
        self.orchestration(timeline, &json!({ "modelInvocationOutput": output }));
    }
}
