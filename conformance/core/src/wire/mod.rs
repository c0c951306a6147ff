//! Reading OTLP protobuf without an allocation for each string of it.
//!
//! A decoder that borrows would give rules strings that are slices of the input, and so other types
//! than the ones of the other formats. This one gives them the same types, and writes each span
//! over the one before it: what the strings of one span took, those of the next one take again.
//! Spans of one instrumentation have the same attributes in the same order, so a key is mostly found
//! to be there already, with what the conventions know of it. What is left over borrowing is to
//! copy the values, a few nanoseconds each.
//!
//! What is rare in spans (events, links, maps, fields that come twice) is read by prost, and so is
//! everything that cannot be read here, so that prost alone decides what is an error. The one
//! difference: values in events, links and maps may nest a little deeper than prost has them.

mod message;
mod outline;
mod recycled;

pub(crate) use outline::{ResourceSpans, outline};
pub(crate) use recycled::Recycled;
