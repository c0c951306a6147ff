//! The files of the stack, as far as they can be looked at without running it.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::dashboards::Dashboards;
use crate::dev::test::succeed;

/// The Collector takes its configuration, Prometheus its own, the rules do what their tests say, and
/// the dashboards are what Grafana's own types read.
pub(super) fn check(
    root: &Path,
    stack: &Path,
    collector: &Path,
    dashboards: &Dashboards,
) -> Result<()> {
    let promtool = || Command::new("promtool");
    let prometheus = stack.join("prometheus");
    succeed(promtool().args(["check", "config"]).arg(prometheus.join("prometheus.yaml")))?;
    succeed(promtool().args(["test", "rules"]).arg(prometheus.join("tests/usage.yaml")))?;

    for entry in fs::read_dir(stack.join("collector"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let base = stack.join("collector/collector.yaml");
            let mut validate = Command::new(collector);
            validate.arg("validate").arg("--config").arg(&base);
            if path != base {
                validate.arg("--config").arg(&path);
            }
            succeed(&mut validate)?;
        }
    }

    let program = root.join("target/stack/dashboards");
    let mut go = Command::new("go");
    go.args(["build", "-o"]).arg(&program).arg(".");
    succeed(go.current_dir(stack.join("grafana/check")))?;
    succeed(Command::new(program).args(dashboards.paths()))
}

/// The columns that Tempo's configuration dedicates, as `size` takes them.
pub(super) fn dedicated_columns(stack: &Path) -> Result<Vec<String>> {
    let path = stack.join("tempo/tempo.yaml");
    let settings: Value = serde_norway::from_reader(File::open(&path)?)?;
    let columns = settings["storage"]["trace"]["block"]["parquet_dedicated_columns"]
        .as_array()
        .with_context(|| format!("{} dedicates no columns", path.display()))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of = |column: &Value| format!("{}.{}", text(&column["scope"]), text(&column["name"]));
    Ok(columns.iter().map(of).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::Deserialize as _;

    use super::*;

    fn stack() -> std::path::PathBuf {
        crate::dev::workspace::root().join("deploy/stack")
    }

    fn yaml(path: &Path) -> Vec<Value> {
        let text = fs::read_to_string(path).unwrap();
        serde_norway::Deserializer::from_str(&text)
            .map(|document| Value::deserialize(document).unwrap())
            .collect()
    }

    /// Everything at `pointer` of every manifest for Kubernetes.
    fn manifests(pointer: &str) -> Vec<Value> {
        let mut found = Vec::new();
        for entry in fs::read_dir(stack().join("kubernetes")).unwrap() {
            for document in yaml(&entry.unwrap().path()) {
                found.extend(document.pointer(pointer).cloned());
            }
        }
        found
    }

    #[test]
    fn images_are_pinned_and_the_same_on_one_machine_and_in_a_cluster() {
        let compose = &yaml(&stack().join("compose.yaml"))[0];
        let image = |of: &Value| of["image"].as_str().unwrap().to_owned();
        let here: BTreeSet<String> =
            compose["services"].as_object().unwrap().values().map(image).collect();
        let there: BTreeSet<String> =
            manifests("/spec/template/spec/containers/0").iter().map(image).collect();
        assert_eq!(here, there);
        for image in here {
            let (_, tag) = image.rsplit_once(':').unwrap();
            assert!(tag.contains(char::is_numeric) && tag.matches('.').count() == 2, "{image}");
        }
    }

    #[test]
    fn the_collector_that_is_tested_has_the_version_of_the_one_that_is_deployed() {
        let compose = fs::read_to_string(stack().join("compose.yaml")).unwrap();
        let components = fs::read_to_string(stack().join("collector/components.go")).unwrap();
        let modules = fs::read_to_string(stack().join("collector/go.mod")).unwrap();
        let release = components.split("const release = \"").nth(1).unwrap();
        let release = release.split('"').next().unwrap();
        assert!(compose.contains(&format!("opentelemetry-collector-contrib:{release}\n")));
        for line in modules.lines().filter(|line| line.contains("opentelemetry-collector-contrib/"))
        {
            assert!(line.contains(&format!(" v{release}")), "{line}");
        }
    }

    #[test]
    fn every_map_of_configuration_that_is_mounted_is_made_of_files_that_are_there() {
        let made = &yaml(&stack().join("kustomization.yaml"))[0];
        let mut names = BTreeSet::new();
        for map in made["configMapGenerator"].as_array().unwrap() {
            names.insert(map["name"].as_str().unwrap().to_owned());
            for file in map["files"].as_array().unwrap() {
                assert!(stack().join(file.as_str().unwrap()).is_file(), "{file}");
            }
        }
        for resource in made["resources"].as_array().unwrap() {
            assert!(stack().join(resource.as_str().unwrap()).is_file(), "{resource}");
        }
        let mounted: BTreeSet<String> = manifests("/spec/template/spec/volumes")
            .iter()
            .flat_map(|volumes| volumes.as_array().unwrap())
            .map(|volume| volume["configMap"]["name"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(mounted, names);
        let dashboards = fs::read_dir(stack().join("grafana/dashboards")).unwrap().count();
        let maps = made["configMapGenerator"].as_array().unwrap();
        let listed = maps.iter().find(|map| map["name"] == "grafana-dashboards").unwrap();
        assert_eq!(listed["files"].as_array().unwrap().len(), dashboards);
    }

    #[test]
    fn columns_of_tempo_are_named_as_size_takes_them() {
        let columns = dedicated_columns(&stack()).unwrap();
        assert!(columns.contains(&"span.gen_ai.request.model".to_owned()), "{columns:?}");
    }
}
