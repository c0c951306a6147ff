//! What a plan comes to, in numbers.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use spanproof_schemas::worker::Operation;

use super::Planned;
use super::answer::Answer;
use super::hash::PlanHash;
use super::shape::Shape;
use crate::scenario::StopReason;
use crate::shard::Shard;

/// How many models and tenants are named before the rest is one line.
const NAMED: usize = 8;

/// A plan, or a shard of one, summed up.
///
/// As text it is for people: some ten lines of at most 80 columns.
#[derive(Clone, Debug)]
pub struct PlanSummary {
    shard: Shard,
    whole: u64,
    seed: u64,
    hash: PlanHash,
    calls: u64,
    last: Duration,
    second: Busiest,
    minute: Busiest,
    sessions: SessionCounts,
    prompt_tokens: Histogram<u64>,
    /// Apart, since a histogram rounds.
    longest_prompt: u32,
    answer_tokens: Histogram<u64>,
    stop_reasons: BTreeMap<StopReason, u64>,
    operations: BTreeMap<Operation, u64>,
    models: BTreeMap<String, u64>,
    tenants: BTreeMap<u32, u64>,
    features: BTreeMap<String, u64>,
    faults: u64,
}

impl PlanSummary {
    pub(super) fn new(shard: Shard, whole: u64, seed: u64) -> Self {
        Self {
            shard,
            whole,
            seed,
            hash: PlanHash::default(),
            calls: 0,
            last: Duration::ZERO,
            second: Busiest::of(1),
            minute: Busiest::of(60),
            sessions: SessionCounts::default(),
            prompt_tokens: lengths(),
            longest_prompt: 0,
            answer_tokens: lengths(),
            stop_reasons: BTreeMap::new(),
            operations: BTreeMap::new(),
            models: BTreeMap::new(),
            tenants: BTreeMap::new(),
            features: BTreeMap::new(),
            faults: 0,
        }
    }

    /// Adds the next call, which is written as `line`.
    pub(super) fn add(&mut self, planned: Planned, shape: &Shape<'_>, line: &[u8]) {
        self.hash.add_line(line);
        self.calls += 1;
        self.last = planned.at;
        self.second.add(planned.at);
        self.minute.add(planned.at);
        let prompt_tokens = shape.prompt_tokens();
        self.prompt_tokens.saturating_record(prompt_tokens.into());
        self.longest_prompt = self.longest_prompt.max(prompt_tokens);
        self.sessions.add(planned, shape);
        if let Some(Answer { tokens, stop }) = shape.answer {
            if stop != StopReason::ToolUse {
                self.answer_tokens.saturating_record(tokens.into());
            }
            *self.stop_reasons.entry(stop).or_default() += 1;
        }
        *self.operations.entry(shape.target.operation).or_default() += 1;
        count(&mut self.models, &shape.target.model);
        if let Some(feature) = shape.feature {
            count(&mut self.features, feature);
        }
        *self.tenants.entry(planned.tenant).or_default() += 1;
        self.faults += u64::from(shape.fault.is_some());
    }

    /// The hash of the calls.
    #[must_use]
    pub fn hash(&self) -> PlanHash {
        self.hash
    }

    /// How many calls there are.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls
    }

    fn percent(&self, calls: u64) -> f64 {
        percent(calls, self.calls)
    }

    /// The largest shares, then what is left.
    fn shares(
        &self,
        f: &mut fmt::Formatter<'_>,
        label: &str,
        calls_of_each: Vec<(String, u64)>,
    ) -> fmt::Result {
        let mut sorted = calls_of_each;
        // Equal ones stay in the order of their names.
        sorted.sort_by_key(|(_, calls)| std::cmp::Reverse(*calls));
        let rest = sorted.split_off(sorted.len().min(NAMED));
        if !rest.is_empty() {
            let calls = rest.iter().map(|(_, calls)| calls).sum();
            sorted.push((format!("{} more", rest.len()), calls));
        }
        for (index, (name, calls)) in sorted.into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            writeln!(f, "{label:<12}{:>5.1} %  {name}", self.percent(calls))?;
        }
        Ok(())
    }
}

impl fmt::Display for PlanSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PlanSummary { shard, whole, seed, hash, calls, .. } = self;
        writeln!(f, "{:<12}{calls} of {whole}, shard {shard}, seed {seed}", "calls")?;
        writeln!(f, "{:<12}{hash}", "hash")?;
        let last = humantime::format_duration(Duration::from_secs(self.last.as_secs()));
        writeln!(f, "{:<12}{last} after the start", "last call")?;
        writeln!(
            f,
            "{:<12}{} in a second, {} in a minute",
            "busiest", self.second.most, self.minute.most
        )?;
        let quantile = |quantile| self.prompt_tokens.value_at_quantile(quantile);
        writeln!(
            f,
            "{:<12}{} tokens at the median, {} at p95, {} at most",
            "prompts",
            quantile(0.5),
            quantile(0.95),
            self.longest_prompt
        )?;
        if !self.answer_tokens.is_empty() {
            let quantile = |quantile| self.answer_tokens.value_at_quantile(quantile);
            writeln!(
                f,
                "{:<12}{} tokens at the median, {} at p95",
                "answers",
                quantile(0.5),
                quantile(0.95)
            )?;
        }
        self.sessions.fmt(f)?;
        writeln!(f, "{:<12}{:>5.1} %", "faults", self.percent(self.faults))?;
        let reasons = self.stop_reasons.iter();
        let reasons = reasons.map(|(reason, calls)| (reason.name().to_owned(), *calls));
        self.shares(f, "ends", reasons.collect())?;
        let operations = self.operations.iter();
        let operations = operations.map(|(operation, calls)| (operation.name().to_owned(), *calls));
        self.shares(f, "operations", operations.collect())?;
        let models = self.models.iter().map(|(model, calls)| (model.clone(), *calls));
        self.shares(f, "models", models.collect())?;
        let features = self.features.iter().map(|(feature, calls)| (feature.clone(), *calls));
        self.shares(f, "features", features.collect())?;
        if self.tenants.len() == 1 {
            return Ok(());
        }
        let tenants =
            self.tenants.iter().map(|(tenant, calls)| (format!("tenant {tenant}"), *calls));
        self.shares(f, "tenants", tenants.collect())
    }
}

/// What calls have to do with the sessions they are of.
#[derive(Clone, Debug, Default)]
struct SessionCounts {
    /// Calls that are of a session.
    calls: u64,
    /// Sessions of which the first call is here.
    begun: u64,
    /// Calls that bring what a tool returned.
    results: u64,
    prompt_tokens: u64,
    known_tokens: u64,
}

impl SessionCounts {
    fn add(&mut self, planned: Planned, shape: &Shape<'_>) {
        let place = planned.place;
        if place.embeds {
            return;
        }
        self.calls += 1;
        self.begun += u64::from(place.step == 0);
        self.results += u64::from(place.round > 0);
        self.prompt_tokens += u64::from(shape.prompt_tokens());
        self.known_tokens += u64::from(shape.known_tokens);
    }

    /// Nothing where each call is a session.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.begun == self.calls {
            return Ok(());
        }
        writeln!(
            f,
            "{:<12}{} begun, {} calls go on with one, {} of them with a tool's result",
            "sessions",
            self.begun,
            self.calls - self.begun,
            self.results,
        )?;
        let repeated = percent(self.known_tokens, self.prompt_tokens);
        writeln!(f, "{:<12}{repeated:>5.1} %  of what prompts say has been said before", "repeated")
    }
}

/// A histogram of lengths, of which none can be too long for it.
fn lengths() -> Histogram<u64> {
    Histogram::new_with_max(u32::MAX.into(), 3).expect("three digits are valid")
}

fn count(calls: &mut BTreeMap<String, u64>, name: &str) {
    match calls.get_mut(name) {
        Some(calls) => *calls += 1,
        None => drop(calls.insert(name.to_owned(), 1)),
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a figure of three digits is shown")]
    let percent = 100.0 * part as f64 / whole.max(1) as f64;
    percent
}

/// The most calls in any period of a length, counted from the start. Calls come in order of time.
#[derive(Clone, Copy, Debug)]
struct Busiest {
    length_seconds: u64,
    current: u64,
    calls: u64,
    most: u64,
}

impl Busiest {
    fn of(length_seconds: u64) -> Self {
        Self { length_seconds, current: 0, calls: 0, most: 0 }
    }

    fn add(&mut self, at: Duration) {
        let period = at.as_secs() / self.length_seconds;
        if period != self.current {
            (self.current, self.calls) = (period, 0);
        }
        self.calls += 1;
        self.most = self.most.max(self.calls);
    }
}
