//! Reports of sizes: one file per format, each a function from what was sized to text.

mod html;
mod human;
mod markdown;
mod number;
mod terminal;
mod words;

use std::path::PathBuf;
use std::str::FromStr;

use spanproof_schemas::forecast::Forecast;
use spanproof_schemas::size::{BlockSize, ColumnSize, Limited, SIZE_VERSION, SizeReport};

use crate::Block;

/// What was sized.
#[derive(Clone, Debug, PartialEq)]
pub enum Sized {
    /// Telemetry as a block, or a block.
    Block(SizeReport),
    /// A load.
    Load(Box<Forecast>),
}

/// A format of size reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SizeFormat {
    /// For people, at most 80 columns wide.
    Human,
    /// For programs, by `size.schema.json` or `forecast.schema.json`.
    Json,
    /// For a job's summary or a comment.
    Markdown,
    /// For people, one page with charts.
    Html,
}

impl SizeFormat {
    /// Every format.
    pub const ALL: [SizeFormat; 4] =
        [SizeFormat::Human, SizeFormat::Json, SizeFormat::Markdown, SizeFormat::Html];

    /// The name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            SizeFormat::Human => "human",
            SizeFormat::Json => "json",
            SizeFormat::Markdown => "markdown",
            SizeFormat::Html => "html",
        }
    }

    /// The report in this format, with a line break at its end.
    #[must_use]
    pub fn render(self, sized: &Sized) -> String {
        match (self, sized) {
            (SizeFormat::Human, Sized::Block(report)) => human::block(report),
            (SizeFormat::Human, Sized::Load(forecast)) => human::load(forecast),
            (SizeFormat::Json, Sized::Block(report)) => json(report),
            (SizeFormat::Json, Sized::Load(forecast)) => json(forecast),
            (SizeFormat::Markdown, Sized::Block(report)) => markdown::block(report),
            (SizeFormat::Markdown, Sized::Load(forecast)) => markdown::load(forecast),
            (SizeFormat::Html, Sized::Block(report)) => html::block(report),
            (SizeFormat::Html, Sized::Load(forecast)) => html::load(forecast),
        }
    }
}

/// A format, and the file to write or standard output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SizeTarget {
    /// The format.
    pub format: SizeFormat,
    /// The file; standard output without one.
    pub path: Option<PathBuf>,
}

/// A text that is no target of a size report.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseSizeTargetError {
    /// No such format.
    #[error(
        "unknown format `{0}` of a size report; known are {known}, each with or without `=PATH`",
        known = SizeFormat::ALL.map(SizeFormat::as_str).join(", ")
    )]
    UnknownFormat(String),
    /// Nothing after the equals sign.
    #[error("no path after `{0}=`; leave the `=` out for standard output")]
    NoPath(&'static str),
}

impl FromStr for SizeTarget {
    type Err = ParseSizeTargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, path) = match text.split_once('=') {
            Some((name, path)) => (name, Some(path)),
            None => (text, None),
        };
        let format = SizeFormat::ALL
            .into_iter()
            .find(|format| format.as_str() == name)
            .ok_or_else(|| ParseSizeTargetError::UnknownFormat(name.to_owned()))?;
        if path == Some("") {
            return Err(ParseSizeTargetError::NoPath(format.as_str()));
        }
        Ok(SizeTarget { format, path: path.map(PathBuf::from) })
    }
}

/// The report of `block`, which was computed from `source`.
#[must_use]
pub fn report_of_block(source: String, block: &Block) -> SizeReport {
    SizeReport {
        version: SIZE_VERSION,
        source,
        traces: block.traces,
        spans: block.spans,
        otlp_bytes: Some(block.otlp_bytes),
        block: BlockSize {
            encoding: block.encoding.name().to_owned(),
            data_parquet_bytes: block.data_parquet_bytes,
            footer_bytes: block.footer_bytes,
            bloom_bytes: block.bloom_bytes,
            index_bytes: block.index_bytes,
            meta_bytes: block.meta_bytes,
            row_groups: block.row_groups,
            columns: block
                .columns
                .iter()
                .map(|column| ColumnSize {
                    name: column.name.clone(),
                    attribute: column.attribute.clone(),
                    bytes: column.compressed_bytes,
                    uncompressed_bytes: column.uncompressed_bytes,
                    values: column.values,
                })
                .collect(),
        },
        limited: Some(Limited {
            cut_values: block.cut_values,
            trace_too_large_spans: block.dropped.trace_too_large_spans,
            invalid_id_spans: block.dropped.invalid_id_spans,
        }),
    }
}

fn json(sized: &impl serde::Serialize) -> String {
    // Texts and numbers are always JSON.
    let mut text = serde_json::to_string_pretty(sized).unwrap_or_default();
    text.push('\n');
    text
}
