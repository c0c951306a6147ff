//! Models, and the ids by which they are asked for.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::error::ServiceError;

/// A model of the catalogue. Sizes and minimum cacheable prefixes are those the providers document;
/// speeds are plausible medians, and the characters per token are this mock's stated rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    /// The base id, such as `anthropic.claude-3-haiku-20240307-v1:0`.
    pub(crate) id: String,
    /// The family that reads and writes its native bodies.
    pub(crate) family: String,
    /// Whether the base id can be invoked.
    pub(crate) on_demand: bool,
    /// Whether cross-region inference profiles contain it.
    pub(crate) profile: bool,
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
    /// How fast it generates after that.
    pub(crate) tokens_per_second: f64,
}

impl Model {
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

/// The models that the mock serves.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    models: Vec<Model>,
}

static CATALOGUE: LazyLock<Vec<Model>> = LazyLock::new(|| {
    let catalogue: Result<Catalogue, _> = serde_json::from_str(include_str!("catalogue.json"));
    catalogue.expect("catalogue.json is compiled in and read by a test").models
});

/// The area prefixes of cross-region inference profiles.
const AREAS: &[&str] = &["us", "eu", "apac", "global", "au", "jp"];

/// Every model of the catalogue.
#[cfg(test)]
pub(crate) fn all() -> &'static [Model] {
    &CATALOGUE
}

/// The model that `id` names: a base id, a cross-region inference profile, or the ARN of a
/// foundation model or an inference profile.
///
/// An application inference profile does not tell its model; it stands for the model that its
/// resource id names, as in `…:application-inference-profile/amazon.nova-lite-v1:0`, else for the
/// first model of the catalogue.
///
/// # Errors
///
/// The service's own exceptions for ids that it does not know, or does not serve on demand.
pub(crate) fn resolve(id: &str) -> Result<&'static Model, ServiceError> {
    if id.starts_with("arn:") {
        return resolve_arn(id);
    }
    if let Some((area, base)) = id.split_once('.')
        && AREAS.contains(&area)
    {
        return resolve_profile(base);
    }
    let model = find(id).ok_or_else(ServiceError::unknown_model)?;
    if model.on_demand { Ok(model) } else { Err(profile_only(id)) }
}

fn resolve_arn(arn: &str) -> Result<&'static Model, ServiceError> {
    let mut fields = arn.splitn(6, ':');
    let head = [fields.next(), fields.next(), fields.next()];
    let (Some(_region), Some(_account), Some(resource)) =
        (fields.next(), fields.next(), fields.next())
    else {
        return Err(ServiceError::unknown_model());
    };
    if !matches!(head, [_, Some("aws" | "aws-cn" | "aws-us-gov"), Some("bedrock")]) {
        return Err(ServiceError::unknown_model());
    }
    match resource.split_once('/') {
        Some(("foundation-model", id)) => {
            let model = find(id).ok_or_else(ServiceError::unresolved_model)?;
            if model.on_demand { Ok(model) } else { Err(profile_only(arn)) }
        }
        Some(("inference-profile", id)) => match id.split_once('.') {
            Some((area, base)) if AREAS.contains(&area) => {
                resolve_profile(base).map_err(|_| ServiceError::unresolved_model())
            }
            _ => Err(ServiceError::unresolved_model()),
        },
        Some(("application-inference-profile", id)) if !id.is_empty() => {
            Ok(find(id).unwrap_or(&CATALOGUE[0]))
        }
        _ => Err(ServiceError::unknown_model()),
    }
}

fn resolve_profile(base: &str) -> Result<&'static Model, ServiceError> {
    find(base).filter(|model| model.profile).ok_or_else(ServiceError::unknown_model)
}

fn find(id: &str) -> Option<&'static Model> {
    CATALOGUE.iter().find(|model| model.id == id)
}

fn profile_only(id: &str) -> ServiceError {
    ServiceError::validation(format!(
        "Invocation of model ID {id} with on-demand throughput isn\u{2019}t supported. Retry your request with the ID or ARN of an inference profile that contains this model."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_resolve_in_every_form_that_the_service_takes() {
        for (id, model) in [
            ("amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
            ("us.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
            ("apac.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
            (
                "global.anthropic.claude-haiku-4-5-20251001-v1:0",
                "anthropic.claude-haiku-4-5-20251001-v1:0",
            ),
            (
                "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v1",
                "amazon.titan-embed-text-v1",
            ),
            (
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-pro-v1:0",
                "amazon.nova-pro-v1:0",
            ),
            (
                "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/ab12cd",
                "anthropic.claude-3-5-sonnet-20240620-v1:0",
            ),
            (
                "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/amazon.nova-lite-v1:0",
                "amazon.nova-lite-v1:0",
            ),
        ] {
            assert_eq!(resolve(id).unwrap().id, model, "{id}");
        }
    }

    #[test]
    fn other_ids_are_refused() {
        for id in [
            "",
            "us.",
            "nova",
            "mars.amazon.nova-lite-v1:0",
            "us.amazon.titan-embed-text-v1",
            "us.us.amazon.nova-lite-v1:0",
            "arn:",
            "arn:aws:s3:us-east-1::foundation-model/amazon.nova-lite-v1:0",
            "arn:aws:bedrock:us-east-1:1:inference-profile/amazon.nova-lite-v1:0",
            "arn:aws:bedrock:us-east-1:1:application-inference-profile/",
            "arn:aws:bedrock:us-east-1:1:prompt/ABCDEFGHIJ",
        ] {
            assert!(resolve(id).is_err(), "{id}");
        }
    }

    #[test]
    fn native_bodies_name_the_bare_model() {
        let name = |id| resolve(id).unwrap().bare_name();
        assert_eq!(name("anthropic.claude-3-haiku-20240307-v1:0"), "claude-3-haiku-20240307");
        assert_eq!(name("amazon.nova-lite-v1:0"), "nova-lite");
    }

    #[test]
    fn the_catalogue_makes_sense() {
        for model in all() {
            assert!(model.chars_per_token >= 1.0 && model.first_token_sigma > 0.0, "{}", model.id);
            assert!(model.first_token_median_ms > 0.0, "{}", model.id);
            assert!(model.on_demand || model.profile, "{}", model.id);
            let chats = model.family != "titan_embed";
            assert_eq!(chats, model.max_output_tokens > 0 && model.tokens_per_second > 0.0);
            assert_eq!(
                all().iter().filter(|other| other.id == model.id).count(),
                1,
                "{}",
                model.id
            );
        }
    }
}
