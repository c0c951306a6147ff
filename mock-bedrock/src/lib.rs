//! A mock of the Amazon Bedrock runtime that keeps a ledger of what it served.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use mock_bedrock::{Config, InMemory, Server};
//!
//! let ledger = InMemory::default();
//! let server = Server::start(Config::default(), ledger.clone())?;
//! println!("point AWS_ENDPOINT_URL_BEDROCK_RUNTIME at {}", server.endpoint());
//! server.shutdown().await?;
//! println!("{} records", ledger.records().len());
//! # Ok(())
//! # }
//! ```
//!
//! Answers are drawn from the seed and the request alone: the same request gets the same body
//! bytes, another request gets another usage. The wire format follows the service's own recorded
//! bytes; where it is not recorded, the code says so.

mod admin;
mod agent_runtime;
mod answer;
mod arn;
mod asked;
mod async_invoke;
mod auth;
mod body;
mod cache;
pub mod cassette;
mod catalogue;
mod claude_body;
mod claude_request;
mod claude_tools;
mod claude_usage;
mod config;
mod constraint;
mod converse_support;
mod converse_usage;
mod draw;
mod duplex;
mod error;
pub mod event_stream;
mod exchange;
mod families;
mod fault;
#[cfg(test)]
mod folder;
pub mod guardrail;
mod handler;
mod identifier;
mod inference;
mod ledger;
mod line;
mod messages;
mod model;
mod native;
mod openai;
mod operations;
mod outline;
mod pacing;
mod paging;
mod patience;
mod player;
mod prose;
mod quirk;
mod reasoning;
mod recorder;
mod request;
mod request_metadata;
mod route;
mod script;
pub mod scripted;
mod sent;
mod server;
mod sonic;
mod text_or_list;
mod throttle;
mod timer;
mod timestamp;
mod timing;
#[cfg(feature = "tls")]
mod tls;
mod tool_input;
mod turn;
mod wire;

pub use auth::{AccessKey, Auth, BearerKey, Keys};
pub use config::{Config, ConfigError};
pub use fault::{Attempts, Calls, FaultPlan, FaultPlanError, FaultRule, KnownFault, Span, faults};
pub use handler::Handler;
pub use ledger::{Discard, HandedFrame, InMemory, JsonLines, LedgerError, LedgerSink};
pub use pacing::{PaceError, PaceOverride};
pub use quirk::{Quirk, UnknownQuirk};
pub use server::{Server, StartError};
pub use spanproof_schemas::ledger::Exchange;
pub use spanproof_schemas::speed::Speed;
pub use throttle::{Quota, QuotaError};
#[cfg(feature = "tls")]
pub use tls::{SelfSigned, Tls, TlsError};
