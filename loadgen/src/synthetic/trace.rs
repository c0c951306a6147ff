//! One trace: its calls, what is around them, and when.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::answer::{Answer, Asked, Ends, seconds};
use super::arguments::arguments;
use super::around::{AgentTemplate, Around};
use super::content::{Place, Said};
use super::ids::{Ids, SpanId};
use super::messages::{Message, Part};
use super::scope::Scope;
use super::span::Frame;
use super::wire::{Key, Of};
use super::{Before, Traces};
use crate::capabilities::Family;
use crate::plan::Planned;
use crate::plan::choose::{length, weighted};
use crate::plan::shape::{Shape, System};
use crate::scenario::{Agent, Scenario, StopReason, Tool};
use crate::streams::{Purpose, stream};
use spanproof_schemas::content_policy::ContentPolicy;
use spanproof_schemas::ledger::Usage;

/// Between what an agent does and what it does next.
const THOUGHT_NANOS: u64 = 2_000_000;

/// Makes the spans of one trace after another, in memory that is used again.
pub(super) struct Composer<'a> {
    traces: &'a Traces,
    span: Vec<u8>,
    status: Key,
    error_type: Key,
}

/// A trace that is being made.
struct Course<'a, 's> {
    shape: Shape<'a>,
    ids: Ids,
    random: ChaCha8Rng,
    words: ChaCha8Rng,
    tenant: u32,
    /// The attributes that say whom and what the trace is for.
    labels: Vec<u8>,
    conversation: String,
    now: u64,
    parent: Option<SpanId>,
    spans: u64,
    sink: &'s mut dyn FnMut(Scope, &[u8]),
}

/// How a call ended, for what is around it.
struct Ended {
    usage: Usage,
    output_tokens: u32,
    error: Option<String>,
    stop_reason: Option<StopReason>,
}

impl<'a> Composer<'a> {
    pub(super) fn new(traces: &'a Traces) -> Composer<'a> {
        Composer {
            traces,
            span: Vec::with_capacity(1 << 11),
            status: Key::new(Of::Span, "http.response.status_code"),
            error_type: Key::new(Of::Span, "error.type"),
        }
    }

    /// Gives `sink` the spans of the trace of `planned`, and says how many there were.
    pub(super) fn compose(
        &mut self,
        planned: Planned,
        start_unix_nanos: u64,
        sink: &mut dyn FnMut(Scope, &[u8]),
    ) -> u64 {
        let traces = self.traces;
        let (seed, k) = (traces.plan.seed(), planned.call);
        let mut ids = Ids::new(seed, k);
        let mut random = stream(seed, Purpose::Trace, k);
        let mut labels = Vec::new();
        traces.labels.append(&mut labels, &mut random, planned.tenant);
        let course = &mut Course {
            shape: traces.plan.shape(k),
            conversation: ids.uuid(),
            ids,
            random,
            words: stream(seed, Purpose::Prose, k),
            tenant: planned.tenant,
            labels,
            now: start_unix_nanos,
            parent: None,
            spans: 0,
            sink,
        };
        match &traces.server {
            Some(server) => self.serve(course, server),
            None => drop(self.work(course)),
        }
        course.spans
    }

    /// The span of the application's own server, and what is within it.
    fn serve(&mut self, course: &mut Course<'a, '_>, server: &Around) {
        let (start_unix_nanos, span) = (course.now, course.ids.span());
        let own = seconds(server.seconds, &mut course.random);
        course.now += own / 2;
        course.parent = Some(span);
        let error = self.work(course);
        course.now += own - own / 2;
        let frame = Frame {
            trace: course.ids.trace,
            span,
            parent: None,
            start_unix_nanos,
            end_unix_nanos: course.now,
            is_error: error.is_some(),
        };
        frame.write(&mut self.span, &server.head, |out| {
            server.attributes.append(out, &mut course.random, course.tenant);
            out.extend(&course.labels);
            self.status.int(out, if error.is_some() { 500 } else { 200 });
            if error.is_some() {
                self.error_type.text(out, "500");
            }
        });
        course.emit(Scope::HttpServer, &self.span);
    }

    /// What leads to the call, and the call. Gives the error that it ended with.
    fn work(&mut self, course: &mut Course<'a, '_>) -> Option<String> {
        let traces = self.traces;
        for step in &traces.before {
            match step {
                Before::Embeddings => self.embed(course),
                Before::Span(around) => self.step(course, around),
            }
        }
        if let (Some(agent), Some(template)) = (&traces.plan.scenario().trace.agent, &traces.agent)
        {
            return self.agent(course, agent, template);
        }
        let mut history = History::new(course, traces, Exchange::Whole);
        let asked = Asked {
            new_tokens: course.shape.prompt_tokens,
            known_tokens: 0,
            may_fail: true,
            ends: Ends::AsPlanned,
        };
        self.call(course, asked, &mut history).error
    }

    fn step(&mut self, course: &mut Course<'a, '_>, around: &Around) {
        let start_unix_nanos = course.now;
        course.now += seconds(around.seconds, &mut course.random);
        let frame = course.frame(start_unix_nanos, false);
        frame.write(&mut self.span, &around.head, |out| {
            around.attributes.append(out, &mut course.random, course.tenant);
        });
        course.emit(Scope::Application, &self.span);
    }

    /// The call that embeds what is asked.
    fn embed(&mut self, course: &mut Course<'a, '_>) {
        let traces = self.traces;
        let Some(weights) = &traces.embedding else { return };
        let template = &traces.calls[weights.choose(&mut course.random)];
        let tokens = length(&traces.plan.scenario().embedding_tokens, &mut course.random);
        let answer = Answer::of_embedding(tokens, &mut course.random);
        let start_unix_nanos = course.now;
        course.now += answer.nanos;
        let frame = course.frame(start_unix_nanos, false);
        frame.write(&mut self.span, &template.head, |out| {
            let Course { shape, ids, labels, .. } = &mut *course;
            template.append(out, &traces.call_words, shape, &answer, None, ids);
            out.extend(&*labels);
        });
        course.emit(template.scope, &self.span);
    }

    /// A call of a model, and its HTTP requests. What it says is added to `history`.
    fn call(
        &mut self,
        course: &mut Course<'a, '_>,
        asked: Asked,
        history: &mut History<'a>,
    ) -> Ended {
        let traces = self.traces;
        let scenario = traces.plan.scenario();
        let target = course.shape.target_index;
        let template = &traces.calls[target];
        let answer =
            if course.shape.family == Family::TitanEmbeddings && course.shape.fault.is_none() {
                Answer::of_embedding(course.shape.prompt_tokens, &mut course.random)
            } else {
                Answer::new(scenario, &course.shape, asked, &mut course.random)
            };
        let start_unix_nanos = course.now;
        course.now += answer.nanos;
        let frame = course.frame(start_unix_nanos, answer.error.is_some());
        for (begins, ends, status) in answer.attempts() {
            if let Some(http) = traces.http.get(target) {
                self.request(course, http, &frame, (begins, ends, status));
            }
        }
        let output = history.answered(course, traces, &answer);
        let said = Said {
            system: history.system,
            input: &history.messages,
            output: output.as_slice(),
            offers_tools: course.shape.tools.is_some(),
        };
        frame.write(&mut self.span, &template.head, |out| {
            let Course { shape, ids, labels, conversation, .. } = &mut *course;
            template.append(out, &traces.call_words, shape, &answer, Some(conversation), ids);
            out.extend(&*labels);
            if course.shape.family != Family::TitanEmbeddings {
                let place = Place {
                    trace: frame.trace,
                    span: frame.span,
                    end_unix_nanos: frame.end_unix_nanos,
                    event_attributes: &template.event_attributes,
                };
                traces.content.append_attributes(out, said, place);
                traces.content.append_events(out, said, place);
            }
        });
        course.emit(template.scope, &self.span);
        history.messages.extend(output);
        Ended {
            usage: answer.usage.unwrap_or_default(),
            output_tokens: answer.output_tokens,
            stop_reason: answer.stop_reason,
            error: answer.error,
        }
    }

    fn request(
        &mut self,
        course: &mut Course<'a, '_>,
        http: &Around,
        call: &Frame,
        (begins, ends, status): (u64, u64, u16),
    ) {
        let is_error = status >= 400;
        let frame = Frame {
            span: course.ids.span(),
            parent: Some(call.span),
            start_unix_nanos: call.start_unix_nanos + begins,
            end_unix_nanos: call.start_unix_nanos + ends,
            is_error,
            ..*call
        };
        frame.write(&mut self.span, &http.head, |out| {
            http.attributes.append(out, &mut course.random, course.tenant);
            self.status.int(out, status.into());
            if is_error {
                self.error_type.text(out, &status.to_string());
            }
        });
        course.emit(Scope::HttpClient, &self.span);
    }

    /// An agent with its calls and tools.
    fn agent(
        &mut self,
        course: &mut Course<'a, '_>,
        agent: &'a Agent,
        template: &'a AgentTemplate,
    ) -> Option<String> {
        let traces = self.traces;
        let tools = &traces.plan.scenario().tools.offered;
        let (start_unix_nanos, span, above) = (course.now, course.ids.span(), course.parent);
        course.parent = Some(span);
        let turns = weighted(&agent.turns, &mut course.random);
        let mut history = History::new(course, traces, Exchange::FirstOnly);
        let mut asked = Asked {
            new_tokens: course.shape.prompt_tokens,
            known_tokens: 0,
            may_fail: true,
            ends: Ends::WithTool,
        };
        let (mut input, mut output) = (0, 0);
        let mut ended = None;
        for turn in 1..=turns {
            course.now += THOUGHT_NANOS;
            if turn == turns {
                asked.ends = Ends::WithoutTool;
            }
            let end = self.call(course, asked, &mut history);
            input += traces.call_words.input(end.usage);
            output += end.usage.output_tokens;
            asked.known_tokens = asked.known_tokens.saturating_add(asked.new_tokens);
            asked.may_fail = false;
            let failed = end.error.is_some();
            if !failed && turn < turns {
                let result = length(&agent.tool_result_tokens, &mut course.random);
                self.tool(course, agent, (tools, template), result, &mut history);
                asked.new_tokens = end.output_tokens.saturating_add(result);
            }
            ended = Some(end);
            if failed {
                break;
            }
        }
        course.now += THOUGHT_NANOS;
        course.parent = above;
        let (error, stop_reason) =
            ended.map(|end| (end.error, end.stop_reason)).unwrap_or_default();
        let frame = Frame {
            trace: course.ids.trace,
            span,
            parent: above,
            start_unix_nanos,
            end_unix_nanos: course.now,
            is_error: error.is_some(),
        };
        frame.write(&mut self.span, &template.head, |out| {
            out.extend(&template.constant);
            template.model.text(out, &course.shape.target.model);
            template.conversation_id.text(out, &course.conversation);
            out.extend(&course.labels);
            match (&error, &stop_reason) {
                (Some(error), _) => self.error_type.text(out, error),
                (None, Some(reason)) => {
                    template.finish_reasons.texts(out, [reason.name()]);
                    template.input_tokens.count(out, input);
                    template.output_tokens.count(out, output);
                }
                (None, None) => {}
            }
        });
        course.emit(template.scope, &self.span);
        error
    }

    /// A tool that the last answer called; what it returns is added to `history`.
    fn tool(
        &mut self,
        course: &mut Course<'a, '_>,
        agent: &Agent,
        (tools, template): (&'a [Tool], &'a AgentTemplate),
        result_tokens: u32,
        history: &mut History<'a>,
    ) {
        let traces = self.traces;
        let called = history.called.take();
        let (index, call_id, arguments) = called.unwrap_or_else(|| (0, String::new(), Value::Null));
        let Some(template) = template.tools.get(index).filter(|_| index < tools.len()) else {
            return;
        };
        course.now += THOUGHT_NANOS;
        let start_unix_nanos = course.now;
        course.now += seconds(agent.tool_seconds, &mut course.random);
        let response = history.tool_responds(course, traces, &call_id, result_tokens);
        let frame = course.frame(start_unix_nanos, false);
        frame.write(&mut self.span, &template.head, |out| {
            out.extend(&template.constant);
            template.call_id.text(out, &call_id);
            template.conversation_id.text(out, &course.conversation);
            traces.content.append_tool_call(out, &arguments, &response);
        });
        course.emit(template.scope, &self.span);
    }
}

impl Course<'_, '_> {
    /// A span below the current one, which ends now.
    fn frame(&mut self, start_unix_nanos: u64, is_error: bool) -> Frame {
        Frame {
            trace: self.ids.trace,
            span: self.ids.span(),
            parent: self.parent,
            start_unix_nanos,
            end_unix_nanos: self.now,
            is_error,
        }
    }

    fn emit(&mut self, scope: Scope, span: &[u8]) {
        (self.sink)(scope, span);
        self.spans += 1;
    }
}

/// Which messages a prompt begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exchange {
    /// All that the plan has.
    Whole,
    /// The first one: an agent makes the others itself.
    FirstOnly,
}

/// What has been said in a trace. Nothing is, where no span would hold any of it.
struct History<'a> {
    system: Option<&'a str>,
    messages: Vec<Message<'a>>,
    /// The tool that the last answer called: which, by what id, with what.
    called: Option<(usize, String, Value)>,
    offered: &'a [Tool],
    policy: ContentPolicy,
}

impl<'a> History<'a> {
    fn new(course: &mut Course<'a, '_>, traces: &'a Traces, exchange: Exchange) -> History<'a> {
        let scenario: &'a Scenario = traces.plan.scenario();
        let shape = &course.shape;
        let mut history = History {
            system: match shape.system {
                System::None => None,
                System::Plain(text) | System::Cached { text, .. } => Some(text),
            },
            messages: Vec::new(),
            called: None,
            offered: &scenario.tools.offered,
            policy: traces.dialogue.content,
        };
        if history.policy == ContentPolicy::None || shape.family == Family::TitanEmbeddings {
            return history;
        }
        let messages = match exchange {
            Exchange::Whole => shape.messages,
            Exchange::FirstOnly => 1,
        };
        let tokens = shape.prompt_tokens / messages.max(1);
        for number in 0..messages {
            history.messages.push(Message {
                role: if number % 2 == 0 { "user" } else { "assistant" },
                parts: vec![history.text(course, traces, tokens)],
                finish_reason: None,
            });
        }
        history
    }

    /// What the model says, as a message of its own, and the tool that it calls.
    fn answered(
        &mut self,
        course: &mut Course<'a, '_>,
        traces: &'a Traces,
        answer: &Answer,
    ) -> Option<Message<'a>> {
        self.called = None;
        let calls_tool =
            answer.stop_reason == Some(StopReason::ToolUse) && !self.offered.is_empty();
        if calls_tool {
            // Drawn for every policy, since a span of the tool tells of it.
            let index = course.random.random_range(0..self.offered.len());
            let id = format!("tooluse_{}", course.ids.base58(22));
            self.called = Some((index, id, Value::Null));
        }
        if self.policy == ContentPolicy::None || answer.stop_reason.is_none() {
            return None;
        }
        let mut parts = vec![self.text(course, traces, answer.output_tokens)];
        if let Some((index, id, given)) = &mut self.called {
            let Tool { name, input_schema, .. } = &self.offered[*index];
            *given = arguments(input_schema, &traces.prose, &mut course.words);
            parts.push(Part::ToolCall { id: id.clone(), name, arguments: given.clone() });
        }
        let finish_reason = Some(match answer.stop_reason {
            Some(StopReason::MaxTokens) => "length",
            Some(StopReason::ToolUse) => "tool_call",
            _ => "stop",
        });
        Some(Message { role: "assistant", parts, finish_reason })
    }

    /// Adds what a tool returns, and gives it.
    fn tool_responds(
        &mut self,
        course: &mut Course<'a, '_>,
        traces: &Traces,
        call_id: &str,
        tokens: u32,
    ) -> String {
        // An answer that was said before is a message like any other.
        if let Some(last) = self.messages.last_mut() {
            last.finish_reason = None;
        }
        if self.policy == ContentPolicy::None {
            return String::new();
        }
        let mut response = String::new();
        if self.has_words() {
            traces.prose.append(&mut response, tokens, &mut course.words);
        }
        let (id, given) = (call_id.to_owned(), response.clone());
        let parts = vec![Part::ToolResponse { id, response: given }];
        self.messages.push(Message { role: "tool", parts, finish_reason: None });
        response
    }

    fn text(&self, course: &mut Course<'a, '_>, traces: &Traces, tokens: u32) -> Part<'a> {
        let mut text = String::new();
        if self.has_words() {
            traces.prose.append(&mut text, tokens, &mut course.words);
        }
        Part::Text(text.into())
    }

    /// Whether it matters what the words are.
    fn has_words(&self) -> bool {
        self.policy.has_text() || self.policy == ContentPolicy::Hash
    }
}
