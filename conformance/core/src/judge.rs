//! The judge: takes ledger and telemetry as they come, keeps facts, and says at the end what it
//! found.

use std::sync::Arc;

use prost::DecodeError;
use spanproof_schemas::ledger::Record;
use spanproof_schemas::time::UnixNanos;

use crate::behaviour::Behaviour;
use crate::intake::Intake;
use crate::judgement::Judgement;
use crate::ledger::Ledger;
use crate::otlp::{
    ExportLogsServiceRequest, ExportMetricsServiceRequest, ExportTraceServiceRequest,
};
use crate::redaction::Redaction;
use crate::scan::{Plantings, Scanner};
use crate::settings::Settings;
use crate::settled::Settled;
use crate::snapshot::Snapshot;
use crate::window::Window;

/// Judges one run. Spans are checked as they come in and then dropped; what the rules about calls
/// and the whole run need is kept in compact facts.
///
/// The first record of the ledger must come before telemetry, for it tells what planted text begins
/// with. Everything else may come in any order.
///
/// Spans are looked at beside each other while they are among the last [`Judge::WINDOW`] GenAI
/// spans that came in: a span that is exported again within it counts once, and the span of a call
/// is known to be the parent of another's. Of what came before, only sums are kept.
///
/// With a ledger, a call is settled when half as many spans came after it and its span, if its
/// invocation id or the span that its request carried tells whose it is. The rest waits for the end, and memory
/// grows with it: exchanges without a span, spans without a call, and calls that only their trace,
/// the id of their answer or the time brings to their span. So what comes late is joined all the
/// same. What else belongs to a call, such as an event or a second span, is not looked at if it comes
/// later than that: it is counted, and nothing is said against it. For memory not to grow with the
/// ledger, read it beside the telemetry: [`Judge::ledger_reaches`].
///
/// ```
/// use conformance_core::{Judge, Settings};
///
/// let judgement = Judge::new(Settings::default()).finish();
/// assert!(judgement.telemetry.is_empty());
/// assert!(judgement.findings.is_empty());
/// ```
#[derive(Debug)]
pub struct Judge {
    pub(crate) intake: Intake,
    pub(crate) ledger: Ledger,
    pub(crate) window: Window,
    pub(crate) settled: Settled,
    /// What the run planted; no markers where content is allowed.
    pub(crate) plantings: Plantings,
}

impl Judge {
    /// How many GenAI spans are looked at beside each other at least. An SDK that retries an
    /// export does so within a minute, and a trace ends within minutes: far fewer spans than these.
    pub const WINDOW: usize = 1 << 16;

    /// A judge that has seen nothing yet.
    #[must_use]
    pub fn new(settings: Settings) -> Judge {
        Judge::with_window(settings, Judge::WINDOW)
    }

    /// A judge that looks at so many GenAI spans beside each other instead of [`Judge::WINDOW`].
    #[must_use]
    pub fn with_window(settings: Settings, spans: usize) -> Judge {
        Judge {
            intake: Intake::new(settings),
            ledger: Ledger::default(),
            window: Window::new(spans),
            settled: Settled::default(),
            plantings: Plantings::default(),
        }
    }

    /// Takes in a record of the ledger.
    pub fn ledger(&mut self, record: Record) {
        if let Record::Run(run) = &record {
            self.intake.attachments.set_stems(&run.marker_stems);
        }
        let redaction = self.intake.settings.redaction;
        if let Record::Run(run) = &record {
            self.plantings = Plantings::of(run);
            if redaction == Redaction::ContentAllowed {
                self.plantings.stems.clear();
            }
            self.intake.scanner = Arc::new(Scanner::new(&self.plantings));
        }
        self.intake.is_joined = true;
        let generation = self.window.generation;
        self.ledger.add(record, redaction, generation, &mut self.intake.symbols);
    }

    /// How many exchanges and spans are kept as facts: those that are not settled, and what is left
    /// of those settled last.
    #[must_use]
    pub fn held(&self) -> usize {
        self.ledger.exchanges.len() + self.window.held()
    }

    /// Whether the ledger has come in up to a time. Read it on before telemetry of a later time
    /// ([`Intake::latest_end`]) is merged, and calls are there when their spans come, and no sooner.
    #[must_use]
    pub fn ledger_reaches(&self, time: UnixNanos) -> bool {
        self.ledger.latest >= time
    }

    /// Takes in spans.
    pub fn traces(&mut self, request: &ExportTraceServiceRequest) {
        self.intake.traces(request);
        self.advance();
    }

    /// Takes in the protobuf encoding of an export request of spans, at less cost than decoding it
    /// first.
    ///
    /// # Errors
    ///
    /// If it is none. The spans before the fault have been taken in.
    pub fn traces_protobuf(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        let done = self.intake.traces_protobuf(bytes);
        self.advance();
        done
    }

    /// Takes in metrics.
    pub fn metrics(&mut self, request: &ExportMetricsServiceRequest) {
        self.intake.metrics(request);
    }

    /// Takes in log records.
    pub fn logs(&mut self, request: &ExportLogsServiceRequest) {
        self.intake.logs(request);
    }

    /// What the run planted, markers by what they begin with; no markers where content is allowed,
    /// and nothing before the ledger came.
    pub fn planted(&self) -> impl Iterator<Item = &str> {
        let values = self.plantings.values.iter().map(|planted| &planted.value);
        self.plantings.stems.iter().chain(values).map(String::as_str)
    }

    /// An intake for part of the telemetry, which judges as this judge does. The first record of the
    /// ledger must have come in before.
    #[must_use]
    pub fn intake(&self) -> Intake {
        self.intake.sibling()
    }

    /// Takes in all that an intake of this judge has taken in, leaving it as new. Which part of the
    /// telemetry came through which intake does not show in the judgement, as far as
    /// [`Judge::WINDOW`] reaches.
    pub fn merge(&mut self, intake: &mut Intake) {
        self.intake.merge(intake);
        self.advance();
    }

    /// Takes in how the command behaved with instrumentation and without.
    pub fn behaviour(&mut self, behaviour: &Behaviour) {
        self.intake.check_behaviour(behaviour);
    }

    /// Takes in how the telemetry differs from its snapshot.
    pub fn snapshot(&mut self, snapshot: &Snapshot) {
        self.intake.check_snapshot(snapshot);
    }

    /// Ends the run and says what was found.
    #[must_use]
    pub fn finish(self) -> Judgement {
        Judgement::of(self)
    }
}
