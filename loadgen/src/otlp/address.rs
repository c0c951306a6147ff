//! Where a receiver is.

use super::start_error;
use crate::client::ClientError;

/// An endpoint, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) is_tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
    /// What stands before the path of a request over HTTP.
    pub(super) base: String,
}

impl Address {
    pub(super) fn of(endpoint: &str) -> Result<Address, ClientError> {
        let wrong = || {
            start_error(format!(
                "`{endpoint}` is no URL of a receiver: write such as http://127.0.0.1:4317"
            ))
        };
        let (is_tls, rest) = match endpoint.split_once("://") {
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            _ => return Err(wrong()),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let authority: ::http::uri::Authority = authority.parse().map_err(|_| wrong())?;
        let port = match authority.port_u16() {
            Some(port) => port,
            None if authority.as_str() == authority.host() => {
                if is_tls {
                    443
                } else {
                    80
                }
            }
            // A name and a password, or a port that is none.
            None => return Err(wrong()),
        };
        Ok(Address {
            is_tls,
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port,
            base: path.trim_end_matches('/').to_owned(),
        })
    }

    /// Host and port as a URL has them.
    pub(super) fn authority(&self) -> String {
        let Address { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    pub(super) fn scheme(&self) -> &'static str {
        if self.is_tls { "https" } else { "http" }
    }
}
