//! What a worker is started with.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use spanproof_schemas::content_policy::ContentPolicy;
use spanproof_schemas::endpoint;

/// Where a worker sends its calls and its telemetry, and how long it may take.
#[derive(Clone)]
pub struct Settings {
    /// The service, such as `http://127.0.0.1:8080`.
    pub bedrock_endpoint: String,
    /// An OTLP receiver of HTTP/protobuf, without a path: `http://127.0.0.1:4318`.
    pub otlp_endpoint: String,
    /// The `service.name` of its telemetry.
    pub service_name: String,
    /// What it is to capture of prompts and completions: nothing, all, or all in events.
    pub content: ContentPolicy,
    /// How many calls it makes at once.
    pub concurrency: u32,
    /// How long it may take.
    pub limits: Limits,
    /// Is told each line that it writes to standard error, as it comes.
    pub on_stderr: Option<OnLine>,
}

/// Told of a line.
pub type OnLine = Arc<dyn Fn(&str) + Send + Sync>;

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("bedrock_endpoint", &self.bedrock_endpoint)
            .field("otlp_endpoint", &self.otlp_endpoint)
            .field("service_name", &self.service_name)
            .field("content", &self.content)
            .field("concurrency", &self.concurrency)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// How long a worker may take before it counts as hung and is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// To start and say that it is ready.
    pub ready: Duration,
    /// Without a call ending while calls are open.
    pub answer: Duration,
    /// To flush its telemetry and exit after the last call.
    pub finish: Duration,
}

impl Default for Limits {
    /// Generous: a cold start imports SDKs from disk, and an agent rewrites classes as they load; a
    /// call may run into the SDK's read timeout of a minute on each of its attempts, and an exporter
    /// tries again for half a minute.
    fn default() -> Self {
        Self {
            ready: Duration::from_mins(3),
            answer: Duration::from_mins(3),
            finish: Duration::from_mins(2),
        }
    }
}

/// Variables of this process that a worker must not see: they would change where it sends what, or
/// what its library does, from one machine to the next.
pub(super) fn is_withheld(variable: &str) -> bool {
    const PREFIXES: [&str; 7] =
        ["AWS_", "OTEL_", "TRACELOOP_", "OPENINFERENCE_", "PYTHON", "NODE_", "GODEBUG"];
    const NAMES: [&str; 4] =
        ["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH"];
    let upper = variable.to_ascii_uppercase();
    PREFIXES.iter().any(|prefix| upper.starts_with(prefix))
        || NAMES.contains(&&*upper)
        || upper.ends_with("_PROXY")
}

impl Settings {
    /// The variables that every worker gets.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let endpoints =
            endpoint::VARIABLES.iter().map(|name| (*name, self.bedrock_endpoint.clone()));
        let others = [
            // SDKs disagree on the variable's name.
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "spanproof".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "spanproof".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
            // A fault on the first attempt alone heals, and a call that is throttled for good waits
            // once, for at most a second, before it fails.
            ("AWS_RETRY_MODE", "standard".to_owned()),
            ("AWS_MAX_ATTEMPTS", "2".to_owned()),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", self.otlp_endpoint.clone()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf".to_owned()),
            ("OTEL_TRACES_EXPORTER", "otlp".to_owned()),
            ("OTEL_METRICS_EXPORTER", "otlp".to_owned()),
            ("OTEL_LOGS_EXPORTER", "otlp".to_owned()),
            // Room for a burst of spans and events. What is judged is the instrumentation, not how
            // much the SDK drops when a simulated day passes in a minute.
            ("OTEL_BSP_MAX_QUEUE_SIZE", "65536".to_owned()),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2048".to_owned()),
            ("OTEL_BLRP_MAX_QUEUE_SIZE", "65536".to_owned()),
            ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "2048".to_owned()),
            ("OTEL_METRIC_EXPORT_INTERVAL", "10000".to_owned()),
            ("OTEL_SERVICE_NAME", self.service_name.clone()),
            ("SPANPROOF_CONCURRENCY", self.concurrency.to_string()),
        ];
        endpoints.chain(others).collect()
    }
}
