//! Limits of SDKs and stores, which cut without a word.

pub(super) mod attribute_count;
pub(super) mod attribute_length;
pub(super) mod dropped;
