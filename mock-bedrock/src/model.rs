//! A model: what it is, what it can do, and how it counts tokens.

use serde::Deserialize;

use crate::timing::Pace;

pub(crate) use crate::catalogue::{all, base, resolve};

/// A model of the catalogue. Sizes and minimum cacheable prefixes are those the providers document,
/// or where they do not, those of the model's predecessor; speeds are plausible medians, and the
/// characters per token are this mock's stated rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    /// The base id, such as `anthropic.claude-3-haiku-20240307-v1:0`.
    pub(crate) id: String,
    /// The family that reads and writes its native bodies.
    pub(crate) family: String,
    /// Who makes it, as `ListFoundationModels` states it: the same for every model of a file.
    #[serde(skip)]
    pub(crate) provider: String,
    /// What it is called, as `ListFoundationModels` states it.
    pub(crate) name: String,
    /// Whether the base id can be invoked.
    pub(crate) on_demand: bool,
    /// The areas whose cross-region inference profiles contain it.
    pub(crate) areas: Vec<Area>,
    /// What it takes.
    pub(crate) input: Vec<Modality>,
    /// What it gives.
    pub(crate) output: Vec<Modality>,
    /// What it can do, beside answering `InvokeModel`.
    supports: Vec<Capability>,
    pub(crate) lifecycle: Lifecycle,
    /// The most input and output tokens together.
    pub(crate) context_window: u64,
    /// The most tokens it generates.
    pub(crate) max_output_tokens: u64,
    /// A text of `n` characters has `ceil(n / chars_per_token)` tokens.
    pub(crate) chars_per_token: f64,
    /// The shortest prefix that the prompt cache takes; 0 for a model without a prompt cache.
    pub(crate) cache_minimum_tokens: u64,
    /// Median of the time to the first token.
    pub(crate) first_token_median_ms: f64,
    /// Standard deviation of the logarithm of that time.
    pub(crate) first_token_sigma: f64,
    /// Median of how fast it generates after that.
    pub(crate) tokens_per_second: f64,
    /// Standard deviation of the logarithm of that speed, from one answer to the next.
    #[serde(default = "tokens_per_second_sigma")]
    tokens_per_second_sigma: f64,
    /// Standard deviation of the logarithm of the time between two chunks of a stream.
    #[serde(default = "gap_sigma")]
    gap_sigma: f64,
}

/// Speeds differ by a fifth or so between answers, where the catalogue does not say otherwise.
fn tokens_per_second_sigma() -> f64 {
    0.18
}

/// Gaps within one stream differ by half their length or so.
fn gap_sigma() -> f64 {
    0.45
}

/// The geography of a cross-region inference profile: the prefix of its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Area {
    Us,
    UsGov,
    Ca,
    Eu,
    Apac,
    Global,
    Au,
    Jp,
    In,
}

impl Area {
    const ALL: [Area; 9] = [
        Area::Us,
        Area::UsGov,
        Area::Ca,
        Area::Eu,
        Area::Apac,
        Area::Global,
        Area::Au,
        Area::Jp,
        Area::In,
    ];

    /// The area with that prefix.
    pub(crate) fn named(prefix: &str) -> Option<Self> {
        Area::ALL.into_iter().find(|area| area.prefix() == prefix)
    }

    /// What its profile ids begin with, before the dot.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Area::Us => "us",
            Area::UsGov => "us-gov",
            Area::Ca => "ca",
            Area::Eu => "eu",
            Area::Apac => "apac",
            Area::Global => "global",
            Area::Au => "au",
            Area::Jp => "jp",
            Area::In => "in",
        }
    }
}

/// What a model takes or gives, as `ListFoundationModels` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Modality {
    Text,
    Image,
    Audio,
    Video,
    Speech,
    Embedding,
}

impl Modality {
    /// Every modality.
    pub(crate) const ALL: [Modality; 6] = [
        Modality::Text,
        Modality::Image,
        Modality::Audio,
        Modality::Video,
        Modality::Speech,
        Modality::Embedding,
    ];
}

/// Whether a provider still recommends a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Lifecycle {
    Active,
    Legacy,
}

/// What not every model can do. Converse's are those of the service's table of supported model
/// features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Capability {
    /// Answer as a stream.
    Stream,
    /// Answer the Converse operations.
    Converse,
    /// Take a system prompt by Converse.
    System,
    /// Take documents by Converse.
    Documents,
    /// Call tools by Converse.
    Tools,
    /// Call tools by ConverseStream too.
    StreamTools,
    /// Take `toolChoice.any`.
    ChooseAny,
    /// Take `toolChoice.tool`.
    ChooseTool,
    /// Take `inferenceConfig.stopSequences`.
    StopSequences,
    /// Show what it reasoned before it answered.
    Reasoning,
    /// Answer `CountTokens`.
    CountTokens,
    /// Be started by `StartAsyncInvoke`.
    AsyncInvoke,
}

impl Model {
    /// How fast it answers.
    pub(crate) fn pace(&self) -> Pace {
        Pace {
            first_token_median_ms: self.first_token_median_ms,
            first_token_sigma: self.first_token_sigma,
            tokens_per_second: self.tokens_per_second,
            tokens_per_second_sigma: self.tokens_per_second_sigma,
            gap_sigma: self.gap_sigma,
        }
    }

    /// Whether it can do that.
    pub(crate) fn supports(&self, capability: Capability) -> bool {
        self.supports.contains(&capability)
    }

    /// Everything that it can do.
    #[cfg(test)]
    pub(crate) fn capabilities(&self) -> &[Capability] {
        &self.supports
    }

    /// How many tokens a text of `chars` characters has.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bodies are far below 2^52 characters, and the ratio is positive"
    )]
    pub(crate) fn tokens(&self, chars: u64) -> u64 {
        (chars as f64 / self.chars_per_token).ceil() as u64
    }

    /// The most characters that `tokens` tokens hold.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "token counts are bounded by the model's own limit"
    )]
    pub(crate) fn chars(&self, tokens: u64) -> usize {
        (tokens as f64 * self.chars_per_token).floor() as usize
    }

    /// The name in native bodies: `claude-3-haiku-20240307` for
    /// `anthropic.claude-3-haiku-20240307-v1:0`.
    pub(crate) fn bare_name(&self) -> &str {
        let name = self.id.split_once('.').map_or(self.id.as_str(), |(_, name)| name);
        match name.rfind("-v") {
            Some(at) if name[at + 2..].starts_with(|c: char| c.is_ascii_digit()) => &name[..at],
            _ => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_bodies_name_the_bare_model() {
        let name = |id| resolve(id).unwrap().bare_name();
        assert_eq!(name("anthropic.claude-3-haiku-20240307-v1:0"), "claude-3-haiku-20240307");
        assert_eq!(name("us.anthropic.claude-opus-4-8"), "claude-opus-4-8");
        assert_eq!(name("amazon.nova-lite-v1:0"), "nova-lite");
    }

    #[test]
    fn every_area_has_the_prefix_that_the_catalogue_names_it_by() {
        for area in Area::ALL {
            let read: Area = serde_json::from_value(area.prefix().into()).unwrap();
            assert_eq!(read, area);
            assert_eq!(Area::named(area.prefix()), Some(area));
        }
        assert_eq!(Area::named("mars"), None);
    }
}
