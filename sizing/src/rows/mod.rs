//! From OTLP to rows: spans brought together by trace, and each trace cut into its columns.

mod attribute;
mod gather;
mod nested_set;
mod shred;

pub(crate) use self::gather::{Gathered, Limits, Trace};
pub(crate) use self::shred::shred;
