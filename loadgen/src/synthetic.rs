//! Synthetic spans: the traces of a plan, made without clients and without a service.
//!
//! What the spans say follows from the scenario: what is asked is the plan's, what becomes of it
//! (`answers`) and what a trace looks like around it (`trace`) are drawn. Each trace has random
//! numbers of its own, so that its spans are the same bytes for any number of shards and any order.

use std::time::Duration;

use crate::capabilities::{Capabilities, Family};
use crate::dialect::Dialect;
use crate::plan::choose::Weights;
use crate::plan::{Plan, Planned};
use crate::scenario::{Scenario, Step, Target};
use crate::streams::{Purpose, stream};
use spanproof_schemas::content_policy::ContentPolicy;
use spanproof_schemas::semconv::Version;

mod answer;
mod arguments;
mod around;
mod attributes;
mod batch;
mod call_span;
mod content;
mod ids;
mod messages;
mod prose;
mod run;
mod span;
mod trace;
mod wire;

pub use batch::{Batch, Encoded, Limits};
pub use messages::MessageForm;
pub use run::{SendConfig, Sent, Timestamps, send};

use around::{AgentTemplate, Around};
use attributes::Attributes;
use batch::{Envelope, Scope};
use call_span::{CallTemplate, CallWords};
use content::Content;
use prose::Prose;
use trace::Composer;
use wire::{Of, bytes, nested};

/// How synthetic spans speak.
#[derive(Clone, Copy, Debug)]
pub struct Dialogue {
    /// The version of the conventions.
    pub semconv: Version,
    /// What becomes of prompts and answers.
    pub content: ContentPolicy,
    /// How messages stand on spans.
    pub messages: MessageForm,
}

impl Default for Dialogue {
    /// The newest version, without content.
    fn default() -> Self {
        Dialogue {
            semconv: Version::LATEST,
            content: ContentPolicy::None,
            messages: MessageForm::Json,
        }
    }
}

/// The traces of a plan.
///
/// ```
/// use std::time::Duration;
/// use loadgen::synthetic::{Dialogue, Limits, Traces};
/// use loadgen::{AtRate, Plan, PlanConfig, Scenario, Shard, Timing};
///
/// let scenario = Scenario::named("rag").unwrap();
/// let plan = Plan::new(PlanConfig {
///     capabilities: Traces::capabilities(&scenario),
///     scenario,
///     seed: 42,
///     timing: Timing::AtRate(AtRate::even("80000/day".parse().unwrap(), Duration::from_hours(1))),
///     most_calls: Some(100),
///     shard: Shard::WHOLE,
/// })
/// .unwrap();
/// let traces = Traces::new(plan, Dialogue::default());
/// let midnight = 1_767_571_200_000_000_000;
/// let requests: Vec<_> = traces.requests(Limits::default(), midnight).collect();
/// assert_eq!(requests.iter().map(|request| request.spans).sum::<u64>(), 400);
/// ```
#[derive(Debug)]
pub struct Traces {
    plan: Plan,
    dialogue: Dialogue,
    envelope: Envelope,
    /// One for each target of the mix.
    calls: Vec<CallTemplate>,
    call_words: CallWords,
    http: Vec<Around>,
    content: Content,
    server: Option<Around>,
    before: Vec<Before>,
    /// The targets of the mix that embed.
    embedding: Option<Weights>,
    agent: Option<AgentTemplate>,
    labels: Attributes,
    prose: Prose,
}

/// A step before the call.
#[derive(Debug)]
enum Before {
    Embeddings,
    Span(Around),
}

impl Traces {
    /// What the plan of synthetic traces may ask for: a call that other steps lead to, or that an
    /// agent makes, is none that embeds.
    #[must_use]
    pub fn capabilities(scenario: &Scenario) -> Capabilities {
        let answers = |target: &Target| {
            target.weight > 0.0 && target.family() != Some(Family::TitanEmbeddings)
        };
        let is_about_answers = scenario.mix.iter().any(answers);
        let is_led_to = scenario.trace.agent.is_some() || !scenario.trace.before.is_empty();
        let mut capabilities = Capabilities::all();
        if is_about_answers && is_led_to {
            capabilities.families.retain(|family| *family != Family::TitanEmbeddings);
        }
        capabilities
    }

    /// The traces of `plan`, as spoken by `dialogue`. The plan should ask for no more than
    /// [`Traces::capabilities`].
    #[must_use]
    pub fn new(plan: Plan, dialogue: Dialogue) -> Traces {
        let scenario = plan.scenario();
        let dialect = Dialect::of(dialogue.semconv);
        let shape = &scenario.trace;
        let calls: Vec<CallTemplate> =
            scenario.mix.iter().map(|target| CallTemplate::new(&dialect, target)).collect();
        let embedding = scenario.mix.iter().map(|target| match target.family() {
            Some(Family::TitanEmbeddings) => target.weight,
            _ => 0.0,
        });
        let http = shape.http_client.then(|| calls.iter().map(|call| Around::new(&call.http)));
        Traces {
            envelope: envelope(&plan, &dialect),
            call_words: CallWords::new(&dialect),
            http: http.into_iter().flatten().collect(),
            content: Content::new(
                &dialect,
                dialogue.content,
                dialogue.messages,
                &scenario.tools.offered,
            ),
            server: shape.server.as_ref().map(Around::new),
            before: shape
                .before
                .iter()
                .map(|step| match step {
                    Step::Embeddings => Before::Embeddings,
                    Step::Span(span) => Before::Span(Around::new(span)),
                })
                .collect(),
            embedding: Weights::new(embedding),
            agent: shape
                .agent
                .as_ref()
                .map(|agent| AgentTemplate::new(&dialect, agent, &scenario.tools.offered)),
            labels: Attributes::new(Of::Span, &shape.labels),
            prose: Prose::new(),
            calls,
            dialogue,
            plan,
        }
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How the spans speak.
    #[must_use]
    pub fn dialogue(&self) -> Dialogue {
        self.dialogue
    }

    /// What makes the spans of one trace after another, with memory of its own.
    #[must_use]
    pub fn generator(&self) -> Generator<'_> {
        Generator { composer: Composer::new(self) }
    }

    /// All traces of the plan's shard, in order of time, in requests of at most `limits`. Times are
    /// those of the plan from `midnight_unix_nanos` on.
    pub fn requests(
        &self,
        limits: Limits,
        midnight_unix_nanos: u64,
    ) -> impl Iterator<Item = Encoded> + '_ {
        let mut generator = self.generator();
        let mut planned = self.plan.planned();
        let mut batch = Batch::new(limits);
        let mut full = std::collections::VecDeque::new();
        std::iter::from_fn(move || {
            loop {
                if let Some(request) = full.pop_front() {
                    return Some(request);
                }
                let Some(planned) = planned.next() else { return generator.rest(&mut batch) };
                let start = midnight_unix_nanos.saturating_add(nanos(planned.at));
                generator.add(planned, start, &mut batch, &mut |request| full.push_back(request));
            }
        })
    }
}

/// Makes the spans of traces.
pub struct Generator<'a> {
    composer: Composer<'a>,
}

impl Generator<'_> {
    /// Adds the spans of the trace of `planned` to `batch`, with the trace's root starting at
    /// `start_unix_nanos`. What no longer fits in is given to `full`. Gives the number of spans.
    pub fn add(
        &mut self,
        planned: Planned,
        start_unix_nanos: u64,
        batch: &mut Batch,
        full: &mut impl FnMut(Encoded),
    ) -> u64 {
        let envelope = &self.composer.traces().envelope;
        self.composer.compose(planned, start_unix_nanos, &mut |scope, span| {
            if let Some(request) = batch.add(envelope, scope, span) {
                full(request);
            }
        })
    }

    /// What is left in `batch`, which is empty afterwards.
    pub fn rest(&self, batch: &mut Batch) -> Option<Encoded> {
        (!batch.is_empty()).then(|| batch.take(&self.composer.traces().envelope))
    }
}

/// A duration in nanoseconds.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn envelope(plan: &Plan, dialect: &Dialect) -> Envelope {
    let mut resource = Vec::new();
    nested(&mut resource, 1, |out| {
        let random = &mut stream(plan.seed(), Purpose::Resource, 0);
        Attributes::new(Of::Resource, &plan.scenario().trace.resource).append(out, random, 0);
    });
    let scopes = Scope::ALL.map(|scope| {
        let mut head = Vec::new();
        nested(&mut head, 1, |out| {
            bytes(out, 1, scope.name().as_bytes());
            bytes(out, 2, env!("CARGO_PKG_VERSION").as_bytes());
        });
        head
    });
    let schema_urls = Scope::ALL.map(|scope| {
        let mut url = Vec::new();
        if scope == Scope::GenAi {
            bytes(&mut url, 3, dialect.schema_url.as_bytes());
        }
        url
    });
    Envelope { resource, scopes, schema_urls }
}

#[cfg(test)]
mod tests;
