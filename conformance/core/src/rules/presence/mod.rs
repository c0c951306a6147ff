//! What must be there.

pub(super) mod recommended_attribute;
pub(super) mod required_attribute;
pub(super) mod undecided_condition;
