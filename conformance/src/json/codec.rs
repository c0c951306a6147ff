//! How one kind of field is read from and written to JSON.

use std::fmt;
use std::marker::PhantomData;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Serialize;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};

use super::messages::Message;

/// The JSON form of values of type `T`.
pub(super) trait Codec<T> {
    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<T, D::Error>;

    fn write<S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error>;

    /// Whether a field with this value is left out, because a reader assumes it.
    fn is_absent(value: &T) -> bool;
}

/// Reads by `C`, and takes `null` for the default.
pub(super) struct Seed<C, T>(PhantomData<(C, T)>);

impl<C, T> Seed<C, T> {
    pub(super) fn new() -> Self {
        Seed(PhantomData)
    }
}

impl<'de, C: Codec<T>, T: Default> DeserializeSeed<'de> for Seed<C, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<T, D::Error> {
        from.deserialize_option(self)
    }
}

impl<'de, C: Codec<T>, T: Default> Visitor<'de> for Seed<C, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_none<E: de::Error>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_unit<E: de::Error>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<T, D::Error> {
        C::read(from)
    }
}

/// Writes by `C`.
pub(super) struct Written<'v, C, T> {
    value: &'v T,
    codec: PhantomData<C>,
}

impl<'v, C, T> Written<'v, C, T> {
    pub(super) fn new(value: &'v T) -> Self {
        Written { value, codec: PhantomData }
    }
}

impl<C: Codec<T>, T> Serialize for Written<'_, C, T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        C::write(self.value, to)
    }
}

/// Plain text.
pub(super) struct Text;

impl Codec<String> for Text {
    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
        de::Deserialize::deserialize(from)
    }

    fn write<S: Serializer>(value: &String, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(value)
    }

    fn is_absent(value: &String) -> bool {
        value.is_empty()
    }
}

/// True or false.
pub(super) struct Bool;

impl Codec<bool> for Bool {
    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
        de::Deserialize::deserialize(from)
    }

    fn write<S: Serializer>(value: &bool, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bool(*value)
    }

    fn is_absent(value: &bool) -> bool {
        !value
    }
}

/// Trace and span ids: hex, unlike other bytes.
pub(super) struct Hex;

impl Codec<Vec<u8>> for Hex {
    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = Text::read(from)?;
        hex_bytes(&text).ok_or_else(|| {
            de::Error::invalid_value(de::Unexpected::Str(&text), &"an id in hex digits")
        })
    }

    fn write<S: Serializer>(value: &Vec<u8>, to: S) -> Result<S::Ok, S::Error> {
        let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
        let text: String =
            value.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
        to.serialize_str(&text)
    }

    fn is_absent(value: &Vec<u8>) -> bool {
        value.is_empty()
    }
}

/// The bytes that pairs of hex digits stand for.
pub(crate) fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let nibble =
        |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(nibble(*high)? << 4 | nibble(*low)?)).collect()
}

/// Bytes in base64; either alphabet and any padding is read, the standard one is written.
pub(super) struct Base64;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);

impl Codec<Vec<u8>> for Base64 {
    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = Text::read(from)?;
        base64_bytes(&text)
            .ok_or_else(|| de::Error::invalid_value(de::Unexpected::Str(&text), &"bytes in base64"))
    }

    fn write<S: Serializer>(value: &Vec<u8>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(value))
    }

    fn is_absent(value: &Vec<u8>) -> bool {
        value.is_empty()
    }
}

/// The bytes that base64 of either alphabet stands for.
pub(crate) fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.replace('-', "+").replace('_', "/")).ok()
}

/// A field that tells absent from default.
pub(super) struct Maybe<C>(PhantomData<C>);

impl<C: Codec<T>, T> Codec<Option<T>> for Maybe<C> {
    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
        C::read(from).map(Some)
    }

    fn write<S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => C::write(value, to),
            None => to.serialize_none(),
        }
    }

    fn is_absent(value: &Option<T>) -> bool {
        value.is_none()
    }
}

/// A repeated field.
pub(super) struct List<C>(PhantomData<C>);

impl<C: Codec<T>, T: Default> Codec<Vec<T>> for List<C> {
    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
        from.deserialize_seq(ListVisitor::<C, T>(PhantomData))
    }

    fn write<S: Serializer>(value: &Vec<T>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(value.iter().map(Written::<C, T>::new))
    }

    fn is_absent(value: &Vec<T>) -> bool {
        value.is_empty()
    }
}

struct ListVisitor<C, T>(PhantomData<(C, T)>);

impl<'de, C: Codec<T>, T: Default> Visitor<'de> for ListVisitor<C, T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(Seed::<C, T>::new())? {
            values.push(value);
        }
        Ok(values)
    }
}

/// A message within a message.
pub(super) struct Nested;

impl<M: Message> Codec<M> for Nested {
    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<M, D::Error> {
        from.deserialize_map(NestedVisitor(PhantomData))
    }

    fn write<S: Serializer>(value: &M, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        value.write_fields(&mut map)?;
        map.end()
    }

    fn is_absent(_: &M) -> bool {
        false
    }
}

struct NestedVisitor<M>(PhantomData<M>);

impl<'de, M: Message> Visitor<'de> for NestedVisitor<M> {
    type Value = M;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<M, A::Error> {
        let mut message = M::default();
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if !message.read_field(&key, &mut map)? {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(message)
    }
}
