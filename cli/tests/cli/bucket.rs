//! `spanproof size --block` of a block in a bucket.

#![expect(clippy::unwrap_used, reason = "it is part of tests")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use tokio::runtime::Runtime;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::bad_input::assert_ends;
use crate::size::real_input;
use crate::spanproof::{Ended, Folder, against_schema};

/// A server that speaks as much of S3 and of Google Cloud Storage as reading takes.
struct Store {
    server: MockServer,
    read: Arc<AtomicU64>,
    _runtime: Runtime,
}

impl Store {
    fn start(answers: impl Respond + 'static, read: Arc<AtomicU64>) -> Store {
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(async {
            let server = MockServer::start().await;
            Mock::given(any()).respond_with(answers).mount(&server).await;
            server
        });
        Store { server, read, _runtime: runtime }
    }

    /// One that has the files of `folder` in every folder of every bucket.
    fn of(folder: PathBuf) -> Store {
        let read = Arc::default();
        Store::start(Files { folder, read: Arc::clone(&read) }, read)
    }

    /// One that answers everything alike.
    fn refusing(status: u16, code: &str) -> Store {
        let body = format!("<Error><Code>{code}</Code><Message>No.</Message></Error>");
        Store::start(ResponseTemplate::new(status).set_body_string(body), Arc::default())
    }

    /// Runs `size --block URL` with credentials for it.
    fn size(&self, folder: &Folder, url: &str, more: &[&str]) -> Ended {
        let uri = self.server.uri();
        let key = serde_json::json!({
            "gcs_base_url": uri, "disable_oauth": true, "client_email": "", "private_key": "",
            "private_key_id": "",
        });
        let variables = [
            ("AWS_ENDPOINT_URL", uri.as_str()),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "none"),
            ("GOOGLE_SERVICE_ACCOUNT_KEY", &key.to_string()),
        ];
        folder.spanproof_where(&variables, &[&["size", "--block", url], more].concat())
    }
}

struct Files {
    folder: PathBuf,
    /// How many bytes were read of the file of columns.
    read: Arc<AtomicU64>,
}

impl Respond for Files {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        // One of the two encodes whatever is no letter and no digit.
        let path = request.url.path().replace("%2F", "/").replace("%2E", ".").replace("%2D", "-");
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let Ok(bytes) = fs::read(self.folder.join(&name)) else {
            let body = "<Error><Code>NoSuchKey</Code><Message>No.</Message></Error>";
            return ResponseTemplate::new(404).set_body_string(body);
        };
        let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
        let template = |status| {
            ResponseTemplate::new(status)
                .insert_header("etag", "\"1\"")
                .insert_header("last-modified", "Wed, 25 Nov 2026 10:00:00 GMT")
        };
        match header("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-')) {
            None => template(200).set_body_bytes(bytes),
            Some((first, last)) => {
                let (first, last) =
                    (first.parse::<usize>().unwrap(), last.parse::<usize>().unwrap());
                let part = &bytes[first..=last.min(bytes.len() - 1)];
                if name == "data.parquet" {
                    self.read.fetch_add(part.len() as u64, Ordering::Relaxed);
                }
                let of = format!("bytes {first}-{}/{}", first + part.len() - 1, bytes.len());
                template(206).insert_header("content-range", of).set_body_bytes(part)
            }
        }
    }
}

/// A folder with a block in it, as `block`.
fn with_block() -> Folder {
    let folder = Folder::new();
    let input = real_input("a-1000");
    let ended = folder.spanproof(&["size", "--capture", &input, "--write-block", "block"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    folder
}

fn sized(folder: &Folder, name: &str) -> Value {
    let mut report = against_schema(folder, name, "size.schema.json");
    report["source"].take();
    report
}

#[test]
fn a_block_in_a_bucket_is_read_as_one_on_disk_and_only_its_footer_is() {
    let folder = with_block();
    let ended = folder.spanproof(&["size", "--block", "block", "--report", "json=here.json"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    let here = format!("file://{}", folder.path("block").display());
    let ended = folder.spanproof(&["size", "--block", &here, "--report", "json=url.json"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    assert_eq!(sized(&folder, "url.json"), sized(&folder, "here.json"));
    for url in ["s3://traces/single-tenant/1f2e", "gs://traces/single-tenant/1f2e/"] {
        let store = Store::of(folder.path("block"));
        let ended = store.size(&folder, url, &["--report", "json=there.json"]);
        assert_eq!(ended.code, Some(0), "{ended}");
        assert_eq!(sized(&folder, "there.json"), sized(&folder, "here.json"), "{url}");
        let data = fs::metadata(folder.path("block/data.parquet")).unwrap().len();
        let read = store.read.load(Ordering::Relaxed);
        assert!(read > 0 && read < data / 10, "{read} of {data} bytes were read");
    }
}

#[test]
fn a_bucket_that_refuses_says_why() {
    let folder = Folder::new();
    let url = "s3://traces/single-tenant/1f2e";
    for (status, code, says) in [
        (
            403,
            "AccessDenied",
            &["cannot read", url, "meta.json", "403 AccessDenied", "right to"][..],
        ),
        (401, "Unauthorized", &["cannot read", url, "401", "credentials"]),
        (404, "NoSuchBucket", &[url, "no block of Tempo", "meta.json"]),
        (
            400,
            "AuthorizationHeaderMalformed",
            &["cannot read", url, "AuthorizationHeaderMalformed"],
        ),
    ] {
        let store = Store::refusing(status, code);
        assert_ends(&store.size(&folder, url, &[]), 3, says);
    }
}

#[test]
fn a_bucket_that_nobody_serves_is_told_and_not_waited_for() {
    let folder = Folder::new();
    let variables = [
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "none"),
    ];
    let ended = folder.spanproof_where(&variables, &["size", "--block", "s3://traces/a/b"]);
    assert_ends(&ended, 3, &["cannot read `s3://traces/a/b/meta.json`", "127.0.0.1:1"]);
}

#[test]
fn what_names_no_bucket_is_refused() {
    let folder = Folder::new();
    for (url, says) in [
        ("s3://", &["`s3://`", "s3://bucket/tenant/block"][..]),
        ("s3:///tenant/block", &["names no bucket"]),
        ("ftp://traces/block", &["ftp://", "gs://"]),
        ("s3://traces/a//b", &["s3://traces/a//b", "names no folder"]),
    ] {
        assert_ends(&folder.spanproof(&["size", "--block", url]), 2, says);
    }
}
