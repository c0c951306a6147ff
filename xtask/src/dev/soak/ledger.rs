//! Whether the ledger has every request that was sent, once.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, Result};
use spanproof_schemas::ledger::Record;

use super::client::{Fate, Sent};

/// Adds to `problems` what the ledger lacks, or has that it should not.
pub(super) fn judge(path: &Path, sent: &Sent, problems: &mut Vec<String>) -> Result<()> {
    let fates = sent.fates();
    let mut records = vec![0_u32; fates.len()];
    let (mut strange, mut undelivered) = (0, 0);
    for (number, line) in BufReader::new(File::open(path)?).lines().enumerate() {
        let record = serde_json::from_str(&line?)
            .with_context(|| format!("line {} of the ledger", number + 1))?;
        let Record::Exchange(exchange) = record else { continue };
        let id = exchange.invocation_id.and_then(|id| id.parse::<usize>().ok());
        match id.and_then(|id| records.get_mut(id).map(|count| (id, count))) {
            Some((id, count)) => {
                *count += 1;
                undelivered += u32::from(fates[id] == Fate::Whole && !exchange.delivered);
            }
            None => strange += 1,
        }
    }
    let lacking =
        records.iter().zip(&fates).filter(|(count, fate)| **count == 0 && **fate != Fate::Unsent);
    let doubled = records.iter().filter(|count| **count > 1);
    let mut note = |count: usize, what: &str| {
        if count > 0 {
            problems.push(format!("{count} {what}"));
        }
    };
    note(lacking.count(), "requests are not in the ledger");
    note(doubled.count(), "requests are in the ledger more than once");
    note(strange, "records are of no request that was sent");
    note(undelivered as usize, "answers came whole but are recorded as not delivered");
    Ok(())
}
