//! A mock in another process, which several loads may share.

use serde::Deserialize;
use spanproof_schemas::speed::{ParseSpeedError, Speed};

use crate::page::{Pages, plain_http};

/// Where a mock tells how it is.
const HEALTH: &str = "/_spanproof/health";

/// What a mock says of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SharedMock {
    /// What all that varies in its answers follows from.
    pub seed: u64,
    /// How fast it answers.
    pub speed: Speed,
}

/// A mock that cannot be shared.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SharedMockError {
    /// The address is none.
    #[error("`{given}` is no address of a mock: {why}; write such as http://127.0.0.1:8080")]
    Address {
        /// What was given.
        given: String,
        /// Why it is none.
        why: String,
    },
    /// Nobody answers, or somebody who is no mock: no load is sent to a service that costs money.
    #[error("{url} is no mock of this spanproof: {why}; start one with `spanproof mock`")]
    NoMock {
        /// The address.
        url: String,
        /// Why not.
        why: String,
    },
}

/// What the path of its health shows, as far as it matters here.
#[derive(Deserialize)]
struct Health {
    seed: u64,
    speed: String,
}

impl SharedMock {
    /// What the mock at `url` says of itself.
    ///
    /// # Errors
    ///
    /// When it is no URL of HTTP without TLS, or no mock answers there.
    pub async fn at(url: &str) -> Result<SharedMock, SharedMockError> {
        let address = |why| SharedMockError::Address { given: url.to_owned(), why };
        let no_mock = |why| SharedMockError::NoMock { url: url.to_owned(), why };
        plain_http(url).map_err(address)?;
        let health = plain_http(&format!("{}{HEALTH}", url.trim_end_matches('/')));
        let body = Pages::new().get(health.map_err(address)?).await.map_err(no_mock)?;
        let health: Health =
            serde_json::from_slice(&body).map_err(|error| no_mock(error.to_string()))?;
        let speed = health.speed.parse();
        let speed = speed.map_err(|error: ParseSpeedError| no_mock(error.to_string()))?;
        Ok(SharedMock { seed: health.seed, speed })
    }
}
