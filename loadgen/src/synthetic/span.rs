//! A span's fields around its attributes.

use spanproof_schemas::semconv::SpanKind;

use super::ids::{SpanId, TraceId};
use crate::protobuf::{bytes, fixed32_above_15, fixed64, nested, number};

/// Sampled, and known to have no parent in another process.
const FLAGS: u32 = 0x101;

/// Name and kind, written once.
#[derive(Debug)]
pub(super) struct Head(Vec<u8>);

impl Head {
    pub(super) fn new(name: &str, kind: SpanKind) -> Head {
        let kind = match kind {
            SpanKind::Internal => 1,
            SpanKind::Server => 2,
            SpanKind::Client => 3,
            SpanKind::Producer => 4,
            SpanKind::Consumer => 5,
        };
        let mut head = Vec::new();
        bytes(&mut head, 5, name.as_bytes());
        number(&mut head, 6, kind);
        Head(head)
    }
}

/// Where a span stands in its trace and in time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) trace: TraceId,
    pub(super) span: SpanId,
    pub(super) parent: Option<SpanId>,
    pub(super) start_unix_nanos: u64,
    pub(super) end_unix_nanos: u64,
    pub(super) is_error: bool,
}

impl Frame {
    /// Writes a span over what is in `out`: `rest` writes attributes and events.
    pub(super) fn write(&self, out: &mut Vec<u8>, head: &Head, rest: impl FnOnce(&mut Vec<u8>)) {
        out.clear();
        bytes(out, 1, &self.trace);
        bytes(out, 2, &self.span);
        if let Some(parent) = &self.parent {
            bytes(out, 4, parent);
        }
        out.extend(&head.0);
        fixed64(out, 7, self.start_unix_nanos);
        fixed64(out, 8, self.end_unix_nanos);
        rest(out);
        if self.is_error {
            nested(out, 15, |out| number(out, 3, 2));
        }
        fixed32_above_15(out, 16, FLAGS);
    }
}
