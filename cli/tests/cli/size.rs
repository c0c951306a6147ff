//! `spanproof size`: a capture as a block.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::bad_input::assert_ends;
use crate::spanproof::{Folder, against_schema};

/// The input of a block that a real Tempo wrote.
pub(crate) fn real_input(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/tempo").join(name);
    path.join("input.otlp.bin.gz").display().to_string()
}

/// The JSON report at `name`, after a look at its shape.
fn report(folder: &Folder, name: &str) -> Value {
    against_schema(folder, name, "size.schema.json")
}

#[test]
fn a_capture_is_sized_as_one_block() {
    let folder = Folder::new();
    let input = real_input("a-1000");
    let arguments =
        ["size", "--capture", &input, "--max-attribute-bytes", "0", "--report", "json=size.json"];
    let ended = folder.spanproof(&arguments);
    assert_eq!(ended.code, Some(0), "{ended}");
    insta::assert_snapshot!(ended.stdout.replace(&input, "telemetry.bin.gz"));
    let report = report(&folder, "size.json");
    // Tempo's own file has 598,072 bytes.
    let bytes = report["block"]["data_parquet_bytes"].as_u64().unwrap();
    assert!(bytes.abs_diff(598_072) < 598_072 / 1_000, "{bytes}");
    assert_eq!(report["block"]["bloom_bytes"], 102_424);
    assert_eq!(report["block"]["index_bytes"], 42);
    assert_eq!((&report["traces"], &report["spans"]), (&1_000.into(), &4_000.into()));
}

#[test]
fn compression_around_a_capture_does_not_show() {
    let folder = Folder::new();
    let mut plain = Vec::new();
    let gzip = fs::File::open(real_input("a-1000")).unwrap();
    std::io::copy(&mut flate2::read::MultiGzDecoder::new(gzip), &mut plain).unwrap();
    fs::write(folder.path("same.bin"), &plain).unwrap();
    fs::write(folder.path("same.bin.zst"), zstd::bulk::compress(&plain, 1).unwrap()).unwrap();
    let sized = |path: &str| {
        let ended = folder.spanproof(&["size", "--capture", path, "--report", "json"]);
        assert_eq!(ended.code, Some(0), "{ended}");
        let mut report: Value = serde_json::from_str(&ended.stdout).unwrap();
        report["source"].take();
        report
    };
    let of_gzip = sized(&real_input("a-1000"));
    assert_eq!(sized("same.bin"), of_gzip);
    assert_eq!(sized("same.bin.zst"), of_gzip);
}

#[test]
fn what_limits_do_is_told() {
    let folder = Folder::new();
    let ended = folder.spanproof(&["size", "--capture", &real_input("c-1000")]);
    assert!(ended.stdout.contains("1,000 attribute values cut"), "{ended}");
    assert!(ended.stdout.contains("--max-attribute-bytes 0"), "{ended}");
}

#[test]
fn a_block_is_kept_as_a_folder() {
    let folder = Folder::new();
    for encoding in ["vParquet4", "vParquet5"] {
        let input = real_input("a-1000");
        let arguments =
            ["size", "--capture", &input, "--encoding", encoding, "--write-block", "block"];
        let ended = folder.spanproof(&arguments);
        assert_eq!(ended.code, Some(0), "{ended}");
        let file = |name: &str| fs::read(folder.path("block").join(name)).unwrap();
        let meta: Value = serde_json::from_slice(&file("meta.json")).unwrap();
        assert_eq!(meta["format"], encoding);
        assert_eq!(meta["size"], file("data.parquet").len());
        assert_eq!((file("bloom-0").len(), file("index").len()), (102_424, 42));
    }
}

#[test]
fn a_block_that_is_there_has_the_sizes_that_were_computed() {
    let folder = Folder::new();
    let input = real_input("a-1000");
    let json = |name: &str| format!("json={name}");
    let (computed, read) = (json("computed.json"), json("read.json"));
    let ended = folder.spanproof(&[
        "size",
        "--capture",
        &input,
        "--write-block",
        "block",
        "--report",
        &computed,
    ]);
    assert_eq!(ended.code, Some(0), "{ended}");
    let ended = folder.spanproof(&["size", "--block", "block", "--report", &read]);
    assert_eq!(ended.code, Some(0), "{ended}");
    let (computed, read) = (report(&folder, "computed.json"), report(&folder, "read.json"));
    for field in ["block", "traces", "spans"] {
        assert_eq!(computed[field], read[field]);
    }
}

#[test]
fn a_load_is_foretold_by_policy() {
    let folder = Folder::new();
    let ended = folder.spanproof(&[
        "size",
        "--rate",
        "80000/day",
        "--scenario",
        "chat",
        "--policy",
        "none",
        "--policy",
        "full",
        "--report",
        "human",
        "--report",
        "json=load.json",
        "--report",
        "markdown=load.md",
        "--report",
        "html=load.html",
    ]);
    assert_eq!(ended.code, Some(0), "{ended}");
    insta::assert_snapshot!(ended.stdout);
    let widest = ended.stdout.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{ended}");
    let forecast = against_schema(&folder, "load.json", "forecast.schema.json");
    let policies = forecast["policies"].as_array().unwrap();
    let stored = |policy: usize| policies[policy]["stored_bytes_per_trace"].as_f64().unwrap();
    assert!(stored(1) > stored(0), "{ended}");
    let file = |name: &str| fs::read_to_string(folder.path(name)).unwrap();
    assert!(file("load.md").starts_with("## chat: 80,000 traces a day"), "{}", file("load.md"));
    let page = file("load.html");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("class=\"bar\""), "{page}");
    // The same again gives the same bytes.
    let again = [
        "size",
        "--rate",
        "80000/day",
        "--scenario",
        "chat",
        "--policy",
        "none",
        "--policy",
        "full",
    ];
    assert_eq!(folder.spanproof(&again).stdout, ended.stdout);
}

#[test]
fn what_cannot_be_sized_is_told() {
    let folder = Folder::new();
    fs::write(folder.path("text.txt"), "this is not telemetry\n").unwrap();
    fs::write(folder.path("empty.jsonl"), "{\"resourceSpans\":[]}\n").unwrap();
    fs::write(folder.path("file"), "").unwrap();
    fs::create_dir(folder.path("v2")).unwrap();
    fs::write(folder.path("v2/meta.json"), "{\"format\":\"v2\",\"totalObjects\":1}").unwrap();
    for (arguments, code, says) in [
        (&["size"][..], 2, &["--capture", "--rate", "--block"][..]),
        (&["size", "--block", "none"], 3, &["none", "no block of Tempo", "meta.json"]),
        (&["size", "--block", "file"], 3, &["file", "no block of Tempo"]),
        (&["size", "--block", "v2"], 3, &["meta.json", "`v2`", "vParquet5"]),
        (&["size", "--rate", "0/day"], 2, &["0/day", "80000/day"]),
        (&["size", "--rate", "1/s", "--retention", "0s"], 2, &["0s", "zero"]),
        (&["size", "--rate", "1/s", "--retention", "99999d"], 2, &["99999d", "ten years"]),
        (&["size", "--rate", "1/s", "--retention", "-3d"], 2, &["-3d", "is not a duration"]),
        (&["size", "--rate", "1/s", "--policy", "some"], 2, &["some", "cut:SIZE"]),
        (&["size", "--rate", "1/s", "--scenario", "nope"], 2, &["nope", "chat"]),
        (&["size", "--rate", "1/s", "--capture", "x"], 2, &["--rate", "--capture"]),
        (&["size", "--capture", "x", "--policy", "none"], 2, &["--policy", "--capture"]),
        (&["size", "--capture", "none.bin"], 3, &["none.bin", "does not exist"]),
        (&["size", "--capture", "text.txt"], 3, &["text.txt", "no telemetry"]),
        (&["size", "--capture", "empty.jsonl"], 4, &["no spans"]),
        (&["size", "--capture", "x", "--encoding", "vParquet9"], 2, &["vParquet9", "vParquet5"]),
        (&["size", "--capture", "x", "--report", "xml"], 2, &["xml", "json"]),
        (&["size", "--capture", "x", "--report", "json="], 2, &["json="]),
        (&["size", "--capture", "x", "--dedicated-column", "prompt"], 2, &["prompt", "span.KEY"]),
        (
            &["size", "--capture", "x", "--encoding", "vParquet4", "--dedicated-column", "event.x"],
            2,
            &["event.x", "vParquet5"],
        ),
    ] {
        assert_ends(&folder.spanproof(arguments), code, says);
    }
    let input = real_input("a-1000");
    let ended = folder.spanproof(&["size", "--capture", &input, "--write-block", "file"]);
    assert_ends(&ended, 3, &["cannot write the block", "file"]);
}
