//! Client programs that misbehave: each gets an error that says what happened, and none hangs.

#![expect(clippy::unwrap_used, reason = "it is part of tests")]

use std::fs;

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
fn a_client_that_emits_nothing_is_nothing_captured() {
    let folder = client("silent", EMITS_NOTHING);
    let ended = folder.spanproof(&["load", "--client", "python/silent", "--calls", "20"]);
    assert_eq!(ended.code, Some(4), "{ended}");
    assert!(ended.stdout.contains("nothing captured"), "{ended}");
}
