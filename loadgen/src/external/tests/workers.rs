use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use spanproof_schemas::content_policy::ContentPolicy;
use spanproof_schemas::speed::Speed;
use spanproof_schemas::worker::Operation;
use spanproof_schemas::worker::{Call, Done};
use tempfile::TempDir;

use crate::capabilities::Capabilities;
use crate::client::{Client, ClientError, ClientErrorKind};
use crate::external::settings::is_withheld;
use crate::external::{Environment, Language, Limits, Manifest, Settings, Version, Worker};
use crate::{AtRate, LoadConfig, Plan, PlanConfig, Scenario, Shard, Timing, run};

/// What every worker below begins with: `say` writes a line, `calls` reads them.
const PRELUDE: &str = r#"
import json, os, sys, time
def say(**line): print(json.dumps(line), flush=True)
def done(call): say(type="done", call=call, started_unix_nanos=1, finished_unix_nanos=2)
def calls():
    for line in sys.stdin: yield json.loads(line)["call"]
def ready(): say(type="ready", client="test")
"#;

struct Program {
    // Removed when the test ends.
    _folder: TempDir,
    manifest: Manifest,
    settings: Settings,
}

/// A client whose program is `body`, with limits that only a hung one meets.
fn client(body: &str) -> Program {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("python/test");
    fs::create_dir_all(&program).unwrap();
    fs::write(program.join("worker.py"), format!("{PRELUDE}\n{body}")).unwrap();
    let manifest = Manifest {
        name: "python/test".to_owned(),
        summary: "a test".to_owned(),
        language: Language::Python,
        minimum_version: Version { major: 3, minor: 8 },
        lock: "requirements.lock".to_owned(),
        command: vec!["python3".to_owned(), "worker.py".to_owned()],
        capabilities: Capabilities::all(),
        environment: [("GREETING".to_owned(), "hello".to_owned())].into(),
        content_environment: [("CONTENT".to_owned(), "yes".to_owned())].into(),
        content_events_environment: [("CONTENT".to_owned(), "events".to_owned())].into(),
        folder: program,
    };
    let settings = Settings {
        bedrock_endpoint: "http://127.0.0.1:1".to_owned(),
        otlp_endpoint: "http://127.0.0.1:2".to_owned(),
        service_name: "tested".to_owned(),
        content: ContentPolicy::None,
        concurrency: 3,
        limits: Limits::default(),
        on_stderr: None,
    };
    Program { _folder: folder, manifest, settings }
}

impl Program {
    async fn start(&self) -> Result<Worker, ClientError> {
        let environment = Environment {
            language: Language::Python,
            folder: PathBuf::from("/nonexistent"),
            programs: PathBuf::from("/nonexistent/bin"),
        };
        Worker::start(&self.manifest, &environment, self.settings.clone()).await
    }
}

fn call(call: u64) -> Call {
    Call {
        call,
        operation: Operation::Converse,
        model_id: "amazon.nova-lite-v1:0".to_owned(),
        request: serde_json::json!({}),
        headers: Vec::new(),
    }
}

async fn start_error(body: &str) -> ClientError {
    client(body).start().await.map(|_| ()).unwrap_err()
}

/// Makes calls until one fails.
async fn call_error(body: &str) -> ClientError {
    let client = client(body);
    let worker = client.start().await.unwrap();
    for number in 0.. {
        if let Err(error) = worker.call(call(number)).await {
            assert_eq!(worker.call(call(number + 1)).await, Err(error.clone()), "it stays failed");
            assert_eq!(worker.finish().await, Err(error.clone()), "and says so at the end");
            return error;
        }
    }
    unreachable!("calls end with an error or go on forever")
}

#[tokio::test]
async fn calls_end_in_any_order_and_the_worker_ends_when_its_input_does() {
    let client = client(
        r#"
ready()
held = []
for call in calls():
    held.append(call)
    if len(held) == 4:
        for call in reversed(held): done(call)
print("flushed", file=sys.stderr)
"#,
    );
    let said = Arc::new(Mutex::new(Vec::new()));
    let mut settings = client.settings.clone();
    let lines = Arc::clone(&said);
    settings.on_stderr = Some(Arc::new(move |line| lines.lock().unwrap().push(line.to_owned())));
    let worker = Program { settings, ..client }.start().await.unwrap();
    assert_eq!(worker.name(), "python/test (test)");
    let (a, b, c, d) = tokio::join!(
        worker.call(call(0)),
        worker.call(call(1)),
        worker.call(call(2)),
        worker.call(call(3))
    );
    let order: Vec<u64> = [a, b, c, d].map(|done: Result<Done, _>| done.unwrap().call).to_vec();
    assert_eq!(order, [0, 1, 2, 3]);
    worker.finish().await.unwrap();
    assert_eq!(*said.lock().unwrap(), ["flushed"]);
    let after = worker.call(call(4)).await.unwrap_err();
    assert_eq!(
        after.message,
        "python/test has ended and takes no more calls; its last lines on standard error:\n  flushed"
    );
}

#[tokio::test]
async fn more_calls_than_pipes_hold_do_not_block() {
    let client = client("ready()\nfor call in calls(): done(call)");
    let worker = Arc::new(client.start().await.unwrap());
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..5_000 {
        let worker = Arc::clone(&worker);
        calls.spawn(async move { worker.call(call(number)).await.unwrap().call });
    }
    assert_eq!(calls.join_all().await.len(), 5_000);
    worker.finish().await.unwrap();
}

#[tokio::test]
async fn the_worker_sees_its_variables() {
    let client = client(
        r#"
names = ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME",
    "AWS_ENDPOINT_URL_BEDROCK", "AWS_DEFAULT_REGION", "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_SERVICE_NAME", "SPANPROOF_CONCURRENCY", "GREETING", "CONTENT"]
ready()
print(*[f"{name}={os.environ.get(name)}" for name in names], sep="\n", file=sys.stderr)
for call in calls(): sys.exit(1)
"#,
    );
    let settings = Settings { content: ContentPolicy::Full, ..client.settings.clone() };
    let worker = Program { settings, ..client }.start().await.unwrap();
    insta::assert_snapshot!(worker.call(call(0)).await.unwrap_err(), @r"
    the client ended early: python/test ended with exit status: 1; calls still open: 1; its last lines on standard error:
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME=http://127.0.0.1:1
      AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME=http://127.0.0.1:1
      AWS_ENDPOINT_URL_BEDROCK=http://127.0.0.1:1
      AWS_DEFAULT_REGION=us-east-1
      OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:2
      OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
      OTEL_SERVICE_NAME=tested
      SPANPROOF_CONCURRENCY=3
      GREETING=hello
      CONTENT=yes
    ");
}

#[tokio::test]
async fn a_worker_is_told_to_capture_content_in_events_alone() {
    let mut client = client(
        r#"
ready()
print(os.environ.get("CONTENT"), file=sys.stderr)
for call in calls(): sys.exit(1)
"#,
    );
    for (content, told) in [(ContentPolicy::Events, "events"), (ContentPolicy::None, "None")] {
        client.settings.content = content;
        let worker = client.start().await.unwrap();
        let said = worker.call(call(0)).await.unwrap_err().to_string();
        assert!(said.ends_with(&format!("  {told}")), "{said}");
    }
    for policy in [ContentPolicy::Hash, ContentPolicy::Cut { bytes: 999 }, ContentPolicy::Reference]
    {
        assert_eq!(client.manifest.content_variables(policy), None);
    }
    let manifest = Manifest { content_events_environment: [].into(), ..client.manifest };
    assert_eq!(manifest.content_variables(ContentPolicy::Events), None);
}

#[test]
fn variables_that_steer_sdks_and_exporters_are_withheld() {
    for variable in [
        "OTEL_SDK_DISABLED",
        "AWS_PROFILE",
        "PYTHONHOME",
        "NODE_OPTIONS",
        "JAVA_TOOL_OPTIONS",
        "TRACELOOP_TRACE_CONTENT",
        "HTTP_PROXY",
        "no_proxy",
    ] {
        assert!(is_withheld(variable), "{variable}");
    }
    for variable in ["PATH", "HOME", "JAVA_HOME", "LANG", "TMPDIR", "SSL_CERT_FILE"] {
        assert!(!is_withheld(variable), "{variable}");
    }
}

#[tokio::test]
async fn a_crash_while_calls_are_open_is_told_with_its_last_words() {
    let error = call_error(
        r#"
ready()
for call in calls():
    if call == 2:
        print("out of cheese", file=sys.stderr)
        os._exit(3)
    done(call)
"#,
    )
    .await;
    assert_eq!(error.kind, ClientErrorKind::Ended);
    insta::assert_snapshot!(error, @r"
    the client ended early: python/test ended with exit status: 3; calls still open: 1; its last lines on standard error:
      out of cheese
    ");
}

#[tokio::test]
async fn a_worker_that_is_killed_is_told() {
    let error = call_error("ready()\nfor call in calls(): os.kill(os.getpid(), 9)").await;
    insta::assert_snapshot!(error, @"the client ended early: python/test ended with signal: 9 (SIGKILL); calls still open: 1");
}

#[tokio::test]
async fn answers_written_just_before_a_crash_count() {
    let client = client("ready()\nfor call in calls():\n    done(call)\n    os._exit(3)");
    let worker = client.start().await.unwrap();
    assert_eq!(worker.call(call(7)).await.unwrap().call, 7);
    insta::assert_snapshot!(worker.finish().await.unwrap_err(), @"the client ended early: python/test ended with exit status: 3; calls still open: 0");
}

#[tokio::test]
async fn a_line_that_is_not_of_the_protocol_is_quoted() {
    let error =
        call_error("ready()\nfor call in calls(): print('Hello, world\\t!', flush=True)").await;
    assert_eq!(error.kind, ClientErrorKind::Ended);
    insta::assert_snapshot!(error, @r"the client ended early: python/test wrote a line to standard output that is not of the worker protocol (expected value at line 1 column 1): `Hello, world\t!`");
}

#[tokio::test]
async fn an_answer_to_no_call_breaks_the_protocol() {
    insta::assert_snapshot!(
        call_error("ready()\nfor call in calls(): done(call + 1)").await,
        @r#"the client ended early: python/test wrote a line to standard output that is not of the worker protocol (no such call is open): `{\"type\": \"done\", \"call\": 1, \"started_unix_nanos\": 1, \"finished_unix_nanos\": 2}`"#
    );
}

#[tokio::test]
async fn a_worker_ready_twice_breaks_the_protocol() {
    insta::assert_snapshot!(call_error("ready()\nready()\nfor call in calls(): pass").await, @r#"the client ended early: python/test wrote a line to standard output that is not of the worker protocol (it was ready before): `{\"type\": \"ready\", \"client\": \"test\"}`"#);
}

#[tokio::test]
async fn an_answer_before_it_is_ready_breaks_the_protocol() {
    insta::assert_snapshot!(start_error("done(0)\nfor call in calls(): pass").await, @r#"the client ended early: python/test wrote a line to standard output that is not of the worker protocol (no call ends before the worker is ready): `{\"type\": \"done\", \"call\": 0, \"started_unix_nanos\": 1, \"finished_unix_nanos\": 2}`"#);
}

#[tokio::test]
async fn a_worker_that_ends_before_it_is_ready_did_not_start() {
    let error = start_error("sys.exit('no module named cheese')").await;
    assert_eq!(error.kind, ClientErrorKind::Start);
    insta::assert_snapshot!(error, @r"
    the client could not start: python/test ended before it was ready, with exit status: 1; its last lines on standard error:
      no module named cheese
    ");
}

#[tokio::test]
async fn a_worker_that_is_never_ready_is_killed() {
    let mut client = client("sys.stdin.read()");
    client.settings.limits.ready = Duration::from_millis(100);
    let error = client.start().await.map(|_| ()).unwrap_err();
    assert_eq!(error.kind, ClientErrorKind::Start);
    insta::assert_snapshot!(error, @"the client could not start: python/test was not ready after 0.1 s");
}

#[tokio::test]
async fn a_program_that_does_not_exist_is_named() {
    let mut client = client("");
    client.manifest.command = vec!["no-such-program".to_owned()];
    let error = client.start().await.map(|_| ()).unwrap_err();
    assert_eq!(error.kind, ClientErrorKind::Start);
    insta::assert_snapshot!(error, @"the client could not start: python/test cannot be started: `no-such-program`: No such file or directory (os error 2)");
}

#[tokio::test]
async fn a_worker_that_takes_calls_and_never_answers_is_killed() {
    let mut client = client("ready()\nfor call in calls(): pass");
    client.settings.limits.answer = Duration::from_millis(100);
    let worker = client.start().await.unwrap();
    let error = worker.call(call(0)).await.unwrap_err();
    assert_eq!(error.kind, ClientErrorKind::Timeout);
    insta::assert_snapshot!(error, @"the client did not finish in time: python/test answered no call for 0.1 s; calls still open: 1");
}

#[tokio::test]
async fn a_worker_that_stops_reading_is_killed_and_every_call_of_the_run_is_accounted_for() {
    // More than pipe and queue hold are sent to it.
    let mut client = client("ready()\ntime.sleep(3600)");
    client.settings.limits.answer = Duration::from_millis(100);
    let worker = client.start().await.unwrap();
    let calls = 5_000;
    let plan = Plan::new(PlanConfig {
        scenario: Scenario { faults: Vec::new(), ..Scenario::named("chat").unwrap() },
        capabilities: Capabilities { features: vec![], ..Capabilities::all() },
        seed: 1,
        timing: Timing::AtRate(AtRate::even(
            "80000/day".parse().unwrap(),
            Duration::from_hours(24),
        )),
        most_calls: Some(calls),
        shard: Shard::WHOLE,
    });
    let config = LoadConfig { in_flight: 2_000, ..LoadConfig::new(Speed::Max) };
    let outcome = run(config, plan.unwrap(), worker, |_| ()).await;
    let load = outcome.statistics.load(outcome.client.clone());
    assert_eq!((load.completed, load.failed), (0, load.started));
    assert!(load.started > 1_000 && load.started + load.not_made() == calls, "{load:?}");
    assert_eq!(outcome.broken.unwrap().kind, ClientErrorKind::Timeout);
    let told = &outcome.statistics.failures()[0];
    assert!(told.contains("answered no call for 0.1 s"), "{told}");
}

#[tokio::test]
async fn a_worker_that_does_not_end_after_its_input_is_killed() {
    let mut client = client("ready()\nfor call in calls(): done(call)\nwhile True: time.sleep(60)");
    client.settings.limits.finish = Duration::from_millis(100);
    let worker = client.start().await.unwrap();
    worker.call(call(0)).await.unwrap();
    let error = worker.finish().await.unwrap_err();
    assert_eq!(error.kind, ClientErrorKind::Timeout);
    insta::assert_snapshot!(error, @"the client did not finish in time: python/test did not end within 0.1 s of its last call");
}

#[tokio::test]
async fn a_worker_that_ends_badly_after_its_last_call_is_told() {
    let client = client("ready()\nfor call in calls(): done(call)\nsys.exit('lost 12 spans')");
    let worker = client.start().await.unwrap();
    worker.call(call(0)).await.unwrap();
    insta::assert_snapshot!(worker.finish().await.unwrap_err(), @r"
    the client ended early: python/test ended with exit status: 1; calls still open: 0; its last lines on standard error:
      lost 12 spans
    ");
}

#[tokio::test]
async fn a_worker_that_leaves_a_child_holding_its_pipes_ends_all_the_same() {
    let client = client(
        r#"
import subprocess
ready()
for call in calls():
    subprocess.Popen(["sleep", "20"])
    done(call)
"#,
    );
    let worker = client.start().await.unwrap();
    worker.call(call(0)).await.unwrap();
    worker.finish().await.unwrap();
}

#[tokio::test]
async fn the_same_call_twice_at_once_is_refused() {
    let client = client("ready()\nfor call in calls(): pass");
    let worker = client.start().await.unwrap();
    let first = worker.call(call(0));
    tokio::pin!(first);
    tokio::select! {
        biased;
        _ = &mut first => unreachable!("the worker answers nothing"),
        () = std::future::ready(()) => {}
    }
    let second = worker.call(call(0)).await;
    insta::assert_snapshot!(second.unwrap_err(), @"the client ended early: python/test was given call 0 while that call was open");
}

#[tokio::test]
async fn the_last_of_many_words_are_told_and_long_ones_are_cut() {
    let error = call_error(
        r#"
ready()
for call in calls():
    for number in range(20_000): print("warning", number, file=sys.stderr)
    print("x" * 10_000, file=sys.stderr)
    sys.exit("out of cheese")
"#,
    )
    .await;
    let warnings = (19_982..20_000).map(|number| format!("\n  warning {number}"));
    let last = format!("{}\n  {}\n  out of cheese", warnings.collect::<String>(), "x".repeat(500));
    let (told, words) = error.message.split_once("standard error:").unwrap();
    assert_eq!(words, last, "{told}");
}

#[tokio::test]
async fn a_worker_that_closes_its_input_is_told() {
    insta::assert_snapshot!(
        call_error("os.close(0)\nready()\ntime.sleep(3600)").await,
        @"the client ended early: python/test stopped reading its standard input: Broken pipe (os error 32)"
    );
}

#[tokio::test]
async fn a_worker_that_closes_its_input_since_it_ends_is_told_with_how_it_ends() {
    // Whether it has ended before the first call or while that is open.
    let error = call_error("os.close(0)\nready()\nsys.exit('no more')").await;
    assert!(error.message.starts_with("python/test ended with exit status: 1"), "{error}");
    assert!(error.message.ends_with("  no more"), "{error}");
}

#[tokio::test]
async fn a_worker_that_closes_its_output_and_does_not_end_is_killed() {
    let closes = "ready()\nfor call in calls():\n    os.close(1)\n    time.sleep(3600)";
    insta::assert_snapshot!(
        call_error(closes).await,
        @"the client ended early: python/test closed its standard output without ending"
    );
}

#[tokio::test]
async fn a_worker_leads_a_process_group_of_its_own_and_is_gone_once_it_was_killed() {
    let mut client =
        client("say(type=\"ready\", client=f\"{os.getpid()} {os.getpgrp()}\")\ntime.sleep(3600)");
    client.settings.limits.finish = Duration::from_millis(100);
    let worker = client.start().await.unwrap();
    let name = worker.name();
    let (pid, group) = name.strip_prefix("python/test (").unwrap().split_once(' ').unwrap();
    // Ctrl-C in a terminal is for a whole group, and is not for the worker.
    assert_eq!(group, format!("{pid})"));
    worker.finish().await.unwrap_err();
    let pid = rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap();
    let is_there = rustix::process::test_kill_process(pid);
    assert_eq!(is_there, Err(rustix::io::Errno::SRCH));
}
