//! Whom and what a call is for, as the application knows that makes it.

use std::collections::HashMap;

use opentelemetry::KeyValue;
use serde::Deserialize as _;
use spanproof_schemas::ledger::Task;
use spanproof_schemas::worker::Call;

use crate::dialect::Dialect;
use crate::plan::METADATA_HEADER;

/// The metadata of a request, by which its cost is charged.
#[derive(Debug, Default)]
pub(super) struct Attribution {
    metadata: HashMap<String, String>,
}

impl Attribution {
    /// What `call` states: in its request, or in a header.
    pub(super) fn of(call: &Call) -> Attribution {
        let header = call.headers.iter().find(|(name, _)| name == METADATA_HEADER);
        let metadata = match header {
            Some((_, value)) => serde_json::from_str(value).ok(),
            None => HashMap::deserialize(&call.request["requestMetadata"]).ok(),
        };
        Attribution { metadata: metadata.unwrap_or_default() }
    }

    /// It as attributes of the span. Tenants and features have no name in the conventions; these are the
    /// ones that synthetic spans of the scenarios have.
    pub(super) fn attributes(self, dialect: &Dialect, task: Task) -> Vec<KeyValue> {
        let Attribution { mut metadata } = self;
        let conversation = "gen_ai.conversation.id";
        [("session", conversation), ("tenant", "app.tenant"), ("feature", "app.feature")]
            .into_iter()
            .filter(|(_, name)| *name != conversation || dialect.has(task, conversation))
            .filter_map(|(key, name)| Some(KeyValue::new(name, metadata.remove(key)?)))
            .collect()
    }
}
