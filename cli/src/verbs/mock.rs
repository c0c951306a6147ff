//! `spanproof mock`

mod convert;
mod faults;

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, anyhow, bail};
use mock_bedrock::{AccessKey, Auth, BearerKey, Discard, Keys, SelfSigned, Server, Tls};
use spanproof_schemas::endpoint;
use spanproof_schemas::speed::Speed;

use crate::configuration::{self, AuthMode, Listen, MockTable};
use crate::exit::{Failure, OrFail as _, Outcome};
use crate::interrupt::Until;
use crate::judging::check_writable;
use crate::output;
use crate::servers::start_mock;
use crate::serving::ServingArgs;

/// How many records the admin endpoint can show if nobody says otherwise.
const KEEP_RECORDS: usize = 10_000;
/// Where the mock shows them.
const LEDGER_PATH: &str = "/_spanproof/ledger";

/// What `--help` ends with.
const EXAMPLES: &str = "Examples:
  spanproof mock --listen 46000 --speed max --ledger ledger.jsonl
  spanproof mock --quota tokens-per-minute=20000@amazon.nova-*
  spanproof mock --faults faults.yaml --keep-records 0
  spanproof mock --access-key AKIAEXAMPLE:secret --tls-self-signed ca.pem";

/// Arguments of `mock`. Each setting can stand in the `[mock]` table of `spanproof.toml` too, under
/// the same name; the command line wins.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Listen here, at an address with its port, or at a port of loopback; port 0 takes a free one
    /// [default: 127.0.0.1:0]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<Listen>,
    /// Keep the ledger, what was served, in this file, which begins anew; without it only the
    /// newest records are kept, in memory
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// How many records, the newest, `GET /_spanproof/ledger` can show; 0: none, which serves a
    /// little faster [default: 10000]
    #[arg(long, value_name = "N")]
    keep_records: Option<usize>,
    /// Read settings from the `[mock]` table of this file instead of `spanproof.toml` in the
    /// current folder
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    until: Until,
    /// Answer so many times as fast as the models do, or `max`: at once [default: 1x]
    #[arg(long, value_name = "FACTORx|max", help_heading = "Serving")]
    speed: Option<Speed>,
    #[command(flatten)]
    serving: ServingArgs,
    /// What is asked of callers [default: verify if there are keys, off otherwise]
    #[arg(long, value_name = "MODE", help_heading = "Callers")]
    auth: Option<AuthMode>,
    /// A key that may sign requests, for `--auth verify`; repeatable
    #[arg(long = "access-key", value_name = "ID:SECRET[:SESSION-TOKEN]", help_heading = "Callers")]
    access_keys: Vec<GivenKey>,
    /// A Bedrock API key that is good, for `--auth verify`; repeatable
    #[arg(long = "api-key", value_name = "KEY", help_heading = "Callers")]
    api_keys: Vec<String>,
    /// Serve encrypted with this certificate and those that vouch for it, in PEM
    #[arg(long, value_name = "FILE", help_heading = "Encryption")]
    tls_cert: Option<PathBuf>,
    /// The key of the certificate, in PEM
    #[arg(long, value_name = "FILE", help_heading = "Encryption")]
    tls_key: Option<PathBuf>,
    /// Serve encrypted with a certificate made on the spot, and write the certificate of its
    /// authority here, for clients to trust (`AWS_CA_BUNDLE`)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["tls_cert", "tls_key"], help_heading = "Encryption")]
    tls_self_signed: Option<PathBuf>,
}

/// What `mock` does beside serving.
#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make cassettes of calls to Bedrock into scripted answers, for `--answers`
    Convert(convert::Args),
    /// List the faults that requests and plans can ask for, and the operations that each can strike
    Faults,
}

/// A key as the command line writes it.
#[derive(Clone, Debug)]
struct GivenKey(AccessKey);

impl FromStr for GivenKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, ':');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(id), Some(secret), token) if !id.is_empty() && !secret.is_empty() => {
                let session_token = token.map(str::to_owned);
                Ok(GivenKey(AccessKey { session_token, ..AccessKey::new(id, secret) }))
            }
            _ => Err("write ID:SECRET, or ID:SECRET:SESSION-TOKEN for temporary credentials"),
        }
    }
}

pub(crate) async fn run(args: Args) -> Result<Outcome, Failure> {
    match &args.command {
        Some(Command::Convert(args)) => return convert::run(args),
        Some(Command::Faults) => return faults::run(),
        None => {}
    }
    let table = configuration::mock_table(args.config.as_deref()).or_usage()?;
    let ledger = args.ledger.as_ref().or(table.ledger.as_ref());
    let speed = args.speed.or(table.speed).unwrap_or(Speed::REAL);
    let mut config = args.serving.config(&table, speed).or_usage()?;
    config.listen = args.listen.or(table.listen).unwrap_or_default().0;
    config.kept_records = args.keep_records.or(table.keep_records).unwrap_or(KEEP_RECORDS);
    config.auth = args.auth(&table).or_usage()?;
    let encryption = args.encryption(&table, config.listen.ip()).or_usage()?;
    if let Some(ledger) = ledger {
        check_writable(ledger)?;
    }
    if let Some(Encryption { authority: Some((path, pem)), .. }) = &encryption {
        fs::write(path, pem)
            .with_context(|| format!("cannot write {}", path.display()))
            .or_could_not_judge()?;
    }
    config.tls = encryption.as_ref().map(|encryption| encryption.tls.clone());

    let records = match (ledger, config.kept_records) {
        (Some(path), _) => format!("the ledger is {}", path.display()),
        (None, 0) => "no ledger is kept".to_owned(),
        (None, kept) => format!("the newest {kept} records of its ledger are at {LEDGER_PATH}"),
    };
    let server = match ledger {
        Some(path) => start_mock(config, path)?,
        None => Server::start(config, Discard).or_could_not_judge()?,
    };
    let endpoint = server.endpoint();
    output::show(format!("{endpoint}\n"))?;
    let authority = encryption.and_then(|encryption| encryption.authority);
    output::complain(&welcome(&endpoint, authority.as_ref().map(|(path, _)| &**path), &records));
    args.until.over().await.or_could_not_judge()?;
    server.shutdown().await.or_could_not_judge()?;
    Ok(Outcome::Conforms)
}

/// What people are told once the mock listens. Programs read the endpoint on standard output.
fn welcome(endpoint: &str, authority: Option<&Path>, records: &str) -> String {
    let mut lines = vec![format!("mock Bedrock listens at {endpoint}; SDKs find it by")];
    lines.extend(endpoint::VARIABLES.map(|name| format!("  {name}={endpoint}")));
    if let Some(path) = authority {
        let path = path.display();
        lines.push(format!("  AWS_CA_BUNDLE={path} (JavaScript: NODE_EXTRA_CA_CERTS={path})"));
    }
    lines.push(format!("{records}; Ctrl-C ends it"));
    lines.join("\n")
}

/// How to serve encrypted.
struct Encryption {
    tls: Tls,
    /// What clients are to trust, and where to write it.
    authority: Option<(PathBuf, String)>,
}

impl Args {
    /// What is asked of callers. Keys on the command line stand in for those of the file.
    fn auth(&self, table: &MockTable) -> anyhow::Result<Auth> {
        let mut keys = Keys {
            access: self.access_keys.iter().map(|key| key.0.clone()).collect(),
            bearer: self.api_keys.iter().map(BearerKey::new).collect(),
        };
        if keys == Keys::default() {
            keys.access = table.access_keys.iter().map(AccessKey::from).collect();
            keys.bearer = table.api_keys.iter().map(BearerKey::from).collect();
        }
        let has_keys = keys != Keys::default();
        match self.auth.or(table.auth) {
            Some(AuthMode::Off) => Ok(Auth::Off),
            Some(AuthMode::Format) => Ok(Auth::Format),
            Some(AuthMode::Verify) if !has_keys => bail!(
                "`--auth verify` lets nobody in without keys: give --access-key ID:SECRET or \
                 --api-key KEY, or [[mock.access-keys]] in spanproof.toml"
            ),
            None if !has_keys => Ok(Auth::Off),
            Some(AuthMode::Verify) | None => Ok(Auth::Verify(keys)),
        }
    }

    fn encryption(&self, table: &MockTable, listen: IpAddr) -> anyhow::Result<Option<Encryption>> {
        let is_given = [&self.tls_cert, &self.tls_key, &self.tls_self_signed];
        let (cert, key, self_signed) = if is_given.iter().any(|given| given.is_some()) {
            (&self.tls_cert, &self.tls_key, &self.tls_self_signed)
        } else {
            (&table.tls_cert, &table.tls_key, &table.tls_self_signed)
        };
        match (cert, key, self_signed) {
            (None, None, None) => Ok(None),
            (Some(cert), Some(key), None) => {
                let tls = Tls::from_pem(&read(cert)?, &read(key)?).map_err(|error| {
                    anyhow!("cannot serve with {} and {}: {error}", cert.display(), key.display())
                })?;
                Ok(Some(Encryption { tls, authority: None }))
            }
            (None, None, Some(path)) => {
                let SelfSigned { tls, authority_pem } = Tls::self_signed(listen)?;
                let authority = Some((path.clone(), authority_pem));
                Ok(Some(Encryption { tls, authority }))
            }
            (_, _, Some(_)) => {
                bail!("tls-self-signed makes a certificate: leave out tls-cert and tls-key")
            }
            _ => bail!("a certificate needs its key: give both tls-cert and tls-key"),
        }
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
