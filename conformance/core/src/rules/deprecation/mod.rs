//! What the conventions have given up.

pub(super) mod attribute;
