//! What one call looks like, before its words.

use rand::RngExt;
use spanproof_schemas::worker::Operation;

use super::Plan;
use super::answer::Answer;
use super::choose::{any_of, chosen, length, share, weighted};
use crate::capabilities::{Capabilities, Family, Feature};
use crate::fault::Fault;
use crate::scenario::{StopReason, Target, Tools};
use crate::streams::{Purpose, stream};

/// Everything that is drawn for a call but its words.
pub(crate) struct Shape<'a> {
    /// Where `target` stands in the scenario's mix.
    pub(crate) target_index: usize,
    pub(crate) target: &'a Target,
    pub(crate) family: Family,
    pub(crate) prompt_tokens: u32,
    pub(crate) messages: u32,
    pub(crate) max_tokens: u32,
    /// How the answer is to be, if it is one in words and the client can tell the mock.
    pub(crate) answer: Option<Answer>,
    pub(crate) temperature: Option<f64>,
    pub(crate) top_p: Option<f64>,
    pub(crate) top_k: Option<u32>,
    pub(crate) stop_sequences: Option<&'a [String]>,
    pub(crate) tools: Option<OfferedTools<'a>>,
    pub(crate) system: System<'a>,
    pub(crate) fault: Option<Fault>,
}

/// Tools with how much the call insists on them.
#[derive(Clone, Copy)]
pub(crate) struct OfferedTools<'a> {
    pub(crate) tools: &'a Tools,
    /// One of them must be called.
    pub(crate) any: bool,
}

/// The system prompt of a call.
#[derive(Clone, Copy)]
pub(crate) enum System<'a> {
    None,
    Plain(&'a str),
    /// Shared with other calls, behind a cache point: the plan's shared prompt of this number.
    Cached {
        prompt: usize,
        text: &'a str,
    },
}

/// Whether a client with `capabilities` can make calls of `target`.
pub(crate) fn can_make(capabilities: &Capabilities, target: &Target) -> bool {
    capabilities.operations.contains(&target.operation)
        && target.family().is_some_and(|family| {
            capabilities.families.contains(&family) && family.offers(target.operation)
        })
}

impl Plan {
    /// Draws in a fixed order, and always everything, so that leaving out what a client cannot do
    /// leaves the rest of the call as it is.
    pub(crate) fn shape(&self, k: u64) -> Shape<'_> {
        let scenario = &self.scenario;
        let random = &mut stream(self.seed, Purpose::Shape, k);
        let can = |feature| self.capabilities.has(feature);

        let target_index = self.targets.choose(random);
        let target = &scenario.mix[target_index];
        let family = target.family().expect("a plan chooses only targets of a known family");
        let is_native =
            !matches!(target.operation, Operation::Converse | Operation::ConverseStream);

        let prompt_tokens = length(&scenario.prompt_tokens, random);
        let embedding_tokens = length(&scenario.embedding_tokens, random);
        let messages = weighted(&scenario.messages, random);
        let max_tokens = weighted(&scenario.max_tokens, random);
        let temperature = chosen(&scenario.sampling.temperature, random).copied();
        let top_p = chosen(&scenario.sampling.top_p, random).copied();
        let top_k = chosen(&scenario.sampling.top_k, random).copied();
        let names_sequences = share(scenario.stop_sequences.share, random);
        let sequences = any_of(&scenario.stop_sequences.values, random);
        let offers_tools = share(scenario.tools.share, random);
        let any = share(scenario.tools.any_share, random);
        let system = chosen(&scenario.system, random).map(String::as_str);
        let is_cached = share(scenario.cached_prefix.share, random);
        let prompt = random.random_range(0..self.shared_prompts.len());
        let fault = self.fault(random.random(), target.operation);
        let recorded = self.schedule.recorded(k);
        let answer = (family.answers_in_words() && can(Feature::Faults)).then(|| {
            Answer::draw(scenario, recorded, (self.seed, k), max_tokens, |stop| match stop {
                StopReason::ToolUse => can(Feature::Tools),
                StopReason::StopSequence => can(Feature::StopSequences),
                StopReason::EndTurn | StopReason::MaxTokens => true,
            })
        });
        let (answer, max_tokens) = match answer {
            Some((answer, limit)) => (Some(answer), limit),
            None => (None, recorded.map_or(max_tokens, |recorded| recorded.tokens_out)),
        };
        let ends_with = |reason| answer.map(|answer| answer.stop == reason);
        let names_sequences = names_sequences || ends_with(StopReason::StopSequence) == Some(true);
        let calls_tool = ends_with(StopReason::ToolUse);

        Shape {
            target_index,
            target,
            family,
            prompt_tokens: match (recorded, family) {
                (Some(recorded), _) => recorded.tokens_in,
                (None, Family::TitanEmbeddings) => embedding_tokens,
                (None, Family::Claude | Family::Nova) => prompt_tokens,
            },
            messages: if can(Feature::MultipleMessages) { messages } else { 1 },
            max_tokens,
            answer,
            temperature: temperature.filter(|_| can(Feature::Sampling)),
            top_p: top_p.filter(|_| can(Feature::Sampling) && temperature.is_none()),
            top_k: top_k.filter(|_| can(Feature::Sampling) && is_native),
            stop_sequences: sequences
                .filter(|_| names_sequences && can(Feature::StopSequences))
                .map(Vec::as_slice),
            tools: ((offers_tools || calls_tool == Some(true)) && can(Feature::Tools)).then_some(
                OfferedTools { tools: &scenario.tools, any: any && calls_tool != Some(false) },
            ),
            system: match system {
                _ if !can(Feature::System) => System::None,
                _ if is_cached && target.cacheable && can(Feature::CachePoints) => {
                    System::Cached { prompt, text: &self.shared_prompts[prompt] }
                }
                Some(system) => System::Plain(system),
                None => System::None,
            },
            fault: fault.filter(|_| can(Feature::Faults)),
        }
    }

    /// The fault that `at`, between 0 and 1, falls on. Faults share the unit interval, so a call
    /// has at most one; one that needs a stream is none for other operations.
    fn fault(&self, at: f64, operation: Operation) -> Option<Fault> {
        let mut left = at;
        self.scenario
            .faults
            .iter()
            .find(|planned| {
                left -= planned.share;
                left < 0.0
            })
            .map(|planned| planned.fault)
            .filter(|fault| operation.is_streamed() || !fault.needs_stream())
    }
}
