//! Judges GenAI telemetry against the semantic conventions and the ledger; pure, without IO.
//!
//! [`Judge`] takes in the ledger and OTLP as they come and gives a [`Judgement`]. Spans are checked
//! at once and dropped; what the rules about calls and the whole run need is kept in compact facts
//! ([`model`]), so that memory stays small over a day of calls. Rules ([`rules`]) see views
//! ([`view`]) and return findings; they neither print nor change anything. Telemetry and ledger
//! may hold anything: what is odd is a finding, never an error.

pub mod attached;
pub mod behaviour;
pub mod call;
pub mod catalogue;
pub mod content_schema;
pub mod dialect;
pub mod docs;
pub mod expectation;
pub mod field;
pub mod finding;
pub mod held;
pub mod metric_sums;
pub mod migration;
pub mod model;
pub mod notable;
pub mod otlp;
pub mod pattern;
pub mod redaction;
pub mod rules;
pub mod scan;
pub mod settings;
pub mod snapshot;
pub mod span_sums;
pub mod span_type;
pub mod sweep;
pub mod symbol;
pub mod usage;
pub mod value;
pub mod view;
pub mod vocabulary;

mod active;
mod content;
mod coverage;
mod exact_sum;
mod excerpt;
mod identity;
mod ingest;
mod intake;
mod interval;
mod join;
mod judge;
mod judgement;
mod ledger;
mod outcome;
mod scopes;
mod settled;
mod settlement;
mod truth_table;
mod version_set;
mod window;
mod wire;

pub use excerpt::Excerpts;
pub use expectation::{Baseline, Expectation, Expectations, Facet};
pub use intake::Intake;
pub use judge::Judge;
pub use judgement::{Judgement, ModelUsage};
pub use redaction::{Redaction, UnknownRedaction};
pub use settings::{Choice, Settings, UnknownRule};
pub use settlement::Expected;
