//! Instrumentation scopes and their schema URLs.

pub(super) mod dialect;
pub(super) mod mixed_dialect;
pub(super) mod schema_url;
pub(super) mod scope_name;
