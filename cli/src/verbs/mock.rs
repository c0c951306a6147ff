//! `spanproof mock`

use std::net::SocketAddr;
use std::path::PathBuf;

use spanproof_schemas::speed::Speed;

use crate::exit::{Failure, OrFail as _, Outcome};
use crate::judging::check_writable;
use crate::servers::start_mock;
use crate::{interrupt, output};

/// Arguments of `mock`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Listen here; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Keep the ledger, what was served, in this file
    #[arg(long, value_name = "FILE", default_value = "ledger.jsonl")]
    ledger: PathBuf,
    /// Keep prompts and completions in the ledger too
    #[arg(long)]
    ledger_content: bool,
    /// Everything that varies follows from this number
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Answer so many times as fast as the models do, or `max`: at once
    #[arg(long, value_name = "FACTORx|max", default_value_t = Speed::REAL)]
    speed: Speed,
}

pub(crate) async fn run(args: Args) -> Result<Outcome, Failure> {
    check_writable(&args.ledger)?;
    let config = mock_bedrock::Config {
        listen: args.listen,
        seed: args.seed,
        speed: args.speed,
        keep_content: args.ledger_content,
        ..mock_bedrock::Config::default()
    };
    let server = start_mock(config, &args.ledger)?;
    output::show(format!("{}\n", server.endpoint()))?;
    output::complain(&format!(
        "mock Bedrock listens at {endpoint}; point an SDK at it with \
         AWS_ENDPOINT_URL_BEDROCK_RUNTIME={endpoint}; the ledger is {ledger}; Ctrl-C ends it",
        endpoint = server.endpoint(),
        ledger = args.ledger.display(),
    ));
    interrupt::requested().await.or_could_not_judge()?;
    server.shutdown().await.or_could_not_judge()?;
    Ok(Outcome::Conforms)
}
