//! Synthetic spans, from a scenario to a store or a judge.

use std::fs;

use crate::bad_input::assert_ends;
use crate::spanproof::{Folder, report};

const SYNTHETIC: [&str; 5] = ["load", "--client", "synthetic", "--speed", "max"];

#[test]
fn synthetic_spans_are_made_received_and_found_to_conform() {
    let folder = Folder::new();
    let more = ["--scenario", "rag", "--calls", "300", "--report", "json=report.json"];
    let ended = folder.spanproof(&[&SYNTHETIC[..], &more].concat());
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(ended.stderr.contains("1200 spans: 1200 exported, 0 rejected"), "{ended}");
    let report = report(&folder, "report.json");
    assert_eq!(report["telemetry"]["spans"], 1_200);
    assert_eq!(report["verdict"], "conforms", "{report:#}");
}

#[test]
fn what_is_written_is_the_same_in_every_format_and_conforms() {
    let folder = Folder::new();
    let base = ["--scenario", "agent", "--calls", "40", "--seed", "5", "--content"];
    for name in ["a.otlp", "b.otlp.gz", "c.otlp.zst", "d.jsonl", "e.jsonl.gz"] {
        let ended = folder.spanproof(&[&SYNTHETIC[..], &base, &["--out", name]].concat());
        assert_eq!(ended.code, Some(0), "{ended}");
        assert!(ended.stderr.starts_with("40 traces, "), "{ended}");
        let checked = folder.spanproof(&[
            "check",
            "--redaction",
            "content-allowed",
            "--report",
            "json=report.json",
            name,
        ]);
        assert_eq!(checked.code, Some(0), "{name}: {checked}");
        let report = report(&folder, "report.json");
        assert_eq!(report["verdict"], "conforms", "{name}");
        let spans = report["telemetry"]["spans"].as_u64().unwrap();
        assert!(ended.stderr.contains(&format!(" {spans} spans, ")), "{ended} {spans}");
    }
    let again = folder.spanproof(&[&SYNTHETIC[..], &base, &["--out", "again.otlp"]].concat());
    assert_eq!(again.code, Some(0), "{again}");
    let [one, other] = ["a.otlp", "again.otlp"].map(|name| fs::read(folder.path(name)).unwrap());
    assert!(one == other, "the same seed gives the same bytes");
}

#[test]
fn what_synthetic_spans_cannot_be_is_told() {
    let folder = Folder::new();
    for (more, wanted) in [
        (&["--otlp", "collector:4317"][..], "is no URL of a receiver"),
        (&["--content=half"], "is not a content policy"),
        (&["--timestamps", "yesterday"], "virtual@"),
        (&["--timestamps", "now", "--out", "a.otlp"], "--timestamps now"),
        (&["--otlp", "https://localhost:1", "--otlp-ca", "none.pem"], "none.pem cannot be used"),
        (&["--otlp-cert", "a.pem"], "--otlp-key"),
        (&["--compression", "lz4"], "unknown compression"),
    ] {
        let ended = folder.spanproof(&[&SYNTHETIC[..], more].concat());
        assert_ends(&ended, 2, &[wanted]);
    }
    let ended = folder.spanproof(&["load", "--content=hash"]);
    assert_ends(&ended, 2, &["--client synthetic"]);
}
