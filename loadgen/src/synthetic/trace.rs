//! One trace: its calls, what is around them, and when.

use rand_chacha::ChaCha8Rng;

use super::answer::{Answer, Asked, Ends, seconds};
use super::around::{AgentTemplate, Around};
use super::attributes::Whose;
use super::content::{Place, Said};
use super::history::{Called, History};
use super::ids::{Ids, SpanId};
use super::scope::Scope;
use super::span::Frame;
use super::wire::{Key, Of};
use super::{Before, Traces};
use crate::capabilities::Family;
use crate::plan::Planned;
use crate::plan::choose::{length, weighted};
use crate::plan::shape::Shape;
use crate::scenario::{Agent, StopReason};
use crate::streams::{Purpose, stream};
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
pub(super) struct Course<'a, 's> {
    pub(super) planned: Planned,
    pub(super) shape: Shape<'a>,
    pub(super) ids: Ids,
    pub(super) random: ChaCha8Rng,
    pub(super) words: ChaCha8Rng,
    whose: Whose<'a>,
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
        let mut random = stream(seed, Purpose::Trace, k);
        let shape = traces.plan.shape(&planned);
        let mut labels = Vec::new();
        let whose = Whose { tenant: planned.tenant, feature: shape.feature };
        traces.labels.append(&mut labels, &mut random, whose);
        let course = &mut Course {
            planned,
            shape,
            conversation: traces.plan.conversation_id(&planned.place),
            ids: Ids::new(seed, k),
            random,
            words: stream(seed, Purpose::Prose, k),
            whose,
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
            server.attributes.append(out, &mut course.random, course.whose);
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
        let mut history = History::new(course, traces);
        let asked = Asked::first(&course.shape);
        self.call(course, asked, &mut history).error
    }

    fn step(&mut self, course: &mut Course<'a, '_>, around: &Around) {
        let start_unix_nanos = course.now;
        course.now += seconds(around.seconds, &mut course.random);
        let frame = course.frame(start_unix_nanos, false);
        frame.write(&mut self.span, &around.head, |out| {
            around.attributes.append(out, &mut course.random, course.whose);
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
                Answer::of_embedding(course.shape.said_tokens, &mut course.random)
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
        let output = history.answered(course, &answer, asked.ends);
        let said = Said {
            system: history.system,
            input: &history.messages,
            output: output.as_slice(),
            // An agent has tools at hand, whatever the plan knows of its calls.
            offers_tools: course.shape.tools.is_some() || traces.agent.is_some(),
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
            http.attributes.append(out, &mut course.random, course.whose);
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
        let (start_unix_nanos, span, above) = (course.now, course.ids.span(), course.parent);
        course.parent = Some(span);
        let calls = weighted(&agent.calls, &mut course.random);
        let mut history = History::new(course, traces);
        let mut asked = Asked { ends: Ends::WithTool, ..Asked::first(&course.shape) };
        let (mut input, mut output) = (0, 0);
        let mut ended = None;
        for call in 1..=calls {
            course.now += THOUGHT_NANOS;
            if call == calls {
                asked.ends = Ends::AsPlanned;
            }
            let end = self.call(course, asked, &mut history);
            input += traces.call_words.input(end.usage);
            output += end.usage.output_tokens;
            asked.known_tokens = asked.known_tokens.saturating_add(asked.new_tokens);
            asked.is_first = false;
            let failed = end.error.is_some();
            if !failed && call < calls {
                let results = &traces.plan.scenario().tools.result_tokens;
                let result = length(results, &mut course.random);
                self.tool(course, agent, template, result, &mut history);
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
        template: &'a AgentTemplate,
        result_tokens: u32,
        history: &mut History<'a>,
    ) {
        let traces = self.traces;
        let Some(Called { tool, id, arguments }) = history.called.take() else { return };
        let Some(template) = template.tools.get(tool) else { return };
        course.now += THOUGHT_NANOS;
        let start_unix_nanos = course.now;
        course.now += seconds(agent.tool_seconds, &mut course.random);
        let response = history.tool_responds(id.clone(), result_tokens, &mut course.words);
        let frame = course.frame(start_unix_nanos, false);
        frame.write(&mut self.span, &template.head, |out| {
            out.extend(&template.constant);
            template.call_id.text(out, &id);
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
