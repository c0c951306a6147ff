//! What a server is started with.

use std::net::{Ipv4Addr, SocketAddr};

use spanproof_schemas::speed::Speed;

/// How the mock behaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The seed of everything that is drawn. Default 0.
    pub seed: u64,
    /// How fast simulated time runs: latencies and the lifetime of cached prompts shrink with it.
    /// Default [`Speed::DAY_IN_A_MINUTE`].
    pub speed: Speed,
    /// Where to listen; port 0 takes a free one. Default a free port of 127.0.0.1.
    pub listen: SocketAddr,
    /// Whether the ledger keeps prompts and completions themselves. Default false.
    pub keep_content: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            seed: 0,
            speed: Speed::DAY_IN_A_MINUTE,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            keep_content: false,
        }
    }
}

/// A configuration that no server can have.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// The speed is not a positive, finite factor.
    #[error("the speed {0} is not a positive number: use `Speed::Times` with one, or `Speed::Max`")]
    Speed(f64),
}

impl Config {
    /// Checks what the types do not.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Speed`] for a factor that is not above zero, or not finite.
    pub fn validate(&self) -> Result<(), ConfigError> {
        match self.speed {
            Speed::Times(times) if !(times.is_finite() && times > 0.0) => {
                Err(ConfigError::Speed(times))
            }
            Speed::Times(_) | Speed::Max => Ok(()),
        }
    }
}
