//! What forms other than OTLP have in common: attributes as JSON, ids as text, times as text.

use std::time::UNIX_EPOCH;

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use serde_json::{Map, Value};

use crate::json::{DecodeError, hex_bytes};

/// Attributes as JSON has them.
pub(super) fn attributes(map: Map<String, Value>) -> Vec<KeyValue> {
    map.into_iter().map(|(key, value)| attribute(key, any_value(value))).collect()
}

pub(super) fn attribute(key: String, value: Option<AnyValue>) -> KeyValue {
    KeyValue { key, value, ..KeyValue::default() }
}

/// A value as JSON has it; none for `null`. Whole numbers without a point are integers.
pub(super) fn any_value(value: Value) -> Option<AnyValue> {
    let value = match value {
        Value::Null => return None,
        Value::Bool(truth) => Any::BoolValue(truth),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => Any::IntValue(integer),
            None => Any::DoubleValue(number.as_f64()?),
        },
        Value::String(text) => Any::StringValue(text),
        Value::Array(values) => {
            let values = values.into_iter().map(|value| any_value(value).unwrap_or_default());
            Any::ArrayValue(ArrayValue { values: values.collect() })
        }
        Value::Object(map) => Any::KvlistValue(KeyValueList { values: attributes(map) }),
    };
    Some(AnyValue { value: Some(value) })
}

/// An id in hex, perhaps after `0x`.
pub(super) fn id(text: &str) -> Result<Vec<u8>, DecodeError> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    hex_bytes(digits).ok_or_else(|| DecodeError::value(format!("`{text}` is no id in hex digits")))
}

/// A time as RFC 3339 writes it, in nanoseconds since 1970.
pub(super) fn unix_nano(text: &str) -> Result<u64, DecodeError> {
    let time = humantime::parse_rfc3339_weak(text).ok();
    time.and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .and_then(|since| u64::try_from(since.as_nanos()).ok())
        .ok_or_else(|| {
            DecodeError::value(format!("`{text}` is no time such as 2026-01-31T12:00:00Z"))
        })
}
