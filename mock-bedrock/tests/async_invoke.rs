//! Asynchronous invocations, from their start to their end.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod client;

use client::Mock;
use serde_json::{Value, json};
use spanproof_schemas::ledger::Operation;
use spanproof_schemas::speed::Speed;

fn body(token: &str, prompt: &str) -> String {
    json!({
        "clientRequestToken": token,
        "modelId": "amazon.nova-2-multimodal-embeddings-v1:0",
        "modelInput": {"prompt": prompt},
        "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://videos/out"}},
    })
    .to_string()
}

fn encoded(arn: &Value) -> String {
    arn.as_str().unwrap().replace(':', "%3A").replace('/', "%2F")
}

#[tokio::test]
async fn an_invocation_completes() {
    let mock = Mock::start(Speed::Max);
    let started = mock.post("/async-invoke", &[], &body("one", "a harbour")).await.json();
    let arn = &started["invocationArn"];
    let described = mock.get(&format!("/async-invoke/{}", encoded(arn)), &[]).await.json();
    assert_eq!(described["status"], "Completed");
    assert_eq!(described["invocationArn"], *arn);
    assert_eq!(described["endTime"], described["lastModifiedTime"]);
    assert_eq!(
        described["outputDataConfig"]["s3OutputDataConfig"],
        json!({"s3Uri": "s3://videos/out"})
    );
    assert_eq!(
        described["modelArn"],
        "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-2-multimodal-embeddings-v1:0"
    );
    let exchanges = mock.exchanges().await;
    assert_eq!(exchanges[0].operation, Operation::StartAsyncInvoke);
    assert_eq!(
        exchanges[0].served_model.as_deref(),
        Some("amazon.nova-2-multimodal-embeddings-v1:0")
    );
    assert_eq!(exchanges[0].content.as_ref().unwrap().prompt, r#"{"prompt":"a harbour"}"#);
}

#[tokio::test]
async fn an_invocation_ends_when_its_time_is_over() {
    let mock = Mock::start(Speed::Times(1_000.0));
    let started = mock.post("/async-invoke", &[], &body("one", "a harbour")).await.json();
    let path = format!("/async-invoke/{}", encoded(&started["invocationArn"]));
    // Each question takes some simulated time, so this ends.
    loop {
        let described = mock.get(&path, &[]).await.json();
        assert_eq!(described["status"] == "InProgress", described.get("endTime").is_none());
        if described["status"] != "InProgress" {
            assert_eq!(described["status"], "Completed");
            break;
        }
    }
}

#[tokio::test]
async fn an_invocation_that_may_not_write_fails() {
    let mock = Mock::start(Speed::Max);
    let body = body("one", "a harbour").replace("s3://videos/out", "s3://videos-denied");
    let started = mock.post("/async-invoke", &[], &body).await.json();
    let path = format!("/async-invoke/{}", encoded(&started["invocationArn"]));
    let described = mock.get(&path, &[]).await.json();
    assert_eq!(described["status"], "Failed");
    assert!(described["failureMessage"].as_str().unwrap().contains("S3"), "{described}");
}

#[tokio::test]
async fn a_repeated_token_starts_nothing_new() {
    let mock = Mock::start(Speed::Max);
    let first = mock.post("/async-invoke", &[], &body("one", "a harbour")).await.json();
    let again = mock.post("/async-invoke", &[], &body("one", "a harbour")).await.json();
    assert_eq!(first, again);
    let other = mock.post("/async-invoke", &[], &body("one", "a garden")).await;
    assert_eq!(other.status, 400);
    assert!(other.header("x-amzn-errortype").unwrap().starts_with("ConflictException:"));
    let list = mock.get("/async-invoke", &[]).await.json();
    assert_eq!(list["asyncInvokeSummaries"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_refused_start_starts_nothing() {
    let mock = Mock::start(Speed::Max);
    let fault = [("x-spanproof-fault", "ThrottlingException")];
    assert_eq!(mock.post("/async-invoke", &fault, &body("one", "a")).await.status, 429);
    let list = mock.get("/async-invoke", &[]).await.json();
    assert_eq!(list, json!({"asyncInvokeSummaries": []}));
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_paged_and_belong_to_a_test() {
    let mock = Mock::start(Speed::Max);
    for number in 0..5 {
        mock.post("/async-invoke", &[], &body(&format!("t{number}"), "a")).await;
    }
    mock.post("/async-invoke", &[("x-spanproof-test", "other")], &body("t0", "b")).await;
    let tokens = |list: &Value| -> Vec<String> {
        let summaries = list["asyncInvokeSummaries"].as_array().unwrap();
        summaries.iter().map(|one| one["clientRequestToken"].as_str().unwrap().to_owned()).collect()
    };
    let list = async |query: &str| mock.get(&format!("/async-invoke{query}"), &[]).await.json();
    assert_eq!(tokens(&list("").await), ["t4", "t3", "t2", "t1", "t0"]);
    let ascending = list("?sortBy=SubmissionTime&sortOrder=Ascending").await;
    assert_eq!(tokens(&ascending), ["t0", "t1", "t2", "t3", "t4"]);
    let first = list("?maxResults=2").await;
    assert_eq!(tokens(&first), ["t4", "t3"]);
    // What is started meanwhile does not move the next page.
    mock.post("/async-invoke", &[], &body("t5", "a")).await;
    let token = first["nextToken"].as_str().unwrap();
    let second = list(&format!("?maxResults=2&nextToken={token}")).await;
    assert_eq!(tokens(&second), ["t2", "t1"]);
    assert_eq!(tokens(&list("?statusEquals=InProgress").await).len(), 0);
    assert_eq!(tokens(&list("?statusEquals=Completed").await).len(), 6);
    assert_eq!(tokens(&list("?submitTimeAfter=2020-01-01T00%3A00%3A00Z").await).len(), 6);
    assert_eq!(tokens(&list("?submitTimeBefore=2020-01-01T00%3A00%3A00Z").await).len(), 0);
    let other = mock.get("/_spanproof/tests/other/async-invoke", &[]).await.json();
    assert_eq!(tokens(&other), ["t0"]);
}

#[tokio::test]
async fn bad_requests_get_the_service_s_own_words() {
    let mock = Mock::start(Speed::Max);
    let good = body("one", "a");
    let mut seen = Vec::new();
    for (what, body) in [
        ("no JSON", "{".to_owned()),
        ("no model", good.replace("modelId", "model")),
        ("unknown model", good.replace("nova-2", "nova-none")),
        ("a model that answers at once", good.replace("nova-2-multimodal-embeddings", "nova-lite")),
        ("no bucket", good.replace("s3://videos/out", "s3://")),
        ("no output", good.replace("outputDataConfig", "output")),
        ("text for input", good.replace(r#"{"prompt":"a"}"#, r#""{}""#)),
        ("bad token", good.replace("\"one\"", "\"o n e\"")),
        ("empty tag", good.replacen('{', r#"{"tags":[{"key":""}],"#, 1)),
    ] {
        let answered = mock.post("/async-invoke", &[], &body).await;
        seen.push(format!("{what}: {} {}", answered.status, answered.json()["message"]));
    }
    for path in [
        "/async-invoke/arn",
        "/async-invoke/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aasync-invoke%2Fabcdefghijkl",
        "/async-invoke?statusEquals=Done",
        "/async-invoke?maxResults=1001",
        "/async-invoke?sortOrder=Random",
        "/async-invoke?submitTimeAfter=yesterday",
        "/async-invoke?nextToken=abc",
    ] {
        let answered = mock.get(path, &[]).await;
        seen.push(format!("{path}: {} {}", answered.status, answered.json()["message"]));
    }
    insta::assert_snapshot!(seen.join("\n"));
}
