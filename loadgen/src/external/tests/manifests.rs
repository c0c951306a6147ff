use std::fs;
use std::path::Path;

use crate::capabilities::Capabilities;
use crate::external::{Manifest, clients_dir};

fn schema() -> jsonschema::Validator {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/client.schema.json");
    let schema = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

fn yaml(text: &str) -> serde_json::Value {
    serde_norway::from_str(text).unwrap()
}

#[test]
fn every_client_of_the_repository_fits_the_schema_and_the_types() {
    let clients = clients_dir().unwrap();
    let names = Manifest::names(&clients).unwrap();
    assert!(names.contains(&"python/genai-bedrock".to_owned()), "{names:?}");
    assert!(names.contains(&"python/article".to_owned()), "{names:?}");
    for name in names {
        let text = fs::read_to_string(clients.join(&name).join("client.yaml")).unwrap();
        if let Err(error) = schema().validate(&yaml(&text)) {
            panic!("{name}: {error} at {}", error.instance_path());
        }
        let manifest = Manifest::load(&clients, &name).unwrap();
        assert!(manifest.requirements().lock.is_file(), "{name} has no lock file");
    }
}

#[test]
fn the_schema_knows_every_capability() {
    let manifest = serde_json::json!({
        "name": "python/all",
        "summary": "everything",
        "language": "python",
        "minimum_version": "3.10",
        "lock": "requirements.lock",
        "command": ["python"],
        "capabilities": Capabilities::all(),
    });
    schema().validate(&manifest).unwrap();
    serde_json::from_value::<Manifest>(manifest).unwrap();
}

const GOOD: &str = "{name: python/one, summary: s, language: python, minimum_version: '3.10', \
    lock: l, command: [c], capabilities: {operations: [Converse], families: [claude]}}";

fn load(folder: &Path, name: &str, text: &str) -> String {
    let client = folder.join("python/one");
    fs::create_dir_all(&client).unwrap();
    fs::write(client.join("client.yaml"), text).unwrap();
    let error = Manifest::load(folder, name).unwrap_err().to_string();
    error.replace(&folder.display().to_string(), "CLIENTS")
}

#[test]
fn what_is_wrong_with_a_manifest_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    insta::assert_snapshot!(
        load(folder, "python/two", GOOD),
        @"there is no client `python/two`: choose one of python/one"
    );
    insta::assert_snapshot!(
        load(folder, "python/../python/one", GOOD),
        @"there is no client `python/../python/one`: choose one of python/one"
    );
    insta::assert_snapshot!(
        load(folder, "python/one", &GOOD.replace("summary", "sumary")),
        @"CLIENTS/python/one/client.yaml is not a client manifest: unknown field `sumary`, expected one of `name`, `summary`, `language`, `minimum_version`, `lock`, `command`, `capabilities`, `environment`, `content_environment`, `content_events_environment` at line 1 column 20"
    );
    insta::assert_snapshot!(
        load(folder, "python/one", &GOOD.replace("'3.10'", "three")),
        @"CLIENTS/python/one/client.yaml is not a client manifest: `three` is not a version: write it like `3.11`, in quotes"
    );
    insta::assert_snapshot!(load(folder, "python/one", &GOOD.replace("[c]", "[]")), @"CLIENTS/python/one/client.yaml has an empty `command`: name the program to start");
    insta::assert_snapshot!(load(folder, "python/one", &GOOD.replace("python/one", "python/1")), @"CLIENTS/python/one/client.yaml names its client `python/1`, its folder says `python/one`");
}
