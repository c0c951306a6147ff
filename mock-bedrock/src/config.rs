//! What a server is started with.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use spanproof_schemas::speed::Speed;

use crate::auth::Auth;
use crate::fault::{FaultPlan, FaultPlanError};
use crate::guardrail::{Guardrail, GuardrailError};
use crate::pacing::{PaceError, PaceOverride, Pacing};
use crate::quirk::Quirk;
use crate::scripted::{RuleError, ScriptedAnswers};
use crate::throttle::{Quota, QuotaError};
#[cfg(feature = "tls")]
use crate::tls::Tls;

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
    /// Whether the ledger keeps how each request was sent: its target, its headers, the members of
    /// its body. Default false.
    pub keep_requests: bool,
    /// How long the last frame of each stream is held back, at any speed, so that the ledger tells a
    /// client that leaves a stream from one that reads all of it: what is handed to a connection may
    /// lie in buffers, whether it is read or not. Default zero.
    pub last_frame_delay: Duration,
    /// The guardrails that requests may name. Default none: then every well-formed id names one
    /// that masks e-mail addresses and phone numbers, and blocks profanity, AWS access keys, card
    /// and US social security numbers.
    pub guardrails: Vec<Guardrail>,
    /// Oddities of the service that answers show. Default none.
    pub quirks: BTreeSet<Quirk>,
    /// Which requests are struck by which faults, beside those that ask for one. Default none.
    pub faults: FaultPlan,
    /// How much of each model may be used per minute and day. Default none: without limit.
    pub quotas: Vec<Quota>,
    /// Answers that take the place of generated ones. Default none.
    pub scripted: ScriptedAnswers,
    /// What a request must show of who sends it. Default [`Auth::Off`].
    pub auth: Auth,
    /// How many records of the ledger, the newest, `GET /_spanproof/ledger` can show. Each request
    /// is copied for it. Default 0: none, at no cost.
    pub kept_records: usize,
    /// Serve encrypted, with this certificate. Default none: plain text.
    #[cfg(feature = "tls")]
    pub tls: Option<Tls>,
    /// Where models answer at another pace than the catalogue's, by base id; `*` is every model.
    pub timing: BTreeMap<String, PaceOverride>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            seed: 0,
            speed: Speed::DAY_IN_A_MINUTE,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            keep_content: false,
            keep_requests: false,
            last_frame_delay: Duration::ZERO,
            guardrails: Vec::new(),
            quirks: BTreeSet::new(),
            faults: FaultPlan::default(),
            quotas: Vec::new(),
            scripted: ScriptedAnswers::default(),
            auth: Auth::Off,
            kept_records: 0,
            #[cfg(feature = "tls")]
            tls: None,
            timing: BTreeMap::new(),
        }
    }
}

/// A configuration that no server can have.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// The speed is not a positive, finite factor.
    #[error("the speed {0} is not a positive number: use `Speed::Times` with one, or `Speed::Max`")]
    Speed(f64),
    /// A guardrail is not one.
    #[error(transparent)]
    Guardrail(#[from] GuardrailError),
    /// A rule of the fault plan cannot be followed.
    #[error("fault plan: {0}")]
    Faults(#[from] FaultPlanError),
    /// A scripted answer that cannot be given.
    #[error(transparent)]
    Script(#[from] RuleError),
    /// A quota that nobody could keep.
    #[error(transparent)]
    Quota(#[from] QuotaError),
    /// A model is to answer at a pace that no model has.
    #[error(transparent)]
    Pace(#[from] PaceError),
}

impl Config {
    /// Checks what the types do not.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Speed`] for a factor that is not above zero, or not finite,
    /// [`ConfigError::Guardrail`] for a guardrail that no request could name or apply, and
    /// [`ConfigError::Faults`] for a rule that names no fault or is out of its range,
    /// [`ConfigError::Script`] for a scripted answer that says nothing, or two things,
    /// [`ConfigError::Quota`] for a limit of zero, and
    /// [`ConfigError::Pace`] for an override of the timing that is impossible or names no model.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.guardrails.iter().try_for_each(Guardrail::validate)?;
        match self.speed {
            Speed::Times(times) if !(times.is_finite() && times > 0.0) => {
                return Err(ConfigError::Speed(times));
            }
            Speed::Times(_) | Speed::Max => {}
        }
        self.faults.validate()?;
        self.scripted.validate()?;
        self.quotas.iter().try_for_each(Quota::validate)?;
        Pacing::new(&self.timing)?;
        Ok(())
    }
}
