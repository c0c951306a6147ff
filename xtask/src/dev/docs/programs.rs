//! Programs in the guides, which are files of the repository that tests run: after a line
//! `<!-- file: PATH -->` stands the file, word for word.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::Page;

/// Where the guides are.
const GUIDES: &str = "docs";
const BEFORE: &str = "<!-- file: ";
const AFTER: &str = " -->";
/// What encloses the file.
const FENCE: &str = "```";

/// Every guide, with its programs as they are now.
pub(super) fn pages(root: &Path) -> Result<Vec<Page>> {
    let mut pages = Vec::new();
    for entry in fs::read_dir(root.join(GUIDES))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let text = fs::read_to_string(&path)?;
            let text = with_programs(&text, |file| {
                fs::read_to_string(root.join(file))
                    .with_context(|| format!("{} names {file}", path.display()))
            })?;
            pages.push((path, Some(text)));
        }
    }
    Ok(pages)
}

fn with_programs(guide: &str, read: impl Fn(&str) -> Result<String>) -> Result<String> {
    let mut text = String::with_capacity(guide.len());
    let mut lines = guide.lines().peekable();
    while let Some(line) = lines.next() {
        text.push_str(line);
        text.push('\n');
        let Some(file) = line.strip_prefix(BEFORE).and_then(|rest| rest.strip_suffix(AFTER)) else {
            continue;
        };
        let language = match Path::new(file).extension().and_then(|extension| extension.to_str()) {
            Some("py") => "python",
            Some("mjs") => "javascript",
            Some("rs") => "rust",
            Some("sh") => "bash",
            Some("yml") => "yaml",
            _ => bail!("{file}: no language is known for it"),
        };
        for part in ["\n", FENCE, language, "\n", &read(file)?, FENCE, "\n"] {
            text.push_str(part);
        }
        // What stood there before.
        if lines.next_if(|line| line.is_empty()).is_some()
            && lines.next_if(|line| line.starts_with(FENCE)).is_some()
        {
            lines.by_ref().find(|line| *line == FENCE);
        } else {
            text.push('\n');
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_stands_after_the_line_that_names_it_however_often_it_is_put_there() {
        let read = |file: &str| {
            assert_eq!(file, "a.py");
            Ok("print()\n".to_owned())
        };
        let guide = "Before.\n\n<!-- file: a.py -->\n\nAfter.\n";
        let once = with_programs(guide, read).unwrap();
        assert_eq!(once, "Before.\n\n<!-- file: a.py -->\n\n```python\nprint()\n```\n\nAfter.\n");
        assert_eq!(with_programs(&once, read).unwrap(), once);
        let outdated = once.replace("print()", "old()\n\nolder()");
        assert_eq!(with_programs(&outdated, read).unwrap(), once);
    }
}
