//! Who answers the calls of a load: a mock of this process, or one that several share.

use anyhow::bail;
use conformance::receiver::{self, Counts};
use loadgen::SharedMock;

use super::Received;
use crate::clients::Endpoints;
use crate::configuration::MockTable;
use crate::exit::{Failure, OrFail as _};
use crate::servers::{ReceiverAlone, Servers};

/// A mock and a receiver, at least one of them of this process.
pub(super) enum Service {
    Ours(Servers),
    /// The mock is at this address; what it served is in its own ledger.
    Shared(String, ReceiverAlone),
}

impl super::Args {
    /// Starts what is not shared.
    pub(super) async fn service(&self, table: &MockTable) -> Result<Service, Failure> {
        let receiving = receiver::Config {
            forward: self.synthetic.otlp.clone(),
            ..receiver::Config::default()
        };
        let Some(url) = &self.bedrock else {
            let mock = self.serving.config(table, self.pacing.speed_of_service()).or_usage()?;
            let servers = Servers::start(mock, receiving, &self.evidence).await?;
            return Ok(Service::Ours(servers));
        };
        self.refuse_what_is_of_our_mock().or_usage()?;
        let mock = SharedMock::at(url).await.or_could_not_judge()?;
        self.check_alike(mock, table).or_usage()?;
        let receiver = ReceiverAlone::start(receiving, &self.evidence).await?;
        Ok(Service::Shared(url.trim_end_matches('/').to_owned(), receiver))
    }

    fn refuse_what_is_of_our_mock(&self) -> anyhow::Result<()> {
        let of_ledger = self.evidence.has_ledger().then_some("--ledger");
        if let Some(flag) = self.serving.first_of_answers().or(of_ledger) {
            bail!(
                "{flag} is for the mock that answers, and --bedrock names another: give it to that"
            );
        }
        Ok(())
    }

    /// Refuses a mock that looks for other markers than the plan plants, or runs at another pace.
    fn check_alike(&self, mock: SharedMock, table: &MockTable) -> anyhow::Result<()> {
        let wanted =
            SharedMock { seed: self.serving.seed(table), speed: self.pacing.speed_of_service() };
        if mock != wanted {
            bail!(
                "the mock of --bedrock has --seed {} and --speed {}, and this load takes {} and {}: start the mock with those",
                mock.seed,
                mock.speed,
                wanted.seed,
                wanted.speed,
            );
        }
        Ok(())
    }
}

impl Service {
    /// Where a client is to call, and to send telemetry.
    pub(super) fn endpoints(&self) -> Endpoints {
        match self {
            Service::Ours(servers) => Endpoints {
                bedrock: servers.mock.endpoint(),
                otlp_grpc: servers.grpc_endpoint(),
                otlp_http: servers.http_endpoint(),
            },
            Service::Shared(mock, receiver) => Endpoints {
                bedrock: mock.clone(),
                otlp_grpc: receiver.grpc_endpoint(),
                otlp_http: receiver.http_endpoint(),
            },
        }
    }

    /// What has been received so far.
    pub(super) fn counts(&self) -> Counts {
        match self {
            Service::Ours(servers) => servers.receiver.counts(),
            Service::Shared(_, receiver) => receiver.counts(),
        }
    }

    /// Ends what is of this process, with everything written.
    pub(super) async fn stop(self) -> Result<Received, Failure> {
        let has_ledger = matches!(self, Service::Ours(_));
        let (files, _) = match self {
            Service::Ours(servers) => servers.stop().await?,
            Service::Shared(_, receiver) => receiver.stop().await?,
        };
        Ok(Received { files, has_ledger })
    }
}
