//! `spanproof mock`, set by flags and by file.

#![expect(clippy::unwrap_used, reason = "it is part of tests")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::bad_input::assert_ends;
use crate::spanproof::Folder;

/// A mock that runs until it is dropped.
struct Mock {
    child: Child,
    endpoint: String,
}

impl Mock {
    fn start(folder: &Folder, arguments: &[&str]) -> Mock {
        let mut child = Command::new(env!("CARGO_BIN_EXE_spanproof"))
            .arg("mock")
            .args(arguments)
            .current_dir(folder.path("."))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut endpoint = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut endpoint).unwrap();
        assert!(!endpoint.is_empty(), "it did not start with {arguments:?}");
        Mock { child, endpoint: endpoint.trim().to_owned() }
    }

    /// The status and the body of the answer to a request by hand.
    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let address = self.endpoint.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: mock\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn converse(&self, text: &str) -> (u16, String) {
        let body = format!(r#"{{"messages":[{{"role":"user","content":[{{"text":"{text}"}}]}}]}}"#);
        self.ask("POST", "/model/amazon.nova-lite-v1:0/converse", &body)
    }

    fn seed(&self) -> Value {
        let (status, health) = self.ask("GET", "/_spanproof/health", "");
        assert_eq!(status, 200);
        serde_json::from_str::<Value>(&health).unwrap()["seed"].clone()
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_server_that_is_to_end_with_its_standard_input_does() {
    let folder = Folder::new();
    let receive = ["receive", "--listen-grpc", "127.0.0.1:0", "--listen-http", "127.0.0.1:0"];
    let receive = [&receive[..], &["--out", "capture.otlp"]].concat();
    for (verb, code) in [(vec!["mock"], 0), (receive, 4)] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_spanproof"))
            .args(&verb)
            .arg("--until-stdin-ends")
            .current_dir(folder.path("."))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert!(said.contains("http://127.0.0.1:"), "{verb:?} said {said:?}");
        assert_eq!(child.try_wait().unwrap(), None, "{verb:?} ended while its input was open");
        drop(child.stdin.take());
        assert_eq!(child.wait().unwrap().code(), Some(code), "{verb:?}");
    }
}

#[test]
fn the_file_says_what_flags_say_and_flags_win() {
    let folder = Folder::new();
    fs::create_dir(folder.path("conf")).unwrap();
    fs::write(
        folder.path("conf/mock.toml"),
        r#"
        fail-on = "improvement"
        [mock]
        listen = "127.0.0.1:0"
        ledger = "file.jsonl"
        ledger-content = true
        keep-records = 3
        seed = 5
        speed = "max"
        quirks = ["cohere-billed-units"]
        guardrails = "guardrails.json"
        "#,
    )
    .unwrap();
    fs::write(folder.path("conf/guardrails.json"), r#"[{"guardrailId":"abc"}]"#).unwrap();

    let mock = Mock::start(&folder, &["--config", "conf/mock.toml"]);
    assert_eq!(mock.seed(), 5);
    assert_eq!(mock.converse("How deep?").0, 200);
    let (status, page) = mock.ask("GET", "/_spanproof/ledger?follow=true&limit=1", "");
    assert_eq!(status, 200);
    assert!(page.contains("How deep?"), "content was asked for: {page}");
    assert!(folder.path("conf/file.jsonl").exists(), "paths are meant from the file's folder");
    drop(mock);

    let flags = [
        "--config",
        "conf/mock.toml",
        "--seed",
        "6",
        "--ledger",
        "flag.jsonl",
        "--keep-records",
        "0",
    ];
    let mock = Mock::start(&folder, &flags);
    assert_eq!(mock.seed(), 6);
    assert_eq!(mock.ask("GET", "/_spanproof/ledger", "").0, 404);
    assert!(folder.path("flag.jsonl").exists());
}

#[test]
fn a_ledger_in_use_is_left_alone_and_none_is_written_unasked() {
    let folder = Folder::new();
    let mock = Mock::start(&folder, &["--speed", "max", "--ledger", "ledger.jsonl"]);
    assert_eq!(mock.converse("How deep?").0, 200);
    let kept = || {
        let (status, page) = mock.ask("GET", "/_spanproof/ledger?last=1", "");
        (status, page.contains(r#""sequence":0"#))
    };
    assert_eq!(kept(), (200, true));
    for arguments in [
        &["mock", "--ledger", "ledger.jsonl"][..],
        &["run", "--ledger", "ledger.jsonl", "--", "true"],
    ] {
        assert_ends(&folder.spanproof(arguments), 3, &["ledger.jsonl", "in use by another mock"]);
    }
    let other = Mock::start(&folder, &["--speed", "max"]);
    assert_eq!(other.converse("How deep?").0, 200);
    let names: Vec<_> =
        fs::read_dir(folder.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["ledger.jsonl"]);
    assert_eq!(kept(), (200, true));
}

#[test]
fn keys_close_the_door_to_others() {
    let folder = Folder::new();
    fs::write(
        folder.path("spanproof.toml"),
        r#"
        [mock]
        api-keys = ["ABSKone", { key = "ABSKtwo", expires = 2026-01-01T00:00:00Z }]
        [[mock.access-keys]]
        id = "AKIAEXAMPLE"
        secret = "a secret"
        [[mock.access-keys]]
        id = "ASIAEXAMPLE"
        secret = "a secret"
        session-token = "a token"
        expires = 2126-01-01T00:00:00+01:00
        "#,
    )
    .unwrap();
    for (arguments, status) in [
        (&[][..], 403),
        (&["--auth", "format"], 403),
        (&["--auth", "off"], 200),
        (&["--access-key", "AKIA:secret", "--api-key", "mine"], 403),
    ] {
        let mut all = vec!["--speed", "max"];
        all.extend(arguments);
        assert_eq!(Mock::start(&folder, &all).converse("Hello").0, status, "{arguments:?}");
    }
}

#[test]
fn faults_and_quotas_are_served_as_planned() {
    let folder = Folder::new();
    let json = r#"{"rules":[{"fault":"AccessDeniedException","prompt":"secret"}]}"#;
    fs::write(folder.path("plan.json"), json).unwrap();
    let toml = "[[rules]]\nfault = \"AccessDeniedException\"\nprompt = \"secret\"\n";
    fs::write(folder.path("plan.toml"), toml).unwrap();
    let yaml = "rules:\n  - { fault: AccessDeniedException, prompt: secret }\n";
    fs::write(folder.path("plan.yaml"), yaml).unwrap();
    for plan in ["plan.json", "plan.toml", "plan.yaml"] {
        let mock = Mock::start(&folder, &["--speed", "max", "--faults", plan]);
        assert_eq!([mock.converse("Hello").0, mock.converse("A secret").0], [200, 403]);
    }
    let table = "[mock]\nspeed = \"max\"\nfaults = \"plan.toml\"\n[[mock.quotas]]\nmodel = \"amazon.*\"\nrequests-per-minute = 2\n";
    fs::write(folder.path("spanproof.toml"), table).unwrap();
    let statuses = |arguments: &[&str]| {
        let mock = Mock::start(&folder, arguments);
        ["A secret", "Hello", "Hello", "Hello"].map(|text| mock.converse(text).0)
    };
    assert_eq!(statuses(&[]), [403, 200, 200, 429]);
    assert_eq!(statuses(&["--quota", "requests-per-minute=1@amazon.nova-*"]), [403, 200, 429, 429]);
}

#[test]
fn faults_are_listed_and_rules_that_never_strike_are_told() {
    let folder = Folder::new();
    let ended = folder.spanproof(&["mock", "faults"]);
    assert_ends(&ended, 0, &[""]);
    for line in [
        "ThrottlingException                         every operation",
        "stream:modelStreamErrorException            ConverseStream,",
        "stop:max_tokens                             Converse,",
    ] {
        let words = line.split_whitespace().collect::<Vec<_>>();
        let listed = ended
            .stdout
            .lines()
            .any(|it| it.split_whitespace().take(words.len()).eq(words.iter().copied()));
        assert!(listed, "{line}\n{ended}");
    }
    let plan = r#"{"rules":[
        {"fault":"ThrottlingException"},
        {"fault":"stream:throttlingException","operation":"Converse"},
        {"fault":"cut","model":"antropic.*"}]}"#;
    fs::write(folder.path("plan.json"), plan).unwrap();
    let ended = folder.spanproof(&["run", "--faults", "plan.json", "--", "true"]);
    assert_ends(
        &ended,
        4,
        &[
            "rules[1]: `stream:throttlingException` never strikes Converse",
            "rules[2]: no model fits `antropic.*`",
        ],
    );
    assert!(!ended.stderr.contains("rules[0]"), "{ended}");
}

#[test]
fn a_certificate_is_made_and_its_authority_written() {
    let folder = Folder::new();
    let mock = Mock::start(&folder, &["--tls-self-signed", "authority.pem"]);
    assert!(mock.endpoint.starts_with("https://127.0.0.1:"), "{}", mock.endpoint);
    let pem = fs::read_to_string(folder.path("authority.pem")).unwrap();
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"), "{pem}");
    assert!(!pem.contains("KEY"), "{pem}");
}

#[test]
fn wrong_settings_are_usage_errors_that_say_what_to_write() {
    let folder = Folder::new();
    fs::write(folder.path("text.txt"), "hello").unwrap();
    fs::write(folder.path("bad.json"), r#"[{"guardrailId":"NOT AN ID"}]"#).unwrap();
    fs::write(folder.path("plan.json"), r#"{"rules":[{"fault":"Doom"}]}"#).unwrap();
    for (arguments, says) in [
        (&["--auth", "verify"][..], &["--access-key", "mock.access-keys"][..]),
        (&["--auth", "maybe"], &["maybe", "format"]),
        (&["--access-key", "AKIA"], &["AKIA", "ID:SECRET"]),
        (&["--quirk", "odd"], &["odd", "cohere-billed-units"]),
        (&["--guardrails", "none.json"], &["none.json"]),
        (&["--guardrails", "text.txt"], &["text.txt"]),
        (&["--guardrails", "bad.json"], &["bad.json", "NOT AN ID"]),
        (&["--faults", "none.json"], &["none.json"]),
        (&["--faults", "text.txt"], &["text.txt"]),
        (&["--faults", "plan.json"], &["plan.json", "rules[0]", "Doom", "spanproof mock faults"]),
        (&["--answers", "none.yaml"], &["scripted answers none.yaml"]),
        (&["--quota", "rpm=1"], &["rpm", "requests-per-minute"]),
        (&["--quota", "tokens-per-day=0"], &["tokens_per_day", "zero"]),
        (&["--tls-cert", "text.txt"], &["tls-key"]),
        (&["--tls-cert", "none.pem", "--tls-key", "text.txt"], &["none.pem"]),
        (&["--tls-cert", "text.txt", "--tls-key", "text.txt"], &["text.txt", "BEGIN CERTIFICATE"]),
        (&["--tls-self-signed", "a.pem", "--tls-cert", "text.txt"], &["--tls-cert"]),
        (&["--keep-records", "-1"], &["-1"]),
        (&["--listen", "here"], &["here", "127.0.0.1:46000"]),
    ] {
        let mut all = vec!["mock"];
        all.extend(arguments);
        assert_ends(&folder.spanproof(&all), 2, says);
    }
    for (table, says) in [
        ("port = 1", &["port", "listen"][..]),
        ("listen = \"here\"", &["listen", "spanproof.toml", "127.0.0.1:46000"]),
        ("speed = \"fast\"", &["fast", "1440x"]),
        ("quirks = [\"odd\"]", &["odd"]),
        ("auth = \"maybe\"", &["maybe", "verify"]),
        ("auth = \"verify\"", &["--access-key"]),
        ("api-keys = [1]", &["API key"]),
        ("[mock.timing.\"no.model\"]\ngap-sigma = 0.1", &["no.model", "`*`"]),
        ("[mock.timing.\"*\"]\ngap-sigma = -1", &["gap-sigma", "-1"]),
        ("[mock.timing.\"*\"]\ngap = 1", &["gap", "gap-sigma"]),
        ("access-keys = [{ id = \"AKIA\" }]", &["secret"]),
        ("access-keys = [{ id = \"A\", secret = \"s\", expires = 2026-01-01 }]", &["2026-01-01"]),
        ("faults = \"plan.json\"", &["plan.json", "rules[0]"]),
        ("quotas = [{ rpm = 1 }]", &["rpm", "requests-per-minute"]),
        ("quotas = [7]", &["a quota is a table"]),
        ("tls-key = \"text.txt\"", &["tls-cert"]),
        ("tls-key = \"a\"\ntls-self-signed = \"b\"", &["leave out"]),
    ] {
        fs::write(folder.path("spanproof.toml"), format!("[mock]\n{table}\n")).unwrap();
        assert_ends(&folder.spanproof(&["mock"]), 2, says);
    }
}

#[test]
fn run_serves_as_the_file_says() {
    let folder = Folder::new();
    fs::write(folder.path("spanproof.toml"), "[mock]\nledger-content = true\nseed = 41\n").unwrap();
    let call = "true";
    let ended = folder.spanproof(&["run", "--ledger", "ledger.jsonl", "--", call]);
    assert_eq!(ended.code, Some(4), "{ended}");
    let ledger = fs::read_to_string(folder.path("ledger.jsonl")).unwrap();
    let run: Value = serde_json::from_str(ledger.lines().next().unwrap()).unwrap();
    assert_eq!(run["seed"], 41);
}

#[test]
fn a_cassette_becomes_answers_that_are_replayed() {
    let folder = Folder::new();
    let body = r#"{"messages":[{"role":"user","content":[{"text":"How deep?"}]}]}"#;
    let told = r#"{"output":{"message":{"role":"assistant","content":[{"text":"Forty."}]}},"stopReason":"end_turn","usage":{"inputTokens":3,"outputTokens":2,"totalTokens":5}}"#;
    let cassette = serde_json::json!({"interactions": [{
        "request": {"method": "POST", "uri": "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1%3A0/converse", "body": body},
        "response": {"status": {"code": 200}, "headers": {}, "body": {"string": told}},
    }]});
    fs::write(folder.path("tape.json"), cassette.to_string()).unwrap();
    let out = folder.path("answers.json").display().to_string();
    assert_ends(&folder.spanproof(&["mock", "convert", "tape.json", "--out", &out]), 0, &[""]);
    let mock = Mock::start(&folder, &["--answers", &out]);
    assert_eq!(mock.converse("How deep?"), (200, told.to_owned()));
    assert_ne!(mock.converse("How wide?").1, told);
    // The same request recorded again: its answers come one after the other.
    let again = told.replace("Forty.", "Fifty.");
    fs::write(folder.path("again.json"), cassette.to_string().replace("Forty.", "Fifty.")).unwrap();
    let tapes = ["mock", "convert", "tape.json", "again.json", "--out", &out];
    assert_ends(&folder.spanproof(&tapes), 0, &["again.json 1", "tape.json 1"]);
    let mock = Mock::start(&folder, &["--answers", &out]);
    assert_eq!([mock.converse("How deep?").1, mock.converse("How deep?").1], [told, &again]);
    fs::write(folder.path("empty.json"), r#"{"interactions":[]}"#).unwrap();
    assert_ends(
        &folder.spanproof(&["mock", "convert", "empty.json"]),
        3,
        &["nothing in these cassettes can be replayed"],
    );
    assert_ends(
        &folder.spanproof(&["mock", "convert", "answers.json"]),
        3,
        &["no cassette of a known kind"],
    );
}
