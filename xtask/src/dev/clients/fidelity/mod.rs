//! The twenty fidelity tests, by real clients: each client's program runs against a mock and prints
//! a line per check, and what it parsed must be what the ledger says was served.

mod evidence;
mod program;
mod table;

use std::path::Path;
use std::{env, fs, io};

use anyhow::{Context as _, Result, bail, ensure};
use spanproof_schemas::speed::Speed;

use self::evidence::{Line, Served};
use self::program::Prepared;
use self::table::Table;
use super::super::say;

/// How fast the mock is that some checks ask for: slow enough for a stream to be open for tens of
/// milliseconds.
const PACED: f64 = 20.0;

/// An API key of the form that the service takes.
const BEARER_KEY: &str = "bedrock-api-key-spanproof";

/// Runs the checks of `client`, a name of `clients/fidelity.toml`.
///
/// When what the client needs is not on this machine, says so and passes; under `CI=true` that is a
/// failure.
pub(crate) fn check(root: &Path, client: &str) -> Result<()> {
    let table = Table::read(root)?;
    let program = match program::prepare(root, client)? {
        Prepared::Ready(program) => program,
        Prepared::Missing(what) if env::var("CI").is_ok_and(|ci| ci == "true") => {
            bail!("{client} cannot run: {what}")
        }
        Prepared::Missing(what) => {
            say(&mut io::stdout(), &[format!("{client} is skipped: {what}")]);
            return Ok(());
        }
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
    format!("{client}: {} checks passed, {calls} answers parsed as the ledger has them", lines.len())
}

/// Runs `program` against a fresh mock, and a slower one beside it. Gives what it printed, and the
/// ledgers of both.
fn run(mut program: std::process::Command, folder: &Path) -> Result<(String, Served)> {
    let ledgers = [folder.join("ledger.jsonl"), folder.join("paced.jsonl")];
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let output = runtime.block_on(async {
        let at_once = start(Speed::Max, &ledgers[0])?;
        let paced = start(Speed::Times(PACED), &ledgers[1])?;
        program
            .env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", at_once.endpoint())
            .env("AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME", at_once.endpoint())
            .env("AWS_ENDPOINT_URL_BEDROCK", at_once.endpoint())
            .env("SPANPROOF_PACED_ENDPOINT", paced.endpoint())
            .env("SPANPROOF_BEARER_KEY", BEARER_KEY)
            .env("AWS_ACCESS_KEY_ID", "spanproof")
            .env("AWS_SECRET_ACCESS_KEY", "spanproof")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_MAX_ATTEMPTS", "3")
            .env("AWS_EC2_METADATA_DISABLED", "true");
        for foreign in ["AWS_BEARER_TOKEN_BEDROCK", "AWS_PROFILE", "AWS_RETRY_MODE"] {
            program.env_remove(foreign);
        }
        let output = tokio::task::spawn_blocking(move || program.output()).await?;
        at_once.shutdown().await?;
        paced.shutdown().await?;
        anyhow::Ok(output?)
    })?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "it ended with {}:\n{said}", output.status);
    let ledgers = ledgers.map(fs::read_to_string);
    let mut served = Served::default();
    for ledger in ledgers {
        served.add(&ledger?)?;
    }
    Ok((String::from_utf8(output.stdout)?, served))
}

fn start(speed: Speed, ledger: &Path) -> Result<mock_bedrock::Server> {
    let config = mock_bedrock::Config { speed, ..mock_bedrock::Config::default() };
    Ok(mock_bedrock::Server::start(config, mock_bedrock::JsonLines::create(ledger)?)?)
}
