//! `spanproof run -- COMMAND` with commands that every machine has.

use std::fs;

use crate::spanproof::{Folder, report};

/// A shell command that sends one span to the receiver and makes no call.
const SEND_A_SPAN: &str = r#"
span='{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"chat m","kind":3,"startTimeUnixNano":"1","endTimeUnixNano":"2","attributes":[]}]}]}]}'
python3 - "$OTEL_EXPORTER_OTLP_ENDPOINT/v1/traces" "$span" <<'END'
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], sys.argv[2].encode(), {"content-type": "application/json"})
urllib.request.urlopen(request)
END
"#;

#[test]
fn the_command_finds_the_mock_and_the_receiver_in_its_environment() {
    let folder = Folder::new();
    let script = r#"echo "$AWS_ENDPOINT_URL_BEDROCK_RUNTIME $OTEL_EXPORTER_OTLP_ENDPOINT $OTEL_EXPORTER_OTLP_PROTOCOL $AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME $AWS_ENDPOINT_URL_BEDROCK" > seen"#;
    assert_eq!(folder.spanproof(&["run", "--", "sh", "-c", script]).code, Some(4));
    let seen = fs::read_to_string(folder.path("seen")).unwrap();
    let words: Vec<&str> = seen.split_whitespace().collect();
    assert!(words[0].starts_with("http://127.0.0.1:"), "{seen}");
    assert!(words[1].starts_with("http://127.0.0.1:"), "{seen}");
    assert_ne!(words[0], words[1]);
    assert_eq!(words[2], "http/protobuf");
    // No client of a service that the mock serves may call the real one.
    assert_eq!(words[3..], [words[0]; 2]);
}

#[test]
fn telemetry_without_calls_is_judged_and_the_commands_failure_still_counts() {
    let folder = Folder::new();
    let ended =
        folder.spanproof(&["run", "--report", "json=r.json", "--", "sh", "-c", SEND_A_SPAN]);
    assert_eq!(ended.code, Some(0), "{ended}");
    let report = report(&folder, "r.json");
    assert_eq!(report["telemetry"]["spans"], 1);
    assert_eq!(report["join"]["calls"], 0);

    let failing = format!("{SEND_A_SPAN}\nexit 7");
    let ended = folder.spanproof(&["run", "--", "sh", "-c", &failing]);
    assert_eq!(ended.code, Some(3), "{ended}");
    assert!(ended.stderr.contains("exit status: 7"), "{ended}");
    let ended = folder.spanproof(&["run", "--ignore-command-status", "--", "sh", "-c", &failing]);
    assert_eq!(ended.code, Some(0), "{ended}");
}
