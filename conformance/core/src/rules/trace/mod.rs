//! How spans stand to each other.

pub(super) mod agent_parent;
pub(super) mod parent_call;
pub(super) mod request_context;
