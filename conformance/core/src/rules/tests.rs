//! The registry tests itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::RULES;

#[test]
fn every_file_is_a_rule_of_the_slice_and_the_other_way_round() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules");
    let mut files = BTreeSet::new();
    for group in fs::read_dir(&root).unwrap() {
        let group = group.unwrap().path();
        if !group.is_dir() {
            continue;
        }
        for file in fs::read_dir(&group).unwrap() {
            let file = file.unwrap().path();
            let stem = file.file_stem().unwrap().to_str().unwrap();
            if stem != "mod" {
                let group = group.file_name().unwrap().to_str().unwrap();
                files.insert(format!("{group}/{stem}").replace('_', "-"));
            }
        }
    }
    let ids: BTreeSet<String> = RULES.iter().map(|rule| rule.id.to_owned()).collect();
    assert_eq!(files, ids, "each rule has a file, and each file a line in RULES");
}

#[test]
fn ids_are_unique_and_in_order() {
    assert!(RULES.is_sorted_by(|a, b| a.id < b.id), "RULES is sorted by id, without repeats");
}

#[test]
fn every_rule_is_documented() {
    for rule in RULES {
        let docs = rule.docs;
        let parts = [docs.what_it_checks, docs.why, docs.example, docs.how_to_mend];
        for part in parts {
            assert!(part.len() > 20 && part.ends_with(['.', '`', ')']), "{}: {part}", rule.id);
            assert!(!part.contains("  "), "{}: a broken line continuation: {part}", rule.id);
        }
        assert!(rule.summary.starts_with(|c: char| !c.is_uppercase()), "{}", rule.id);
        assert!(!rule.summary.ends_with('.'), "{}", rule.id);
        assert!(!rule.checks.is_empty(), "{}", rule.id);
    }
}

/// The pages are generated: `cargo xtask dev docs` writes them.
#[test]
fn the_committed_pages_are_those_of_the_registry() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules");
    let pages = crate::docs::pages();
    for (path, text) in &pages {
        let committed = fs::read_to_string(root.join(path)).unwrap_or_default();
        assert!(committed == *text, "docs/rules/{path} is stale; run `cargo xtask dev docs`");
    }
    let mut committed = 1;
    for group in fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()) {
        if group.is_dir() {
            committed += fs::read_dir(&group).unwrap().count();
        }
    }
    assert_eq!(committed, pages.len(), "docs/rules holds pages of no rule; remove them");
}
