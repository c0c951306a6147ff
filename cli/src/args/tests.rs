//! What people are told to write is what the program takes.

use std::fs;
use std::path::Path;

use clap::{CommandFactory as _, Parser as _};

use super::Args;

/// Variables of a shell that the guides use, with a value each.
const VARIABLES: [(&str, &str); 3] =
    [("$i", "0"), ("$start", "+30s"), ("$GITHUB_STEP_SUMMARY", "summary.md")];

/// The words of the first command in a line of a shell, up to what leads to another or to a file.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, '|' | ';' | '&' | '<' | '>') => break,
            (None, ' ') => words.extend(word.take()),
            (_, letter) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    let filled =
        |word: String| VARIABLES.iter().fold(word, |word, (name, value)| word.replace(name, value));
    words.into_iter().map(filled).collect()
}

fn is_taken(line: &str) -> Result<(), String> {
    Args::try_parse_from(words(line)).map(drop).map_err(|error| format!("{line}\n{error}"))
}

fn verbs(of: &clap::Command) -> Vec<clap::Command> {
    let below = of.get_subcommands().flat_map(verbs);
    std::iter::once(of.clone()).chain(below).collect()
}

#[test]
fn every_example_of_the_help_is_taken_and_fits_a_terminal() {
    let mut seen = 0;
    for verb in verbs(&Args::command()) {
        let Some(examples) = verb.get_after_help() else { continue };
        for line in examples.to_string().lines().skip(1) {
            assert!(line.chars().count() <= 80, "{line}");
            is_taken(line.trim_start()).unwrap();
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn every_command_that_the_guides_show_is_taken() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let guides = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let guides = guides.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let mut seen = 0;
    for path in guides.chain([root.join("README.md")]) {
        let text = fs::read_to_string(&path).unwrap().replace("\\\n", " ");
        let lines = text.lines().filter_map(|line| line.strip_prefix("$ "));
        // Of several commands in a line, the one that is ours.
        let commands = lines.flat_map(|line| line.split("; ")).map(|command| {
            command.replace("cargo xtask ", "spanproof ").replace("do spanproof ", "spanproof ")
        });
        for command in commands
            .filter_map(|command| command.find("spanproof ").map(|at| command[at..].to_owned()))
        {
            // `spanproof` may be what a package or an image is called.
            let is_verb = words(&command).get(1).is_some_and(|word| {
                Args::command().get_subcommands().any(|verb| verb.get_name() == word)
            });
            if is_verb {
                is_taken(&command).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                seen += 1;
            }
        }
    }
    assert!(seen > 40, "{seen}");
}
