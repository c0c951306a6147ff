//! What the cells came to, as it was kept.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use spanproof_schemas::report::{FindingGroup, Level, Report};

use super::cell::Cell;
use super::invariant::{INVARIANTS, of};
use super::library::{Libraries, Library};

/// Everything that was run.
pub(super) struct Results<'a> {
    pub(super) libraries: Vec<LibraryResults<'a>>,
}

/// One library's cells.
pub(super) struct LibraryResults<'a> {
    pub(super) library: &'a Library,
    pub(super) cells: Vec<(Cell, Report)>,
}

/// Findings of a library with one rule, level and message, and the cells that they are of.
pub(super) struct Found<'a> {
    pub(super) group: &'a FindingGroup,
    pub(super) cells: Vec<Cell>,
}

impl<'a> Results<'a> {
    pub(super) fn read(libraries: &'a Libraries, kept: &Path) -> Result<Results<'a>> {
        let read = |library: &'a Library| {
            let folder = kept.join(&library.name);
            let cells = Cell::of(&library.client.capabilities)
                .into_iter()
                .map(|cell| {
                    let path = cell.folder(&folder).join("report.json");
                    let text = fs::read_to_string(&path).with_context(|| {
                        format!(
                            "cannot read {}: run `cargo xtask dev matrix {}`",
                            path.display(),
                            library.name
                        )
                    })?;
                    let report = serde_json::from_str(&text)
                        .with_context(|| format!("{} is not a report", path.display()))?;
                    Ok((cell, report))
                })
                .collect::<Result<Vec<_>>>()?;
            Ok(LibraryResults { library, cells })
        };
        Ok(Results { libraries: libraries.library.iter().map(read).collect::<Result<_>>()? })
    }
}

impl LibraryResults<'_> {
    /// Whether the library was in this cell.
    pub(super) fn has(&self, cell: Cell) -> bool {
        self.cells.iter().any(|(it, _)| *it == cell)
    }

    /// For each invariant, in how many cells a violation of it was found.
    pub(super) fn violated(&self) -> [usize; INVARIANTS.len()] {
        let mut counts = [0; INVARIANTS.len()];
        for (_, report) in &self.cells {
            for (place, invariant) in INVARIANTS.iter().enumerate() {
                let is_violated = report.findings.iter().any(|group| {
                    group.level == Level::Violation && of(&group.rule) == Some(invariant.id)
                });
                counts[place] += usize::from(is_violated);
            }
        }
        counts
    }

    /// The violations of one cell, by rule.
    pub(super) fn violations(&self, cell: Cell) -> Vec<&str> {
        let mut rules: Vec<&str> = self
            .cells
            .iter()
            .filter(|(it, _)| *it == cell)
            .flat_map(|(_, report)| &report.findings)
            .filter(|group| group.level == Level::Violation)
            .map(|group| group.rule.as_str())
            .collect();
        rules.dedup();
        rules
    }

    /// What was found, worst first, then by rule and message.
    pub(super) fn found(&self) -> Vec<Found<'_>> {
        let mut found: BTreeMap<_, Found<'_>> = BTreeMap::new();
        for (cell, report) in &self.cells {
            for group in &report.findings {
                let key = (std::cmp::Reverse(group.level), &group.rule, &group.message);
                found
                    .entry(key)
                    .or_insert_with(|| Found { group, cells: Vec::new() })
                    .cells
                    .push(*cell);
            }
        }
        found.into_values().collect()
    }
}
