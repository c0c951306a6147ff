//! Report formats: one file per format, each a function from the report to text.
//!
//! Everything here is deterministic: the same report gives the same bytes.

mod answers;
mod expected;
mod github;
mod headline;
mod html;
mod human;
mod json;
mod jsonl;
mod junit;
mod load;
mod markdown;
mod number;
mod place;
mod sarif;
mod target;
mod terminal;
mod text;
mod tree;

pub use github::github;
pub use html::html;
pub use human::human;
pub use json::json;
pub use jsonl::jsonl;
pub use junit::junit;
pub use markdown::markdown;
pub use sarif::sarif;
pub use target::{ParseTargetError, ReportTarget, WriteReportError, replace};
pub use terminal::{listed, terminal};

use spanproof_schemas::report::Report;

/// A format of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people, at most 80 columns wide.
    Human,
    /// For programs, by `report.schema.json`.
    Json,
    /// For programs that read line by line, by `report-line.schema.json`.
    Jsonl,
    /// For a job's summary or a comment.
    Markdown,
    /// For what shows the results of tests.
    Junit,
    /// For what shows the results of static analysis.
    Sarif,
    /// For the log of a GitHub Actions job, which makes annotations of it.
    Github,
    /// For people, one page with everything in it.
    Html,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 8] = [
        Format::Human,
        Format::Json,
        Format::Jsonl,
        Format::Markdown,
        Format::Junit,
        Format::Sarif,
        Format::Github,
        Format::Html,
    ];

    /// The name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Human => "human",
            Format::Json => "json",
            Format::Jsonl => "jsonl",
            Format::Markdown => "markdown",
            Format::Junit => "junit",
            Format::Sarif => "sarif",
            Format::Github => "github",
            Format::Html => "html",
        }
    }

    /// The report in this format, with a line break at its end.
    #[must_use]
    pub fn render(self, report: &Report, style: Style) -> String {
        match self {
            Format::Human => human(report, style),
            Format::Json => json(report),
            Format::Jsonl => jsonl(report),
            Format::Markdown => markdown(report),
            Format::Junit => junit(report),
            Format::Sarif => sarif(report),
            Format::Github => github(report),
            Format::Html => html(report),
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
