//! What was served, in numbers, as Prometheus reads them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use spanproof_schemas::ledger::{Exchange, Operation, Usage};

use super::exposition::Exposition;
use super::lateness::Lateness;

/// Threads write into parts of their own, so that they seldom wait for one another.
const SHARDS: usize = 8;
/// The most models, and the most faults, that are told apart: a label without bound would grow
/// memory without end.
const NAMES: usize = 1_000;
/// The label of those beyond that.
const OTHER: &str = "other";

/// Counts of exchanges that have ended, and of frames of streams.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) lateness: Lateness,
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Debug, Default)]
struct Shard {
    models: BTreeMap<String, Model>,
    faults: BTreeMap<String, u64>,
    undelivered: u64,
}

#[derive(Debug, Default)]
struct Model {
    requests: BTreeMap<(Operation, u16), u64>,
    usage: Usage,
}

static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Which shard this thread writes to.
    static SHARD: Cell<usize> = Cell::new(THREADS.fetch_add(1, Ordering::Relaxed) % SHARDS);
}

impl Metrics {
    /// Counts an exchange that has ended.
    pub(crate) fn count(&self, exchange: &Exchange) {
        let mut shard = lock(&self.shards[SHARD.get()]);
        let id = exchange.served_model.as_ref().unwrap_or(&exchange.model_id);
        let model = named(&mut shard.models, id);
        *model.requests.entry((exchange.operation, exchange.status)).or_default() += 1;
        model.usage += exchange.usage;
        shard.undelivered += u64::from(!exchange.delivered);
        if let Some(fault) = &exchange.fault {
            *named(&mut shard.faults, fault) += 1;
        }
    }

    /// Everything, in Prometheus' text format.
    pub(crate) fn write(&self, out: &mut Exposition) {
        let mut all = Shard::default();
        for shard in &self.shards {
            all.add(&lock(shard));
        }
        all.write(out);
        self.lateness.write(out);
    }
}

impl Shard {
    fn add(&mut self, other: &Shard) {
        for (id, model) in &other.models {
            let sum = named(&mut self.models, id);
            for (key, count) in &model.requests {
                *sum.requests.entry(*key).or_default() += count;
            }
            sum.usage += model.usage;
        }
        for (name, count) in &other.faults {
            *named(&mut self.faults, name) += count;
        }
        self.undelivered += other.undelivered;
    }

    fn write(&self, out: &mut Exposition) {
        out.counter("mock_bedrock_requests_total", "Exchanges that have ended; status 0 had none.");
        for (id, model) in &self.models {
            for ((operation, status), count) in &model.requests {
                let status = status.to_string();
                out.sample(
                    &[("operation", operation.name()), ("model", id), ("status", &status)],
                    *count,
                );
            }
        }
        out.counter(
            "mock_bedrock_tokens_total",
            "Tokens charged; those of reasoning are output too.",
        );
        for (id, Model { usage, .. }) in &self.models {
            for (kind, tokens) in [
                ("input", usage.input_tokens),
                ("output", usage.output_tokens),
                ("cache_read", usage.cache_read_input_tokens),
                ("cache_write", usage.cache_write_input_tokens),
                ("reasoning", usage.reasoning_output_tokens),
            ] {
                out.sample(&[("kind", kind), ("model", id)], tokens);
            }
        }
        out.counter("mock_bedrock_faults_total", "Faults injected.");
        for (name, count) in &self.faults {
            out.sample(&[("fault", name)], *count);
        }
        out.counter(
            "mock_bedrock_undelivered_total",
            "Exchanges whose answer was not handed over whole: a fault, or the client left.",
        );
        out.sample(&[], self.undelivered);
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What `map` has for `name`, or for the others. A name is copied when it is new only.
fn named<'m, T: Default>(map: &'m mut BTreeMap<String, T>, name: &str) -> &'m mut T {
    let name = if map.contains_key(name) || map.len() < NAMES { name } else { OTHER };
    if !map.contains_key(name) {
        map.insert(name.to_owned(), T::default());
    }
    map.get_mut(name).expect("it was there, or has been put there")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exposition(metrics: &Metrics) -> String {
        let mut out = Exposition::default();
        metrics.write(&mut out);
        out.into_text()
    }

    #[test]
    fn threads_add_up() {
        let metrics = Metrics::default();
        std::thread::scope(|threads| {
            for _ in 0..12 {
                threads.spawn(|| {
                    for status in [200, 429] {
                        metrics.count(&Exchange {
                            model_id: "a\"b\\c\nd".to_owned(),
                            status,
                            usage: Usage { input_tokens: 3, ..Usage::default() },
                            delivered: status == 200,
                            fault: (status == 429).then(|| "ThrottlingException".to_owned()),
                            ..Exchange::default()
                        });
                    }
                });
            }
        });
        insta::assert_snapshot!(exposition(&metrics));
    }

    #[test]
    fn models_without_bound_share_a_label() {
        let metrics = Metrics::default();
        for number in 0..NAMES + 5 {
            metrics.count(&Exchange { model_id: number.to_string(), ..Exchange::default() });
        }
        let text = exposition(&metrics);
        assert!(
            text.contains(
                "mock_bedrock_requests_total{operation=\"Converse\",model=\"other\",status=\"0\"} 5\n"
            ),
            "{text}"
        );
    }
}
