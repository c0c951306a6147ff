//! What spans, attributes and metrics are called.

pub(super) mod duplicate_attribute;
pub(super) mod span_name;
pub(super) mod unknown_attribute;
pub(super) mod unknown_metric;
