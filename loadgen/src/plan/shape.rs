//! What one call looks like, before its words.

use rand::RngExt;
use spanproof_schemas::worker::Operation;

use super::answer::Answer;
use super::choose::{any_of, chosen, share, weighted};
use super::{Plan, Planned};
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
    /// What it is made for, of the scenario's features.
    pub(crate) feature: Option<&'a str>,
    /// How long what is said in it is: by the user, by a tool, or the text to embed.
    pub(crate) said_tokens: u32,
    /// How long what it repeats of its session is.
    pub(crate) known_tokens: u32,
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
    /// Whether what it repeats, and what it says, is behind cache points as well.
    pub(crate) caches_conversation: bool,
    pub(crate) fault: Option<Fault>,
}

impl Shape<'_> {
    /// How long the conversation is, what is said in the call included and the system prompt not.
    pub(crate) fn prompt_tokens(&self) -> u32 {
        self.known_tokens.saturating_add(self.said_tokens)
    }
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
    pub(crate) fn shape(&self, planned: &Planned) -> Shape<'_> {
        let (scenario, Planned { call, place, .. }) = (&self.scenario, *planned);
        let random = &mut stream(self.seed, Purpose::Shape, call);
        let can = |feature| self.can(feature);

        let traits = self.traits(&place);
        let target = &scenario.mix[traits.target];
        let family = target.family().expect("a plan chooses only targets of a known family");
        let is_native = target.is_native();
        let recorded = self.schedule.recorded(call);
        let exchange = self.exchange(place, traits.offers_tools, recorded);

        let drawn_limit = weighted(&scenario.max_tokens, random);
        let temperature = chosen(&scenario.sampling.temperature, random).copied();
        let top_p = chosen(&scenario.sampling.top_p, random).copied();
        let top_k = chosen(&scenario.sampling.top_k, random).copied();
        let names_sequences = share(scenario.stop_sequences.share, random);
        let sequences = any_of(&scenario.stop_sequences.values, random);
        let any = share(scenario.tools.any_share, random);
        let fault = self.fault(random.random(), target.operation);

        let answer = (family.answers_in_words() && can(Feature::Faults)).then_some(exchange.answer);
        let max_tokens = match (answer, recorded) {
            (Some(answer), None) => answer.limit(&scenario.max_tokens, drawn_limit),
            (Some(answer), Some(_)) => answer.recorded_limit(drawn_limit),
            (None, recorded) => recorded.map_or(drawn_limit, |recorded| recorded.tokens_out),
        };
        let ends_with = |reason| answer.map(|answer| answer.stop == reason);
        let names_sequences = names_sequences || ends_with(StopReason::StopSequence) == Some(true);
        let calls_tool = ends_with(StopReason::ToolUse);
        let carries_history = self.rules.carries_history;
        let system = match (traits.shared_prompt, traits.system) {
            _ if !can(Feature::System) => System::None,
            (Some(prompt), _) if target.cacheable && can(Feature::CachePoints) => {
                System::Cached { prompt, text: &self.shared_prompts[prompt] }
            }
            (_, Some(system)) => System::Plain(&scenario.system.values[system]),
            (_, None) => System::None,
        };

        Shape {
            target_index: traits.target,
            target,
            family,
            feature: self.feature(planned),
            said_tokens: exchange.said_tokens,
            known_tokens: if carries_history { place.known_tokens } else { 0 },
            messages: if carries_history { 2 * place.step + 1 } else { 1 },
            max_tokens,
            answer,
            temperature: temperature.filter(|_| can(Feature::Sampling)),
            top_p: top_p.filter(|_| can(Feature::Sampling) && temperature.is_none()),
            top_k: top_k.filter(|_| can(Feature::Sampling) && is_native),
            stop_sequences: sequences
                .filter(|_| names_sequences && can(Feature::StopSequences))
                .map(Vec::as_slice),
            tools: (traits.offers_tools && can(Feature::Tools)).then_some(OfferedTools {
                tools: &scenario.tools,
                any: any && calls_tool != Some(false),
            }),
            caches_conversation: matches!(system, System::Cached { .. })
                && scenario.sessions.as_ref().is_some_and(|sessions| sessions.cached),
            system,
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
