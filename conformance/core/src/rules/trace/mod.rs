//! How spans stand to each other.

pub(super) mod parent_call;
