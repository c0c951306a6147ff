//! What an address of HTTP shows, read as a whole.

use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http::uri::InvalidUri;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The largest answer: the metrics of a Collector have some hundreds of lines.
const MOST_BYTES: usize = 64 << 20;

/// Reads pages, each over a connection of its own: they are asked for minutes apart, and one that is kept may
/// have ended in between.
#[derive(Debug)]
pub(crate) struct Pages(Client<HttpConnector, Empty<Bytes>>);

impl Pages {
    pub(crate) fn new() -> Pages {
        Pages(Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http())
    }

    /// The body at `uri`, or why there is none.
    pub(crate) async fn get(&self, uri: Uri) -> Result<Bytes, String> {
        let asked = async {
            let response = self.0.get(uri).await.map_err(|error| error.to_string())?;
            if !response.status().is_success() {
                return Err(response.status().to_string());
            }
            let body = Limited::new(response.into_body(), MOST_BYTES).collect().await;
            Ok(body.map_err(|error| error.to_string())?.to_bytes())
        };
        let in_time = timeout(ANSWER_WITHIN, asked).await;
        in_time.map_err(|_| format!("no answer within {} s", ANSWER_WITHIN.as_secs()))?
    }
}

/// `url` as an address, or why it is none: TLS is not spoken.
pub(crate) fn plain_http(url: &str) -> Result<Uri, String> {
    let uri: Uri = url.parse().map_err(|error: InvalidUri| error.to_string())?;
    if uri.scheme_str() == Some("http") { Ok(uri) } else { Err("only http is spoken".to_owned()) }
}
