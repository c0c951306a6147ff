//! ListInferenceProfiles: the cross-region profiles of the catalogue's models that the region of
//! the request offers.

use serde::Serialize;
use spanproof_schemas::ledger;

use super::list_foundation_models::MEDIAN_LATENCY_MS;
use super::{Operation, Written};
use crate::arn::Region;
use crate::asked::Asked;
use crate::constraint;
use crate::draw::Fold;
use crate::error::ServiceError;
use crate::model::{self, Area, Model};
use crate::paging;
use crate::route::Route;
use crate::timing;

/// The most profiles of a page, and how many there are when the request does not say.
const LARGEST_PAGE: i64 = 1_000;

/// `GET /inference-profiles`
pub(crate) struct ListInferenceProfiles;

impl Operation for ListInferenceProfiles {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::ListInferenceProfiles
    }

    fn route(&self) -> Route {
        Route::get("/inference-profiles")
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        let size = match asked.query("maxResults") {
            Some(text) => constraint::integer("maxResults", &text, &(1..=LARGEST_PAGE))?,
            None => LARGEST_PAGE,
        };
        let kind = match asked.query("type") {
            Some(word) => {
                constraint::one_of("typeEquals", &word, &["SYSTEM_DEFINED", "APPLICATION"])?;
                word
            }
            None => "SYSTEM_DEFINED".into(),
        };
        let region = Region::of(&asked.head.headers);
        // Applications make their own profiles; nothing makes any here.
        let profiles: Vec<(&Model, Area)> =
            if kind == "APPLICATION" { Vec::new() } else { offered(&region) };
        let mut list = Fold::new(0);
        list.bytes(region.as_str().as_bytes());
        list.bytes(kind.as_bytes());
        let token = asked.query("nextToken");
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let (page, next_token) = paging::page(&profiles, list.finish(), token.as_deref(), size)?;
        let body = Body {
            inference_profile_summaries: page
                .iter()
                .map(|(model, area)| Summary::of(model, *area, &region))
                .collect(),
            next_token,
        };
        let due = timing::latency(MEDIAN_LATENCY_MS, asked.service.config.seed);
        Ok(Written::json(&body, due))
    }
}

fn offered(region: &Region) -> Vec<(&'static Model, Area)> {
    model::all()
        .iter()
        .flat_map(|model| model.areas.iter().map(move |area| (model, *area)))
        .filter(|(_, area)| region.offers(*area))
        .collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    inference_profile_summaries: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// A profile. When it was created and updated, which the service states, is not known here.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    inference_profile_name: String,
    description: String,
    inference_profile_arn: String,
    models: Vec<Destination>,
    inference_profile_id: String,
    status: &'static str,
    r#type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Destination {
    model_arn: String,
}

impl Summary {
    fn of(model: &Model, area: Area, region: &Region) -> Self {
        let id = format!("{}.{}", area.prefix(), model.id);
        let destinations = region.destinations(area);
        let called = if model.name.starts_with(model.provider.as_str()) {
            model.name.clone()
        } else {
            format!("{} {}", model.provider, model.name)
        };
        Summary {
            inference_profile_name: format!("{} {called}", area_name(area)),
            description: format!("Routes requests to {called} in {}.", listed(&destinations)),
            inference_profile_arn: region.resource(&format!("inference-profile/{id}")),
            models: destinations
                .iter()
                .map(|destination| Destination {
                    model_arn: destination.foundation_model(&model.id),
                })
                .collect(),
            inference_profile_id: id,
            status: "ACTIVE",
            r#type: "SYSTEM_DEFINED",
        }
    }
}

fn area_name(area: Area) -> &'static str {
    match area {
        Area::Us => "US",
        Area::UsGov => "US-GOV",
        Area::Ca => "CA",
        Area::Eu => "EU",
        Area::Apac => "APAC",
        Area::Global => "Global",
        Area::Au => "AU",
        Area::Jp => "JP",
        Area::In => "IN",
    }
}

/// `a`, `a and b`, `a, b and c`.
fn listed(regions: &[Region]) -> String {
    let names: Vec<&str> = regions.iter().map(Region::as_str).collect();
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}
