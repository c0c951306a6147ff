//! How one snapshot differs from another.

use similar::{ChangeTag, TextDiff};

/// Lines that stand around a change to show where it is.
const CONTEXT: usize = 3;

/// Lines of one snapshot in the place of lines of another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hunk {
    /// The first line in the old one, from 1; where lines were only added, the one they come before.
    pub line: usize,
    /// The old lines.
    pub before: Vec<String>,
    /// The new ones.
    pub after: Vec<String>,
}

/// Every place where `new` differs from `old`, in order.
#[must_use]
pub fn hunks(old: &str, new: &str) -> Vec<Hunk> {
    let diff = TextDiff::from_lines(old, new);
    let mut hunks: Vec<Hunk> = Vec::new();
    let mut line = 1;
    let mut is_open = false;
    for change in diff.iter_all_changes() {
        if change.tag() == ChangeTag::Equal {
            is_open = false;
            line += 1;
            continue;
        }
        if !is_open {
            hunks.push(Hunk { line, ..Hunk::default() });
            is_open = true;
        }
        let Some(hunk) = hunks.last_mut() else { continue };
        let text = change.value().trim_end_matches('\n').to_owned();
        if change.tag() == ChangeTag::Delete {
            line += 1;
            hunk.before.push(text);
        } else {
            hunk.after.push(text);
        }
    }
    hunks
}

/// The difference in the unified format; empty where there is none.
#[must_use]
pub fn unified(name: &str, old: &str, new: &str) -> String {
    TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(CONTEXT)
        .header(&format!("{name} (snapshot)"), &format!("{name} (this run)"))
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hunk_says_where_and_what() {
        let hunks = hunks("a\nb\nc\nd\n", "a\nB\nc\nd\ne\n");
        let hunk = |line, before: &[&str], after: &[&str]| Hunk {
            line,
            before: before.iter().map(|text| (*text).to_owned()).collect(),
            after: after.iter().map(|text| (*text).to_owned()).collect(),
        };
        assert_eq!(hunks, [hunk(2, &["b"], &["B"]), hunk(5, &[], &["e"])]);
    }

    #[test]
    fn equal_texts_have_no_difference() {
        assert!(hunks("a\n", "a\n").is_empty());
        assert_eq!(unified("t.snap", "a\n", "a\n"), "");
    }
}
