//! The `[mock]` table: what flags of `spanproof mock` say, under the same names.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use mock_bedrock::{AccessKey, BearerKey, PaceOverride, Quirk};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use spanproof_schemas::speed::Speed;
use toml::value::{Datetime, Offset};

use super::listen::Listen;
use super::quota::QuotaTable;

/// How to serve. `run` and `load` take from it what shapes answers; the rest is for `mock` alone.
#[derive(Debug, Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    rename_all = "kebab-case",
    expecting = "`mock` is a table of settings, such as `speed`"
)]
pub(crate) struct MockTable {
    #[serde(default, deserialize_with = "from_text")]
    pub(crate) listen: Option<Listen>,
    pub(crate) ledger: Option<PathBuf>,
    #[serde(default)]
    pub(crate) ledger_content: bool,
    pub(crate) keep_records: Option<usize>,
    pub(crate) seed: Option<u64>,
    #[serde(default, deserialize_with = "from_text")]
    pub(crate) speed: Option<Speed>,
    #[serde(default)]
    pub(crate) quirks: BTreeSet<Quirk>,
    pub(crate) guardrails: Option<PathBuf>,
    pub(crate) answers: Option<PathBuf>,
    pub(crate) faults: Option<PathBuf>,
    #[serde(default)]
    pub(crate) quotas: Vec<QuotaTable>,
    /// `[mock.timing."MODEL"]`, and `[mock.timing."*"]` for every model.
    #[serde(default)]
    pub(crate) timing: BTreeMap<String, PaceOverride>,
    pub(crate) auth: Option<AuthMode>,
    #[serde(default)]
    pub(crate) access_keys: Vec<AccessKeyTable>,
    #[serde(default)]
    pub(crate) api_keys: Vec<ApiKeyTable>,
    pub(crate) tls_cert: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    pub(crate) tls_self_signed: Option<PathBuf>,
}

/// What is asked of callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AuthMode {
    /// Nothing.
    Off,
    /// A signature or an API key of the right form.
    Format,
    /// A signature that is right, or an API key that is known.
    Verify,
}

/// `[[mock.access-keys]]`
#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    rename_all = "kebab-case",
    expecting = "an access key is a table of `id` and `secret`"
)]
pub(crate) struct AccessKeyTable {
    id: String,
    secret: String,
    session_token: Option<String>,
    #[serde(default, deserialize_with = "time")]
    expires: Option<SystemTime>,
}

/// `[[mock.api-keys]]`, or only the key.
#[derive(Deserialize)]
#[serde(untagged, expecting = "an API key is text, or a table of `key` and `expires`")]
pub(crate) enum ApiKeyTable {
    Key(String),
    Table(ExpiringApiKey),
}

/// A Bedrock API key with an end.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ExpiringApiKey {
    key: String,
    #[serde(default, deserialize_with = "time")]
    expires: Option<SystemTime>,
}

impl MockTable {
    /// Paths in a file are meant from the folder of the file.
    pub(super) fn relative_to(mut self, folder: &Path) -> Self {
        let paths = [
            &mut self.ledger,
            &mut self.guardrails,
            &mut self.faults,
            &mut self.answers,
            &mut self.tls_cert,
            &mut self.tls_key,
            &mut self.tls_self_signed,
        ];
        for path in paths.into_iter().flatten() {
            *path = folder.join(&*path);
        }
        self
    }
}

impl From<&AccessKeyTable> for AccessKey {
    fn from(table: &AccessKeyTable) -> AccessKey {
        AccessKey {
            id: table.id.clone(),
            secret: table.secret.clone(),
            session_token: table.session_token.clone(),
            expires: table.expires,
        }
    }
}

impl From<&ApiKeyTable> for BearerKey {
    fn from(table: &ApiKeyTable) -> BearerKey {
        match table {
            ApiKeyTable::Key(key) => BearerKey::new(key),
            ApiKeyTable::Table(ExpiringApiKey { key, expires }) => {
                BearerKey { key: key.clone(), expires: *expires }
            }
        }
    }
}

/// Without the secret.
impl std::fmt::Debug for AccessKeyTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        AccessKey::from(self).fmt(f)
    }
}

/// Without the secret.
impl std::fmt::Debug for ApiKeyTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        BearerKey::from(self).fmt(f)
    }
}

/// A value that is written as text.
fn from_text<'d, T, D>(input: D) -> Result<Option<T>, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'d>,
{
    let text = String::deserialize(input)?;
    text.parse().map(Some).map_err(D::Error::custom)
}

/// A time with its zone: `expires = 2026-11-22T20:00:00Z`.
fn time<'d, D: Deserializer<'d>>(input: D) -> Result<Option<SystemTime>, D::Error> {
    let written = Datetime::deserialize(input)?;
    let time = read_time(written).ok_or_else(|| {
        D::Error::custom(format!(
            "`{written}` is not a date, a time and a zone such as 2026-11-22T20:00:00Z"
        ))
    })?;
    Ok(Some(time))
}

fn read_time(written: Datetime) -> Option<SystemTime> {
    let Datetime { date: Some(date), time: Some(time), offset: Some(offset) } = written else {
        return None;
    };
    let local = humantime::parse_rfc3339(&format!("{date}T{time}Z")).ok()?;
    let minutes = match offset {
        Offset::Z => 0,
        Offset::Custom { minutes } => minutes,
    };
    let shift = Duration::from_mins(minutes.unsigned_abs().into());
    if minutes < 0 { local.checked_add(shift) } else { local.checked_sub(shift) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_their_zone() {
        let utc = read_time("2026-11-22T20:00:00Z".parse().unwrap());
        assert!(utc.is_some());
        for same in ["2026-11-22T21:30:00+01:30", "2026-11-22 15:00:00.000-05:00"] {
            assert_eq!(read_time(same.parse().unwrap()), utc, "{same}");
        }
        for none in ["2026-11-22", "20:00:00", "2026-11-22T20:00:00"] {
            assert_eq!(read_time(none.parse().unwrap()), None, "{none}");
        }
    }
}
