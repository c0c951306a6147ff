//! What points a command's AWS SDK at the mock and its OTLP exporter at the receiver.

use std::ffi::OsStr;

use spanproof_schemas::endpoint;
use tokio::process::Command;

use crate::servers::Servers;

/// Set where the user has not: the exporters, and what the SDK wants before it makes any call.
const DEFAULTS: &[(&str, &str)] = &[
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
    ("OTEL_TRACES_EXPORTER", "otlp"),
    ("OTEL_METRICS_EXPORTER", "otlp"),
    ("OTEL_LOGS_EXPORTER", "otlp"),
    ("AWS_ACCESS_KEY_ID", "spanproof"),
    ("AWS_SECRET_ACCESS_KEY", "spanproof"),
    ("AWS_REGION", "us-east-1"),
    // boto3 reads this one alone.
    ("AWS_DEFAULT_REGION", "us-east-1"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("NO_PROXY", "127.0.0.1,localhost"),
];

/// Taken away: each would send calls to the real service, or telemetry to another receiver.
const REMOVED: &[&str] = &[
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
    "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL",
];

/// Sets the environment of `command`, and says which settings of the user keep telemetry away.
pub(crate) fn point_at(servers: &Servers, command: &mut Command) -> Vec<String> {
    let is_grpc = std::env::var_os("OTEL_EXPORTER_OTLP_PROTOCOL").is_some_and(|it| it == "grpc");
    let receiver = if is_grpc { servers.grpc_endpoint() } else { servers.http_endpoint() };
    for name in endpoint::VARIABLES {
        command.env(name, servers.mock.endpoint());
    }
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver);
    for name in REMOVED {
        command.env_remove(name);
    }
    for (name, value) in DEFAULTS {
        if std::env::var_os(name).is_none() {
            command.env(name, value);
        }
    }
    std::env::vars_os().filter_map(|(name, value)| warning(&name, &value)).collect()
}

/// Why telemetry will not arrive as it should, if `name` is the reason.
fn warning(name: &OsStr, value: &OsStr) -> Option<String> {
    let (name, value) = (name.to_str()?, value.to_str()?);
    let keeps_away = match name {
        "OTEL_TRACES_EXPORTER" | "OTEL_METRICS_EXPORTER" => !value.contains("otlp"),
        "OTEL_SDK_DISABLED" => value.eq_ignore_ascii_case("true"),
        "OTEL_TRACES_SAMPLER" => value != "always_on" && value != "parentbased_always_on",
        _ => false,
    };
    keeps_away.then(|| format!("{name}={value} keeps telemetry away; unset it to judge it all"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_keep_telemetry_away_are_named() {
        let warned = |name: &str, value: &str| warning(name.as_ref(), value.as_ref()).is_some();
        assert!(warned("OTEL_TRACES_EXPORTER", "console"));
        assert!(warned("OTEL_SDK_DISABLED", "True"));
        assert!(warned("OTEL_TRACES_SAMPLER", "always_off"));
        assert!(!warned("OTEL_TRACES_EXPORTER", "otlp,console"));
        assert!(!warned("OTEL_TRACES_SAMPLER", "parentbased_always_on"));
    }
}
