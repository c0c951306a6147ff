//! Bad input gets a clear error and the right exit code: 2 for arguments and configuration, 3 for
//! what the world refuses, 4 for nothing captured.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::spanproof::{Ended, Folder};

#[track_caller]
pub(crate) fn assert_ends(ended: &Ended, code: i32, says: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended}");
    for text in says {
        assert!(ended.stderr.contains(text), "`{text}` is not in:\n{ended}");
    }
}

#[test]
fn a_wrong_argument_is_a_usage_error_that_says_what_to_write() {
    let folder = Folder::new();
    for (arguments, says) in [
        (&["load", "--rate", "0/day"][..], &["0/day", "80000/day"][..]),
        (&["load", "--rate=-5/s"], &["-5/s"]),
        (&["load", "--rate", "fast"], &["fast", "80000/day"]),
        (&["load", "--speed", "ludicrous"], &["ludicrous", "max"]),
        (&["load", "--arrival", "bursty"], &["bursty", "poisson"]),
        (&["load", "--arrival", "gamma:-1"], &["gamma:-1", "0.05"]),
        (&["load", "--arrival", "replay:"], &["no file"]),
        (&["load", "--arrival", "replay:t.csv", "--rate", "5/s"], &["--rate", "replayed"]),
        (
            &["load", "--arrival", "replay:t.csv", "--replay-speed", "max"],
            &["--replay-speed", "10x"],
        ),
        (&["load", "--replay-idle", "5s"], &["--replay-idle", "replay:FILE"]),
        (&["load", "--day-curve", "lunar"], &["lunar", "conversation"]),
        (&["load", "--day-curve", "1,2,3"], &["3 numbers", "24"]),
        (&["load", "--spike", "5x"], &["5x@12h+10m"]),
        (&["load", "--tenants", "none"], &["none", "Zipf"]),
        (&["load", "--shard", "8/8"], &["8/8", "0/4"]),
        (&["load", "--shard", "7/8", "--calls", "3"], &["7/8", "fewer shards"]),
        (&["load", "--scenario", "nope"], &["nope", "chat"]),
        (&["load", "--client", "cobol/mainframe"], &["cobol/mainframe", "python/article"]),
        (&["load", "--semconv", "9.9.9"], &["9.9.9", "1.41.1"]),
        (&["load", "--for", "a while"], &["a while"]),
        (&["load", "--calls", "0"], &["--calls"]),
        (&["load", "--report", "xml"], &["xml", "json"]),
        (&["check", "--fail-on", "doom", "x"], &["doom", "improvement"]),
        (&["check", "--redaction", "some", "x"], &["some", "no-content"]),
        (&["check", "--tempo", "https://t", "--query", "{}"], &["TLS", "http://localhost:3200"]),
        (&["check", "--tempo", "http://localhost:3200"], &["--query"]),
        (&["check", "x", "--since", "1h"], &["--tempo"]),
        (&["explain", "naming/nonsense"], &["naming/nonsense", "spanproof rules"]),
        (&["run"], &["COMMAND"]),
        (&["fly"], &["fly"]),
    ] {
        assert_ends(&folder.spanproof(arguments), 2, says);
    }
}

#[test]
fn a_wrong_configuration_is_a_usage_error_that_names_the_key() {
    let folder = Folder::new();
    for (text, says) in [
        ("semcov = \"1.36.0\"", &["spanproof.toml", "semcov"][..]),
        ("semconv = \"1.0\"", &["1.0", "1.41.1"]),
        ("[rules]\n\"naming/nonsense\" = \"off\"", &["naming/nonsense"]),
        ("[rules]\n\"naming/span-name\" = \"loud\"", &["loud", "improvement"]),
        ("semconv = ", &["spanproof.toml"]),
        ("semconv = 1e999", &["spanproof.toml", "semconv"]),
        ("[mock]\nseed = -1", &["seed"]),
        ("[mock]\nseed = 99999999999999999999", &["spanproof.toml"]),
        ("[mock]\nkeep-records = \"many\"", &["keep-records"]),
        ("rules = []", &["rules"]),
    ] {
        fs::write(folder.path("spanproof.toml"), text).unwrap();
        assert_ends(&folder.spanproof(&["check", "x"]), 2, says);
    }
    assert_ends(&folder.spanproof(&["check", "--config", "none.toml", "x"]), 2, &["none.toml"]);
}

#[test]
fn an_input_that_is_no_telemetry_could_not_be_judged() {
    let folder = Folder::new();
    fs::write(folder.path("text.txt"), "this is not telemetry\n").unwrap();
    fs::write(folder.path("other.json"), "{\"hello\": 1}\n").unwrap();
    fs::write(folder.path("ledger.jsonl"), "{\"record\":\"exchange\"\n").unwrap();
    fs::write(folder.path("good.jsonl"), "{\"resourceSpans\":[]}\n").unwrap();
    assert_ends(&folder.spanproof(&["check", "missing.otlp"]), 3, &["missing.otlp"]);
    assert_ends(&folder.spanproof(&["check", "text.txt"]), 3, &["text.txt"]);
    assert_ends(&folder.spanproof(&["check", "other.json"]), 3, &["other.json"]);
    assert_ends(
        &folder.spanproof(&["check", "good.jsonl", "--ledger", "ledger.jsonl"]),
        3,
        &["ledger.jsonl", "line 1"],
    );
}

#[test]
fn a_tempo_that_is_not_there_is_said() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = format!("http://{free}");
    let ended = Folder::new().spanproof(&["check", "--tempo", &address, "--query", "{}"]);
    assert_ends(&ended, 3, &["cannot reach a Tempo", &free.to_string()]);
}

#[test]
fn a_compressed_ledger_and_capture_are_read_as_they_were() {
    let folder = Folder::new();
    let run = ["load", "--calls", "3", "--ledger", "l.jsonl", "--capture", "c.otlp"];
    assert_ends(&folder.spanproof(&run), 0, &[]);
    for name in ["l.jsonl", "c.otlp"] {
        let bytes = fs::read(folder.path(name)).unwrap();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&bytes).unwrap();
        fs::write(folder.path(&format!("{name}.gz")), gzip.finish().unwrap()).unwrap();
    }
    let plain = folder.spanproof(&["check", "c.otlp", "--ledger", "l.jsonl"]);
    let zipped = folder.spanproof(&["check", "c.otlp.gz", "--ledger", "l.jsonl.gz"]);
    assert_ends(&zipped, 0, &[]);
    assert_eq!(zipped.stdout, plain.stdout);
    let ledger = fs::read(folder.path("l.jsonl.gz")).unwrap();
    fs::write(folder.path("cut.gz"), &ledger[..ledger.len() / 2]).unwrap();
    let cut = folder.spanproof(&["check", "c.otlp", "--ledger", "cut.gz"]);
    assert_ends(&cut, 3, &["cut.gz", "its gzip is cut off; write or fetch it anew"]);
    // The checksum alone is missing: every record is there, and nothing says that it is right.
    fs::write(folder.path("cut.gz"), &ledger[..ledger.len() - 1]).unwrap();
    let cut = folder.spanproof(&["check", "c.otlp", "--ledger", "cut.gz"]);
    assert_ends(&cut, 3, &["cut.gz", "line 5", "its gzip is cut off"]);
}

#[test]
fn a_truncated_capture_says_so() {
    let folder = Folder::new();
    let whole = folder.spanproof(&["load", "--calls", "5", "--capture", "whole.otlp"]);
    assert_ends(&whole, 0, &[]);
    let bytes = fs::read(folder.path("whole.otlp")).unwrap();
    fs::write(folder.path("cut.otlp"), &bytes[..bytes.len() - 3]).unwrap();
    assert_ends(&folder.spanproof(&["check", "cut.otlp"]), 3, &["cut.otlp", "cut off", "byte"]);
}

#[test]
fn every_format_is_judged_alike_from_a_file_and_from_standard_input() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/fuzz/corpus/capture");
    let folder = Folder::new();
    let mut codes = BTreeSet::new();
    for entry in fs::read_dir(seeds).unwrap() {
        fs::copy(entry.unwrap().path(), folder.path("input")).unwrap();
        let file = folder.spanproof(&["check", "input"]);
        let stdin = folder.spanproof_fed("input", &["check", "-"]);
        assert_eq!((file.code, &file.stdout), (stdin.code, &stdin.stdout));
        codes.insert(file.code);
    }
    assert!(codes.contains(&Some(0)) && !codes.contains(&Some(3)), "{codes:?}");
}

#[test]
fn what_is_wrong_with_an_input_is_said_with_its_place() {
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
    let gzip = |bytes: &[u8]| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    };
    let line = b"{\"resourceSpans\":[]}\n".repeat(20_000);
    let cut = |bytes: Vec<u8>| bytes[..bytes.len() - 9].to_vec();
    let mut damaged = gzip(&line);
    // The checksum at its end: damage before it can look like any text.
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    let blanks = zstd(&vec![b' '; 64 << 20]).repeat(9);
    let endless = [line.clone(), b"{\"resourceSpans\": [{\"x\": ".to_vec()].concat();
    let console =
        b"\n{\n    \"name\": \"chat\",\n    \"context\": {},\n    \"kind\": oops\n}\n".to_vec();
    let folder = Folder::new();
    for (input, says) in [
        (b"\0\x01\x02garbage\xff\xfe".to_vec(), "is no telemetry at byte 0: it begins with"),
        (vec![0xff; 100_000], "is no telemetry at line 1: a line that goes on with"),
        (cut(gzip(&line)), "of its content: its gzip is cut off; write or fetch it anew"),
        (cut(zstd(&line)), "of its content: its zstd is cut off; write or fetch it anew"),
        (damaged, "beyond byte 420000 of its content: its gzip is damaged"),
        (blanks, "it unfolds to more than 536870912 bytes without telemetry"),
        (endless, "is cut off: the record that starts at byte 420000"),
        (console, "is no telemetry at line 5: expected value (column 13)"),
    ] {
        fs::write(folder.path("input"), input).unwrap();
        assert_ends(&folder.spanproof(&["check", "input"]), 3, &["`input`", says]);
        assert_ends(&folder.spanproof_fed("input", &["check", "-"]), 3, &["`-`", says]);
    }
}

#[test]
fn an_empty_capture_is_nothing_captured_and_never_success() {
    let folder = Folder::new();
    fs::write(folder.path("empty.jsonl"), "{\"resourceSpans\":[]}\n").unwrap();
    let ended = folder.spanproof(&["check", "empty.jsonl"]);
    assert_ends(&ended, 4, &[]);
    assert!(ended.stdout.contains("nothing captured"), "{ended}");
}

#[test]
fn a_command_that_fails_or_does_not_exist_could_not_be_judged() {
    let folder = Folder::new();
    assert_ends(&folder.spanproof(&["run", "--", "false"]), 3, &["false", "exit status: 1"]);
    assert_ends(&folder.spanproof(&["run", "--", "no-such-program"]), 3, &["no-such-program"]);
    assert_ends(&folder.spanproof(&["run", "--", "true"]), 4, &[]);
    assert_ends(&folder.spanproof(&["run", "--ignore-command-status", "--", "false"]), 4, &[]);
}

#[test]
fn a_port_in_use_is_named() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert_ends(&folder.spanproof(&["mock", "--listen", &address]), 3, &[&address, "in use"]);
    let receive = ["receive", "--listen-grpc", &address, "--out", "capture.otlp"];
    assert_ends(&folder.spanproof(&receive), 3, &[&address, "in use"]);
}

#[test]
fn an_output_that_cannot_be_written_fails_before_the_work() {
    let folder = Folder::new();
    for arguments in [
        &["load", "--calls", "1", "--report", "json=no/such/folder/report.json"][..],
        &["load", "--calls", "1", "--capture", "no/such/folder/capture.otlp"],
        &["load", "--calls", "1", "--ledger", "no/such/folder/ledger.jsonl"],
        &[
            "receive",
            "--listen-grpc",
            "127.0.0.1:0",
            "--listen-http",
            "127.0.0.1:0",
            "--out",
            "no/such/folder/x",
        ],
    ] {
        assert_ends(&folder.spanproof(arguments), 3, &["no/such/folder"]);
    }
}
