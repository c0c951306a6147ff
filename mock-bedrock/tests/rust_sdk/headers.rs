//! The headers of an answer, which the SDK does not show to callers.

use std::sync::{Arc, Mutex};

use aws_sdk_bedrockruntime::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_bedrockruntime::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_bedrockruntime::error::BoxError;

/// The headers of the latest answer of a call that this interceptor was put into.
#[derive(Clone, Debug, Default)]
pub(super) struct Headers(Arc<Mutex<Vec<(String, String)>>>);

impl Headers {
    /// The value of `name`, in lower case.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let headers = self.0.lock().unwrap();
        headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    /// The names of the service's own headers beside the content type.
    pub(super) fn of_bedrock(&self) -> Vec<String> {
        let headers = self.0.lock().unwrap();
        let names = headers.iter().map(|(name, _)| name.clone());
        names
            .filter(|name| {
                name.starts_with("x-amzn-bedrock-") && name != "x-amzn-bedrock-content-type"
            })
            .collect()
    }
}

impl Intercept for Headers {
    fn name(&self) -> &'static str {
        "headers"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let found = context.response().headers().iter();
        *self.0.lock().unwrap() =
            found.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(())
    }
}
