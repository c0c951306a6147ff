//! Client programs in other languages, driven as child processes over the worker protocol.
//!
//! A client is a folder below `clients/` with a [`Manifest`]. Its [`Environment`] holds the
//! packages its lock file names, made on first use. A [`Worker`] is the running program.
//!
//! ```no_run
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! use spanproof_schemas::content_policy::ContentPolicy;
//! use loadgen::external::{Environment, Limits, Manifest, Settings, Worker, clients_dir, home_dir};
//!
//! let clients = clients_dir()?;
//! let manifest = Manifest::load(&clients, "python/genai-bedrock")?;
//! let environment =
//!     Environment::prepare(&manifest.requirements(), &home_dir(&clients), &mut |line| {
//!         eprintln!("{line}");
//!     })?;
//! let settings = Settings {
//!     bedrock_endpoint: "http://127.0.0.1:8080".to_owned(),
//!     otlp_endpoint: "http://127.0.0.1:4318".to_owned(),
//!     service_name: "spanproof-load".to_owned(),
//!     content: ContentPolicy::None,
//!     concurrency: 16,
//!     limits: Limits::default(),
//!     on_stderr: None,
//! };
//! let worker = Worker::start(&manifest, &environment, settings).await?;
//! # Ok(())
//! # }
//! ```

mod environment;
mod failure;
mod language;
mod lines;
mod manifest;
mod process;
mod settings;
mod supervisor;
mod version;

pub use environment::{Environment, EnvironmentError, Requirements, Tool};
pub use failure::{Cause, Failure};
pub use language::Language;
pub use manifest::{Manifest, ManifestError, clients_dir, home_dir};
pub use process::Worker;
pub use settings::{Limits, OnLine, Settings};
pub use version::Version;

#[cfg(test)]
mod tests;
