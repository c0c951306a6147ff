//! `cargo xtask dev fuzz`: the fuzz targets of the mock, each for a while.
//!
//! What a run comes upon goes into a corpus below `target/`; the one in the repository seeds it and
//! stays small. `cargo fuzz cmin` makes the few that are worth adding.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use super::{Outcome, say, workspace};

/// The folder of the crate that holds the targets.
const FUZZ: &str = "mock-bedrock/fuzz";

/// The longest input that is tried: longer ones find little more, more slowly.
const LONGEST_INPUT_BYTES: usize = 65_536;

/// What to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only these targets; all when none is named
    targets: Vec<String>,
    /// Run each target for so long
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let root = workspace::root();
    let all = targets(&root)?;
    for target in &args.targets {
        ensure!(
            all.contains(target),
            "no target is named `{target}`; there are {}",
            all.join(", ")
        );
    }
    ensure_installed()?;
    let chosen = all.iter().filter(|one| args.targets.is_empty() || args.targets.contains(one));
    let mut problems = Vec::new();
    for target in chosen {
        say(&mut io::stdout(), &[format!("== {target}, for {} s", args.seconds)]);
        if !fuzz(&root, target, args.seconds)? {
            problems.push(format!(
                "{target} found something: the lines above tell what, and how to run it again"
            ));
        }
    }
    Ok(Outcome::problems(problems, "no target found anything"))
}

/// The names of the targets: a file each.
fn targets(root: &Path) -> Result<Vec<String>> {
    let folder = root.join(FUZZ).join("fuzz_targets");
    let entries = fs::read_dir(&folder)
        .with_context(|| format!("cannot read the folder `{}`", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        if let Some(stem) = entry?.path().file_stem().and_then(|stem| stem.to_str()) {
            names.push(stem.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Says what is missing; nothing is installed behind anyone's back.
fn ensure_installed() -> Result<()> {
    if !succeeds(Command::new("rustup").args(["run", "nightly", "rustc", "--version"])) {
        bail!("fuzzing needs a nightly compiler: run `rustup toolchain install nightly`");
    }
    if !succeeds(nightly_cargo().args(["fuzz", "--version"])) {
        bail!("fuzzing needs cargo-fuzz: run `cargo install cargo-fuzz --locked`");
    }
    Ok(())
}

fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Whether the target ran for `seconds` without a finding.
fn fuzz(root: &Path, target: &str, seconds: u64) -> Result<bool> {
    let folder = root.join(FUZZ);
    let seeds = folder.join("corpus").join(target);
    let found = root.join("target/fuzz-corpus").join(target);
    fs::create_dir_all(&found)
        .with_context(|| format!("cannot make the folder `{}`", found.display()))?;
    let mut command = nightly_cargo();
    command.args(["fuzz", "run", target]).arg(found).arg(seeds).arg("--");
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-max_len={LONGEST_INPUT_BYTES}"));
    // An input takes milliseconds; one that takes seconds would let a client hold a server up.
    command.args(["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]);
    let dictionary = folder.join(format!("{target}.dict"));
    if dictionary.is_file() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    let status = command.current_dir(&folder).status().context("cannot run cargo fuzz")?;
    Ok(status.success())
}

/// Cargo of the nightly toolchain, whatever toolchain runs this program.
fn nightly_cargo() -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo"]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_has_seeds_and_is_a_binary_of_the_crate() {
        let root = workspace::root();
        let manifest = fs::read_to_string(root.join(FUZZ).join("Cargo.toml")).unwrap();
        let targets = targets(&root).unwrap();
        assert!(!targets.is_empty());
        for target in targets {
            assert!(manifest.contains(&format!("name = \"{target}\"")), "{target}");
            let seeds = root.join(FUZZ).join("corpus").join(&target);
            assert!(fs::read_dir(seeds).unwrap().next().is_some(), "{target}");
        }
    }
}
