//! Pages written in Markdown, on a terminal.

use super::Style;
use super::human::paint;
use super::text::{WIDTH, wrapped};

/// A page of spanproof's own as text of at most 80 columns: headings set off, paragraphs and the
/// items of lists broken into lines; blocks of code stay as they are.
#[must_use]
pub fn terminal(page: &str, style: Style) -> String {
    let mut out = String::new();
    let mut is_code = false;
    for line in page.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        } else if is_code {
            out.push_str(format!("    {line}").trim_end());
            out.push('\n');
        } else if let Some(title) = line.trim_start_matches('#').strip_prefix(' ')
            && line.starts_with('#')
        {
            out.push_str(&paint(title, "1", style));
            out.push('\n');
        } else if let Some(item) = line.strip_prefix("- ") {
            let item = wrapped(item, 2);
            out.push_str("- ");
            out.push_str(item.strip_prefix("  ").unwrap_or(&item));
        } else if line.is_empty() {
            out.push('\n');
        } else {
            out.push_str(&wrapped(line, 0));
        }
    }
    out
}

/// A list of names, each with a word, and below them what they are.
pub fn listed<'a>(items: impl IntoIterator<Item = [&'a str; 3]>, style: Style) -> String {
    let mut out = String::new();
    for [name, word, text] in items {
        let gap = " ".repeat((WIDTH - 12).saturating_sub(name.len()).max(1));
        out.push_str(&paint(name, "1", style));
        out.extend([&gap, word, "\n"]);
        out.push_str(&wrapped(text, 4));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_fits_and_keeps_its_form() {
        let page = format!(
            "# a/rule\n\nIt {0}asks.\n\n- Level: violation\n- Basis: {0}\n\n## Why\n\n```text\ncode  \
             stays\n```\n",
            "words and more words ".repeat(5)
        );
        let text = terminal(&page, Style::Plain);
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert!(text.starts_with("a/rule\n\nIt words and more words"), "{text}");
        assert!(text.contains("\n- Level: violation\n- Basis: words"), "{text}");
        assert!(text.contains("\n  and more words"), "items hang: {text}");
        assert!(text.ends_with("\nWhy\n\n    code  stays\n"), "{text}");
        let coloured = terminal(&page, Style::Coloured);
        assert!(coloured.starts_with("\u{1b}[1ma/rule\u{1b}[0m\n"), "{coloured}");
    }

    #[test]
    fn a_list_stands_in_two_columns() {
        let items = [["usage/input-tokens", "violation", "the input tokens are those served"]];
        let lines = format!(
            "usage/input-tokens{:50}violation\n    the input tokens are those served\n",
            ""
        );
        assert_eq!(listed(items, Style::Plain), lines);
    }
}
