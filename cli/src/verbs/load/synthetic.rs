//! `--client synthetic`: the traces of a plan without clients, sent to a receiver, written to files,
//! or judged here.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use conformance::capture::{Format, Request, Signal, Writer};
use conformance::receiver;
use conformance_core::Choice;
use loadgen::otlp::{
    Compression, Encoded, Exporter, Header, Limits, OtlpConfig, OtlpProtocol, Tls,
};
use loadgen::synthetic::{Dialogue, MessageForm, Sending, Timestamps, Traces};
use loadgen::{LoadConfig, LoadOutcome, Plan};
use spanproof_schemas::content_policy::ContentPolicy;
use spanproof_schemas::semconv::Version;
use spanproof_schemas::time::unix_nanos;

use super::live::Live;
use super::shown;
use crate::exit::{Failure, OrFail as _, Outcome};
use crate::judging::check_writable;
use crate::output;
use crate::progress::ProgressArgs;
use crate::servers::{EvidenceArgs, ReceiverAlone};

const HEADING: &str = "Synthetic spans";

/// The client that is none.
pub(super) const NAME: &str = "synthetic";

/// What synthetic spans say, and where they go.
#[derive(Debug, clap::Args)]
pub(super) struct SyntheticArgs {
    /// Put messages onto spans as JSON text or as lists and maps
    #[arg(long, value_name = "json|structured", default_value = "json", help_heading = HEADING)]
    messages: Form,
    /// Stamp spans by the plan, from midnight of 2026-01-05 (a Monday) or of another time, or by the
    /// clock: virtual, virtual@2026-11-27T00:00:00Z, now
    #[arg(long, value_name = "FORM", default_value = "virtual", help_heading = HEADING)]
    timestamps: Stamps,
    /// Send to this OTLP receiver, such as `http://collector:4317`, instead of judging here. What other
    /// clients emit is judged here and passed on to it by gRPC, and its answers are theirs
    #[arg(long, value_name = "URL", conflicts_with = "out", help_heading = HEADING)]
    pub(super) otlp: Option<String>,
    /// How to speak to it
    #[arg(long, value_name = "grpc|http", default_value = "grpc", help_heading = HEADING)]
    otlp_protocol: Protocol,
    /// How many connections to send by
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u16).range(1..), help_heading = HEADING)]
    connections: u16,
    /// Compress requests: none, gzip or zstd
    #[arg(long, value_name = "CODEC", default_value_t = Compression::None, help_heading = HEADING)]
    compression: Compression,
    /// Add this header to every request; repeatable
    #[arg(long, value_name = "NAME=VALUE", help_heading = HEADING)]
    otlp_header: Vec<Header>,
    /// The tenant to send for, in the header X-Scope-OrgID
    #[arg(long, value_name = "TENANT", help_heading = HEADING)]
    otlp_tenant: Option<String>,
    /// Trust a receiver whose certificate one of this PEM file signed [default: as the system does]
    #[arg(long, value_name = "FILE", help_heading = HEADING)]
    otlp_ca: Option<PathBuf>,
    /// Show the receiver this certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "otlp_key", help_heading = HEADING)]
    otlp_cert: Option<PathBuf>,
    /// The key of --otlp-cert, in PEM
    #[arg(long, value_name = "FILE", requires = "otlp_cert", help_heading = HEADING)]
    otlp_key: Option<PathBuf>,
    /// Write to this file, or to one in this folder: OTLP JSON lines if it ends in .jsonl, else OTLP
    /// protobuf with lengths before it (u32, little endian); compressed if it ends in .gz or .zst
    #[arg(long, value_name = "FILE|DIR", help_heading = HEADING)]
    out: Option<PathBuf>,
    /// The most spans of a request
    #[arg(long, value_name = "N", default_value_t = 512,
          value_parser = clap::value_parser!(u64).range(1..), help_heading = HEADING)]
    batch_spans: u64,
    /// The most bytes of a request, uncompressed; gRPC servers take 4194304 unless told otherwise
    #[arg(long, value_name = "BYTES", default_value_t = 4 << 20, help_heading = HEADING)]
    batch_bytes: usize,
}

#[derive(Clone, Copy, Debug)]
struct Form(MessageForm);

impl FromStr for Form {
    type Err = anyhow::Error;

    fn from_str(given: &str) -> anyhow::Result<Form> {
        match given {
            "json" => Ok(Form(MessageForm::Json)),
            "structured" => Ok(Form(MessageForm::Structured)),
            _ => bail!("`{given}` is not known: write `json` or `structured`"),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Protocol(OtlpProtocol);

impl FromStr for Protocol {
    type Err = anyhow::Error;

    fn from_str(given: &str) -> anyhow::Result<Protocol> {
        match given {
            "grpc" => Ok(Protocol(OtlpProtocol::Grpc)),
            "http" => Ok(Protocol(OtlpProtocol::HttpProtobuf)),
            _ => bail!("`{given}` is not known: write `grpc` or `http`"),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Stamps(Timestamps);

impl FromStr for Stamps {
    type Err = anyhow::Error;

    fn from_str(given: &str) -> anyhow::Result<Stamps> {
        match given {
            "now" => return Ok(Stamps(Timestamps::Now)),
            "virtual" => return Ok(Stamps(Timestamps::MONDAY)),
            _ => {}
        }
        let time = given.strip_prefix("virtual@").and_then(|at| humantime::parse_rfc3339(at).ok());
        let time = time.ok_or_else(|| {
            anyhow!("`{given}` is not known: write now, virtual or virtual@2026-11-27T00:00:00Z")
        })?;
        Ok(Stamps(Timestamps::Virtual(unix_nanos(time))))
    }
}

impl SyntheticArgs {
    /// Whether the traces go to a receiver that is not ours.
    pub(super) fn is_sent_elsewhere(&self) -> bool {
        self.otlp.is_some() || self.out.is_some()
    }

    /// Where the traces are to be written, if not sent.
    pub(super) fn out(&self) -> Option<&Path> {
        self.out.as_deref()
    }

    /// The traces of `plan`, as they are to speak.
    pub(super) fn traces(&self, plan: Plan, semconv: Choice, content: ContentPolicy) -> Traces {
        let semconv = match semconv {
            Choice::Auto => Version::LATEST,
            Choice::Required(version) => version,
        };
        Traces::new(plan, Dialogue { semconv, content, messages: self.messages.0 })
    }

    fn limits(&self) -> Limits {
        Limits { bytes: self.batch_bytes, spans: self.batch_spans }
    }

    /// Makes `traces` as `config` says and sends them: to the receiver that was named, or else to one
    /// of our own, which is given back with what it captured.
    pub(super) async fn drive(
        &self,
        config: LoadConfig,
        traces: Arc<Traces>,
        keep: &EvidenceArgs,
        view: (ProgressArgs, Live),
    ) -> Result<(LoadOutcome, Option<ReceiverAlone>), Failure> {
        let receiver = match self.otlp {
            Some(_) => None,
            None => Some(ReceiverAlone::start(receiver::Config::default(), keep).await?),
        };
        let otlp = match &receiver {
            Some(receiver) => OtlpConfig::new(receiver.grpc_endpoint()),
            None => self.otlp_config()?,
        };
        let exporter = Exporter::start(&otlp).or_usage()?;
        let sending = Sending { timestamps: self.timestamps.0, limits: self.limits() };
        let spans = || receiver.as_ref().map(|receiver| receiver.counts().spans);
        let outcome = shown(config, view, spans, async |config, tell| {
            loadgen::synthetic::run(config, sending, traces, exporter, tell).await
        })
        .await;
        Ok((outcome, receiver))
    }

    /// Writes the traces to `path`, as fast as can be.
    pub(super) fn write(&self, traces: &Traces, path: &Path) -> Result<Outcome, Failure> {
        let Timestamps::Virtual(midnight) = self.timestamps.0 else {
            return Err(anyhow!(
                "--timestamps now is for spans that are sent; leave it out with --out"
            ))
            .or_usage();
        };
        let path = if path.is_dir() { path.join("traces.otlp") } else { path.to_owned() };
        check_writable(&path)?;
        let writing = || -> anyhow::Result<(u64, u64)> {
            let mut out = Out::create(&path)?;
            let (mut spans, mut bytes) = (0, 0);
            for request in traces.requests(self.limits(), midnight) {
                spans += request.spans;
                bytes += request.body.len() as u64;
                out.write(request)?;
            }
            out.finish()?;
            Ok((spans, bytes))
        };
        let (spans, bytes) = writing()
            .with_context(|| format!("cannot write {}", path.display()))
            .or_could_not_judge()?;
        let traces = traces.plan().calls();
        output::complain(&format!(
            "{traces} traces, {spans} spans, {bytes} bytes of OTLP in {}",
            path.display()
        ));
        Ok(Outcome::Conforms)
    }

    fn otlp_config(&self) -> Result<OtlpConfig, Failure> {
        let mut headers = self.otlp_header.clone();
        if let Some(tenant) = &self.otlp_tenant {
            headers.push(Header::tenant(tenant).or_usage()?);
        }
        Ok(OtlpConfig {
            protocol: self.otlp_protocol.0,
            connections: self.connections.into(),
            compression: self.compression,
            headers,
            tls: Tls {
                ca: self.otlp_ca.clone(),
                identity: self.otlp_cert.clone().zip(self.otlp_key.clone()),
            },
            ..OtlpConfig::new(self.otlp.clone().unwrap_or_default())
        })
    }
}

/// A file of requests.
enum Out {
    Lines(Writer),
    Prefixed(Box<dyn Write>),
}

impl Out {
    /// By the extensions of `path`.
    fn create(path: &Path) -> anyhow::Result<Out> {
        let file = BufWriter::with_capacity(1 << 18, File::create(path)?);
        let extension = path.extension().and_then(|extension| extension.to_str());
        let (out, inner): (Box<dyn Write + Send>, PathBuf) = match extension {
            Some("gz") => {
                let level = flate2::Compression::fast();
                (Box::new(flate2::write::GzEncoder::new(file, level)), path.with_extension(""))
            }
            Some("zst") => {
                (Box::new(zstd::Encoder::new(file, 1)?.auto_finish()), path.with_extension(""))
            }
            _ => (Box::new(file), path.to_owned()),
        };
        Ok(match Format::of_path(&inner) {
            Format::JsonLines => Out::Lines(Writer::new(out, Format::JsonLines)?),
            Format::Otlp => Out::Prefixed(out),
        })
    }

    fn write(&mut self, Encoded { body, .. }: Encoded) -> anyhow::Result<()> {
        match self {
            Out::Lines(writer) => {
                writer.write(&Request { signal: Signal::Traces, protobuf: body.into() })?;
            }
            Out::Prefixed(out) => {
                out.write_all(&u32::try_from(body.len())?.to_le_bytes())?;
                out.write_all(&body)?;
            }
        }
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        match self {
            Out::Lines(mut writer) => writer.flush()?,
            Out::Prefixed(mut out) => out.flush()?,
        }
        Ok(())
    }
}
