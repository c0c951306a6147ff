//! Attributes and their values.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use regex::Regex;
use spanproof_schemas::content::Kind;

use super::Withheld;
use super::text::{Lines, quoted};
use crate::steady;

/// Where common vocabularies keep content, beside what the conventions name: exact names, and
/// beginnings that end with a full stop.
const CONTENT: &[&str] = &[
    "gen_ai.prompt",
    "gen_ai.prompt.",
    "gen_ai.completion",
    "gen_ai.completion.",
    "gen_ai.event.content",
    "input.value",
    "output.value",
    "llm.input_messages.",
    "llm.output_messages.",
    "llm.prompts",
    "llm.completions",
    "traceloop.entity.input",
    "traceloop.entity.output",
];

/// What says where and by what software something ran: names, and beginnings that end with a full
/// stop.
const VARYING: &[&str] = &[
    "host.",
    "os.",
    "container.",
    "k8s.",
    "process.",
    "thread.id",
    "service.instance.id",
    "telemetry.sdk.version",
    "telemetry.auto.version",
    "telemetry.distro.version",
    "user_agent.original",
    "http.user_agent",
    "code.filepath",
    "code.file.path",
    "code.lineno",
    "code.line.number",
    "code.stacktrace",
    "exception.stacktrace",
    "client.port",
    "network.local.port",
];

/// Ports that mean something, unless they are of a server on loopback.
const PORTS: &[&str] = &[
    "server.port",
    "net.peer.port",
    "network.peer.port",
    "net.sock.peer.port",
    "net.host.port",
    "http.port",
];

/// The hosts of loopback.
const LOOPBACK: &[&str] = &["127.0.0.1", "localhost", "::1"];

/// What may be the id of a trace or of a span.
static HEX: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b(?:[0-9a-f]{32}|[0-9a-f]{16})\b").expect("a pattern of ours"));

/// How values are written.
pub(super) struct Values<'a> {
    pub(super) withheld: &'a Withheld,
    /// The ids of all traces and spans.
    pub(super) ids: &'a BTreeSet<String>,
}

impl Values<'_> {
    /// Writes attributes by name.
    pub(super) fn attributes(&self, attributes: &[KeyValue], dropped: u32) -> Lines {
        let is_loopback = attributes.iter().any(|it| is_loopback(it.value.as_ref()));
        let mut written: Vec<String> = attributes
            .iter()
            .map(|it| {
                let key = key(&it.key);
                format!("{key} = {}", self.attribute(&it.key, it.value.as_ref(), is_loopback))
            })
            .collect();
        written.sort();
        let mut lines = Lines::default();
        for line in written {
            lines.push(0, line);
        }
        if dropped > 0 {
            lines.push(0, format!("({dropped} attributes were dropped)"));
        }
        lines
    }

    fn attribute(&self, name: &str, value: Option<&AnyValue>, is_loopback: bool) -> String {
        if self.withheld.content && is_content(name) {
            return masked("content", value);
        }
        if is_one_of(name, VARYING) {
            return masked("varying", value);
        }
        if is_loopback && PORTS.contains(&name) {
            return masked("port", value);
        }
        if is_duration(name) && is_number(value) {
            return masked("duration", value);
        }
        self.value(value)
    }

    /// Writes a value of any kind; its form tells its type.
    pub(super) fn value(&self, value: Option<&AnyValue>) -> String {
        match value.and_then(|value| value.value.as_ref()) {
            None => "null".to_owned(),
            Some(Value::StringValue(text)) => self.text(text),
            Some(Value::BoolValue(truth)) => truth.to_string(),
            Some(Value::IntValue(integer)) => integer.to_string(),
            Some(Value::DoubleValue(double)) => number(*double),
            Some(Value::BytesValue(bytes)) => format!("bytes {}", quoted(&STANDARD.encode(bytes))),
            Some(Value::StringValueStrindex(at)) => format!("string {at} of the dictionary"),
            Some(Value::ArrayValue(array)) => {
                let values: Vec<String> =
                    array.values.iter().map(|value| self.value(Some(value))).collect();
                format!("[{}]", values.join(", "))
            }
            Some(Value::KvlistValue(list)) => {
                let mut members: Vec<String> = list
                    .values
                    .iter()
                    .map(|it| format!("{}: {}", quoted(&it.key), self.value(it.value.as_ref())))
                    .collect();
                members.sort();
                format!("{{{}}}", members.join(", "))
            }
        }
    }

    /// Writes text in quotes, without what differs from run to run.
    pub(super) fn text(&self, text: &str) -> String {
        if self.withheld.planted.iter().any(|planted| text.contains(planted.as_str())) {
            return "<content string>".to_owned();
        }
        let known = HEX.replace_all(text, |found: &regex::Captures<'_>| {
            let id = &found[0];
            match (self.ids.contains(id), id.len()) {
                (true, 32) => "<trace id>".to_owned(),
                (true, _) => "<span id>".to_owned(),
                (false, _) => id.to_owned(),
            }
        });
        quoted(&steady::value(&known))
    }
}

/// A name as it is, or in quotes where it is none.
fn key(name: &str) -> String {
    let is_plain = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/:".contains(&byte));
    if is_plain { name.to_owned() } else { quoted(name) }
}

/// A double with a point or an exponent, which an integer has not.
pub(super) fn number(double: f64) -> String {
    format!("{double:?}")
}

/// What stands in the place of a value that is not written.
fn masked(what: &str, value: Option<&AnyValue>) -> String {
    let kind = match value.and_then(|value| value.value.as_ref()) {
        None => "null",
        Some(Value::StringValue(_) | Value::StringValueStrindex(_)) => "string",
        Some(Value::BoolValue(_)) => "bool",
        Some(Value::IntValue(_)) => "int",
        Some(Value::DoubleValue(_)) => "double",
        Some(Value::BytesValue(_)) => "bytes",
        Some(Value::ArrayValue(_)) => "array",
        Some(Value::KvlistValue(_)) => "map",
    };
    format!("<{what} {kind}>")
}

fn is_content(name: &str) -> bool {
    Kind::ALL.iter().any(|kind| kind.name() == name) || is_one_of(name, CONTENT)
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(
        |known| {
            if known.ends_with('.') { name.starts_with(known) } else { name == *known }
        },
    )
}

fn is_duration(name: &str) -> bool {
    ["time_to_first", "duration", "latency", "elapsed"].iter().any(|part| name.contains(part))
        || name.ends_with("_ms")
}

fn is_number(value: Option<&AnyValue>) -> bool {
    let value = value.and_then(|value| value.value.as_ref());
    matches!(value, Some(Value::IntValue(_) | Value::DoubleValue(_)))
}

fn is_loopback(value: Option<&AnyValue>) -> bool {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(host)) => LOOPBACK.contains(&host.as_str()),
        _ => false,
    }
}

/// Whether a unit is one of time, so that its values differ from run to run.
pub(super) fn is_time_unit(unit: &str) -> bool {
    ["s", "ms", "us", "µs", "ns", "min", "h"].contains(&unit)
}

/// Whether a metric is about the process and the machine, so that its values differ from run to run.
pub(super) fn is_about_the_machine(metric: &str) -> bool {
    ["process.", "system.", "jvm.", "nodejs.", "v8js.", "cpython.", "runtime.", "otel.sdk."]
        .iter()
        .any(|prefix| metric.starts_with(prefix))
}
