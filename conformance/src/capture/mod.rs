//! Captured telemetry: files of OTLP requests, all signals in one file in order of arrival.
//!
//! Two formats are written: [`Format::Otlp`], compact and quick, and [`Format::JsonLines`], the
//! format of the Collector's file exporter. [`Reader`] tells formats apart by content, so that a
//! file from anywhere else reads as well: OTLP in JSON and protobuf as it is commonly kept, what
//! the Python SDK prints, what Jaeger exports, each also compressed. `docs/inputs.md` names them.

mod bare;
mod console;
mod document;
mod error;
mod export;
mod extent;
mod files;
mod foreign;
mod format;
mod framed;
mod jaeger;
mod limits;
mod lookback;
mod open;
mod prefixed;
mod reader;
mod record;
mod text;
mod writer;

pub use error::{ReadError, WriteError};
pub use export::{Export, Items, Request, Signal};
pub use format::{Format, UnknownFormat};
pub use reader::{Reader, Source, read};
pub use record::{Encoded, Record};
pub use writer::Writer;

#[cfg(test)]
pub(crate) mod arbitrary;
#[cfg(test)]
mod tests;
