//! What an application asked and showed with instrumentation, beside what it did without.
//!
//! Without instrumentation it ran twice. What differs between those two runs is the program's own
//! doing, such as a random id in a prompt, and is left out of the comparison.

mod exceptions;
mod headers;
mod lines;
mod pairs;
mod requests;

pub use exceptions::exceptions;
pub use headers::{HeaderChange, Meaning};
pub use lines::{LineChange, Lines};
pub use requests::{Call, Change};

use std::collections::BTreeSet;

use spanproof_schemas::ledger::Exchange;

use pairs::Pairing;

/// What one run of a command showed to those around it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// The requests that it made, with [`Exchange::request`], in any order.
    pub exchanges: Vec<Exchange>,
    /// How it ended, in words: `exit status: 0`.
    pub status: String,
    /// The lines of its standard output, without what differs from run to run.
    pub output: Vec<String>,
    /// The types of the exceptions that it reported on standard error, as [`exceptions`] finds them.
    pub exceptions: Vec<String>,
}

/// A command with instrumentation beside the same command without.
#[derive(Clone, Debug, Default)]
pub struct Behaviour {
    /// Calls that were made with and without, in the order in which they began without.
    pub calls: Vec<ComparedCall>,
    /// Calls that were made without only.
    pub missing: Vec<Call>,
    /// Calls that were made with only.
    pub extra: Vec<Call>,
    /// Calls that only one of the two runs without instrumentation made.
    pub own_noise: usize,
    /// Whether no two calls of any run were open at once, so that their order means something.
    pub is_sequential: bool,
    /// How it ended: without, and with. Nothing where it ends in different ways by itself.
    pub status: Option<[String; 2]>,
    /// What it printed.
    pub output: Lines,
    /// The exceptions that it reported, sorted: without, and with. Nothing where they differ by
    /// themselves.
    pub exceptions: Option<[Vec<String>; 2]>,
}

/// A call that was made with and without instrumentation.
#[derive(Clone, Debug)]
pub struct ComparedCall {
    /// Without.
    pub without: Call,
    /// With.
    pub with: Call,
    /// What of the request differs.
    pub changes: Vec<Change>,
    /// Headers that differ.
    pub headers: Vec<HeaderChange>,
    /// Whether it is tried so often each time without instrumentation.
    pub has_steady_attempts: bool,
    /// Whether its answer is read so far each time without instrumentation.
    pub has_steady_reading: bool,
}

impl Behaviour {
    /// Compares a run with instrumentation with two without.
    #[must_use]
    pub fn of(without: [&Observed; 2], with: &Observed) -> Behaviour {
        let [first, second] = without.map(|run| requests::calls(&run.exchanges));
        let instrumented = requests::calls(&with.exchanges);
        let own = pairs::pair(&first, &second);
        let noisy_headers: BTreeSet<String> = own
            .pairs
            .iter()
            .flat_map(|(one, other)| headers::differing(&first[*one], &second[*other]))
            .collect();
        let Pairing { pairs, left, right } = pairs::pair(&first, &instrumented);
        let calls = pairs.into_iter().map(|(at, with)| {
            let (without, with) = (&first[at], &instrumented[with]);
            let twin = own.partner(at).map(|twin| &second[twin]);
            ComparedCall::of(without, twin, with, &noisy_headers)
        });
        let calls: Vec<ComparedCall> = calls.collect();
        // As many as the program leaves out, or adds, by itself are its own doing.
        let missing = left.iter().skip(own.left.len()).map(|at| first[*at].clone());
        let extra = right.iter().skip(own.right.len()).map(|at| instrumented[*at].clone());
        let [one, other] = without;
        let is_steady = one.status == other.status;
        Behaviour {
            calls,
            missing: missing.collect(),
            extra: extra.collect(),
            own_noise: own.left.len() + own.right.len(),
            is_sequential: [&first, &second, &instrumented]
                .into_iter()
                .all(|calls| requests::are_sequential(calls)),
            status: is_steady.then(|| [one.status.clone(), with.status.clone()]),
            output: Lines::of([&one.output, &other.output], &with.output),
            exceptions: sorted_pair(one, other, with),
        }
    }
}

impl Behaviour {
    /// Whether any stream is not read the same way each time, with instrumentation or without. On a
    /// busy machine that may be chance.
    #[must_use]
    pub fn has_doubtful_reading(&self) -> bool {
        self.calls.iter().any(|call| {
            !call.has_steady_reading || call.without.is_read_whole != call.with.is_read_whole
        })
    }

    /// Takes how far streams are read from runs in which chance has less of a part.
    pub fn read_again(&mut self, again: &Behaviour) {
        for call in &mut self.calls {
            call.has_steady_reading = false;
        }
        for seen in again.calls.iter().filter(|call| call.is_read_otherwise()) {
            let asked = |call: &ComparedCall| call.without.request == seen.without.request;
            let alike = |call: &ComparedCall| call.without.operation == seen.without.operation;
            let open = self.calls.iter_mut().filter(|call| !call.has_steady_reading && alike(call));
            // The same request if there is one, else any of the operation.
            if let Some(call) = open.max_by_key(|call| asked(call)) {
                call.has_steady_reading = true;
                call.without.is_read_whole = seen.without.is_read_whole;
                call.with.is_read_whole = seen.with.is_read_whole;
            }
        }
    }

    /// Whether the command ends with instrumentation in another way than it always does without.
    #[must_use]
    pub fn ends_otherwise(&self) -> bool {
        self.status.as_ref().is_some_and(|[without, with]| without != with)
    }
}

impl ComparedCall {
    /// Whether the answer is read further with instrumentation, or less far.
    #[must_use]
    pub fn is_read_otherwise(&self) -> bool {
        self.has_steady_reading && self.without.is_read_whole != self.with.is_read_whole
    }

    fn of(
        without: &Call,
        twin: Option<&Call>,
        with: &Call,
        noisy_headers: &BTreeSet<String>,
    ) -> ComparedCall {
        let own: BTreeSet<String> = twin
            .into_iter()
            .flat_map(|twin| requests::changes(without, twin))
            .map(|change| change.place)
            .collect();
        let mut changes = requests::changes(without, with);
        changes.retain(|change| !own.contains(&change.place));
        let mut headers = headers::changes(without, with);
        headers.retain(|change| !noisy_headers.contains(&change.name));
        ComparedCall {
            changes,
            headers,
            has_steady_attempts: twin.is_some_and(|twin| twin.attempts == without.attempts),
            has_steady_reading: twin
                .is_some_and(|twin| twin.is_read_whole == without.is_read_whole),
            without: without.clone(),
            with: with.clone(),
        }
    }
}

fn sorted_pair(one: &Observed, other: &Observed, with: &Observed) -> Option<[Vec<String>; 2]> {
    let [one, other, with] = [one, other, with].map(|run| {
        let mut sorted = run.exceptions.clone();
        sorted.sort();
        sorted
    });
    (one == other).then_some([one, with])
}

#[cfg(test)]
mod tests;
