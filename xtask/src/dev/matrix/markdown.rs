//! The matrix as a page of the guides.

use std::fmt::Write as _;

use spanproof_schemas::report::Level;
use spanproof_schemas::worker::Operation;

use super::cell::{Cell, SITUATIONS};
use super::confirmed::Confirmed;
use super::invariant::INVARIANTS;
use super::results::{LibraryResults, Results};

const HEAD: &str = "\
# Released instrumentations, judged

<!-- Written by `cargo xtask dev matrix`; do not edit. -->

Each library runs as its users run it, in an ordinary program, with the capture of content switched
off, over the four operations that call a model and the situations below. Every cell is a process of
its own under `spanproof run`; each finding was confirmed by a look at the raw telemetry and the
ledger. Read it as what one version of a library did with one version of an SDK, not as a verdict on
its authors: most findings have no rule in the conventions that a test of theirs could have failed.
";

/// The page in Markdown.
pub(super) fn page(results: &Results<'_>, confirmed: &Confirmed) -> String {
    let mut page = HEAD.to_owned();
    page.push_str(
        "\n## Library by invariant\n\nIn how many cells a violation was found; `–` for none.\n\n",
    );
    overview(results, &mut page);
    page.push_str("\n| invariant | |\n| --- | --- |\n");
    for invariant in &INVARIANTS {
        let _ = writeln!(page, "| {} | {} |", invariant.id, invariant.meaning);
    }
    page.push_str("\n| situation | |\n| --- | --- |\n");
    for situation in &SITUATIONS {
        let _ = writeln!(page, "| {} | {} |", situation.name, situation.meaning);
    }
    for results in &results.libraries {
        library(results, confirmed, &mut page);
    }
    page
}

fn overview(results: &Results<'_>, page: &mut String) {
    page.push_str("| library |");
    for invariant in &INVARIANTS {
        let _ = write!(page, " {} |", invariant.id);
    }
    page.push_str(" cells |\n| --- |");
    page.push_str(&" ---: |".repeat(INVARIANTS.len() + 1));
    page.push('\n');
    for results in &results.libraries {
        let library = results.library;
        let _ = write!(
            page,
            "| {} {} ({}) |",
            library.package,
            library.version,
            library.client.language.name()
        );
        for count in results.violated() {
            let _ = match count {
                0 => write!(page, " – |"),
                count => write!(page, " {count} |"),
            };
        }
        let _ = writeln!(page, " {} |", results.cells.len());
    }
}

fn library(results: &LibraryResults<'_>, confirmed: &Confirmed, page: &mut String) {
    let library = results.library;
    let _ = writeln!(page, "\n## {} {}\n", library.package, library.version);
    page.push_str("Rules with violations in each cell.\n\n| situation |");
    for operation in Operation::ALL.map(Operation::name) {
        let _ = write!(page, " {operation} |");
    }
    page.push_str("\n| --- |");
    page.push_str(&" ---: |".repeat(Operation::ALL.len()));
    page.push('\n');
    for situation in &SITUATIONS {
        let _ = write!(page, "| {} |", situation.name);
        for operation in Operation::ALL.map(Operation::name) {
            let cell = Cell { operation, situation: situation.name };
            let _ = if results.has(cell) {
                write!(page, " {} |", results.violations(cell).len())
            } else {
                write!(page, " |")
            };
        }
        page.push('\n');
    }
    page.push('\n');
    for found in results.found() {
        let (rule, message) = (&found.group.rule, &found.group.message);
        let level = match found.group.level {
            Level::Violation => "**violation**",
            Level::Improvement => "improvement",
            Level::Information => "information",
        };
        let cells: Vec<String> = found.cells.iter().map(ToString::to_string).collect();
        let _ = writeln!(page, "- {level} [`{rule}`](rules/{rule}.md): {message}");
        let _ = writeln!(page, "  ({}).", shortened(&cells));
        let saw = confirmed.saw(&library.name, rule, message).unwrap_or("Not confirmed yet.");
        let _ = writeln!(page, "  *{saw}*");
    }
}

/// A few of the cells, and how many more.
fn shortened(cells: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown = cells.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match cells.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
