//! The values of attributes.

pub(super) mod enum_member;
