//! The values of attributes.

pub(super) mod enum_member;
pub(super) mod placeholder;
pub(super) mod range;
pub(super) mod span_ids;
pub(super) mod span_times;
