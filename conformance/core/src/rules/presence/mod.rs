//! What must be there.

pub(super) mod required_attribute;
