//! StartAsyncInvoke: begins an invocation whose result goes to S3.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use spanproof_schemas::ledger::{self, Content};

use super::{Operation, Written};
use crate::arn::Region;
use crate::asked::{Asked, Subject};
use crate::async_invoke::{Invocation, Output};
use crate::constraint;
use crate::draw::{self, Fold};
use crate::error::ServiceError;
use crate::model::{self, Capability};
use crate::request;
use crate::route::Route;
use crate::timing;

/// The median latency of starting an invocation; a plausible one.
pub(super) const MEDIAN_LATENCY_MS: f64 = 150.0;

/// An invocation whose result goes to a bucket with a name that ends so fails: so a test can have
/// one that does. The service's own text for that is not known.
const DENIED_BUCKET: &str = "-denied";
const DENIED: &str =
    "The invocation could not write to the S3 bucket. Check its permissions and try again.";

/// What the service says of Nova Lite and Pro, as people who tried them report on re:Post.
const NOT_ASYNC: &str = "The provided model doesn't support async inference.";

/// `POST /async-invoke`
pub(crate) struct StartAsyncInvoke;

impl Operation for StartAsyncInvoke {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::StartAsyncInvoke
    }

    fn route(&self) -> Route {
        Route::post("/async-invoke")
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        let body: Body<'_> = asked.json()?;
        let service = asked.service;
        asked.exchange.markers = request::markers(asked.body, &service.prompt_stem);
        let id = constraint::required("modelId", body.model_id)?;
        asked.exchange.model_id.clone_from(&id);
        constraint::length("modelId", &id, &(1..=256))?;
        let input = constraint::required("modelInput", body.model_input)?.get();
        asked.exchange.prompt_sha256 = draw::sha256(input);
        if service.config.keep_content {
            asked.exchange.content =
                Some(Content { prompt: input.to_owned(), completion: String::new() });
        }
        let output = constraint::required("outputDataConfig", body.output_data_config)?;
        check_output(&output)?;
        check_tags(body.tags.as_deref().unwrap_or_default())?;
        if let Some(token) = &body.client_request_token {
            constraint::length("clientRequestToken", token, &(1..=256))?;
            let is_visible = token.bytes().all(|byte| byte.is_ascii_graphic());
            constraint::pattern("clientRequestToken", token, "[!-~]*", is_visible)?;
        }
        let model = model::resolve(&id)?;
        asked.exchange.served_model = Some(model.id.clone());
        if !model.supports(Capability::AsyncInvoke) {
            return Err(ServiceError::validation(NOT_ASYNC));
        }
        if !input.trim_start().starts_with('{') {
            return Err(ServiceError::validation("The provided request is not valid"));
        }
        asked.admit(&Subject { model: Some(model), prompt: input, quota_tokens: 0 })?;

        let region = Region::of(&asked.head.headers);
        let number = asked.exchange.sequence;
        let mut fingerprint = Fold::new(service.config.seed);
        for part in [model.id.as_str(), input, output.s3_output_data_config.s3_uri.as_str()] {
            fingerprint.bytes(part.as_bytes());
        }
        let fingerprint = fingerprint.finish();
        let bucket = bucket(&output.s3_output_data_config.s3_uri);
        let invocation = Invocation {
            test_id: asked.exchange.test_id.clone(),
            number,
            arn: region.resource(&format!("async-invoke/{}", name(service.config.seed, number))),
            model_arn: region.foundation_model(&model.id),
            client_request_token: body.client_request_token,
            fingerprint,
            submitted: asked.exchange.arrived_unix_nanos,
            failure: bucket.ends_with(DENIED_BUCKET).then_some(DENIED),
            output,
        };
        let invocation_arn =
            service.async_invokes.start(invocation).map_err(|_taken| token_taken())?;
        let due = timing::latency(MEDIAN_LATENCY_MS, fingerprint);
        Ok(Written::json(&Started { invocation_arn }, due))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    client_request_token: Option<String>,
    model_id: Option<String>,
    #[serde(borrow)]
    model_input: Option<&'a RawValue>,
    output_data_config: Option<Output>,
    tags: Option<Vec<Tag>>,
}

#[derive(Deserialize)]
struct Tag {
    key: Option<String>,
    value: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    invocation_arn: String,
}

fn check_output(output: &Output) -> Result<(), ServiceError> {
    let output = &output.s3_output_data_config;
    let at = "outputDataConfig.s3OutputDataConfig";
    constraint::length(&format!("{at}.s3Uri"), &output.s3_uri, &(1..=1_024))?;
    let bucket = bucket(&output.s3_uri).as_bytes();
    let is_end = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_bucket = output.s3_uri.starts_with("s3://")
        && (3..=63).contains(&bucket.len())
        && bucket.iter().all(|byte| is_end(byte) || matches!(byte, b'.' | b'-'))
        && bucket.first().is_some_and(is_end)
        && bucket.last().is_some_and(is_end);
    let pattern = r"s3://[a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9](/.*)?";
    constraint::pattern(&format!("{at}.s3Uri"), &output.s3_uri, pattern, is_bucket)?;
    if let Some(owner) = &output.bucket_owner {
        let is_account = owner.len() == 12 && owner.bytes().all(|byte| byte.is_ascii_digit());
        constraint::pattern(&format!("{at}.bucketOwner"), owner, "[0-9]{12}", is_account)?;
    }
    Ok(())
}

fn bucket(uri: &str) -> &str {
    let path = uri.strip_prefix("s3://").unwrap_or_default();
    path.split('/').next().unwrap_or_default()
}

fn check_tags(tags: &[Tag]) -> Result<(), ServiceError> {
    constraint::count("tags", tags.len(), &(0..=200))?;
    for (n, tag) in tags.iter().enumerate() {
        let at = |member| format!("tags.{}.member.{member}", n + 1);
        let key = constraint::required(&at("key"), tag.key.as_deref())?;
        constraint::length(&at("key"), key, &(1..=128))?;
        let value = constraint::required(&at("value"), tag.value.as_deref())?;
        constraint::length(&at("value"), value, &(0..=256))?;
    }
    Ok(())
}

/// The twelve letters and digits that name an invocation.
fn name(seed: u64, number: u64) -> String {
    let mut fold = Fold::new(seed);
    fold.word(number);
    let mut name = draw::base36(fold.finish()).to_ascii_lowercase();
    while name.len() < 12 {
        name.insert(0, '0');
    }
    name.split_off(name.len() - 12)
}

/// The service's own text is not known.
fn token_taken() -> ServiceError {
    ServiceError::new(
        http::StatusCode::BAD_REQUEST,
        "ConflictException",
        "The clientRequestToken was already used with different parameters. Use another token and try again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_twelve_letters_and_digits() {
        for number in 0..2_000 {
            let name = name(7, number);
            assert_eq!(name.len(), 12, "{name}");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{name}");
        }
    }
}
