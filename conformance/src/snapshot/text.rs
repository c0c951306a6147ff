//! Lines that are nested by indentation.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Beyond this depth lines are not moved further to the right, but say how deep they are.
const DEEPEST: usize = 40;

/// Lines of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lines(Vec<(usize, String)>);

impl Lines {
    /// Adds a line at `depth`.
    pub(super) fn push(&mut self, depth: usize, line: impl Into<String>) {
        self.0.push((depth, line.into()));
    }

    /// Adds `lines`, each `depth` deeper than it was.
    pub(super) fn nest(&mut self, depth: usize, lines: &Lines) {
        self.0.extend(lines.0.iter().map(|(own, line)| (own + depth, line.clone())));
    }

    /// Adds blocks in the order of their text, and those that are alike once with their number in
    /// the first line.
    pub(super) fn sorted(&mut self, depth: usize, blocks: Vec<Lines>) {
        let mut counted: BTreeMap<Lines, usize> = BTreeMap::new();
        for block in blocks {
            *counted.entry(block).or_default() += 1;
        }
        for (mut block, count) in counted {
            block.times(count);
            self.nest(depth, &block);
        }
    }

    /// Says in the first line that there are so many of these.
    pub(super) fn times(&mut self, count: usize) {
        if count > 1
            && let Some((_, first)) = self.0.first_mut()
        {
            // Writing into a string cannot fail.
            let _ = write!(first, " ×{count}");
        }
    }

    pub(super) fn into_text(self) -> String {
        let mut text = String::new();
        for (depth, line) in self.0 {
            if depth == 0 {
                text.push('\n');
            }
            text.push_str(&"  ".repeat(depth.min(DEEPEST)));
            if depth > DEEPEST {
                // Writing into a string cannot fail.
                let _ = write!(text, "[{depth} deep] ");
            }
            text.push_str(&line);
            text.push('\n');
        }
        text
    }
}

/// `text` in quotes, on one line, without characters that do not show.
pub(super) fn quoted(text: &str) -> String {
    format!("{text:?}")
}
