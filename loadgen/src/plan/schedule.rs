//! When the calls of a plan come, and whose they are.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use rand::RngExt;

use super::Timing;
use crate::arrivals::Process;
use crate::intensity::Intensity;
use crate::streams::{Purpose, stream};
use crate::trace::{Recorded, Trace};

/// The planned times of calls, each with the tenant that makes the call.
#[derive(Clone, Debug)]
pub(super) enum Schedule {
    /// Of one process for each tenant, laid over one another.
    Superposed { processes: Vec<Process>, intensity: Intensity },
    /// Of a trace.
    Replayed(Trace),
}

impl Schedule {
    /// A schedule of `calls` calls.
    pub(super) fn new(timing: Timing, calls: u64, seed: u64) -> Self {
        let at_rate = match timing {
            Timing::AtRate(at_rate) => at_rate,
            Timing::Replayed(trace) => return Schedule::Replayed(trace),
        };
        let mut first_gap = 0;
        let each = at_rate.tenants.calls_of_each(calls);
        let processes = (0..).zip(each).map(|(tenant, calls)| {
            // Tenants with evenly spaced calls would all make their first at once.
            let phase = match tenant {
                0 => 0.0,
                _ => stream(seed, Purpose::Phase, tenant).random(),
            };
            let process = Process::new(at_rate.arrivals, calls, seed, first_gap, phase);
            first_gap += calls + 1;
            process
        });
        Schedule::Superposed {
            processes: processes.collect(),
            intensity: Intensity::new(&at_rate.shape, at_rate.length),
        }
    }

    /// All times in order, with the tenants. Of equal times, that of the larger tenant is first.
    pub(super) fn times(&self) -> Box<dyn Iterator<Item = (Duration, u32)> + '_> {
        match self {
            Schedule::Superposed { processes, intensity } => {
                let tenants = processes.iter().map(|process| {
                    let mut last = Duration::ZERO;
                    process.fractions().map(move |fraction| {
                        // Rounding must not put a call before the one it follows.
                        last = last.max(Duration::from_secs_f64(intensity.when(fraction)));
                        last
                    })
                });
                Box::new(Merged::new(tenants))
            }
            Schedule::Replayed(trace) => {
                Box::new(trace.calls().iter().map(|call| (Duration::from_nanos(call.at_nanos), 0)))
            }
        }
    }

    /// What was recorded of call `k`, in a trace.
    pub(super) fn recorded(&self, k: u64) -> Option<Recorded> {
        match self {
            Schedule::Superposed { .. } => None,
            Schedule::Replayed(trace) => trace.calls().get(usize::try_from(k).ok()?).copied(),
        }
    }
}

/// Several sorted sequences as one.
struct Merged<I> {
    sequences: Vec<I>,
    /// The next time of each sequence that has not ended.
    next: BinaryHeap<Reverse<(Duration, u32)>>,
}

impl<I: Iterator<Item = Duration>> Merged<I> {
    fn new(sequences: impl Iterator<Item = I>) -> Self {
        let mut sequences: Vec<I> = sequences.collect();
        let firsts = (0..).zip(&mut sequences);
        let next = firsts.filter_map(|(index, times)| Some(Reverse((times.next()?, index))));
        let next = next.collect();
        Self { sequences, next }
    }
}

impl<I: Iterator<Item = Duration>> Iterator for Merged<I> {
    type Item = (Duration, u32);

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((at, index)) = self.next.pop()?;
        let following = self.sequences.get_mut(index as usize).and_then(Iterator::next);
        self.next.extend(following.map(|following| Reverse((following, index))));
        Some((at, index))
    }
}
