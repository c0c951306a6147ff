//! GetFoundationModel: one model of the catalogue.

use serde::Serialize;
use spanproof_schemas::ledger;

use super::list_foundation_models::{MEDIAN_LATENCY_MS, Summary};
use super::{Operation, Written};
use crate::arn::Region;
use crate::asked::Asked;
use crate::constraint;
use crate::error::ServiceError;
use crate::model;
use crate::route::Route;
use crate::timing;

/// `GET /foundation-models/{modelIdentifier}`
pub(crate) struct GetFoundationModel;

impl Operation for GetFoundationModel {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::GetFoundationModel
    }

    fn route(&self) -> Route {
        Route::get("/foundation-models/{modelIdentifier}")
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        let identifier = asked.labels.get("modelIdentifier").to_owned();
        asked.exchange.model_id.clone_from(&identifier);
        constraint::length("modelIdentifier", &identifier, &(1..=2_048))?;
        let id = base_id(&identifier).ok_or_else(ServiceError::unknown_model)?;
        let model = model::all()
            .iter()
            .find(|model| model.id == id)
            .ok_or_else(ServiceError::unresolved_model)?;
        asked.exchange.served_model = Some(model.id.clone());
        let region = Region::of(&asked.head.headers);
        let body = Body { model_details: Summary::of(model, &region) };
        let due = timing::latency(MEDIAN_LATENCY_MS, asked.service.config.seed);
        Ok(Written::json(&body, due))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    model_details: Summary<'a>,
}

/// The base id in `identifier`, which is one, or the ARN of a foundation model; `None` for what is
/// neither, such as an inference profile's ARN.
fn base_id(identifier: &str) -> Option<&str> {
    let id = match identifier.strip_prefix("arn:") {
        None => identifier,
        Some(arn) => {
            let mut fields = arn.splitn(5, ':');
            let (partition, service) = (fields.next()?, fields.next()?);
            let (_region, account, resource) = (fields.next()?, fields.next()?, fields.next()?);
            let is_model =
                partition.starts_with("aws") && service == "bedrock" && account.is_empty();
            resource.strip_prefix("foundation-model/").filter(|_| is_model)?
        }
    };
    let is_id = id.contains('.')
        && id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b':'));
    is_id.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_named_by_its_id_or_its_arn() {
        assert_eq!(base_id("amazon.nova-lite-v1:0"), Some("amazon.nova-lite-v1:0"));
        assert_eq!(
            base_id("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"),
            Some("amazon.nova-lite-v1:0")
        );
        for other in [
            "nova",
            "Amazon.Nova",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0",
            "arn:aws:s3:us-east-1::foundation-model/amazon.nova-lite-v1:0",
            "arn:aws",
        ] {
            assert_eq!(base_id(other), None, "{other}");
        }
    }
}
