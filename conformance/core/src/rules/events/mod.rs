//! Events: log records and events of spans that the conventions for GenAI describe.

pub(super) mod body;
pub(super) mod choices;
pub(super) mod deprecated;
pub(super) mod name;
pub(super) mod required_attribute;
pub(super) mod severity;
pub(super) mod structured_content;
pub(super) mod trace_context;
