//! Captured telemetry: files of OTLP requests, all signals in one file in order of arrival.
//!
//! Two formats are written: [`Format::Otlp`], compact and quick, and [`Format::JsonLines`], the
//! format of the Collector's file exporter. [`Reader`] tells formats apart by content, so that a
//! file from anywhere else reads as well.

mod bare;
mod error;
mod export;
mod format;
mod framed;
mod lines;
mod open;
mod reader;
mod record;
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
