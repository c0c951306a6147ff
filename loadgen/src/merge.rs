//! Makes one result of those of the shards of a load.

use std::collections::BTreeSet;
use std::time::Duration;

use spanproof_schemas::accounting::Accounting;
use spanproof_schemas::load_result::{LOAD_RESULT_VERSION, LoadResult, ShardIdentity};
use spanproof_schemas::report::{Load, TelemetryBooks};

use crate::plan::{ParsePlanHashError, PlanHash};
use crate::statistics::Statistics;

mod reports;

/// Results that are not those of the shards of one load.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There is nothing to merge.
    #[error("there is no result to merge")]
    None,
    /// A file of another version.
    #[error("{name} is of version {version}, this spanproof reads version {LOAD_RESULT_VERSION}")]
    Version {
        /// Which one.
        name: String,
        /// Its version.
        version: u32,
    },
    /// Two that differ in what must be the same.
    #[error(
        "{one} and {other} are not of one load: their {what} differ, {first} and {second}; run every shard with the same options and program"
    )]
    Unlike {
        /// One.
        one: String,
        /// The other.
        other: String,
        /// What differs.
        what: &'static str,
        /// What it is of the one.
        first: String,
        /// What it is of the other.
        second: String,
    },
    /// One shard is there twice.
    #[error("{one} and {other} are both shard {index}: leave one out")]
    Doubled {
        /// One.
        one: String,
        /// The other.
        other: String,
        /// Their index.
        index: u64,
    },
    /// A shard is not there.
    #[error("shards are missing: {missing} of {count}; a load is told only as a whole")]
    Missing {
        /// The indices.
        missing: String,
        /// How many there are to be.
        count: u64,
    },
    /// A shard ran when another did not.
    #[error(
        "{one} ended {apart_s} s before {other} started: rates of loads at different times do not add up; start all shards with the same --start-at"
    )]
    Apart {
        /// The one that ended first.
        one: String,
        /// The one that started later.
        other: String,
        /// Seconds between them.
        apart_s: String,
    },
    /// What it says does not fit together.
    #[error("{name} is damaged: {what}")]
    Damaged {
        /// Which one.
        name: String,
        /// What is wrong.
        what: String,
    },
}

/// The result of the whole load, from the results of all of its shards, each with a name to call it
/// by. Its gates are empty: they are for the whole, and not for what the shards were asked.
///
/// # Errors
///
/// When they are not the shards of one load, each once, at the same time.
pub fn merge(mut results: Vec<(String, LoadResult)>) -> Result<LoadResult, MergeError> {
    results.sort_by_key(|(_, result)| result.shard.index);
    for (name, result) in &results {
        if result.version != LOAD_RESULT_VERSION {
            return Err(MergeError::Version { name: name.clone(), version: result.version });
        }
    }
    let Some(first) = results.first() else { return Err(MergeError::None) };
    results.iter().try_for_each(|other| alike(first, other))?;
    complete(&results)?;
    together(&results)?;

    let mut hash = PlanHash::default();
    let mut statistics: Option<Statistics> = None;
    for (name, result) in &results {
        let damaged =
            |what: &str| MergeError::Damaged { name: name.clone(), what: what.to_owned() };
        let part: PlanHash = result
            .plan
            .hash
            .parse()
            .map_err(|error: ParsePlanHashError| damaged(&error.to_string()))?;
        hash = hash.plus(part);
        let load = result.report.load.as_ref().ok_or_else(|| damaged("it has no load"))?;
        let LoadResult { histograms, slices, window, failures, .. } = result;
        let part =
            Statistics::of(load, histograms, slices, *window, failures).ok_or_else(|| {
                damaged("its histograms have values out of bounds, or are not those of its report")
            })?;
        if load.intended != shard_calls(result) {
            return Err(damaged("its shard has another number of calls than it was to make"));
        }
        match &mut statistics {
            Some(sum) => sum.merge(&part),
            None => statistics = Some(part),
        }
    }
    let statistics = statistics.ok_or(MergeError::None)?;
    let client = first.1.report.load.as_ref().map(|load| load.client.clone()).unwrap_or_default();
    let mut load = statistics.load(client);
    load.telemetry = books(&results);
    // Each shard that was asked foretells the same, of the whole plan.
    load.storage = loads(&results).find_map(|load| load.storage.clone());
    let mut report = reports::merged(results.iter().map(|(_, result)| &result.report));
    report.load = Some(load);
    let is_whole = results.iter().all(|(_, result)| result.is_whole);
    let mut whole = first.1.clone();
    whole.plan.hash = hash.to_string();
    whole.shard = ShardIdentity { index: 0, count: 1 };
    whole.window = statistics.window();
    whole.is_whole = is_whole;
    whole.histograms = statistics.histograms();
    whole.slices = statistics.slices();
    whole.failures = statistics.failures().to_vec();
    whole.report = report;
    Ok(whole)
}

/// How many calls the shard of `result` has.
fn shard_calls(result: &LoadResult) -> u64 {
    let ShardIdentity { index, count } = result.shard;
    let calls = result.plan.calls;
    calls / count.max(1) + u64::from(calls % count.max(1) > index)
}

fn alike(one: &(String, LoadResult), other: &(String, LoadResult)) -> Result<(), MergeError> {
    let (one_name, one) = one;
    let (other_name, other) = other;
    let client = |result: &LoadResult| {
        result.report.load.as_ref().map_or_else(String::new, |load| load.client.clone())
    };
    let pairs = [
        ("programs", one.program.clone(), other.program.clone()),
        ("seeds", one.plan.seed.to_string(), other.plan.seed.to_string()),
        ("plans", one.plan.fingerprint.clone(), other.plan.fingerprint.clone()),
        ("numbers of calls", one.plan.calls.to_string(), other.plan.calls.to_string()),
        ("numbers of shards", one.shard.count.to_string(), other.shard.count.to_string()),
        ("speeds", one.speed.clone(), other.speed.clone()),
        ("clients", client(one), client(other)),
    ];
    match pairs.into_iter().find(|(_, first, second)| first != second) {
        None => Ok(()),
        Some((what, first, second)) => Err(MergeError::Unlike {
            one: one_name.clone(),
            other: other_name.clone(),
            what,
            first,
            second,
        }),
    }
}

/// Each shard is there once. They are in the order of their indices.
fn complete(results: &[(String, LoadResult)]) -> Result<(), MergeError> {
    for pair in results.windows(2) {
        if pair[0].1.shard.index == pair[1].1.shard.index {
            return Err(MergeError::Doubled {
                one: pair[0].0.clone(),
                other: pair[1].0.clone(),
                index: pair[0].1.shard.index,
            });
        }
    }
    let there: BTreeSet<u64> = results.iter().map(|(_, result)| result.shard.index).collect();
    let count = results.first().map_or(0, |(_, result)| result.shard.count);
    if let Some((name, result)) = results.iter().find(|(_, result)| result.shard.index >= count) {
        let what = format!("there is no shard {} of {count}", result.shard.index);
        return Err(MergeError::Damaged { name: name.clone(), what });
    }
    // As many as are told, of as many as there may be.
    let mut missing: Vec<String> = (0..count)
        .filter(|index| !there.contains(index))
        .take(MOST_MISSING + 1)
        .map(|index| index.to_string())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if missing.len() > MOST_MISSING {
        missing.truncate(MOST_MISSING);
        missing.push("and more".to_owned());
    }
    Err(MergeError::Missing { missing: missing.join(", "), count })
}

/// How many missing shards are named.
const MOST_MISSING: usize = 10;

/// All ran at the same time, for some time.
fn together(results: &[(String, LoadResult)]) -> Result<(), MergeError> {
    let first_end = results.iter().min_by_key(|(_, result)| result.window.end_unix_nanos);
    let last_start = results.iter().max_by_key(|(_, result)| result.window.start_unix_nanos);
    let (Some((one, ended)), Some((other, started))) = (first_end, last_start) else {
        return Ok(());
    };
    let apart = started.window.start_unix_nanos.saturating_sub(ended.window.end_unix_nanos);
    if apart == 0 {
        return Ok(());
    }
    let apart_s = format!("{:.3}", Duration::from_nanos(apart).as_secs_f64());
    Err(MergeError::Apart { one: one.clone(), other: other.clone(), apart_s })
}

fn loads(results: &[(String, LoadResult)]) -> impl Iterator<Item = &Load> {
    results.iter().filter_map(|(_, result)| result.report.load.as_ref())
}

/// The books of all. Receivers of one name are added up: each shard counted what came during its own
/// run, in its own receiver or in one that it shared, and then the sum is what all of them were told.
fn books(results: &[(String, LoadResult)]) -> Option<TelemetryBooks> {
    let parts: Vec<&TelemetryBooks> =
        loads(results).filter_map(|load| load.telemetry.as_ref()).collect();
    let mut sum: Option<Accounting> = None;
    let mut whole = TelemetryBooks::default();
    for part in &parts {
        if let Some(client) = part.client {
            *sum.get_or_insert_default() += client;
        }
        for received in &part.receivers {
            match whole.receivers.iter_mut().find(|known| known.receiver == received.receiver) {
                Some(known) => {
                    known.accepted = known.accepted.saturating_add(received.accepted);
                    known.refused = known.refused.saturating_add(received.refused);
                }
                None => whole.receivers.push(received.clone()),
            }
        }
        whole.mismatches.extend(part.mismatches.iter().cloned());
    }
    whole.client = sum;
    (!parts.is_empty()).then_some(whole)
}

#[cfg(test)]
mod tests;
