//! Numbers: 64-bit integers are text in OTLP/JSON, enumerations numbers, and doubles either.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserializer, Visitor};
use serde::ser::Serializer;

use super::codec::Codec;
use super::messages::Names;

/// A 32-bit integer, written as a number.
pub(super) struct Int;
/// A 64-bit integer, written as text.
pub(super) struct Long;
/// An enumeration, written as its number and read by number or name.
pub(super) struct Enum<E>(PhantomData<E>);
/// A double; what JSON has no number for is text.
pub(super) struct Double;

impl<T> Codec<T> for Int
where
    T: TryFrom<i128> + Copy + Into<i64> + Default + PartialEq,
{
    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        from.deserialize_any(IntegerVisitor { names: |_| None, target: PhantomData })
    }

    fn write<S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64((*value).into())
    }

    fn is_absent(value: &T) -> bool {
        *value == T::default()
    }
}

impl<T> Codec<T> for Long
where
    T: TryFrom<i128> + fmt::Display + Default + PartialEq,
{
    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        from.deserialize_any(IntegerVisitor { names: |_| None, target: PhantomData })
    }

    fn write<S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    fn is_absent(value: &T) -> bool {
        *value == T::default()
    }
}

impl<E: Names> Codec<i32> for Enum<E> {
    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<i32, D::Error> {
        from.deserialize_any(IntegerVisitor { names: E::number, target: PhantomData })
    }

    fn write<S: Serializer>(value: &i32, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i32(*value)
    }

    fn is_absent(value: &i32) -> bool {
        *value == 0
    }
}

impl Codec<f64> for Double {
    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        from.deserialize_any(DoubleVisitor)
    }

    fn write<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        if value.is_finite() {
            to.serialize_f64(*value)
        } else if value.is_nan() {
            to.serialize_str("NaN")
        } else {
            to.serialize_str(if *value > 0.0 { "Infinity" } else { "-Infinity" })
        }
    }

    /// Negative zero is a value of its own.
    fn is_absent(value: &f64) -> bool {
        value.to_bits() == 0
    }
}

struct IntegerVisitor<T> {
    names: fn(&str) -> Option<i32>,
    target: PhantomData<T>,
}

impl<T: TryFrom<i128>> IntegerVisitor<T> {
    fn fit<E: de::Error>(value: i128) -> Result<T, E> {
        T::try_from(value).map_err(|_| E::custom(format!("{value} is out of range")))
    }
}

impl<T: TryFrom<i128>> Visitor<'_> for IntegerVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer, as a number or as text")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<T, E> {
        Self::fit(value.into())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<T, E> {
        Self::fit(value.into())
    }

    /// Some encoders write large integers with an exponent.
    #[expect(clippy::cast_possible_truncation, reason = "saturates, then fails the range check")]
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<T, E> {
        if value.fract() == 0.0 {
            Self::fit(value as i128)
        } else {
            Err(E::invalid_value(de::Unexpected::Float(value), &self))
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        match text.parse().ok().or_else(|| (self.names)(text).map(i128::from)) {
            Some(value) => Self::fit(value),
            None => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }
}

struct DoubleVisitor;

impl Visitor<'_> for DoubleVisitor {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, as a number or as text")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }

    #[expect(clippy::cast_precision_loss, reason = "a double is what the field holds")]
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "a double is what the field holds")]
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<f64, E> {
        text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}
