//! A block in a bucket: what `--block s3://…` and `gs://…` read.

use std::future::Future;
use std::io;
use std::ops::Range;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use async_trait::async_trait;
use bytes::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use object_store::aws::AmazonS3Builder;
use object_store::client::{
    HttpClient, HttpConnector as StoreConnector, HttpError, HttpErrorKind, HttpRequest,
    HttpRequestBody, HttpResponse, HttpResponseBody, HttpService,
};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt as _, RetryConfig};
use sizing::BlockFiles;
use tokio::runtime::{Builder, Runtime};

/// How long a bucket may be unreachable.
const RETRY_WITHIN: Duration = Duration::from_secs(10);
/// How often it is asked again.
const MOST_RETRIES: usize = 3;
/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// The folder of a block in a bucket.
pub(super) struct Bucket {
    store: Box<dyn ObjectStore>,
    folder: Path,
    url: String,
    runtime: Runtime,
}

/// Whether `block` names a bucket.
pub(super) fn is_bucket(block: &str) -> bool {
    block.contains("://") && !block.starts_with(FILE)
}

/// What a URL of a folder begins with.
pub(super) const FILE: &str = "file://";

impl Bucket {
    /// The block at `url`. Credentials, region and endpoint come from the environment, in the
    /// variables that the clients of the clouds themselves read.
    pub(super) fn new(url: &str) -> anyhow::Result<Bucket> {
        let parts = url.split_once("://").map(|(scheme, rest)| {
            let (bucket, folder) = rest.split_once('/').unwrap_or((rest, ""));
            (scheme, bucket, folder.trim_end_matches('/'))
        });
        let Some((scheme, bucket, folder)) = parts.filter(|(_, bucket, _)| !bucket.is_empty())
        else {
            bail!("`{url}` names no bucket: write such as s3://bucket/tenant/block");
        };
        let retry = RetryConfig {
            max_retries: MOST_RETRIES,
            retry_timeout: RETRY_WITHIN,
            ..RetryConfig::default()
        };
        let store: Box<dyn ObjectStore> = match scheme {
            "s3" => Box::new(
                AmazonS3Builder::from_env()
                    .with_bucket_name(bucket)
                    // An endpoint without encryption is one that the user has named.
                    .with_allow_http(true)
                    .with_retry(retry)
                    .with_http_connector(Connector)
                    .build()
                    .with_context(|| format!("cannot open `{url}`"))?,
            ),
            "gs" => Box::new(
                GoogleCloudStorageBuilder::from_env()
                    .with_bucket_name(bucket)
                    .with_retry(retry)
                    .with_http_connector(Connector)
                    .build()
                    .with_context(|| format!("cannot open `{url}`"))?,
            ),
            _ => bail!("`{url}` is in no store that is known: write s3://, gs:// or file://"),
        };
        Ok(Bucket {
            store,
            folder: Path::parse(folder)
                .map_err(|error| anyhow!("`{url}` names no folder: {error}"))?,
            url: url.trim_end_matches('/').to_owned(),
            runtime: Builder::new_current_thread().enable_all().build()?,
        })
    }

    fn ask<T>(&self, asked: impl Future<Output = Result<T, object_store::Error>>) -> io::Result<T> {
        self.runtime.block_on(asked).map_err(|error| {
            let kind = match &error {
                object_store::Error::NotFound { .. } => io::ErrorKind::NotFound,
                object_store::Error::PermissionDenied { .. }
                | object_store::Error::Unauthenticated { .. } => io::ErrorKind::PermissionDenied,
                _ => io::ErrorKind::Other,
            };
            io::Error::new(kind, refusal(&error))
        })
    }
}

impl BlockFiles for Bucket {
    fn name(&self) -> String {
        self.url.clone()
    }

    fn bytes(&self, file: &str) -> io::Result<u64> {
        let path = self.folder.clone().join(file);
        match self.ask(self.store.head(&path)) {
            Ok(found) => Ok(found.size),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(error),
            // An answer to HEAD has no body, which is where a store says why.
            Err(error) => Err(self.ask(self.store.get_range(&path, 0..1)).err().unwrap_or(error)),
        }
    }

    fn read(&self, file: &str, range: Range<u64>) -> io::Result<Bytes> {
        // A range must not be empty.
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        self.ask(self.store.get_range(&self.folder.clone().join(file), range))
    }
}

/// What a store says, in a line, and what to do about it.
fn refusal(error: &object_store::Error) -> String {
    let text = error.to_string();
    let code = text.split_once("<Code>").and_then(|(_, rest)| Some(rest.split_once("</Code>")?.0));
    let code = code.map(|code| format!(" {code}")).unwrap_or_default();
    match error {
        object_store::Error::PermissionDenied { .. } => format!(
            "the bucket refuses it (403{code}); who asks needs the right to read objects in it"
        ),
        object_store::Error::Unauthenticated { .. } => {
            format!(
                "the bucket does not know who asks (401{code}); set the credentials of its cloud"
            )
        }
        _ if !code.is_empty() => format!("the bucket refuses it:{code}"),
        _ => {
            // How long it took and how often it was tried differs from one run to the next.
            let parts = text.split_once("Error performing ").and_then(|(_, rest)| {
                Some((rest.split_once(" in ")?.0, rest.split_once(" - ")?.1))
            });
            let told = parts.map_or(text.clone(), |(what, why)| format!("{what}: {why}"));
            told.split_whitespace().collect::<Vec<_>>().join(" ")
        }
    }
}

/// Connections by hyper, as all others of this program, and whom the system trusts.
#[derive(Debug)]
struct Connector;

impl StoreConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        let connector = HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(|error| object_store::Error::Generic {
                store: "HTTP",
                source: Box::new(error),
            })?
            .https_or_http()
            .enable_http1()
            .build();
        Ok(HttpClient::new(Hyper(Client::builder(TokioExecutor::new()).build(connector))))
    }
}

/// Sends the requests of a store.
#[derive(Debug)]
struct Hyper(Client<HttpsConnector<HttpConnector>, HttpRequestBody>);

#[async_trait]
impl HttpService for Hyper {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = tokio::time::timeout(ANSWER_WITHIN, self.0.request(request))
            .await
            .map_err(|error| HttpError::new(HttpErrorKind::Timeout, error))?
            .map_err(|error| {
                let kind = if error.is_connect() {
                    HttpErrorKind::Connect
                } else {
                    HttpErrorKind::Request
                };
                HttpError::new(kind, error)
            })?;
        Ok(answer.map(|body| {
            HttpResponseBody::new(http_body_util::BodyExt::map_err(body, |error| {
                HttpError::new(HttpErrorKind::Interrupted, error)
            }))
        }))
    }
}
