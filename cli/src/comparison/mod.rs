//! `--compare-uninstrumented`: what the command asks and shows with instrumentation, beside what it
//! does without.

mod uninstrumented;

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use conformance::{receiver, steady};
use conformance_core::behaviour::{Behaviour, Observed, exceptions};
use spanproof_schemas::ledger::Record;

use crate::command::{self, Ended, Invocation, Streams};
use crate::exit::{Failure, OrFail as _};
use crate::judging::{Ledger, gen_ai_spans};
use crate::output;
use crate::servers::{EvidenceArgs, Files, Servers};
use uninstrumented::{Plain, VARIABLE, plain};

/// How long the mock holds back the last frame of each stream. A client that leaves one does so in
/// milliseconds; on a machine that is busy, in tenths of a second.
const LAST_FRAME_DELAY: Duration = Duration::from_millis(500);

/// How long it holds it back where a difference is to be confirmed.
const CONFIRMING_DELAY: Duration = Duration::from_secs(5);

/// Arguments about behaviour.
#[derive(Debug, clap::Args)]
pub(crate) struct ComparisonArgs {
    /// Run the command twice without instrumentation first, and find what it asks, prints and ends
    /// with otherwise when it is instrumented
    #[arg(long, help_heading = "Behaviour")]
    compare_uninstrumented: bool,
    /// The command without instrumentation, for `sh -c`, where it takes more than to leave out
    /// `opentelemetry-instrument`, `--require` and `--import` of Node.js, and agents of Java
    #[arg(
        long,
        requires = "compare_uninstrumented",
        value_name = "COMMAND",
        help_heading = "Behaviour"
    )]
    uninstrumented: Option<OsString>,
}

/// A command that ran twice without instrumentation.
#[derive(Debug)]
pub(crate) struct Comparison {
    plain: Invocation,
    config: mock_bedrock::Config,
    without: [Observed; 2],
}

impl ComparisonArgs {
    /// The mock's configuration for runs that are compared.
    pub(crate) fn configure(&self, config: &mut mock_bedrock::Config) {
        if self.compare_uninstrumented {
            config.keep_requests = true;
            config.last_frame_delay = LAST_FRAME_DELAY;
        }
    }

    /// Runs the command without instrumentation, if that is asked for, each time against servers of
    /// its own.
    ///
    /// # Errors
    ///
    /// If it is still instrumented: it emits GenAI spans.
    pub(crate) async fn baseline(
        &self,
        words: &[OsString],
        config: &mock_bedrock::Config,
    ) -> Result<Option<Comparison>, Failure> {
        if !self.compare_uninstrumented {
            return Ok(None);
        }
        let plain = self.plain(words);
        let one = observe_plain(&plain, config).await?;
        let other = observe_plain(&plain, config).await?;
        Ok(Some(Comparison { plain, config: config.clone(), without: [one, other] }))
    }

    fn plain(&self, words: &[OsString]) -> Invocation {
        if let Some(command) = &self.uninstrumented {
            let words = ["sh".into(), "-c".into(), command.clone()].to_vec();
            let environment = vec![(OsString::from(VARIABLE), Some(OsString::from("1")))];
            return Invocation { words, environment };
        }
        let Plain { invocation, left_out } = plain(words, |name| std::env::var_os(name));
        if left_out.is_empty() {
            output::complain(&format!(
                "note: nothing in the command is known to instrument; it must leave that out itself \
                 where {VARIABLE} is set"
            ));
        }
        for part in left_out {
            output::complain(&format!("note: without instrumentation is without `{part}`"));
        }
        invocation
    }

    /// The command as the user wrote it, and how to run it.
    pub(crate) fn instrumented(&self, words: &[OsString]) -> (Invocation, Streams) {
        let environment = vec![(OsString::from(VARIABLE), None)];
        let streams =
            if self.compare_uninstrumented { Streams::KeptAndShown } else { Streams::Inherited };
        (Invocation { words: words.to_vec(), environment }, streams)
    }
}

impl Comparison {
    /// Compares with the run of `instrumented`, which ended so and left this ledger.
    pub(crate) async fn with(
        &self,
        instrumented: &Invocation,
        ended: &Ended,
        ledger: &Path,
    ) -> Result<Behaviour, Failure> {
        let [one, other] = &self.without;
        let mut behaviour = Behaviour::of([one, other], &observed(ended, ledger)?);
        if behaviour.has_doubtful_reading() {
            behaviour.read_again(&self.again(instrumented).await?);
        }
        Ok(behaviour)
    }

    /// Runs both once more with time to leave a stream in: on a busy machine a client may leave later
    /// than the mock waits.
    async fn again(&self, instrumented: &Invocation) -> Result<Behaviour, Failure> {
        output::complain("note: streams are read in different ways; looking again, with more time");
        let mut config = self.config.clone();
        config.last_frame_delay = CONFIRMING_DELAY;
        let without = observe_plain(&self.plain, &config).await?;
        let (ended, files) = observe(instrumented, &config).await?;
        let with = observed(&ended, &files.ledger)?;
        Ok(Behaviour::of([&without, &without], &with))
    }
}

/// Runs a command against servers of its own.
async fn observe(
    invocation: &Invocation,
    config: &mock_bedrock::Config,
) -> Result<(Ended, Files), Failure> {
    let servers =
        Servers::start(config.clone(), receiver::Config::default(), &EvidenceArgs::default())
            .await?;
    let ended = command::run(invocation, &servers, Streams::Kept).await;
    let (files, _) = servers.stop().await?;
    let ended = ended?;
    if ended.is_interrupted {
        return Err(anyhow!("interrupted before everything could be compared"))
            .or_could_not_judge();
    }
    Ok((ended, files))
}

async fn observe_plain(
    invocation: &Invocation,
    config: &mock_bedrock::Config,
) -> Result<Observed, Failure> {
    let (ended, files) = observe(invocation, config).await?;
    let spans = gen_ai_spans(&files.capture).or_could_not_judge()?;
    if spans > 0 {
        return Err(anyhow!(
            "without instrumentation the command still emits GenAI spans ({spans}): say how to run \
             it with --uninstrumented COMMAND, or let it leave out its instrumentation where \
             {VARIABLE} is set"
        ))
        .or_usage();
    }
    if !ended.status.success() {
        output::complain(&format!(
            "note: without instrumentation the command ends with {}:",
            ended.status
        ));
        let stderr = String::from_utf8_lossy(&ended.stderr).into_owned();
        let last: Vec<&str> = stderr.lines().rev().take(5).collect();
        last.iter().rev().for_each(|line| output::complain(&format!("  {line}")));
    }
    observed(&ended, &files.ledger)
}

fn observed(ended: &Ended, ledger: &Path) -> Result<Observed, Failure> {
    let mut ledger = Ledger::open(ledger).or_could_not_judge()?;
    let exchanges = ledger.by_ref().filter_map(|record| match record {
        Record::Exchange(exchange) => Some(*exchange),
        Record::Run(_) => None,
    });
    let exchanges = exchanges.collect();
    ledger.finish().or_could_not_judge()?;
    let stdout = String::from_utf8_lossy(&ended.stdout);
    Ok(Observed {
        exchanges,
        status: ended.status.to_string(),
        output: stdout.lines().map(steady::printed).collect(),
        exceptions: exceptions(&String::from_utf8_lossy(&ended.stderr)),
    })
}
