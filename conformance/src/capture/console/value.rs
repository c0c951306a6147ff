//! Values as Python prints them: JSON, and the numbers that JSON lacks.

use std::fmt;

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::super::foreign::attribute;
use crate::json::python;

/// A value; none for `null`. Whole numbers without a point are integers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct PrintedValue(pub(super) Option<Any>);

impl PrintedValue {
    pub(super) fn into_otlp(self) -> Option<AnyValue> {
        self.0.map(|value| AnyValue { value: Some(value) })
    }
}

/// Attributes in the order in which they are printed; a key that comes twice is there twice.
#[derive(Default)]
pub(super) struct PrintedAttributes(pub(super) Vec<KeyValue>);

/// A number that need not be whole.
#[derive(Clone, Copy)]
pub(super) struct Double(pub(super) f64);

impl<'de> Deserialize<'de> for PrintedValue {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(PrintedValueVisitor)
    }
}

impl<'de> Deserialize<'de> for PrintedAttributes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match PrintedValue::deserialize(from)?.0 {
            None => Ok(PrintedAttributes::default()),
            Some(Any::KvlistValue(list)) => Ok(PrintedAttributes(list.values)),
            Some(_) => Err(de::Error::custom("attributes that are no object")),
        }
    }
}

impl<'de> Deserialize<'de> for Double {
    #[expect(clippy::cast_precision_loss, reason = "a double is what the field holds")]
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match PrintedValue::deserialize(from)?.0 {
            Some(Any::DoubleValue(number)) => Ok(Double(number)),
            Some(Any::IntValue(number)) => Ok(Double(number as f64)),
            _ => Err(de::Error::custom("something else where a number belongs")),
        }
    }
}

struct PrintedValueVisitor;

impl<'de> Visitor<'de> for PrintedValueVisitor {
    type Value = PrintedValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<PrintedValue, E> {
        Ok(PrintedValue(None))
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<PrintedValue, E> {
        Ok(PrintedValue(Some(Any::BoolValue(truth))))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<PrintedValue, E> {
        Ok(PrintedValue(Some(Any::IntValue(number))))
    }

    #[expect(clippy::cast_precision_loss, reason = "OTLP has no larger integers")]
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<PrintedValue, E> {
        let integer = i64::try_from(number).map(Any::IntValue);
        Ok(PrintedValue(Some(integer.unwrap_or(Any::DoubleValue(number as f64)))))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<PrintedValue, E> {
        Ok(PrintedValue(Some(Any::DoubleValue(number))))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<PrintedValue, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<PrintedValue, E> {
        Ok(PrintedValue(Some(Any::StringValue(text))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<PrintedValue, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element::<PrintedValue>()? {
            values.push(value.into_otlp().unwrap_or_default());
        }
        Ok(PrintedValue(Some(Any::ArrayValue(ArrayValue { values }))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PrintedValue, A::Error> {
        let mut values = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value::<PrintedValue>()?;
            if let (python::KEY, Some(Any::StringValue(token))) = (key.as_str(), &value.0)
                && let Ok(number) = token.parse()
            {
                return Ok(PrintedValue(Some(Any::DoubleValue(number))));
            }
            values.push(attribute(key, value.into_otlp()));
        }
        Ok(PrintedValue(Some(Any::KvlistValue(KeyValueList { values }))))
    }
}
