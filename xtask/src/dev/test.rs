//! `cargo xtask dev test`: everything that a change must pass, in the order that fails soonest.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use super::clients::{Spans, smoke};
use super::{Outcome, children, clients, stack, workspace};

/// What to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Leave out the clients in other languages, which need Python, Node.js, Java and Go
    #[arg(long)]
    no_clients: bool,
    /// Run only the steps whose name contains this
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
}

/// A named step of the run.
struct Step {
    name: &'static str,
    run: fn(&Path) -> Result<()>,
}

const STEPS: &[Step] = &[
    Step { name: "formatting", run: |root| cargo(root, &["fmt", "--all", "--check"]) },
    Step { name: "tidy", run: |_| own(&["dev", "tidy"]) },
    Step { name: "registries", run: registries },
    Step { name: "generated pages", run: |_| own(&["dev", "docs", "--check"]) },
    Step {
        name: "lints",
        run: |root| {
            cargo(root, &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])
        },
    },
    Step { name: "tests", run: |root| cargo(root, &["test", "--workspace"]) },
];

const CLIENT_STEPS: &[Step] = &[
    Step { name: "fidelity: boto3", run: |root| clients::fidelity(root, "boto3") },
    Step { name: "fidelity: anthropic", run: |root| clients::fidelity(root, "anthropic") },
    Step { name: "fidelity: javascript", run: |root| clients::fidelity(root, "javascript") },
    Step { name: "fidelity: java-sync", run: |root| clients::fidelity(root, "java-sync") },
    Step { name: "fidelity: java-async", run: |root| clients::fidelity(root, "java-async") },
    Step { name: "fidelity: go", run: |root| clients::fidelity(root, "go") },
    Step { name: "fidelity: raw", run: |root| clients::fidelity(root, "raw") },
    Step { name: "package and guides: python", run: clients::packages::python },
    Step { name: "package and guides: node", run: clients::packages::node },
    Step { name: "github action", run: clients::action },
    Step { name: "lints of scripts, pipelines and container file", run: clients::lints },
    Step { name: "reports: public schemas", run: clients::public_schemas },
    Step { name: "python/genai-bedrock", run: clients::genai_bedrock },
    Step { name: "python/article", run: clients::article },
    Step {
        name: "client python/botocore",
        run: |_| smoke("python/botocore", Spans::NotOfSomeFailures),
    },
    Step {
        name: "client python/openllmetry",
        run: |_| smoke("python/openllmetry", Spans::NotOfSomeFailures),
    },
    Step {
        name: "client python/openinference",
        run: |_| smoke("python/openinference", Spans::NotOfSomeFailures),
    },
    Step { name: "client node/aws-sdk", run: |_| smoke("node/aws-sdk", Spans::NotOfSomeFailures) },
    Step { name: "client node/traceloop", run: |_| smoke("node/traceloop", Spans::All) },
    Step { name: "client java/agent", run: |_| smoke("java/agent", Spans::All) },
    Step { name: "client go/otelaws", run: |_| smoke("go/otelaws", Spans::None) },
    Step { name: "stack", run: stack::step },
    Step { name: "run -- an unchanged boto3 program", run: clients::unchanged_program },
    Step { name: "run --compare-uninstrumented: python", run: clients::well_behaved },
    Step { name: "run --compare-uninstrumented: node", run: clients::well_behaved_node },
    Step { name: "run --compare-uninstrumented: java", run: clients::well_behaved_java },
];

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let root = workspace::root();
    let steps = if args.no_clients { &[] } else { CLIENT_STEPS };
    let mut chosen =
        STEPS.iter().chain(steps).filter(|step| step.name.contains(&args.only)).peekable();
    ensure!(chosen.peek().is_some(), "no step has `{}` in its name", args.only);
    for step in chosen {
        writeln!(io::stdout(), "== {}", step.name)?;
        let started = Instant::now();
        (step.run)(&root).with_context(|| format!("{} failed", step.name))?;
        writeln!(io::stdout(), "== {}: passed in {:.0?}\n", step.name, started.elapsed())?;
    }
    Ok(Outcome::in_order("everything passed"))
}

/// Compares the committed registries with their sources, which are not part of the repository: a
/// folder `shared` beside it may hold them.
fn registries(root: &Path) -> Result<()> {
    let sources = root.with_file_name("shared").join("semconv");
    if !sources.is_dir() {
        writeln!(io::stdout(), "skipped: {} is not there", sources.display())?;
        return Ok(());
    }
    let from = sources.display().to_string();
    own(&["dev", "semconv", "import", "--check", "--from", &from])
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<()> {
    succeed(workspace::cargo(root).args(arguments))
}

/// Runs a verb of this very program.
fn own(arguments: &[&str]) -> Result<()> {
    succeed(Command::new(std::env::current_exe()?).args(arguments))
}

/// Runs `command`, and fails when it does.
pub(super) fn succeed(command: &mut Command) -> Result<()> {
    let status = children::status(command).with_context(|| format!("cannot run {command:?}"))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}
