//! Judging captured telemetry in parts, on as many threads as there are.
//!
//! Records are read in order and cut into parts of a fixed size. Each part goes through an intake of
//! its own on whichever thread is free, and the parts are merged in their order, so the judgement
//! does not depend on the number of threads. The ledger is read beside them, up to the end of the
//! spans of each part before that is merged, so that no more of it is kept than waits for its spans.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use conformance::capture::{Export, ReadError, Record, Request, Signal};
use conformance_core::{Intake, Judge};
use spanproof_schemas::ledger;

/// A part ends with the record that brings it to this size, in bytes of protobuf: some thousand
/// spans, so that merging costs little beside taking in.
const PART_BYTES: usize = 1 << 20;

/// What a record counts for that was decoded to be read, so that its size is not known.
const DECODED_BYTES: usize = PART_BYTES / 64;

/// How many parts for each thread may wait for one before them.
const WAITING: usize = 4;

/// How many threads judge: one for each processor.
#[must_use]
pub fn threads() -> NonZero<usize> {
    thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

/// Gives all `records` to `judge`, on `threads` threads, and all of the ledger, whose first record
/// must have come in before.
///
/// # Errors
///
/// The first error of `records`, or of a record that is no OTLP.
pub fn take_in(
    judge: Judge,
    records: impl Iterator<Item = Result<Record, ReadError>> + Send,
    ledger: impl Iterator<Item = ledger::Record> + Send,
    threads: NonZero<usize>,
) -> Result<Judge, ReadError> {
    let parts = Mutex::new(Parts { records, next: 0 });
    let merged = Merged {
        judging: Mutex::new(Judging { judge, ledger }),
        queue: Mutex::new(Queue::default()),
        advanced: Condvar::new(),
        most: WAITING * threads.get(),
    };
    thread::scope(|scope| {
        for _ in 1..threads.get() {
            scope.spawn(|| work(&parts, &merged));
        }
        work(&parts, &merged);
    });
    let queue = merged.queue.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = queue.error {
        return Err(error);
    }
    let judging = merged.judging.into_inner().unwrap_or_else(PoisonError::into_inner);
    let Judging { mut judge, ledger } = judging;
    ledger.for_each(|record| judge.ledger(record));
    Ok(judge)
}

/// The records that no thread has taken yet.
struct Parts<R> {
    records: R,
    /// The number of the next part.
    next: usize,
}

/// The judge, and the parts that wait for one before them. They are locked apart, so that who
/// hands over a part does not wait until another is merged.
struct Merged<L> {
    judging: Mutex<Judging<L>>,
    queue: Mutex<Queue>,
    advanced: Condvar,
    /// How many parts may wait.
    most: usize,
}

struct Judging<L> {
    judge: Judge,
    /// The records of the ledger that the judge has not been given.
    ledger: L,
}

#[derive(Default)]
struct Queue {
    /// The number of the part to be merged next.
    next: usize,
    waiting: BTreeMap<usize, Result<Intake, ReadError>>,
    /// Whether a thread merges what can be merged, and will look at what is handed over meanwhile.
    is_merging: bool,
    /// Intakes that are empty again.
    spare: Vec<Intake>,
    /// The first error; nothing is merged after it.
    error: Option<ReadError>,
    /// Whether a thread panicked, so that its part never comes.
    is_broken: bool,
}

impl<L: Iterator<Item = ledger::Record>> Judging<L> {
    /// Merges a part, after what the ledger tells of its time.
    fn merge(&mut self, part: &mut Intake) {
        let Some(until) = part.latest_end() else { return self.judge.merge(part) };
        while !self.judge.ledger_reaches(until) {
            let Some(record) = self.ledger.next() else { break };
            self.judge.ledger(record);
        }
        self.judge.merge(part);
    }
}

impl Queue {
    fn is_over(&self) -> bool {
        self.error.is_some() || self.is_broken
    }

    /// The part to be merged next, if it is there and there was no error.
    fn pop(&mut self) -> Option<Result<Intake, ReadError>> {
        let next = if self.is_over() { None } else { self.waiting.remove(&self.next) };
        self.next += usize::from(next.is_some());
        next
    }
}

/// Tells the other threads when one panics, lest they wait for its part.
struct Watch<'a, L>(&'a Merged<L>);

impl<L> Drop for Watch<'_, L> {
    fn drop(&mut self) {
        if thread::panicking() {
            lock(&self.0.queue).is_broken = true;
            self.0.advanced.notify_all();
        }
    }
}

fn work(
    parts: &Mutex<Parts<impl Iterator<Item = Result<Record, ReadError>>>>,
    merged: &Merged<impl Iterator<Item = ledger::Record>>,
) {
    let _watch = Watch(merged);
    loop {
        let Some(mut intake) = merged.ready() else { return };
        let (number, records) = lock(parts).next();
        if records.is_empty() {
            return;
        }
        let mut error = None;
        for record in records {
            if let Err(first) = record.and_then(|record| give(&mut intake, record)) {
                error = Some(first);
                break;
            }
        }
        merged.hand_over(number, error.map_or(Ok(intake), Err));
    }
}

impl<R: Iterator<Item = Result<Record, ReadError>>> Parts<R> {
    /// The next part and its number; an empty one at the end.
    fn next(&mut self) -> (usize, Vec<Result<Record, ReadError>>) {
        let number = self.next;
        self.next += 1;
        let mut records = Vec::new();
        let mut bytes = 0;
        while bytes < PART_BYTES {
            let Some(record) = self.records.next() else { break };
            bytes += match &record {
                Ok(Record::Encoded(encoded)) => encoded.request.protobuf.len(),
                Ok(Record::Decoded(_)) | Err(_) => DECODED_BYTES,
            };
            records.push(record);
        }
        (number, records)
    }
}

impl<L: Iterator<Item = ledger::Record>> Merged<L> {
    /// An intake for one more part, once not too many wait; nothing after an error.
    fn ready(&self) -> Option<Intake> {
        let mut queue = lock(&self.queue);
        while !queue.is_over() && queue.waiting.len() >= self.most {
            queue = self.advanced.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if queue.is_over() {
            return None;
        }
        let spare = queue.spare.pop();
        drop(queue);
        Some(spare.unwrap_or_else(|| lock(&self.judging).judge.intake()))
    }

    /// Leaves a part to whoever merges, or merges it and those that waited for it.
    fn hand_over(&self, number: usize, part: Result<Intake, ReadError>) {
        let mut queue = lock(&self.queue);
        queue.waiting.insert(number, part);
        if queue.is_merging {
            return;
        }
        queue.is_merging = true;
        while let Some(part) = queue.pop() {
            match part {
                Ok(mut intake) => {
                    drop(queue);
                    lock(&self.judging).merge(&mut intake);
                    queue = lock(&self.queue);
                    queue.spare.push(intake);
                }
                Err(error) => queue.error = Some(error),
            }
            self.advanced.notify_all();
        }
        queue.is_merging = false;
    }
}

fn give(intake: &mut Intake, record: Record) -> Result<(), ReadError> {
    if let Record::Encoded(encoded) = &record
        && let Request { signal: Signal::Traces, protobuf } = &encoded.request
    {
        return intake.traces_protobuf(protobuf).map_err(|error| encoded.refused(&error));
    }
    match record.decode()? {
        Export::Traces(request) => intake.traces(&request),
        Export::Metrics(request) => intake.metrics(&request),
        Export::Logs(request) => intake.logs(&request),
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A thread that panicked takes the process with it when the scope ends.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use conformance::capture::Encoded;
    use conformance_core::{Judgement, Settings};

    use super::*;

    /// A request with one GenAI span, in protobuf: a resource, a scope, a span with an id and times of
    /// its own and one attribute.
    fn record(number: u64) -> Record {
        let field = |number: u8, bytes: &[u8]| {
            let length = u8::try_from(bytes.len()).unwrap();
            assert!(length < 128);
            [&[number << 3 | 2, length][..], bytes].concat()
        };
        let value = field(1, b"chat");
        let attribute = [field(1, b"gen_ai.operation.name"), field(2, &value)].concat();
        let trace = [[7; 8], number.to_be_bytes()].concat();
        let ids = [field(1, &trace), field(2, &number.to_be_bytes())].concat();
        let time = |field: u8, nanos: u64| [&[field << 3 | 1][..], &nanos.to_le_bytes()].concat();
        let times = [time(7, number * 1_000), time(8, number * 1_000 + 900)].concat();
        let span = [ids, vec![6 << 3, 3], times, field(9, &attribute)].concat();
        let protobuf = field(1, &field(2, &field(2, &span))).into();
        let request = Request { signal: Signal::Traces, protobuf };
        Record::Encoded(Encoded { request, path: Path::new("capture").into(), offset: number })
    }

    /// The call of the span with this number, which its request carried.
    fn exchange(number: u64) -> ledger::Record {
        ledger::Record::Exchange(Box::new(ledger::Exchange {
            sequence: number,
            arrived_unix_nanos: number * 1_000 + 100,
            finished_unix_nanos: number * 1_000 + 800,
            trace_context: Some(ledger::TraceContext {
                trace_id: format!("{:016x}{number:016x}", 0x0707_0707_0707_0707_u64),
                span_id: format!("{number:016x}"),
                sampled: true,
            }),
            status: 200,
            delivered: true,
            ..ledger::Exchange::default()
        }))
    }

    fn judgement(records: Vec<Record>, threads: usize) -> Result<Judgement, ReadError> {
        let judge = Judge::new(Settings::default());
        let threads = NonZero::new(threads).unwrap();
        Ok(take_in(judge, records.into_iter().map(Ok), std::iter::empty(), threads)?.finish())
    }

    #[test]
    fn the_number_of_threads_does_not_show() {
        // Several parts, and in each of them spans that stand in another part too.
        let records = || (1..40_000).chain(1..20_000).map(record).collect::<Vec<_>>();
        let one = judgement(records(), 1).unwrap();
        assert_eq!(one.telemetry.gen_ai_spans, 59_998);
        assert_eq!(one.semconv.values().sum::<u64>(), 39_999);
        for threads in [2, 3, 8] {
            assert_eq!(judgement(records(), threads).unwrap(), one, "{threads} threads");
        }
    }

    #[test]
    fn a_ledger_that_is_read_beside_the_telemetry_tells_what_one_that_is_read_before_does() {
        let judged = |threads, is_before| {
            let mut judge = Judge::with_window(Settings::default(), 2_000);
            let mut ledger = (1..40_000).filter(|number| number % 7_000 > 0).map(exchange);
            if is_before {
                ledger.by_ref().for_each(|record| judge.ledger(record));
            }
            let records = (1..40_000).map(record).map(Ok);
            let threads = NonZero::new(threads).unwrap();
            take_in(judge, records, ledger, threads).unwrap().finish()
        };
        let before = judged(1, true);
        let join = before.join.clone().unwrap();
        assert_eq!((join.matched, join.unmatched_calls, join.unmatched_spans), (39_994, 0, 5));
        for threads in [1, 4] {
            assert_eq!(judged(threads, false), before, "{threads} threads");
        }
    }

    #[test]
    fn the_first_fault_is_the_one_that_is_told() {
        for threads in [1, 4] {
            let mut records: Vec<Record> = (1..40_000).map(record).collect();
            for at in [39_000, 25_000] {
                let Record::Encoded(encoded) = &mut records[at] else { unreachable!() };
                encoded.request.protobuf = vec![0x0a, 9, 0].into();
            }
            let error = judgement(records, threads).unwrap_err().to_string();
            assert!(error.contains("`capture` is no telemetry at byte 25001: "), "{error}");
        }
    }
}
