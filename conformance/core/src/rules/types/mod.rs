//! The types of values.

pub(super) mod attribute_type;
