//! Client programs that misbehave: each gets an error that says what happened, and none hangs.

#![expect(clippy::unwrap_used, reason = "it is part of tests")]

use std::fs;

use crate::bad_input::assert_ends;
use crate::spanproof::Folder;

/// A client that takes a call and falls over.
const CRASHES: &str = r#"
import json, sys
print(json.dumps({"type": "ready", "client": "crashes"}), flush=True)
sys.stdin.readline()
sys.exit("boom: out of cheese")
"#;

/// A client that says it has made its calls, and makes none.
const EMITS_NOTHING: &str = r#"
import json, sys, time
print(json.dumps({"type": "ready", "client": "silent"}), flush=True)
for line in sys.stdin:
    now = time.time_ns()
    call = json.loads(line)["call"]
    done = {"type": "done", "call": call, "started_unix_nanos": now, "finished_unix_nanos": now}
    print(json.dumps(done), flush=True)
"#;

const MANIFEST: &str = r#"
name: python/NAME
summary: a client for a test
language: python
minimum_version: "3.10"
lock: requirements.lock
command: [python, worker.py]
capabilities:
  operations: [InvokeModel]
  families: [claude]
  features: []
"#;

/// A folder with a client `python/NAME` that needs no packages.
fn client(name: &str, program: &str) -> Folder {
    let folder = Folder::new();
    let client = folder.path("clients/python").join(name);
    fs::create_dir_all(&client).unwrap();
    fs::write(client.join("client.yaml"), MANIFEST.replace("NAME", name)).unwrap();
    fs::write(client.join("requirements.lock"), "").unwrap();
    fs::write(client.join("worker.py"), program).unwrap();
    folder
}

#[test]
fn a_client_that_crashes_is_an_error_with_its_last_words() {
    let folder = client("crashes", CRASHES);
    let ended = folder.spanproof(&["load", "--client", "python/crashes", "--calls", "20"]);
    assert_eq!(ended.code, Some(3), "{ended}");
    for text in ["python/crashes", "exit status: 1", "boom: out of cheese"] {
        assert!(ended.stderr.contains(text), "`{text}` is not in:\n{ended}");
    }
}

#[test]
fn a_client_sees_no_setting_of_sdks_but_ours() {
    let says = "import os\nsaid = [os.environ.get(name) for name in ('AWS_PROFILE', 'AWS_MAX_ATTEMPTS')]\n";
    let program = CRASHES.replace("\"boom: out of cheese\"", "f\"it sees {said}\"");
    let folder = client("crashes", &format!("{says}{program}"));
    let load = ["load", "--client", "python/crashes", "--calls", "20"];
    let of_this_machine = [("AWS_PROFILE", "mine"), ("AWS_MAX_ATTEMPTS", "99")];
    let ended = folder.spanproof_where(&of_this_machine, &load);
    assert_ends(&ended, 3, &["it sees [None, '2']"]);
}

#[test]
fn a_client_that_emits_nothing_is_nothing_captured() {
    let folder = client("silent", EMITS_NOTHING);
    let ended = folder.spanproof(&["load", "--client", "python/silent", "--calls", "20"]);
    assert_eq!(ended.code, Some(4), "{ended}");
    assert!(ended.stdout.contains("nothing captured"), "{ended}");
}

#[test]
fn a_content_policy_that_a_client_has_no_switch_for_is_refused_with_what_it_has() {
    let folder = client("silent", EMITS_NOTHING);
    let manifest = folder.path("clients/python/silent/client.yaml");
    let without = fs::read_to_string(&manifest).unwrap();
    let load = |client: &str, more: &[&str]| {
        folder.spanproof(&[&["load", "--calls", "1", "--client", client], more].concat())
    };
    let all_but = |held: &[&'static str]| {
        let all = ["hash", "cut:2KiB", "reference", "events"];
        all.into_iter().filter(|policy| !held.contains(policy)).collect::<Vec<_>>()
    };
    let none_or_full = "write --content=none or --content=full, or --client synthetic";
    for client in ["rust", "python/silent"] {
        for policy in all_but(&[]) {
            let said = [client, &format!("--content asks for content `{policy}`"), none_or_full];
            assert_ends(&load(client, &[&format!("--content={policy}")]), 2, &said);
        }
    }
    // One that can put content on events says so, and takes it.
    let switch =
        "content_environment: {CAPTURE: all}\ncontent_events_environment: {CAPTURE: events}\n";
    fs::write(&manifest, format!("{without}{switch}")).unwrap();
    for policy in all_but(&["events"]) {
        let said = ["write --content=none, --content=full or --content=events"];
        assert_ends(&load("python/silent", &[&format!("--content={policy}")]), 2, &said);
    }
    let taken = load("python/silent", &["--content=events"]);
    assert_eq!(taken.code, Some(4), "nothing is emitted, but it is run: {taken}");

    // It is the scenario that asks, where the command line does not.
    let scenario = "extends: chat\ndescription: Short content.\ncontent: cut:2KiB\n";
    fs::write(folder.path("cut.yaml"), scenario).unwrap();
    let said = ["the scenario asks for content `cut:2KiB`", none_or_full];
    assert_ends(&load("rust", &["--scenario", "cut.yaml"]), 2, &said);
    let overridden = load("rust", &["--scenario", "cut.yaml", "--content=none"]);
    assert_eq!(overridden.code, Some(0), "{overridden}");
}
