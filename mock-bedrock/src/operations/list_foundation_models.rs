//! ListFoundationModels: the models of the catalogue, as the control plane describes them.

use serde::Serialize;
use spanproof_schemas::ledger;

use super::{Operation, Written};
use crate::arn::Region;
use crate::asked::Asked;
use crate::constraint;
use crate::error::ServiceError;
use crate::model::{self, Capability, Lifecycle, Modality, Model};
use crate::route::Route;
use crate::timing;

/// The median latency of the control plane; a plausible one.
pub(super) const MEDIAN_LATENCY_MS: f64 = 70.0;

/// What the service calls inference on demand, and through a cross-region profile. Its model does
/// not list the second, though it answers with it.
const ON_DEMAND: &str = "ON_DEMAND";
const INFERENCE_PROFILE: &str = "INFERENCE_PROFILE";

/// `GET /foundation-models`
pub(crate) struct ListFoundationModels;

impl Operation for ListFoundationModels {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::ListFoundationModels
    }

    fn route(&self) -> Route {
        Route::get("/foundation-models")
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        let filter = Filter::read(asked)?;
        let region = Region::of(&asked.head.headers);
        let models = model::all().iter().filter(|model| filter.lets_through(model));
        let body =
            Body { model_summaries: models.map(|model| Summary::of(model, &region)).collect() };
        let due = timing::latency(MEDIAN_LATENCY_MS, asked.service.config.seed);
        Ok(Written::json(&body, due))
    }
}

/// Which models are wanted: those that every member present lets through.
#[derive(Debug, Default)]
struct Filter {
    provider: Option<String>,
    customization: Option<String>,
    output: Option<Modality>,
    inference: Option<String>,
}

impl Filter {
    fn read(asked: &Asked<'_>) -> Result<Self, ServiceError> {
        let mut filter = Filter::default();
        if let Some(provider) = asked.query("byProvider") {
            let is_name = (1..=63).contains(&provider.len())
                && provider.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b' '));
            constraint::pattern("byProvider", &provider, "[A-Za-z0-9- ]{1,63}", is_name)?;
            filter.provider = Some(provider.into_owned());
        }
        if let Some(word) = asked.query("byCustomizationType") {
            let words = ["FINE_TUNING", "CONTINUED_PRE_TRAINING", "DISTILLATION"];
            constraint::one_of("byCustomizationType", &word, &words)?;
            filter.customization = Some(word.into_owned());
        }
        if let Some(word) = asked.query("byOutputModality") {
            let words = Modality::ALL.map(modality_name);
            constraint::one_of("byOutputModality", &word, &words)?;
            filter.output =
                Modality::ALL.into_iter().find(|modality| modality_name(*modality) == word);
        }
        if let Some(word) = asked.query("byInferenceType") {
            let words = [ON_DEMAND, "PROVISIONED", INFERENCE_PROFILE];
            constraint::one_of("byInferenceType", &word, &words)?;
            filter.inference = Some(word.into_owned());
        }
        Ok(filter)
    }

    /// No model here can be customized or provisioned, so these two filters leave none.
    fn lets_through(&self, model: &Model) -> bool {
        self.provider.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(&model.provider))
            && self.customization.is_none()
            && self.output.is_none_or(|modality| model.output.contains(&modality))
            && self
                .inference
                .as_ref()
                .is_none_or(|wanted| inference_types(model).iter().any(|offered| offered == wanted))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    model_summaries: Vec<Summary<'a>>,
}

/// A model, in the order of members that the service's documentation has.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary<'a> {
    model_arn: String,
    model_id: &'a str,
    model_name: &'a str,
    provider_name: &'a str,
    input_modalities: Vec<&'static str>,
    output_modalities: Vec<&'static str>,
    response_streaming_supported: bool,
    customizations_supported: [&'static str; 0],
    inference_types_supported: Vec<&'static str>,
    model_lifecycle: Status,
}

#[derive(Serialize)]
struct Status {
    status: &'static str,
}

impl<'a> Summary<'a> {
    pub(super) fn of(model: &'a Model, region: &Region) -> Self {
        let names =
            |modalities: &[Modality]| modalities.iter().copied().map(modality_name).collect();
        Summary {
            model_arn: region.foundation_model(&model.id),
            model_id: &model.id,
            model_name: &model.name,
            provider_name: &model.provider,
            input_modalities: names(&model.input),
            output_modalities: names(&model.output),
            response_streaming_supported: model.supports(Capability::Stream),
            customizations_supported: [],
            inference_types_supported: inference_types(model),
            model_lifecycle: Status {
                status: match model.lifecycle {
                    Lifecycle::Active => "ACTIVE",
                    Lifecycle::Legacy => "LEGACY",
                },
            },
        }
    }
}

fn inference_types(model: &Model) -> Vec<&'static str> {
    let mut types = Vec::new();
    if model.on_demand {
        types.push(ON_DEMAND);
    }
    if !model.areas.is_empty() {
        types.push(INFERENCE_PROFILE);
    }
    types
}

/// The word of a modality. The service answers with more of them than its model lists.
fn modality_name(modality: Modality) -> &'static str {
    match modality {
        Modality::Text => "TEXT",
        Modality::Image => "IMAGE",
        Modality::Audio => "AUDIO",
        Modality::Video => "VIDEO",
        Modality::Speech => "SPEECH",
        Modality::Embedding => "EMBEDDING",
    }
}
