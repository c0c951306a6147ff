//! Facts that the sources state in sentences only: span names, span kinds, replacements.

/// The name patterns that `text` states for a span, in order of preference.
///
/// They are the code spans after "SHOULD be" or "SHOULD follow the format" in the paragraph on the
/// span's name, and the one before "otherwise". A `{target}` that is explained by "target SHOULD
/// match …" stands for each of those.
pub(super) fn name_patterns(text: &str) -> Vec<String> {
    let Some(start) = find_ignoring_case(text, "span name") else { return Vec::new() };
    let paragraph = text[start..].split("\n\n").next().unwrap_or_default();
    let words = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    // Prose and code take turns: every second piece stood between backticks.
    let pieces: Vec<&str> = words.split('`').map(str::trim).collect();
    let mut patterns: Vec<String> = Vec::new();
    let mut targets: Vec<&str> = Vec::new();
    for (index, code) in pieces.iter().enumerate().skip(1).step_by(2) {
        let before = pieces[index - 1];
        let after = pieces.get(index + 1).copied().unwrap_or_default();
        let matched = before.ends_with("target SHOULD match");
        if matched || (before == "or" && !targets.is_empty()) {
            targets.push(code);
        } else if before.ends_with("SHOULD be")
            || before.ends_with("SHOULD follow the format")
            || after.starts_with("otherwise")
        {
            patterns.push((*code).to_owned());
        }
    }
    let mut expanded = Vec::new();
    for pattern in patterns {
        let alternatives: Vec<String> = if pattern.contains("{target}") {
            targets.iter().map(|target| pattern.replace("{target}", target)).collect()
        } else {
            vec![pattern]
        };
        for alternative in alternatives {
            if !expanded.contains(&alternative) {
                expanded.push(alternative);
            }
        }
    }
    expanded
}

/// The kind that `text` allows besides the expected one, as in "and MAY be set to `INTERNAL`".
pub(super) fn other_kind(text: &str) -> Option<String> {
    let start = find_ignoring_case(text, "span kind")?;
    let (_, rest) = text[start..].split_once("MAY be set to `")?;
    let (kind, _) = rest.split_once('`')?;
    Some(kind.to_lowercase())
}

/// The new name in a sentence such as "Replaced by `x` attribute." or "Use 'x' instead."; none when
/// the sentence says more than that, because then it depends.
pub(super) fn replacement(sentence: &str) -> Option<String> {
    // Since 1.42 it may add that the new name is one of another registry.
    let sentence = sentence.split(", which has moved to").next().unwrap_or_default();
    let sentence = sentence.trim().trim_end_matches('.');
    let name = sentence
        .strip_prefix("Replaced by ")
        .map(|rest| rest.strip_suffix(" attribute").unwrap_or(rest))
        .or_else(|| sentence.strip_prefix("Use ")?.strip_suffix(" instead"))?
        .trim_matches(['`', '\'']);
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (!name.is_empty() && name.chars().all(is_name)).then(|| name.to_owned())
}

/// Whether the note on a deprecation says that the name is only kept elsewhere from now on, as the
/// GenAI conventions have been since 1.42.
pub(super) fn has_moved(note: &str) -> bool {
    note.trim_start().starts_with("Moved to")
}

/// The values that `text` demands of some of the attributes `names`, as in "`x` SHOULD be `y`" where
/// `verb` is "SHOULD be".
pub(super) fn set_to<'t>(
    text: &'t str,
    verb: &'t str,
    names: &'t [&str],
) -> impl Iterator<Item = (String, String)> + 't {
    names.iter().filter_map(move |name| {
        let (_, rest) = text.split_once(&format!("`{name}` {verb} `"))?;
        let (value, _) = rest.split_once('`')?;
        Some(((*name).to_owned(), value.trim_matches('"').to_owned()))
    })
}

/// The file name of the JSON Schema that a note on an attribute links to.
pub(super) fn json_schema(note: &str) -> Option<String> {
    let (before, _) = note.split_once(".json)")?;
    let name = before.rsplit(['/', '(']).next()?;
    Some(format!("{name}.json"))
}

/// Whether a note on an attribute warns that its value may be sensitive.
pub(super) fn is_sensitive(note: &str) -> bool {
    note.contains("[!") && note.contains("sensitive information")
}

/// Whether a note on a metric keeps it to streaming calls.
pub(super) fn is_for_streams_only(note: &str) -> bool {
    note.contains("for streaming calls and SHOULD NOT be reported otherwise")
}

/// Whether a note on an event says that users have to ask for it.
pub(super) fn is_opt_in(note: &str) -> bool {
    note.contains("This event is opt-in")
}

fn find_ignoring_case(text: &str, words: &str) -> Option<usize> {
    // ASCII lower case keeps every byte where it was.
    text.to_ascii_lowercase().find(words)
}
