//! A span that is written over the one before it.

use prost::{DecodeError, Message as _};

use super::message::{self, Content, Message, Scalar};
use crate::catalogue::{Name, catalogue};
use crate::otlp::{AnyValue, Event, KeyValue, KeyValueList, Link, Span, Status, Value};

/// A span, and memory for the next one.
#[derive(Debug, Default)]
pub(crate) struct Recycled {
    span: Span,
    /// For each of its attributes, what the conventions know of the name.
    names: Vec<Option<&'static Name>>,
    /// Attributes that spans before this one had more of, the one that comes next last.
    spare: Vec<(KeyValue, Option<&'static Name>)>,
}

/// What is kept of the memory of a long string, in bytes.
const KEPT: usize = 1 << 12;

/// How many attributes are kept for longer spans.
const SPARE: usize = 256;

/// Arrays that nest deeper are left to prost.
const DEEPEST: usize = 8;

impl Recycled {
    /// Reads the message of a span.
    ///
    /// # Errors
    ///
    /// Where prost has one.
    pub(crate) fn read(
        &mut self,
        bytes: &[u8],
    ) -> Result<(&Span, &[Option<&'static Name>]), DecodeError> {
        if self.try_read(bytes).is_none() {
            self.span = Span::decode(bytes)?;
            let keys = self.span.attributes.iter().map(|attribute| &attribute.key);
            self.names = keys.map(|key| catalogue().name_or_family(key)).collect();
        }
        Ok((&self.span, &self.names))
    }

    fn try_read(&mut self, bytes: &[u8]) -> Option<()> {
        let span = &mut self.span;
        span.trace_id.clear();
        span.span_id.clear();
        span.parent_span_id.clear();
        span.trace_state.clear();
        (span.flags, span.kind) = (0, 0);
        (span.start_time_unix_nano, span.end_time_unix_nano) = (0, 0);
        span.dropped_attributes_count = 0;
        span.dropped_events_count = 0;
        span.dropped_links_count = 0;
        span.events.clear();
        span.links.clear();
        span.status = None;
        let mut has_name = false;
        let mut attributes = 0;
        let mut message = Message::new(bytes);
        while !message.is_at_end() {
            let span = &mut self.span;
            match message.field()? {
                (9, Content::Bytes(bytes)) => {
                    self.attribute(attributes, bytes)?;
                    attributes += 1;
                }
                (1, Content::Bytes(id)) => set_bytes(&mut span.trace_id, id),
                (2, Content::Bytes(id)) => set_bytes(&mut span.span_id, id),
                (4, Content::Bytes(id)) => set_bytes(&mut span.parent_span_id, id),
                (3, Content::Bytes(text)) => set_text(&mut span.trace_state, text)?,
                (5, Content::Bytes(text)) => {
                    set_text(&mut span.name, text)?;
                    has_name = true;
                }
                (6, Content::Varint(kind)) => span.kind = int32(kind),
                (7, Content::Fixed64(time)) => span.start_time_unix_nano = time,
                (8, Content::Fixed64(time)) => span.end_time_unix_nano = time,
                (10, Content::Varint(count)) => span.dropped_attributes_count = uint32(count),
                (11, Content::Bytes(event)) => span.events.push(Event::decode(event).ok()?),
                (12, Content::Varint(count)) => span.dropped_events_count = uint32(count),
                (13, Content::Bytes(link)) => span.links.push(Link::decode(link).ok()?),
                (14, Content::Varint(count)) => span.dropped_links_count = uint32(count),
                (15, Content::Bytes(status)) if span.status.is_none() => {
                    span.status = Some(Status::decode(status).ok()?);
                }
                (16, Content::Fixed32(flags)) => span.flags = flags,
                (1..=16, _) => return None,
                _ => {}
            }
        }
        if !has_name {
            self.span.name.clear();
        }
        self.keep(attributes);
        Some(())
    }

    /// Reads the attribute at a place.
    fn attribute(&mut self, at: usize, bytes: &[u8]) -> Option<()> {
        if at == self.span.attributes.len() {
            let (attribute, name) = self.spare.pop().unwrap_or_default();
            self.span.attributes.push(attribute);
            self.names.push(name);
        }
        let attribute = &mut self.span.attributes[at];
        attribute.key_strindex = 0;
        if let Some((key, value)) = message::attribute(bytes) {
            set_value(attribute.value.get_or_insert_default(), value, 0)?;
            return self.key(at, key);
        }
        let mut key: &[u8] = &[];
        let mut has_value = false;
        let mut message = Message::new(bytes);
        while !message.is_at_end() {
            match message.field()? {
                (1, Content::Bytes(text)) => key = text,
                (2, Content::Bytes(bytes)) if !has_value => {
                    has_value = true;
                    set_value(attribute.value.get_or_insert_default(), bytes, 0)?;
                }
                (3, Content::Varint(index)) => attribute.key_strindex = int32(index),
                (1..=3, _) => return None,
                _ => {}
            }
        }
        if !has_value {
            attribute.value = None;
        }
        self.key(at, key)
    }

    /// Sets the key at a place, and looks it up if it is another one.
    #[inline]
    fn key(&mut self, at: usize, key: &[u8]) -> Option<()> {
        let attribute = &mut self.span.attributes[at];
        if attribute.key.as_bytes() != key {
            set_text(&mut attribute.key, key)?;
            self.names[at] = catalogue().name_or_family(&attribute.key);
        }
        Some(())
    }

    /// Sets the attributes beyond the first ones aside.
    fn keep(&mut self, attributes: usize) {
        let more = self.span.attributes.drain(attributes..).zip(self.names.drain(attributes..));
        let room = SPARE.saturating_sub(self.spare.len());
        self.spare.extend(more.rev().take(room).map(|(attribute, name)| {
            if is_long(&attribute) { Default::default() } else { (attribute, name) }
        }));
    }
}

/// Whether an attribute takes more memory than one that is set aside may.
fn is_long(attribute: &KeyValue) -> bool {
    let value = match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.capacity(),
        Some(Value::BytesValue(_) | Value::ArrayValue(_) | Value::KvlistValue(_)) => usize::MAX,
        _ => 0,
    };
    value > KEPT || attribute.key.capacity() > KEPT
}

#[inline]
fn set_value(into: &mut AnyValue, bytes: &[u8], depth: usize) -> Option<()> {
    match message::scalar(bytes) {
        Some(scalar) => set_scalar(into, scalar),
        None => set_other_value(into, bytes, depth),
    }
}

#[inline]
fn set_scalar(into: &mut AnyValue, scalar: Scalar<'_>) -> Option<()> {
    match (&mut into.value, scalar) {
        (Some(Value::StringValue(known)), Scalar::Text(text)) => return set_text(known, text),
        (Some(Value::IntValue(known)), Scalar::Int(value)) => *known = value,
        (Some(Value::DoubleValue(known)), Scalar::Double(value)) => *known = value,
        (Some(Value::BoolValue(known)), Scalar::Bool(value)) => *known = value,
        (other, scalar) => {
            *other = Some(match scalar {
                Scalar::Text(text) => Value::StringValue(str::from_utf8(text).ok()?.to_owned()),
                Scalar::Bool(value) => Value::BoolValue(value),
                Scalar::Int(value) => Value::IntValue(value),
                Scalar::Double(value) => Value::DoubleValue(value),
            });
        }
    }
    Some(())
}

fn set_other_value(into: &mut AnyValue, bytes: &[u8], depth: usize) -> Option<()> {
    let mut is_set = false;
    let mut message = Message::new(bytes);
    while !message.is_at_end() {
        let value = match message.field()? {
            (1, Content::Bytes(text)) => {
                if let Some(Value::StringValue(known)) = &mut into.value {
                    set_text(known, text)?;
                    is_set = true;
                    continue;
                }
                Value::StringValue(str::from_utf8(text).ok()?.to_owned())
            }
            (2, Content::Varint(value)) => Value::BoolValue(value != 0),
            (3, Content::Varint(value)) => Value::IntValue(value.cast_signed()),
            (4, Content::Fixed64(bits)) => Value::DoubleValue(f64::from_bits(bits)),
            // A list that comes twice adds up.
            (5 | 6, _) if is_set => return None,
            (5, Content::Bytes(array)) => {
                set_array(into, array, depth)?;
                is_set = true;
                continue;
            }
            (6, Content::Bytes(list)) => Value::KvlistValue(KeyValueList::decode(list).ok()?),
            (7, Content::Bytes(bytes)) => Value::BytesValue(bytes.to_vec()),
            (8, Content::Varint(index)) => Value::StringValueStrindex(int32(index)),
            (1..=8, _) => return None,
            _ => continue,
        };
        into.value = Some(value);
        is_set = true;
    }
    if !is_set {
        into.value = None;
    }
    Some(())
}

fn set_array(into: &mut AnyValue, bytes: &[u8], depth: usize) -> Option<()> {
    if depth >= DEEPEST {
        return None;
    }
    if !matches!(into.value, Some(Value::ArrayValue(_))) {
        into.value = Some(Value::ArrayValue(crate::otlp::ArrayValue::default()));
    }
    let Some(Value::ArrayValue(array)) = &mut into.value else { return None };
    let mut length = 0;
    let mut message = Message::new(bytes);
    while !message.is_at_end() {
        match message.field()? {
            (1, Content::Bytes(bytes)) => {
                if length == array.values.len() {
                    array.values.push(AnyValue::default());
                }
                set_value(&mut array.values[length], bytes, depth + 1)?;
                length += 1;
            }
            (1, _) => return None,
            _ => {}
        }
    }
    array.values.truncate(length);
    Some(())
}

#[inline]
fn set_text(into: &mut String, bytes: &[u8]) -> Option<()> {
    if into.as_bytes() != bytes {
        let text = str::from_utf8(bytes).ok()?;
        if into.capacity() > KEPT {
            *into = String::new();
        }
        into.clear();
        into.push_str(text);
    }
    Some(())
}

#[inline]
fn set_bytes(into: &mut Vec<u8>, bytes: &[u8]) {
    if into.capacity() > KEPT {
        *into = Vec::new();
    }
    into.clear();
    into.extend_from_slice(bytes);
}

#[expect(clippy::cast_possible_truncation, reason = "protobuf cuts what is too large")]
fn uint32(varint: u64) -> u32 {
    varint as u32
}

fn int32(varint: u64) -> i32 {
    uint32(varint).cast_signed()
}

#[cfg(test)]
mod tests;
