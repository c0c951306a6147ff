//! `cargo xtask dev fuzz`: the fuzz targets, each for a while. A crate that has some has them in its
//! folder `fuzz`.
//!
//! What a run comes upon goes into a corpus below `target/`; the one in the repository seeds it and
//! stays small. `cargo fuzz cmin` makes the few that are worth adding.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use super::workspace::{self, Packages};
use super::{Outcome, say};

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
    for name in &args.targets {
        ensure!(
            all.iter().any(|target| &target.name == name),
            "no target is named `{name}`; there are {}",
            all.iter().map(|target| target.name.as_str()).collect::<Vec<_>>().join(", ")
        );
    }
    ensure_installed()?;
    let is_chosen = |one: &Target| args.targets.is_empty() || args.targets.contains(&one.name);
    let mut problems = Vec::new();
    for target in all.iter().filter(|one| is_chosen(one)) {
        let name = &target.name;
        say(&mut io::stdout(), &[format!("== {name}, for {} s", args.seconds)]);
        if !fuzz(&root, target, args.seconds)? {
            problems.push(format!(
                "{name} found something: the lines above tell what, and how to run it again"
            ));
        }
    }
    Ok(Outcome::problems(problems, "no target found anything"))
}

/// A fuzz target.
struct Target {
    /// The folder of the crate that holds it.
    folder: PathBuf,
    /// That of its file.
    name: String,
}

/// The targets of every crate in the workspace, by name: a file each.
fn targets(root: &Path) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    for package in Packages::read(root)?.members() {
        let folder = package.manifest_path.with_file_name("fuzz");
        let files = folder.join("fuzz_targets");
        if !files.is_dir() {
            continue;
        }
        let entries = fs::read_dir(&files)
            .with_context(|| format!("cannot read the folder `{}`", files.display()))?;
        for entry in entries {
            if let Some(stem) = entry?.path().file_stem().and_then(|stem| stem.to_str()) {
                targets.push(Target { folder: folder.clone(), name: stem.to_owned() });
            }
        }
    }
    targets.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(targets)
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
fn fuzz(root: &Path, target: &Target, seconds: u64) -> Result<bool> {
    let Target { folder, name } = target;
    let seeds = folder.join("corpus").join(name);
    let found = root.join("target/fuzz-corpus").join(name);
    fs::create_dir_all(&found)
        .with_context(|| format!("cannot make the folder `{}`", found.display()))?;
    let mut command = nightly_cargo();
    // One folder for all of them: what the crates share is built once.
    command.args(["fuzz", "run", "--target-dir"]).arg(root.join("target/fuzz"));
    command.arg(name).arg(found).arg(seeds).arg("--");
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-max_len={LONGEST_INPUT_BYTES}"));
    // An input takes milliseconds; one that takes seconds would let a client hold a server up.
    command.args(["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]);
    let dictionary = folder.join(format!("{name}.dict"));
    if dictionary.is_file() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    let status = command.current_dir(folder).status().context("cannot run cargo fuzz")?;
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
        let targets = targets(&root).unwrap();
        assert!(!targets.is_empty());
        for (before, target) in targets.iter().zip(&targets[1..]) {
            assert_ne!(before.name, target.name, "a target is asked for by its name alone");
        }
        for Target { folder, name } in targets {
            let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
            let seeds = folder.join("corpus").join(&name);
            assert!(fs::read_dir(seeds).unwrap().next().is_some(), "{name}");
        }
    }
}
