//! What pipelines run: the GitHub Action, the scripts of the guide and the container file.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use loadgen::external::{Language, Requirements};

use super::super::test::succeed;
use super::prepare;

/// The GitHub Action is one to GitHub's own tools, and its steps do what its inputs say.
pub(crate) fn action(root: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let program = env::current_exe()?;
    let mut load = Command::new(&program);
    load.args(["load", "--calls", "50", "--speed", "max", "--report", "jsonl=report.jsonl"])
        .args(["--capture", "capture.otlp", "--ledger", "ledger.jsonl"]);
    succeed(load.current_dir(folder.path()))?;

    let checks = root.join("clients/node/action");
    succeed(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&checks))?;
    let mut node = Command::new("node");
    succeed(node.arg(checks.join("check.mjs")).args([root, &program, folder.path()]))
}

/// What the files of pipelines are held to: the schema of their kind, as `check-jsonschema` brings it
/// along, and how it reads such a file.
const PIPELINES: [(&str, &[&str], &str); 4] = [
    ("vendor.gitlab-ci", &["--data-transform", "gitlab-ci"], "docs/ci/gitlab.yml"),
    ("vendor.github-workflows", &[], "docs/ci/github.yml"),
    ("vendor.github-actions", &[], "action.yml"),
    ("vendor.compose-spec", &[], "deploy/stack/compose.yaml"),
];

/// The version of Kubernetes whose schemas the manifests are held to.
const KUBERNETES: &str = "1.37.0";

/// Hadolint finds nothing in the container file, `ShellCheck` nothing in the scripts, and the action,
/// the pipelines of the guide, the compose file and the manifests for Kubernetes are what their public
/// schemas ask for.
pub(crate) fn lints(root: &Path) -> Result<()> {
    let environment = prepare(&Requirements {
        name: "python/lints".to_owned(),
        language: Language::Python,
        lock: root.join("clients/python/lints/requirements.lock"),
        minimum_version: "3.10".parse().map_err(anyhow::Error::msg)?,
    })?;
    let program = |name: &str| Command::new(environment.programs.join(name));
    succeed(program("hadolint").arg(root.join("Containerfile")))?;

    for (schema, reading, file) in PIPELINES {
        let mut check = program("check-jsonschema");
        check.args(["--builtin-schema", schema]).args(reading).arg(root.join(file));
        succeed(&mut check)?;
    }

    let folder = tempfile::tempdir()?;
    manifests(root, &folder.path().join("stack.yaml"), program("kubernetes-validate"))?;

    let mut shellcheck = program("shellcheck");
    shellcheck.args(["--shell", "bash"]).arg(root.join("docs/ci/shell.sh"));
    for (number, script) in scripts_of_action(root)?.iter().enumerate() {
        let path = folder.path().join(format!("step-{number}"));
        fs::write(&path, format!("set -eo pipefail\n{script}"))?;
        shellcheck.arg(path);
    }
    succeed(&mut shellcheck)
}

/// Holds every manifest to the schemas of Kubernetes: those of a load, and what Kustomize makes of the
/// stack, which is written to `stack`.
fn manifests(root: &Path, stack: &Path, mut validate: Command) -> Result<()> {
    let kustomize = root.join("target/stack/kustomize");
    let mut go = Command::new("go");
    go.args(["build", "-ldflags", "-s -w", "-o"]).arg(&kustomize);
    go.arg("sigs.k8s.io/kustomize/kustomize/v5");
    succeed(go.current_dir(root.join("deploy/stack/kustomize")))?;
    succeed(
        Command::new(kustomize).arg("build").arg(root.join("deploy/stack")).arg("-o").arg(stack),
    )?;

    validate.args(["--strict", "--quiet", "--kubernetes-version", KUBERNETES]).arg(stack);
    for entry in fs::read_dir(root.join("deploy/k8s"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            validate.arg(path);
        }
    }
    let output = validate.output().context("cannot run kubernetes-validate")?;
    let said = [output.stdout, output.stderr].concat();
    // Of a kind that it does not know it only warns.
    ensure!(
        output.status.success() && said.is_empty(),
        "the manifests for Kubernetes ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&said)
    );
    Ok(())
}

/// What its steps run, by a bash that ends with the first command that fails.
fn scripts_of_action(root: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(root.join("action.yml"))?;
    let action: serde_json::Value = serde_norway::from_str(&text)?;
    let steps = action["runs"]["steps"].as_array().context("action.yml has no steps")?;
    let scripts: Vec<String> =
        steps.iter().filter_map(|step| step["run"].as_str()).map(str::to_owned).collect();
    ensure!(!scripts.is_empty(), "no step of action.yml runs a script");
    Ok(scripts)
}
