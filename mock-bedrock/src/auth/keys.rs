//! The keys that a mock knows.

use std::fmt;
use std::time::SystemTime;

/// The keys that are good.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Keys that sign requests.
    pub access: Vec<AccessKey>,
    /// Bedrock API keys.
    pub bearer: Vec<BearerKey>,
}

/// A key that signs requests.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The access key id, such as `AKIAIOSFODNN7EXAMPLE`.
    pub id: String,
    /// The secret access key.
    pub secret: String,
    /// The session token that must come with it, for temporary credentials.
    pub session_token: Option<String>,
    /// From when on it is refused as expired.
    pub expires: Option<SystemTime>,
}

/// A Bedrock API key, which is sent as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct BearerKey {
    /// The key itself.
    pub key: String,
    /// From when on it is refused.
    pub expires: Option<SystemTime>,
}

impl AccessKey {
    /// A key without session token or expiry.
    #[must_use]
    pub fn new(id: impl Into<String>, secret: impl Into<String>) -> Self {
        AccessKey { id: id.into(), secret: secret.into(), session_token: None, expires: None }
    }
}

impl BearerKey {
    /// A key that does not expire.
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        BearerKey { key: key.into(), expires: None }
    }
}

/// Without the secrets: configurations end up in logs.
impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey")
            .field("id", &self.id)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// Without the secret: configurations end up in logs.
impl fmt::Debug for BearerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerKey").field("expires", &self.expires).finish_non_exhaustive()
    }
}
