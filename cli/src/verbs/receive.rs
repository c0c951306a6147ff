//! `spanproof receive`

use std::net::SocketAddr;
use std::path::PathBuf;

use conformance::capture::Writer;
use conformance::receiver::{Config, Receiver};

use crate::exit::{Failure, OrFail as _, Outcome};
use crate::interrupt::Until;
use crate::judging::check_writable;
use crate::output;
use crate::servers::end;

/// What `--help` ends with.
const EXAMPLES: &str = "Examples:
  spanproof receive --out telemetry.jsonl
  spanproof receive --out telemetry.otlp --listen-http 0.0.0.0:4318";

/// Arguments of `receive`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Listen here for OTLP over gRPC; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4317")]
    listen_grpc: SocketAddr,
    /// Listen here for OTLP over HTTP; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4318")]
    listen_http: SocketAddr,
    /// Write the capture to this file: OTLP JSON lines when it ends in .jsonl, OTLP protobuf with
    /// lengths before it otherwise
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    until: Until,
}

pub(crate) async fn run(args: Args) -> Result<Outcome, Failure> {
    check_writable(&args.out)?;
    let capture = Writer::create(&args.out).or_could_not_judge()?;
    let config =
        Config { grpc: Some(args.listen_grpc), http: Some(args.listen_http), ..Config::default() };
    let receiver = Receiver::start(config, capture).await.or_could_not_judge()?;
    for (protocol, address) in
        [("grpc", receiver.grpc_address()), ("http", receiver.http_address())]
    {
        if let Some(address) = address {
            output::show(format!("{protocol} http://{address}\n"))?;
        }
    }
    output::complain("receiving; Ctrl-C ends it and closes the capture");
    args.until.over().await.or_could_not_judge()?;
    let counts = end(receiver, &args.out).await.or_could_not_judge()?;
    output::complain(&format!(
        "captured {} spans, {} metric points and {} log records in {}",
        counts.spans,
        counts.metric_points,
        counts.log_records,
        args.out.display(),
    ));
    let nothing = counts.spans == 0 && counts.metric_points == 0 && counts.log_records == 0;
    Ok(if nothing { Outcome::NothingCaptured } else { Outcome::Conforms })
}
