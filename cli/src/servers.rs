//! The mock Bedrock and the OTLP receiver of one run, and where their files are.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use conformance::capture::Writer;
use conformance::receiver::{Counts, Receiver};
use mock_bedrock::{JsonLines, Server};
use tempfile::TempDir;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::exit::{Failure, OrFail as _};
use crate::judging::check_writable;

/// Where the evidence of a run is kept.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct EvidenceArgs {
    /// Keep the ledger, what was served, in this file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    ledger: Option<PathBuf>,
    /// Keep the captured telemetry in this file: OTLP JSON lines when it ends in .jsonl, OTLP protobuf
    /// with lengths before it otherwise
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    capture: Option<PathBuf>,
}

impl EvidenceArgs {
    /// Whether a place for the ledger was named.
    pub(crate) fn has_ledger(&self) -> bool {
        self.ledger.is_some()
    }

    /// Whether a place for the capture was named.
    pub(crate) fn has_capture(&self) -> bool {
        self.capture.is_some()
    }

    /// The files of a run, in a temporary folder where no place was named.
    fn files(&self) -> Result<Files, Failure> {
        for path in [&self.ledger, &self.capture].into_iter().flatten() {
            check_writable(path)?;
        }
        let temporary =
            tempfile::tempdir().context("cannot make a temporary folder").or_could_not_judge()?;
        let place = |named: &Option<PathBuf>, name: &str| {
            named.clone().unwrap_or_else(|| temporary.path().join(name))
        };
        Ok(Files {
            ledger: place(&self.ledger, "ledger.jsonl"),
            capture: place(&self.capture, "capture.otlp"),
            _temporary: temporary,
        })
    }
}

/// Both servers, on loopback ports of the system's choice.
pub(crate) struct Servers {
    pub(crate) mock: Server,
    pub(crate) receiver: Receiver,
    files: Files,
    _threads: Threads,
}

/// Threads of the servers' own, which stand back, so that a call that is due does not queue behind what
/// they do: half the lag of calls on two busy cores.
struct Threads(Option<Runtime>);

impl Threads {
    fn start() -> io::Result<Threads> {
        let mut threads = Builder::new_multi_thread();
        Ok(Threads(Some(threads.on_thread_start(loadgen::stand_back).enable_all().build()?)))
    }

    async fn receiver(
        &self,
        config: conformance::receiver::Config,
        capture: &Path,
    ) -> Result<Receiver, Failure> {
        let capture = Writer::create(capture).or_could_not_judge()?;
        let started = self.handle().spawn(Receiver::start(config, capture)).await;
        started.or_could_not_judge()?.or_could_not_judge()
    }

    fn handle(&self) -> Handle {
        self.0.as_ref().map_or_else(Handle::current, |runtime| runtime.handle().clone())
    }
}

impl Drop for Threads {
    /// Without waiting, which a runtime's own drop does and async code must not.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// What a run leaves behind: the files, in a temporary folder unless the user named a place.
pub(crate) struct Files {
    pub(crate) ledger: PathBuf,
    pub(crate) capture: PathBuf,
    _temporary: TempDir,
}

impl Servers {
    pub(crate) async fn start(
        config: mock_bedrock::Config,
        receiving: conformance::receiver::Config,
        keep: &EvidenceArgs,
    ) -> Result<Servers, Failure> {
        let files = keep.files()?;
        let threads = Threads::start().or_could_not_judge()?;
        let mock = {
            let handle = threads.handle();
            let _servers = handle.enter();
            start_mock(config, &files.ledger)?
        };
        let receiver = threads.receiver(receiving, &files.capture).await?;
        Ok(Servers { mock, receiver, files, _threads: threads })
    }

    /// Where exporters send OTLP over gRPC.
    pub(crate) fn grpc_endpoint(&self) -> String {
        endpoint(self.receiver.grpc_address())
    }

    /// Where exporters send OTLP over HTTP.
    pub(crate) fn http_endpoint(&self) -> String {
        endpoint(self.receiver.http_address())
    }

    /// Ends both, with everything written.
    pub(crate) async fn stop(self) -> Result<(Files, Counts), Failure> {
        let captured = end(self.receiver, &self.files.capture).await;
        let served = self.mock.shutdown().await.map_err(anyhow::Error::from);
        // Where a disk is full, both are told.
        match (captured, served) {
            (Ok(counts), Ok(())) => Ok((self.files, counts)),
            (Err(one), Err(other)) => Err(anyhow!("{one:#}\n{other:#}")),
            (Err(error), Ok(())) | (Ok(_), Err(error)) => Err(error),
        }
        .or_could_not_judge()
    }
}

/// The OTLP receiver of a run that serves nothing, on loopback ports of the system's choice.
pub(crate) struct ReceiverAlone {
    receiver: Receiver,
    files: Files,
    _threads: Threads,
}

impl ReceiverAlone {
    pub(crate) async fn start(
        receiving: conformance::receiver::Config,
        keep: &EvidenceArgs,
    ) -> Result<ReceiverAlone, Failure> {
        let files = keep.files()?;
        let threads = Threads::start().or_could_not_judge()?;
        let receiver = threads.receiver(receiving, &files.capture).await?;
        Ok(ReceiverAlone { receiver, files, _threads: threads })
    }

    /// Where exporters send OTLP over gRPC.
    pub(crate) fn grpc_endpoint(&self) -> String {
        endpoint(self.receiver.grpc_address())
    }

    /// Where exporters send OTLP over HTTP.
    pub(crate) fn http_endpoint(&self) -> String {
        endpoint(self.receiver.http_address())
    }

    /// What it has received so far.
    pub(crate) fn counts(&self) -> Counts {
        self.receiver.counts()
    }

    /// Ends it, with everything written.
    pub(crate) async fn stop(self) -> Result<(Files, Counts), Failure> {
        let counts = end(self.receiver, &self.files.capture).await.or_could_not_judge()?;
        Ok((self.files, counts))
    }
}

/// Ends `receiver`, which writes to `capture`.
pub(crate) async fn end(receiver: Receiver, capture: &Path) -> anyhow::Result<Counts> {
    let ended = receiver.shutdown().await;
    ended.map_err(|error| anyhow!("{}: {error}", capture.display()))
}

/// Starts a mock that keeps its ledger at `ledger`.
pub(crate) fn start_mock(config: mock_bedrock::Config, ledger: &Path) -> Result<Server, Failure> {
    let ledger = JsonLines::create(ledger).or_could_not_judge()?;
    Server::start(config, ledger).or_could_not_judge()
}

fn endpoint(address: Option<SocketAddr>) -> String {
    address.map(|address| format!("http://{address}")).unwrap_or_default()
}
