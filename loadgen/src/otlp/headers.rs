//! Headers that a user adds to every request.

use std::str::FromStr;

use http::{HeaderName, HeaderValue};

/// A header as `name=value` or `name: value`. Its value may be a secret, and is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    pub(super) name: HeaderName,
    pub(super) value: HeaderValue,
}

impl Header {
    /// The header that names a tenant to Tempo, Mimir and Loki.
    ///
    /// # Errors
    ///
    /// When a header cannot hold `tenant`.
    pub fn tenant(tenant: &str) -> Result<Header, ParseHeaderError> {
        format!("x-scope-orgid={tenant}").parse()
    }
}

impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}=…", self.name)
    }
}

/// A text that is no header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a header: {0}; write name=value, with letters, digits and `-` in the name")]
pub struct ParseHeaderError(&'static str);

impl FromStr for Header {
    type Err = ParseHeaderError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let at = given.find(['=', ':']).ok_or(ParseHeaderError("there is no `=` in it"))?;
        let (name, value) = (given[..at].trim(), given[at + 1..].trim());
        let name: HeaderName =
            name.parse().map_err(|_| ParseHeaderError("its name is none of a header"))?;
        if ["content-type", "content-encoding", "content-length", "te"].contains(&name.as_str()) {
            return Err(ParseHeaderError("the exporter sets this one itself"));
        }
        let mut value: HeaderValue =
            value.parse().map_err(|_| ParseHeaderError("its value is none of a header"))?;
        value.set_sensitive(true);
        Ok(Header { name, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_read_in_both_forms_and_are_never_shown() {
        for text in ["Authorization=Basic c2VjcmV0", "authorization: Basic c2VjcmV0"] {
            let header: Header = text.parse().unwrap();
            assert_eq!(
                (header.name.as_str(), header.value.as_bytes()),
                ("authorization", &b"Basic c2VjcmV0"[..])
            );
            assert_eq!(format!("{header:?}"), "authorization=…");
        }
        assert_eq!(Header::tenant("acme").unwrap().name, "x-scope-orgid");
        for text in ["", "a", "a b=c", "=c", "a=b\0c", "content-type=text/plain"] {
            let error = text.parse::<Header>().unwrap_err().to_string();
            assert!(error.starts_with("not a header: "), "{error}");
        }
    }
}
