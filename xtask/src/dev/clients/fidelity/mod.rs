//! The twenty fidelity tests, by real clients: each client's program runs against a mock and prints
//! a line per check, and what it parsed must be what the ledger says was served.

mod evidence;
mod program;
mod table;

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::{fs, io};

use anyhow::{Context as _, Result, bail, ensure};
use mock_bedrock::{AccessKey, Auth, BearerKey, Config, JsonLines, Keys, SelfSigned, Server, Tls};
use spanproof_schemas::speed::Speed;

use self::evidence::{Line, Served};
use self::program::Prepared;
use self::table::Table;
use super::super::say;

/// How fast the mock is that some checks ask for: slow enough for a stream to be open for hundreds of
/// milliseconds.
const PACED: f64 = 5.0;

/// The access key that the mocks know, and its secret.
const ACCESS_KEY: (&str, &str) = ("AKIASPANPROOF", "a secret for signatures");

/// The API key that the mocks know.
const BEARER_KEY: &str = "bedrock-api-key-c3BhbnByb29m";

/// What a person may have set that would change what clients do.
const FOREIGN: &[&str] = &[
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_CA_BUNDLE",
    "AWS_PROFILE",
    "AWS_RETRY_MODE",
    "AWS_SESSION_TOKEN",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "http_proxy",
    "https_proxy",
];

/// Runs the checks of `client`, a name of `clients/fidelity.toml`.
///
/// When what the client needs is not on this machine, says so and passes; under `CI=true` that is a
/// failure.
pub(crate) fn check(root: &Path, client: &str) -> Result<()> {
    let table = Table::read(root)?;
    let program = match program::prepare(root, client)? {
        Prepared::Ready(program) => program,
        Prepared::Missing(what) if super::skips_missing_tools() => {
            say(&mut io::stdout(), &[format!("{client} is skipped: {what}")]);
            return Ok(());
        }
        Prepared::Missing(what) => bail!("{client} cannot run: {what}"),
    };
    let folder = tempfile::tempdir()?;
    let (printed, served) = run(program, folder.path())
        .with_context(|| format!("cannot run the checks of {client}"))?;
    let lines = evidence::read(&printed)?;
    let mut problems = table.problems(client, &lines);
    problems.extend(lines.iter().flat_map(|line| line.problems(&served)));
    ensure!(problems.is_empty(), "{client}:\n  {}", problems.join("\n  "));
    say(&mut io::stdout(), &[summary(client, &lines)]);
    Ok(())
}

fn summary(client: &str, lines: &[Line]) -> String {
    let calls: usize = lines.iter().map(|line| line.calls.len()).sum();
    format!(
        "{client}: {} checks passed, {calls} answers parsed as the ledger has them",
        lines.len()
    )
}

/// Runs `program` against a fresh mock, a slower one and an encrypted one beside it. Gives what it
/// printed, and the ledgers of all.
fn run(mut program: Command, folder: &Path) -> Result<(String, Served)> {
    let ledgers = ["ledger.jsonl", "paced.jsonl", "encrypted.jsonl"].map(|name| folder.join(name));
    let authority = folder.join("authority.pem");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let output = runtime.block_on(async {
        let SelfSigned { tls, authority_pem } = Tls::self_signed(Ipv4Addr::LOCALHOST.into())?;
        fs::write(&authority, authority_pem)?;
        let at_once = start(Config { speed: Speed::Max, ..config() }, &ledgers[0])?;
        let paced = start(Config { speed: Speed::Times(PACED), ..config() }, &ledgers[1])?;
        let encrypted = Config { speed: Speed::Max, tls: Some(tls), ..config() };
        let encrypted = start(encrypted, &ledgers[2])?;
        program
            .env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", at_once.endpoint())
            .env("AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME", at_once.endpoint())
            .env("AWS_ENDPOINT_URL_BEDROCK", at_once.endpoint())
            .env("SPANPROOF_PACED_ENDPOINT", paced.endpoint())
            .env("SPANPROOF_TLS_ENDPOINT", encrypted.endpoint())
            .env("SPANPROOF_TLS_AUTHORITY", &authority)
            .env("SPANPROOF_BEARER_KEY", BEARER_KEY)
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY.0)
            .env("AWS_SECRET_ACCESS_KEY", ACCESS_KEY.1)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_MAX_ATTEMPTS", "3")
            .env("AWS_EC2_METADATA_DISABLED", "true");
        for foreign in FOREIGN {
            program.env_remove(foreign);
        }
        let output = tokio::task::spawn_blocking(move || program.output()).await?;
        for server in [at_once, paced, encrypted] {
            server.shutdown().await?;
        }
        anyhow::Ok(output?)
    })?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "it ended with {}:\n{said}", output.status);
    let mut served = Served::default();
    for ledger in ledgers {
        served.add(&fs::read_to_string(ledger)?)?;
    }
    Ok((String::from_utf8(output.stdout)?, served))
}

fn config() -> Config {
    let access = vec![AccessKey::new(ACCESS_KEY.0, ACCESS_KEY.1)];
    let auth = Auth::Verify(Keys { access, bearer: vec![BearerKey::new(BEARER_KEY)] });
    Config { auth, ..Config::default() }
}

fn start(config: Config, ledger: &Path) -> Result<Server> {
    Ok(Server::start(config, JsonLines::create(ledger)?)?)
}
