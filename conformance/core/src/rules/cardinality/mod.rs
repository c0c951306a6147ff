//! Metric series stay few.

pub(super) mod metric_attribute;
pub(super) mod series;
