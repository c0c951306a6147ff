//! Metric series stay few.

pub(super) mod metric_attribute;
