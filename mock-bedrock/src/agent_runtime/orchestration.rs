//! How an agent comes to its answer: it searches, calls actions, and answers.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue};
use rand::RngExt;
use serde_json::{Map, Value, json};

use super::action::Action;
use super::agent::Agent;
use super::citation::{self, Ends};
use super::generation::{self, Said, chat_model};
use super::guard::{Guard, GuardrailConfiguration, Verdict};
use super::knowledge_base::{KnowledgeBase, Passage};
use super::session::{Remembered, SessionKey};
use super::task::Task;
use super::timeline::Timeline;
use super::trace::{Call, Tracer};
use super::{MEDIAN_SEARCH_MS, RetrievalConfiguration};
use crate::answer::{Answer, Block};
use crate::asked::{Asked, Subject};
use crate::draw::{self, Fold, Purpose};
use crate::error::ServiceError;
use crate::model::Model;
use crate::operations::Written;
use crate::prose;
use crate::script::deltas;
use crate::timing::{self, milliseconds};
use crate::turn::{ToolChoice, Turn};

/// The median time of a Lambda function, of the agent before it calls anything, and of the end of a
/// session; plausible ones.
const MEDIAN_ACTION_MS: f64 = 300.0;
const MEDIAN_START_MS: f64 = 180.0;

/// All that a client is told when it ends a session.
const SESSION_ENDED: &str = "Session is terminated as 'endSession' flag is set in request.";

/// One request to an agent.
pub(crate) struct Run<'r> {
    pub(crate) agent: &'r Agent,
    pub(crate) task: &'r Task,
    pub(crate) session_id: &'r str,
    pub(crate) guardrail: Option<&'r GuardrailConfiguration>,
    /// How the agent's knowledge base is searched when the session does not say.
    pub(crate) retrieval: Option<&'r RetrievalConfiguration>,
    pub(crate) said: Said,
    /// How long the session lives on when nothing is said.
    pub(crate) idle: Duration,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

/// What an action was called with, and what it returned.
struct Observed {
    call: String,
    result: String,
}

impl Run<'_> {
    /// What the agent tells.
    ///
    /// # Errors
    ///
    /// A `ValidationException` in the service's words for what it refuses, the service's exceptions
    /// for models that it does not know, and whatever is served in place of an answer.
    pub(crate) fn written(mut self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        self.task.check()?;
        let headers = std::mem::take(&mut self.headers);
        let prompt = self.said.prompt.clone();
        generation::record(asked, std::mem::take(&mut self.said));
        let mut key = Fold::new(asked.service.config.seed);
        for part in [&self.agent.id, &self.agent.alias_id, self.session_id, &prompt] {
            key.bytes(part.as_bytes());
        }
        let key = key.finish();
        let session = SessionKey {
            test: asked.exchange.test_id.clone(),
            agent: self.agent.id.clone(),
            alias: self.agent.alias_id.clone(),
            session: self.session_id.to_owned(),
        };
        let sessions = &asked.service.sessions;
        let mut timeline = Timeline::new(asked);
        if self.task.ends_session() {
            asked.admit(&Subject { prompt: &prompt, ..Subject::default() })?;
            sessions.end(&session);
            generation::complete(asked, SESSION_ENDED);
            timeline.wait(timing::latency(MEDIAN_START_MS, key));
            chunk(&mut timeline, SESSION_ENDED, &[]);
            return Ok(timeline.written(headers, None));
        }
        let model = chat_model(asked, &self.agent.model_id)?;
        let guard = Guard::of(asked, self.guardrail)?;
        let base = self.knowledge_base()?;
        let history = sessions.recall(&session);
        let first = self.turn(model, &history, &[], None);
        generation::admit(asked, model, &prompt, &first)?;

        let tracer =
            Tracer::new(self.agent, self.session_id, self.task.enable_trace == Some(true), key);
        let mut telling = Telling { tracer, timeline, guard, model, key };
        telling.timeline.wait(timing::latency(MEDIAN_START_MS, key));
        if let Some(refusal) = telling.look(Side::Input, &prompt) {
            asked.exchange.guardrail_action = Some("GUARDRAIL_INTERVENED".to_owned());
            generation::complete(asked, &refusal);
            chunk(&mut telling.timeline, &refusal, &[]);
            return Ok(telling.timeline.written(headers, None));
        }
        let passages = match base {
            None => Vec::new(),
            Some((id, wanted)) => {
                let found = KnowledgeBase::new(asked.service.config.seed, id);
                let mut passages =
                    found.search(self.task.text(), wanted.kind, wanted.filter.as_ref());
                passages.truncate(wanted.results);
                telling.search(id, self.task.text(), &passages);
                passages
            }
        };
        let mut observed = None;
        let mut step = 0;
        if !self.agent.actions.is_empty() && self.task.results().is_empty() {
            let turn = self.turn(model, &history, &passages, None);
            let answer = generation::compose(asked, model, turn);
            let trace_id = telling.tracer.step(step);
            telling.ask("ORCHESTRATION", &self.task_prompt(&history, &[]), &answer, &trace_id);
            if let Some((action, arguments)) = self.called(&answer) {
                let marker = answer.marker.clone();
                let goes_to_client = action.goes_to_client();
                let told = telling.act(self.agent, action, &arguments, &trace_id);
                if goes_to_client || self.task.enable_trace == Some(true) {
                    asked.exchange.markers.extend(marker);
                }
                let Some(result) = told else {
                    let called = Value::Object(arguments).to_string();
                    let said = vec![self.task.said(), Remembered::assistant(called)];
                    sessions.remember(session, said, self.idle);
                    return Ok(telling.timeline.written(headers, Some(model)));
                };
                let call = Value::Object(arguments).to_string();
                observed = Some(Observed { call, result });
                step += 1;
            }
        }
        let mut turn = self.turn(model, &history, &passages, observed.as_ref());
        turn.tool_choice = ToolChoice::None;
        let answer = generation::compose(asked, model, turn);
        let prompt = self.task_prompt(&history, &passages);
        let (written, said) = self.conclude(
            asked,
            telling,
            &answer,
            Rest { passages: &passages, prompt, step, headers },
        );
        let said = vec![self.task.said(), Remembered::assistant(said)];
        sessions.remember(session, said, self.idle);
        Ok(written)
    }

    /// The knowledge base that is searched, and how.
    fn knowledge_base(&self) -> Result<Option<(&str, super::retrieval::Wanted)>, ServiceError> {
        let state = self.task.session_state.as_ref();
        let configured =
            state.and_then(|state| state.knowledge_base_configurations.as_ref()?.first());
        let id = configured.and_then(|one| one.knowledge_base_id.as_deref());
        let Some(id) = id.or(self.agent.knowledge_base.as_deref()) else { return Ok(None) };
        let retrieval =
            configured.and_then(|one| one.retrieval_configuration.as_ref()).or(self.retrieval);
        let default = RetrievalConfiguration::default();
        let wanted = retrieval.unwrap_or(&default).wanted("retrievalConfiguration")?;
        Ok(Some((id, wanted)))
    }

    /// What the model is asked.
    fn turn(
        &self,
        model: &Model,
        history: &[Remembered],
        passages: &[Passage],
        observed: Option<&Observed>,
    ) -> Turn {
        let mut turn = Turn::new();
        for action in &self.agent.actions {
            let schema = serde_json::value::to_raw_value(&action.schema)
                .expect("a schema was read from JSON, or is ours");
            turn.add_tool(action.tool_name(), Some(&action.description), schema);
        }
        turn.add_system(&self.agent.instruction);
        for passage in passages {
            turn.add_text(&passage.text);
        }
        for message in history {
            turn.begin_message(message.role);
            turn.add_text(&message.text);
        }
        self.task.converse(&mut turn);
        if let Some(observed) = observed {
            turn.begin_message("assistant");
            turn.add_structure(&observed.call);
            turn.begin_message("user");
            turn.add_text(&observed.result);
        }
        turn.parameters.max_tokens = Some(self.agent.max_tokens(model));
        turn.parameters.temperature = self.agent.inference.temperature;
        turn.parameters.stop_sequences =
            self.agent.inference.stop_sequences.clone().unwrap_or_default();
        // An agent that has actions does something first.
        if !self.agent.actions.is_empty() {
            turn.tool_choice = ToolChoice::Any;
        }
        turn
    }

    /// What a trace shows of that: the system prompt, what was said before, and the client's message,
    /// in the notation that was recorded of a first turn.
    fn task_prompt(&self, history: &[Remembered], passages: &[Passage]) -> String {
        let mut system = self.agent.instruction.clone();
        for passage in passages {
            system.push_str("\n\n");
            system.push_str(&passage.text);
        }
        let now = Remembered::user(self.task.text());
        let messages: Vec<String> = history
            .iter()
            .chain([&now])
            .map(|message| {
                let content = Value::from(format!("[{{text={}, type=text}}]", message.text));
                format!("{{\"content\":{content},\"role\":\"{}\"}}", message.role)
            })
            .collect();
        format!("{{\"system\":{},\"messages\":[{}]}}", Value::from(system), messages.join(","))
    }

    /// The action that the model calls, and its arguments.
    fn called(&self, answer: &Answer) -> Option<(&Action, Map<String, Value>)> {
        answer.blocks.iter().find_map(|block| {
            let Block::ToolUse { name, input } = block else { return None };
            let action = self.agent.actions.iter().find(|action| action.tool_name() == *name)?;
            Some((action, serde_json::from_str(input).ok()?))
        })
    }

    /// Tells the answer, and returns what it says.
    fn conclude(
        &self,
        asked: &mut Asked<'_>,
        mut telling: Telling<'_>,
        answer: &Answer,
        rest: Rest<'_>,
    ) -> (Written, String) {
        let Rest { passages, prompt, step, headers } = rest;
        // The answer to a mere search was recorded as a step of another kind.
        let is_search = !passages.is_empty() && self.agent.actions.is_empty();
        let (kind, trace_id, last_id) = if is_search {
            let step = telling.tracer.step("KB-null-0");
            ("KNOWLEDGE_BASE_RESPONSE_GENERATION", step, telling.tracer.step(1))
        } else {
            ("ORCHESTRATION", telling.tracer.step(step), telling.tracer.step(step))
        };
        let whole = answer.text();
        let (rationale, said) = if is_search { (None, &*whole) } else { split(&whole) };
        let began = telling.timeline.due();
        let ended = began + answer.timing.total;
        let call = Call { prompt: &prompt, kind, began, ended };
        telling.tracer.model_input(&mut telling.timeline, &call, &trace_id);
        telling.timeline.charge(answer.usage);
        let verdict = telling.guard.as_ref().map(|guard| guard.output(said));
        let said = verdict.as_ref().map_or_else(|| said.to_owned(), |verdict| verdict.text.clone());
        let citations: Vec<Value> = citation::cite(&said, passages, answer.key)
            .iter()
            .filter(|_| !passages.is_empty())
            .map(|citation| citation.json(Ends::AtLast))
            .collect();
        let reasoned = rationale.map_or(0, |text| text.chars().count());
        if self.task.streams() {
            telling.timeline.generate(reasoned);
            telling.stream(answer, reasoned, &said, &citations);
        } else {
            telling.timeline.generate(whole.chars().count());
        }
        telling.timeline.wait_until(ended);
        telling.tracer.model_output(&mut telling.timeline, &call, answer, &trace_id);
        if let Some(rationale) = rationale {
            let step = json!({ "rationale": { "text": rationale, "traceId": trace_id } });
            telling.tracer.orchestration(&mut telling.timeline, &step);
        }
        if let Some(verdict) = &verdict {
            telling.tell_verdict(Side::Output, verdict);
        }
        telling.finish(&said, &last_id);
        if !self.task.streams() {
            chunk(&mut telling.timeline, &said, &citations);
        }
        if let Some(verdict) = verdict {
            let action = if verdict.action() == "NONE" { "NONE" } else { "GUARDRAIL_INTERVENED" };
            asked.exchange.guardrail_action = Some(action.to_owned());
        }
        generation::complete(asked, &said);
        let is_traced = self.task.enable_trace == Some(true);
        let marker = answer.marker.clone();
        asked.exchange.markers.extend(marker.filter(|marker| is_traced || said.contains(marker)));
        (telling.timeline.written(headers, Some(telling.model)), said)
    }
}

/// What an agent concludes from, beside its answer.
struct Rest<'a> {
    passages: &'a [Passage],
    /// What a trace shows of what the model was asked.
    prompt: String,
    step: usize,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// Which text a guardrail looks at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Input,
    Output,
}

/// An agent that tells what it does while it does it.
struct Telling<'a> {
    tracer: Tracer<'a>,
    timeline: Timeline,
    guard: Option<Guard<'a>>,
    model: &'static Model,
    key: u64,
}

impl Telling<'_> {
    /// The guardrail looks at what the client said; its message, if it goes no further.
    fn look(&mut self, side: Side, text: &str) -> Option<String> {
        let verdict = self.guard.as_ref()?.input(text);
        self.timeline.wait(verdict.took);
        self.tell_verdict(side, &verdict);
        verdict.blocks().then_some(verdict.text)
    }

    fn tell_verdict(&mut self, side: Side, verdict: &Verdict) {
        let ended = self.timeline.due();
        let began = ended.saturating_sub(verdict.took);
        let (assessments, step) = match side {
            Side::Input => ("inputAssessments", "guardrail-pre-0"),
            Side::Output => ("outputAssessments", "guardrail-post-0"),
        };
        let trace = json!({ "guardrailTrace": {
            "action": verdict.action(),
            assessments: [verdict.assessment],
            "metadata": self.tracer.metadata(&self.timeline, began, ended),
            "traceId": self.tracer.step(step),
        }});
        self.tracer.tell(&mut self.timeline, &trace);
    }

    /// A knowledge base is searched.
    fn search(&mut self, id: &str, query: &str, passages: &[Passage]) {
        let trace_id = self.tracer.step(0);
        let began = self.timeline.due();
        let input = json!({ "invocationInput": {
            "invocationType": "KNOWLEDGE_BASE",
            "knowledgeBaseLookupInput": { "knowledgeBaseId": id, "text": query },
            "traceId": trace_id,
        }});
        self.tracer.orchestration(&mut self.timeline, &input);
        self.timeline.wait(timing::latency(MEDIAN_SEARCH_MS, self.key));
        let references: Vec<Value> = passages.iter().map(Passage::reference).collect();
        let observation = json!({ "observation": {
            "knowledgeBaseLookupOutput": {
                "metadata": self.tracer.metadata(&self.timeline, began, self.timeline.due()),
                "retrievedReferences": references,
            },
            "traceId": trace_id,
            "type": "KNOWLEDGE_BASE",
        }});
        self.tracer.orchestration(&mut self.timeline, &observation);
    }

    /// The model is asked, and its answer is waited for.
    fn ask(&mut self, kind: &'static str, prompt: &str, answer: &Answer, trace_id: &str) {
        let began = self.timeline.due();
        let call = Call { prompt, kind, began, ended: began + answer.timing.total };
        self.tracer.model_input(&mut self.timeline, &call, trace_id);
        self.timeline.wait_until(call.ended);
        self.timeline.charge(answer.usage);
        self.timeline.generate(answer.blocks.iter().map(Block::chars).sum());
        self.tracer.model_output(&mut self.timeline, &call, answer, trace_id);
    }

    /// An action is invoked: what it returned, or nothing when the client is to do it.
    fn act(
        &mut self,
        agent: &Agent,
        action: &Action,
        arguments: &Map<String, Value>,
        trace_id: &str,
    ) -> Option<String> {
        let invocation_id = draw::uuid(self.key, u64::MAX);
        let began = self.timeline.due();
        let input = json!({ "invocationInput": {
            "actionGroupInvocationInput": action.traced(arguments, &invocation_id),
            "invocationType": "ACTION_GROUP",
            "traceId": trace_id,
        }});
        self.tracer.orchestration(&mut self.timeline, &input);
        if action.goes_to_client() {
            self.timeline.event(
                "returnControl",
                json!({
                    "invocationId": invocation_id,
                    "invocationInputs": [action.returned(arguments, &agent.id)],
                }),
            );
            return None;
        }
        let mut draws = draw::generator(self.key, Purpose::Agent);
        let mut result = String::new();
        let chars = draws.random_range(40..160);
        prose::write(&mut result, chars, &mut draws);
        self.timeline.wait(timing::latency(MEDIAN_ACTION_MS, self.key));
        let observation = json!({ "observation": {
            "actionGroupInvocationOutput": {
                "metadata": self.tracer.metadata(&self.timeline, began, self.timeline.due()),
                "text": result,
            },
            "traceId": trace_id,
            "type": "ACTION_GROUP",
        }});
        self.tracer.orchestration(&mut self.timeline, &observation);
        Some(result)
    }

    /// The answer is told as it is generated, behind so many characters that are not told.
    fn stream(&mut self, answer: &Answer, reasoned: usize, said: &str, citations: &[Value]) {
        let began = self.timeline.due();
        let mut pieces = draw::generator(answer.key, Purpose::Deltas);
        let mut told = reasoned;
        let mut rest = deltas(said, &mut pieces).peekable();
        while let Some(text) = rest.next() {
            let chars = text.chars().count();
            told += chars;
            self.timeline.generate(chars);
            self.timeline.wait_until(began + answer.timing.at(told));
            // What the answer rests on is known at its end.
            let cited = if rest.peek().is_none() { citations } else { &[] };
            chunk(&mut self.timeline, text, cited);
        }
    }

    /// The answer stands.
    fn finish(&mut self, said: &str, trace_id: &str) {
        let ended = self.timeline.due();
        let observation = json!({ "observation": {
            "finalResponse": {
                "metadata": {
                    "endTime": self.timeline.wall(ended),
                    "operationTotalTimeMs": milliseconds(ended),
                    "startTime": self.timeline.wall(Duration::ZERO),
                },
                "text": said,
            },
            "traceId": trace_id,
            "type": "FINISH",
        }});
        self.tracer.orchestration(&mut self.timeline, &observation);
    }
}

/// The first sentence of an answer is what the agent thought, and the rest is what it says; all of
/// it is said when there is but one sentence.
fn split(text: &str) -> (Option<&str>, &str) {
    match text.split_once(". ") {
        Some((rationale, said)) if !said.trim().is_empty() => (Some(rationale), said),
        _ => (None, text),
    }
}

fn chunk(timeline: &mut Timeline, text: &str, citations: &[Value]) {
    let mut part = json!({ "bytes": STANDARD.encode(text) });
    if !citations.is_empty() {
        part["attribution"] = json!({ "citations": citations });
    }
    timeline.event("chunk", part);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sentence_is_the_rationale() {
        assert_eq!(split("I look. It is deep. Very."), (Some("I look"), "It is deep. Very."));
        assert_eq!(split("It is deep."), (None, "It is deep."));
        assert_eq!(split("It is. "), (None, "It is. "));
        assert_eq!(split(""), (None, ""));
    }
}
