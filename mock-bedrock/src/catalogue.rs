//! The models that the mock serves, one file a provider and one line a model, and the ids by which
//! they are asked for.
//!
//! Ids, modalities, profiles and lifecycle are the service's own, as its `ListFoundationModels` and
//! `ListInferenceProfiles` state them; models that it has retired stay, as legacy, for applications
//! that still name them. Every region serves everything here. Prices are in
//! `fixtures/prices/bedrock.json`, by the same ids.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;
use spanproof_schemas::glob;

use crate::error::ServiceError;
use crate::model::{Area, Model};

/// The files, in the order in which the models are listed.
const FILES: &[(&str, &str)] = &[
    ("ai21", include_str!("catalogue/ai21.json")),
    ("amazon", include_str!("catalogue/amazon.json")),
    ("anthropic", include_str!("catalogue/anthropic.json")),
    ("cohere", include_str!("catalogue/cohere.json")),
    ("deepseek", include_str!("catalogue/deepseek.json")),
    ("meta", include_str!("catalogue/meta.json")),
    ("mistral", include_str!("catalogue/mistral.json")),
    ("openai", include_str!("catalogue/openai.json")),
    ("qwen", include_str!("catalogue/qwen.json")),
];

/// What an application inference profile stands for when its id does not tell.
const PROFILED: &str = "anthropic.claude-3-5-sonnet-20240620-v1:0";

/// One provider's models.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    provider: String,
    models: Vec<Model>,
}

static MODELS: LazyLock<Vec<Model>> = LazyLock::new(|| {
    let mut models = Vec::new();
    for (name, text) in FILES {
        let file: Result<File, _> = serde_json::from_str(text);
        let file =
            file.unwrap_or_else(|error| panic!("catalogue/{name}.json, which tests read: {error}"));
        models.extend(file.models.into_iter().map(|mut model| {
            model.provider.clone_from(&file.provider);
            model
        }));
    }
    models
});

static BY_ID: LazyLock<HashMap<&'static str, &'static Model>> =
    LazyLock::new(|| MODELS.iter().map(|model| (model.id.as_str(), model)).collect());

/// Every model.
pub(crate) fn all() -> &'static [Model] {
    &MODELS
}

/// The model that `id` names: a base id, a cross-region inference profile, or the ARN of a
/// foundation model or an inference profile.
///
/// An application inference profile does not tell its model; it stands for the model that its
/// resource id names, as in `…:application-inference-profile/amazon.nova-lite-v1:0`, else for
/// Claude 3.5 Sonnet.
///
/// # Errors
///
/// The service's own exceptions for ids that it does not know, or does not serve on demand.
pub(crate) fn resolve(id: &str) -> Result<&'static Model, ServiceError> {
    if id.starts_with("arn:") {
        return resolve_arn(id);
    }
    if let Some(model) = find(id) {
        return on_demand(model, id);
    }
    profile(id).ok_or_else(ServiceError::unknown_model)
}

/// The model that `id` names by its base id or its own ARN, whether or not it is served on demand.
pub(crate) fn base(id: &str) -> Option<&'static Model> {
    let base = match id.strip_prefix("arn:") {
        Some(arn) => arn.split_once(":foundation-model/")?.1,
        None => id,
    };
    find(base)
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
            on_demand(find(id).ok_or_else(ServiceError::unresolved_model)?, arn)
        }
        Some(("inference-profile", id)) => profile(id).ok_or_else(ServiceError::unresolved_model),
        Some(("application-inference-profile", id)) if !id.is_empty() => {
            find(id).or_else(|| find(PROFILED)).ok_or_else(ServiceError::unresolved_model)
        }
        _ => Err(ServiceError::unknown_model()),
    }
}

/// Whether `pattern`, where `*` is any text, fits an id by which a model can be asked for. ARNs hold
/// names of people's own, and may be anything.
pub(crate) fn may_name(pattern: &str) -> bool {
    pattern.starts_with("arn:")
        || all().iter().any(|model| {
            glob::fits(pattern, &model.id)
                || model
                    .areas
                    .iter()
                    .any(|area| glob::fits(pattern, &format!("{}.{}", area.prefix(), model.id)))
        })
}

/// The model of a cross-region inference profile that contains it.
fn profile(id: &str) -> Option<&'static Model> {
    let (area, base) = id.split_once('.')?;
    let area = Area::named(area)?;
    find(base).filter(|model| model.areas.contains(&area))
}

fn find(id: &str) -> Option<&'static Model> {
    BY_ID.get(id).copied()
}

fn on_demand(model: &'static Model, id: &str) -> Result<&'static Model, ServiceError> {
    if model.on_demand {
        return Ok(model);
    }
    Err(ServiceError::validation(format!(
        "Invocation of model ID {id} with on-demand throughput isn\u{2019}t supported. Retry your request with the ID or ARN of an inference profile that contains this model."
    )))
}

#[cfg(test)]
mod tests {
    use spanproof_schemas::price::PriceTable;

    use super::*;
    use crate::folder;
    use crate::model::{Capability, Modality};

    #[test]
    fn ids_resolve_in_every_form_that_the_service_takes() {
        for (id, model) in [
            ("amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
            ("us.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
            ("apac.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
            ("us.anthropic.claude-opus-4-8", "anthropic.claude-opus-4-8"),
            ("jp.anthropic.claude-sonnet-5", "anthropic.claude-sonnet-5"),
            ("us.deepseek.r1-v1:0", "deepseek.r1-v1:0"),
            ("deepseek.v3.2", "deepseek.v3.2"),
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
                "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:inference-profile/us-gov.anthropic.claude-sonnet-5",
                "anthropic.claude-sonnet-5",
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
            "jp.amazon.nova-lite-v1:0",
            "us.us.amazon.nova-lite-v1:0",
            "deepseek.r1-v1:0",
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
    fn every_file_of_the_folder_is_in_the_slice() {
        let listed: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        assert_eq!(folder::stems("src/catalogue"), listed);
    }

    #[test]
    fn every_model_makes_sense() {
        assert_eq!(BY_ID.len(), MODELS.len(), "two models have one id");
        for model in all() {
            let id = &model.id;
            assert!(id.starts_with(|c: char| c.is_ascii_lowercase()), "{id}");
            assert!(!model.provider.is_empty() && !model.name.is_empty(), "{id}");
            assert!(model.chars_per_token >= 1.0 && model.first_token_sigma > 0.0, "{id}");
            assert!(model.first_token_median_ms > 0.0 && model.context_window > 0, "{id}");
            assert!(model.on_demand || !model.areas.is_empty(), "{id}");
            let speaks = model.input.contains(&Modality::Speech);
            assert!(speaks || model.input.contains(&Modality::Text), "{id}");
            let converses = model.supports(Capability::Converse);
            let generates = model.max_output_tokens > 0 && model.tokens_per_second > 0.0;
            assert_eq!(converses || speaks, generates, "{id}");
            let by_converse = |of: &&Capability| !matches!(of, Capability::AsyncInvoke);
            assert!(converses || !model.capabilities().iter().any(|of| by_converse(&of)), "{id}");
            assert!(!converses || model.output == [Modality::Text], "{id}");
            for (capability, needs) in [
                (Capability::StreamTools, Capability::Tools),
                (Capability::ChooseAny, Capability::Tools),
                (Capability::ChooseTool, Capability::Tools),
            ] {
                assert!(!model.supports(capability) || model.supports(needs), "{id}");
            }
        }
    }

    #[test]
    fn every_priced_model_is_in_the_catalogue() {
        for id in PriceTable::built_in().models.keys() {
            assert!(find(id).is_some(), "{id}");
        }
    }
}
