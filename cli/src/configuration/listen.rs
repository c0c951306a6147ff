//! Where to listen, as people write it.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// An address to listen at: `127.0.0.1:46000`, `[::1]:46000`, `localhost:46000`, or the port alone,
/// which is one of loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listen(pub(crate) SocketAddr);

impl Default for Listen {
    /// A free port of loopback.
    fn default() -> Self {
        Listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Names are not looked up: what they stand for differs from one machine to the next, and
        // this one does not.
        let port =
            text.strip_prefix("localhost:").or_else(|| text.strip_prefix(':')).unwrap_or(text);
        if let Ok(port) = port.parse::<u16>() {
            return Ok(Listen(SocketAddr::from((Ipv4Addr::LOCALHOST, port))));
        }
        text.parse().map(Listen).map_err(|_| {
            format!(
                "`{text}` is no address to listen at; write one with its port such as \
                 127.0.0.1:46000, or 46000 for that port of loopback"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_one_of_loopback() {
        let read = |text: &str| text.parse::<Listen>().map(|listen| listen.0.to_string());
        for text in ["46000", ":46000", "localhost:46000", "127.0.0.1:46000"] {
            assert_eq!(read(text).unwrap(), "127.0.0.1:46000", "{text}");
        }
        assert_eq!(read("[::1]:0").unwrap(), "[::1]:0");
        assert_eq!(read("0.0.0.0:80").unwrap(), "0.0.0.0:80");
        for text in ["", "here", "127.0.0.1", "localhost", "70000", "http://127.0.0.1:80"] {
            assert!(read(text).unwrap_err().contains("127.0.0.1:46000"), "{text}");
        }
    }
}
