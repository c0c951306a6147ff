//! Synthetic spans: the traces of a plan, made without clients and without a service.
//!
//! What the spans say follows from the scenario: what is asked is the plan's, what becomes of it
//! (`answers`) and what a trace looks like around it (`trace`) are drawn. Each trace has random
//! numbers of its own, so that its spans are the same bytes for any number of shards and any order.

use std::sync::Arc;

use crate::capabilities::{Capabilities, Family, Feature};
use crate::clock::nanos;
use crate::dialect::Dialect;
use crate::otlp::{Batch, Encoded, EncodedScope, Limits};
use crate::plan::choose::Weights;
use crate::plan::{Plan, Planned};
use crate::scenario::{Scenario, Step, Target};
use crate::streams::{Purpose, stream};
use spanproof_schemas::content_policy::ContentPolicy;
use spanproof_schemas::semconv::Version;

mod answer;
mod around;
mod attributes;
mod call_span;
mod content;
mod history;
mod ids;
mod messages;
mod prose;
mod run;
mod scope;
mod span;
mod trace;
mod wire;

pub use messages::MessageForm;
pub use run::{Sending, Timestamps, run};

use around::{AgentTemplate, Around};
use attributes::{Attributes, Whose};
use call_span::{CallTemplate, CallWords};
use content::Content;
use prose::Prose;
use scope::Scope;
use trace::Composer;
use wire::Of;

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
/// use loadgen::otlp::Limits;
/// use loadgen::synthetic::{Dialogue, Traces};
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
    plan: Arc<Plan>,
    dialogue: Dialogue,
    /// The `Resource` of all spans, encoded.
    resource: Vec<u8>,
    /// What the spans about GenAI say of their version.
    schema_url: String,
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
    /// agent makes, is none that embeds. An agent uses its tools within a trace, so that a plan of such
    /// traces has a call for each question.
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
        if scenario.trace.agent.is_some() {
            capabilities.features.retain(|feature| *feature != Feature::Tools);
        }
        capabilities
    }

    /// The traces of `plan`, as spoken by `dialogue`. The plan should ask for no more than
    /// [`Traces::capabilities`].
    #[must_use]
    pub fn new(plan: Plan, dialogue: Dialogue) -> Traces {
        let plan = Arc::new(plan);
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
            resource: resource(&plan),
            schema_url: dialect.schema_url.clone(),
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

    /// An empty batch for their spans.
    #[must_use]
    pub fn batch(&self, limits: Limits) -> Batch {
        let mut batch = Batch::new(limits, &self.resource);
        for scope in Scope::ALL {
            let schema_url = if scope == Scope::GenAi { &*self.schema_url } else { "" };
            batch.scope(EncodedScope::new(scope.name(), env!("CARGO_PKG_VERSION"), schema_url));
        }
        batch
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
        let mut batch = self.batch(limits);
        let mut full = std::collections::VecDeque::new();
        std::iter::from_fn(move || {
            loop {
                if let Some(request) = full.pop_front() {
                    return Some(request);
                }
                let Some(planned) = planned.next() else { return batch.take() };
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
    /// Adds the spans of the trace of `planned` to `batch`, which is one of [`Traces::batch`], with
    /// the trace's root starting at `start_unix_nanos`. What no longer fits in is given to `full`.
    /// Gives the number of spans.
    pub fn add(
        &mut self,
        planned: Planned,
        start_unix_nanos: u64,
        batch: &mut Batch,
        full: &mut impl FnMut(Encoded),
    ) -> u64 {
        self.composer.compose(planned, start_unix_nanos, &mut |scope, span| {
            // A batch of ours has the scopes at the positions of `Scope::ALL`.
            batch.add(scope as usize, span, full);
        })
    }
}

fn resource(plan: &Plan) -> Vec<u8> {
    let mut resource = Vec::new();
    let random = &mut stream(plan.seed(), Purpose::Resource, 0);
    let attributes = &plan.scenario().trace.resource;
    Attributes::new(Of::Resource, attributes).append(&mut resource, random, Whose::default());
    resource
}
