//! The reference client: the official SDK, instrumented by an interceptor of our own that speaks
//! the chosen version of the semantic conventions.

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_bedrockruntime::config::retry::RetryConfig;
use aws_sdk_bedrockruntime::config::timeout::TimeoutConfig;
use aws_sdk_bedrockruntime::config::{BehaviorVersion, Region, StalledStreamProtectionConfig};
use spanproof_schemas::semconv::Version;
use spanproof_schemas::speed::Speed;
use spanproof_schemas::worker::{Call, Done};

use crate::accounting::Accounting;
use crate::capabilities::Capabilities;
use crate::client::{Client, ClientError, ClientErrorKind};
use crate::clock::Clock;
use crate::dialect::Dialect;

mod answer;
mod attribution;
mod call_span;
mod calls;
mod content;
mod converse;
mod export;
mod failure;
mod instrumentation;
mod intercept;
mod request;
mod span_queue;

pub use export::ExportOptions;

use export::Export;
use instrumentation::Instrumentation;

/// How often a call is tried.
const MOST_ATTEMPTS: u32 = 3;

/// What the SDK waits before its first retry, in simulated time.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);

/// No retry comes sooner than this, in real time, however fast simulated time runs.
const LEAST_BACKOFF: Duration = Duration::from_millis(1);

/// No call takes longer than this, in real time: a service that hangs must not hang the run.
const MOST_CALL_TIME: Duration = Duration::from_mins(2);

/// How the reference client is set up.
#[derive(Clone, Debug)]
pub struct RustClientConfig {
    /// The base URL of the service, such as `http://127.0.0.1:8080`.
    pub bedrock_endpoint: String,
    /// The base URL of the OTLP receiver, such as `http://127.0.0.1:4317`.
    pub otlp_endpoint: String,
    /// The version of the conventions that telemetry is made by.
    pub semconv: Version,
    /// Whether prompts and completions are put on spans, where the version has attributes for
    /// them.
    pub content: bool,
    /// How fast simulated time runs: waits between retries shrink with it.
    pub speed: Speed,
    /// What the times of calls are measured by. Spans have the SDK's own times.
    pub clock: Clock,
}

/// The official SDK with our instrumentation.
pub struct RustClient {
    sdk: aws_sdk_bedrockruntime::Client,
    instrumentation: Arc<Instrumentation>,
    export: Export,
    clock: Clock,
}

impl RustClient {
    /// What this client can do: all of it.
    #[must_use]
    pub fn capabilities() -> Capabilities {
        Capabilities::all()
    }

    /// Sets up the SDK and starts the export of telemetry, over gRPC. Connects to nothing yet.
    ///
    /// # Errors
    ///
    /// When an address is none, or the exporter cannot be made.
    pub fn start(config: RustClientConfig) -> Result<RustClient, ClientError> {
        RustClient::start_exporting(config, ExportOptions::default())
    }

    /// Like [`RustClient::start`], with a say in how telemetry is exported.
    ///
    /// # Errors
    ///
    /// When an address is none, or the exporter cannot be made.
    pub fn start_exporting(
        config: RustClientConfig,
        options: ExportOptions,
    ) -> Result<RustClient, ClientError> {
        let server = host_and_port(&config.bedrock_endpoint)?;
        host_and_port(&config.otlp_endpoint)?;
        let sdk = aws_sdk_bedrockruntime::Client::from_conf(sdk_config(&config));
        let export = Export::start(config.otlp_endpoint, options)?;
        let instrumentation = Instrumentation::new(
            Dialect::of(config.semconv),
            &export.tracers,
            &export.meters,
            server,
            config.content,
        );
        let (instrumentation, clock) = (Arc::new(instrumentation), config.clock);
        Ok(RustClient { sdk, instrumentation, export, clock })
    }
}

fn sdk_config(config: &RustClientConfig) -> aws_sdk_bedrockruntime::Config {
    let backoff = config.speed.scale(FIRST_BACKOFF).max(LEAST_BACKOFF);
    let retries = RetryConfig::standard()
        .with_max_attempts(MOST_ATTEMPTS)
        .with_initial_backoff(backoff)
        .with_max_backoff(backoff * 20);
    // The mock checks no signatures, but the SDK signs only with credentials.
    let credentials = Credentials::new("spanproof", "not a secret", None, None, "spanproof");
    aws_sdk_bedrockruntime::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials)
        .endpoint_url(&config.bedrock_endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(retries)
        .timeout_config(TimeoutConfig::builder().operation_timeout(MOST_CALL_TIME).build())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build()
}

fn host_and_port(endpoint: &str) -> Result<(String, u16), ClientError> {
    let parts = endpoint.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
    parts
        .and_then(|authority| authority.rsplit_once(':'))
        .and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)))
        .ok_or_else(|| {
            let message = format!(
                "`{endpoint}` is no address of a server: write such as http://127.0.0.1:8080"
            );
            ClientError::new(ClientErrorKind::Start, message)
        })
}

impl Client for RustClient {
    fn name(&self) -> String {
        "rust".to_owned()
    }

    async fn call(&self, call: Call) -> Result<Done, ClientError> {
        let number = call.call;
        let Some(room) = self.export.queue.room().await else {
            let message = "the export queue has been closed";
            return Err(ClientError::new(ClientErrorKind::Ended, message));
        };
        let end = calls::make(&self.sdk, &self.instrumentation, &self.clock, call, room).await?;
        Ok(Done {
            call: number,
            started_unix_nanos: end.started,
            first_chunk_unix_nanos: end.first_chunk,
            finished_unix_nanos: self.clock.now(),
            error: end.error,
            usage: end.answer.usage,
            stop_reason: end.answer.stop_reason,
        })
    }

    async fn finish(&self) -> Result<(), ClientError> {
        self.export.finish().await
    }

    async fn abandon(&self) {
        self.export.queue.abandon().await;
    }

    fn accounting(&self) -> Option<Accounting> {
        Some(self.export.queue.books().read())
    }
}
