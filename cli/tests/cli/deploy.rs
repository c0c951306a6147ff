//! The manifests of `deploy/`, whose command lines must be ones that this program takes.

#![expect(clippy::unwrap_used, reason = "it is part of tests")]

use std::path::Path;
use std::{fs, str};

use serde::Deserialize as _;
use serde_json::Value;

use crate::spanproof::Folder;

/// Every container of the manifests in `deploy/k8s`: the kind of what it is in, and its arguments.
fn containers() -> Vec<(String, Value, Vec<String>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/k8s");
    let mut containers = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = fs::read(&path).unwrap();
        for document in serde_norway::Deserializer::from_str(str::from_utf8(&text).unwrap()) {
            let document = Value::deserialize(document).unwrap();
            let pod = &document["spec"]["template"]["spec"];
            for container in pod["containers"].as_array().into_iter().flatten() {
                let arguments = container["args"].as_array().unwrap().iter();
                let arguments = arguments.map(|argument| argument.as_str().unwrap().to_owned());
                let name = container["name"].as_str().unwrap().to_owned();
                containers.push((name, document["spec"].clone(), arguments.collect()));
            }
        }
    }
    containers.sort_by(|one, other| one.0.cmp(&other.0));
    containers
}

#[test]
fn every_command_line_of_the_manifests_is_taken() {
    let containers = containers();
    let names: Vec<&str> = containers.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["load", "merge", "mock", "receiver"]);
    for (name, _, arguments) in containers {
        let folder = Folder::new();
        let mut arguments: Vec<String> = arguments
            .iter()
            .map(|argument| argument.replace("$(START_AT)", "+1h").replace("/results", "results"))
            .collect();
        // What would run for long, or at all, is only read: a wrong argument is an error before that.
        arguments.push("--help".to_owned());
        if name == "load" {
            arguments.pop();
            arguments.push("--plan-only".to_owned());
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let pod = [("JOB_COMPLETION_INDEX", "3"), ("SHARD_COUNT", "8")];
        let ended = folder.spanproof_where(&pod, &arguments);
        assert_eq!(ended.code, Some(0), "{name}: {ended}");
        assert!(name != "load" || ended.stdout.contains("10000 of 80000, shard 3/8"), "{ended}");
    }
}

#[test]
fn as_many_pods_are_made_as_there_are_shards() {
    let (_, job, _) = containers().into_iter().find(|(name, ..)| name == "load").unwrap();
    let variables = job["template"]["spec"]["containers"][0]["env"].as_array().unwrap();
    let count = variables.iter().find(|variable| variable["name"] == "SHARD_COUNT").unwrap();
    let count: u64 = count["value"].as_str().unwrap().parse().unwrap();
    assert_eq!((&job["completions"], &job["parallelism"]), (&count.into(), &count.into()));
    assert_eq!((&job["completionMode"], &job["backoffLimit"]), (&"Indexed".into(), &0.into()));
}
