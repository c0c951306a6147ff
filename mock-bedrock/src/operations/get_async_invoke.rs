//! GetAsyncInvoke: how far an asynchronous invocation is.

use std::time::SystemTime;

use spanproof_schemas::ledger;
use spanproof_schemas::time::unix_nanos;

use super::start_async_invoke::MEDIAN_LATENCY_MS;
use super::{Operation, Written};
use crate::asked::Asked;
use crate::constraint;
use crate::error::ServiceError;
use crate::route::Route;
use crate::timing;

/// `GET /async-invoke/{invocationArn}`
pub(crate) struct GetAsyncInvoke;

impl Operation for GetAsyncInvoke {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::GetAsyncInvoke
    }

    fn route(&self) -> Route {
        Route::get("/async-invoke/{invocationArn}")
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        let arn = asked.labels.get("invocationArn");
        constraint::length("invocationArn", arn, &(1..=2_048))?;
        constraint::pattern(
            "invocationArn",
            arn,
            "arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:async-invoke/[a-z0-9]{12}",
            is_invocation(arn),
        )?;
        let now = unix_nanos(SystemTime::now());
        let service = asked.service;
        // The operation has no exception for what does not exist; the service's text is not known.
        let described =
            service.async_invokes.get(asked.exchange.test_id.as_deref(), arn, now).ok_or_else(
                || ServiceError::validation("The provided invocation ARN does not exist."),
            )?;
        Ok(Written::json(&described, timing::latency(MEDIAN_LATENCY_MS, service.config.seed)))
    }
}

fn is_invocation(arn: &str) -> bool {
    let fields: Vec<&str> = arn.split(':').collect();
    let [_arn, partition, "bedrock", region, account, resource] = fields[..] else { return false };
    let is_word = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let name = resource.strip_prefix("async-invoke/").unwrap_or_default();
    arn.starts_with("arn:")
        && partition.starts_with("aws")
        && (1..=20).contains(&region.len())
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && name.len() == 12
        && is_word(name)
}
