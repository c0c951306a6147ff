//! The clients that `load` can drive: the reference in this process, and the programs of
//! `clients/`.

use std::sync::Arc;

use anyhow::bail;
use conformance_core::Choice;
use loadgen::external::{
    Environment, Limits, Manifest, ManifestError, Settings, Worker, clients_dir, home_dir,
};
use loadgen::rust_client::{RustClient, RustClientConfig};
use loadgen::{Capabilities, Clock};
use spanproof_schemas::content_policy::ContentPolicy;
use spanproof_schemas::semconv::Version;
use spanproof_schemas::speed::Speed;

use crate::exit::{Failure, OrFail as _};
use crate::output;

/// The name of the client in this process.
pub(crate) const REFERENCE: &str = "rust";

/// How many calls a program makes at once.
const WORKER_CONCURRENCY: u32 = 16;

/// The client that the user named.
pub(crate) enum Chosen {
    Rust,
    Worker(Box<Manifest>),
}

/// A client that can be started.
pub(crate) enum Prepared {
    Rust,
    Worker(Box<Manifest>, Environment),
}

/// A client that takes calls.
pub(crate) enum Started {
    Rust(RustClient),
    Worker(Worker),
}

/// A client as lists show it.
pub(crate) struct Offered {
    pub(crate) name: String,
    pub(crate) language: &'static str,
    pub(crate) summary: String,
    pub(crate) capabilities: Capabilities,
}

/// Every client that `--client` can name. Where the programs of `clients/` are not at hand, says so
/// and gives the others.
pub(crate) fn offered() -> Result<Vec<Offered>, Failure> {
    let mut offered = vec![Offered {
        name: REFERENCE.to_owned(),
        language: "Rust",
        summary:
            "the reference, in this process: the AWS SDK with an instrumentation of our own, in \
                  any version of the conventions"
                .to_owned(),
        capabilities: RustClient::capabilities(),
    }];
    let clients = match clients_dir() {
        Ok(clients) => clients,
        Err(error) => {
            output::complain(&error.to_string());
            return Ok(offered);
        }
    };
    for name in Manifest::names(&clients).or_usage()? {
        let Manifest { name, language, summary, capabilities, .. } =
            Manifest::load(&clients, &name).or_usage()?;
        offered.push(Offered { name, language: language.name(), summary, capabilities });
    }
    Ok(offered)
}

/// Where a client calls, and where it sends telemetry.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    pub(crate) bedrock: String,
    /// For OTLP over gRPC.
    pub(crate) otlp_grpc: String,
    /// For OTLP over HTTP.
    pub(crate) otlp_http: String,
}

/// What a client is told about its telemetry.
#[derive(Clone, Debug)]
pub(crate) struct Telling {
    /// The version to speak, for clients that speak more than one.
    pub(crate) semconv: Choice,
    /// What to capture of prompts and completions, which [`Chosen::check_content`] has seen.
    pub(crate) content: ContentPolicy,
    /// How fast simulated time runs, for waits between attempts.
    pub(crate) speed: Speed,
    /// What the times of calls are measured by, in clients of this process.
    pub(crate) clock: Clock,
}

impl Chosen {
    pub(crate) fn named(name: &str) -> Result<Chosen, Failure> {
        if name == REFERENCE {
            return Ok(Chosen::Rust);
        }
        let manifest = clients_dir().and_then(|clients| Manifest::load(&clients, name));
        match manifest {
            Ok(manifest) => Ok(Chosen::Worker(Box::new(manifest))),
            Err(ManifestError::Unknown { name, mut known }) => {
                known.insert(0, REFERENCE.to_owned());
                Err(ManifestError::Unknown { name, known }).or_usage()
            }
            Err(error) => Err(error).or_usage(),
        }
    }

    /// Refuses a policy for content that the client has no switch for; `source` says who asks for it.
    pub(crate) fn check_content(&self, policy: ContentPolicy, source: &str) -> anyhow::Result<()> {
        let (name, has_switch, held) = match self {
            Chosen::Rust => {
                let has_switch = matches!(policy, ContentPolicy::None | ContentPolicy::Full);
                (REFERENCE, has_switch, "none or full")
            }
            Chosen::Worker(manifest) => {
                let has_switch = manifest.content_variables(policy).is_some();
                let events = manifest.content_variables(ContentPolicy::Events);
                let held = if events.is_some() { "none, full or events" } else { "none or full" };
                (manifest.name.as_str(), has_switch, held)
            }
        };
        if has_switch {
            return Ok(());
        }
        bail!(
            "{source} asks for content `{policy}`, for which {name} has no switch: write --content={}, or --client synthetic, which can hold any",
            held.replace(", ", ", --content=").replace(" or ", " or --content="),
        )
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        match self {
            Chosen::Rust => RustClient::capabilities(),
            Chosen::Worker(manifest) => manifest.capabilities.clone(),
        }
    }

    /// Makes what the client needs to run, which takes a while the first time.
    pub(crate) async fn prepare(self) -> Result<Prepared, Failure> {
        let Chosen::Worker(manifest) = self else { return Ok(Prepared::Rust) };
        let requirements = manifest.requirements();
        let made = tokio::task::spawn_blocking(move || {
            let home = home_dir(&clients_dir()?);
            Ok::<_, ManifestError>(Environment::prepare(&requirements, &home, &mut |line| {
                output::complain(line);
            }))
        });
        let environment =
            made.await.or_could_not_judge()?.or_could_not_judge()?.or_could_not_judge()?;
        Ok(Prepared::Worker(manifest, environment))
    }
}

impl Prepared {
    pub(crate) async fn start(
        self,
        endpoints: Endpoints,
        telling: Telling,
    ) -> Result<Started, Failure> {
        match self {
            Prepared::Rust => {
                let config = RustClientConfig {
                    bedrock_endpoint: endpoints.bedrock,
                    otlp_endpoint: endpoints.otlp_grpc,
                    semconv: spoken(telling.semconv),
                    content: telling.content == ContentPolicy::Full,
                    speed: telling.speed,
                    clock: telling.clock,
                };
                RustClient::start(config).map(Started::Rust).or_could_not_judge()
            }
            Prepared::Worker(manifest, environment) => {
                let settings = Settings {
                    bedrock_endpoint: endpoints.bedrock,
                    otlp_endpoint: endpoints.otlp_http,
                    service_name: manifest.name.clone(),
                    content: telling.content,
                    concurrency: WORKER_CONCURRENCY,
                    limits: Limits::default(),
                    on_stderr: Some(Arc::new(output::complain)),
                };
                Worker::start(&manifest, &environment, settings)
                    .await
                    .map(Started::Worker)
                    .or_could_not_judge()
            }
        }
    }
}

/// The version that the reference client speaks when it is judged by `choice`.
fn spoken(choice: Choice) -> Version {
    match choice {
        Choice::Auto => Version::LATEST,
        Choice::Required(version) => version,
    }
}
