//! How an AWS SDK is pointed at another endpoint than the service's.

/// The variables that name the endpoints of the services that the mock serves: the runtime, the
/// agent runtime and the control plane. An SDK reads one per service, and sends the calls of a
/// service whose variable is not set to AWS. The names are those of the SDKs' reference guide:
/// `AWS_ENDPOINT_URL_` and the service's id in capitals.
pub const VARIABLES: [&str; 3] = [
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    "AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME",
    "AWS_ENDPOINT_URL_BEDROCK",
];
