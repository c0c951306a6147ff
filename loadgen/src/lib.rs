//! Drives instrumented Bedrock clients at a planned rate.
//!
//! A scenario says what calls look like, a rate and a day curve say when they are made, and a seed
//! fixes both: the same seed gives the same calls at the same planned times, on any number of
//! shards. The generator is an
//! open loop: a call is made when it is due, whether or not earlier calls have ended, and what it
//! measures counts from the planned time, so that a stall shows in every call it delayed.

pub mod accounting;
mod arrivals;
pub mod capabilities;
mod catch_up;
pub mod client;
pub mod clock;
mod collector_metrics;
mod day_curve;
pub mod delivery;
mod dialect;
mod duration;
pub mod external;
mod fault;
mod gates;
mod intensity;
mod merge;
pub mod otlp;
mod pacing;
mod page;
mod plan;
mod protobuf;
mod random_text;
mod rate;
mod run;
pub mod rust_client;
pub mod scenario;
mod shard;
mod shared_mock;
mod spike;
mod statistics;
mod streams;
pub mod synthetic;
mod tenants;
mod text;
mod threads;
mod tool_arguments;
mod trace;

pub use accounting::Accounting;
pub use arrivals::{Arrivals, ParseArrivalsError};
pub use capabilities::{Capabilities, Family, Feature};
pub use catch_up::{CatchUp, ParseCatchUpError};
pub use client::{Client, ClientError, ClientErrorKind};
pub use clock::Clock;
pub use collector_metrics::{CollectorMetrics, MetricsError, SpanCounters};
pub use day_curve::{DayCurve, ParseDayCurveError};
pub use duration::{ParseDurationError, parse_duration};
pub use fault::{Fault, UnknownFault};
pub use gates::{Gates, ParseShareError, Share};
pub use intensity::RateShape;
pub use merge::{MergeError, merge};
pub use plan::{
    AtRate, ParsePlanHashError, Plan, PlanConfig, PlanError, PlanHash, PlanSummary, Planned, Timing,
};
pub use rate::{ParseRateError, Rate};
pub use run::{
    DEFAULT_IN_FLIGHT_AT_MAX, DEFAULT_IN_FLIGHT_PACED, LoadConfig, LoadOutcome, OverLimit,
    ParseOverLimitError, Progress, run,
};
pub use rust_client::{RustClient, RustClientConfig};
pub use scenario::{DEFAULT_SCENARIO, Scenario, ScenarioError};
pub use shard::{ParseShardError, Shard};
pub use shared_mock::{SharedMock, SharedMockError};
pub use spike::{ParseSpikeError, Spike};
pub use statistics::Statistics;
pub use tenants::{ParseTenantsError, Tenants};
pub use threads::{runtime, stand_back};
pub use trace::{ReplayConfig, Trace, TraceError};
