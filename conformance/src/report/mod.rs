//! Report formats: one file per format, each a function from the report to text.
//!
//! Everything here is deterministic: the same report gives the same bytes.

mod human;
mod json;
mod number;
mod target;
mod text;

pub use human::human;
pub use json::json;
pub use target::{ParseTargetError, ReportTarget, WriteReportError};

use spanproof_schemas::report::Report;

/// A format of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people, at most 100 columns wide.
    Human,
    /// For programs, by `report.schema.json`.
    Json,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 2] = [Format::Human, Format::Json];

    /// The name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Human => "human",
            Format::Json => "json",
        }
    }

    /// The report in this format, with a line break at its end.
    #[must_use]
    pub fn render(self, report: &Report, style: Style) -> String {
        match self {
            Format::Human => human(report, style),
            Format::Json => json(report),
        }
    }
}

/// Whether text for people carries colours. That is for the caller to decide, who knows the
/// terminal and `NO_COLOR`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// No escape sequences.
    #[default]
    Plain,
    /// ANSI colours.
    Coloured,
}

#[cfg(test)]
mod tests;
