//! What the load generator did, in words that several formats share.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use spanproof_schemas::report::{Gate, Load, LoadAnswers, LoadStorage, PolicyStorage, Quantiles};

use super::answers::{Part, by_model, counts, usd};
use super::number::{bytes, counted, dollars, grouped, seconds};
use super::text::shortened;

/// How many characters of a client's name, and of a line about books, are shown.
const SHOWN_NAME: usize = 120;
const SHOWN_MISMATCH: usize = 300;

/// What became of the calls.
pub(super) fn calls(load: &Load) -> String {
    let Load { client, intended, started, completed, failed, wall_s, .. } = load;
    let mut text = format!(
        "{} planned for {}; {} started, {} completed, {} failed",
        counted(*intended, "call"),
        shortened(client, SHOWN_NAME),
        grouped(*started),
        grouped(*completed),
        grouped(*failed),
    );
    for left_out in left_out(load) {
        text.push_str(&left_out);
    }
    text + &format!(", in {}", seconds(*wall_s))
}

/// Calls that were planned and not made, by why, each after a comma.
pub(super) fn left_out(load: &Load) -> Vec<String> {
    [(load.skipped, "skipped"), (load.dropped, "dropped"), (load.not_made(), "not made")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, why)| format!(", {} {why}", grouped(count)))
        .collect()
}

/// The times that were measured. Where nothing of a kind was, no streams say, all are zero. The parts
/// of lag are told where there is any.
pub(super) fn measured(load: &Load) -> Vec<(&'static str, Quantiles)> {
    let mut all = vec![("schedule lag", load.schedule_lag_ms)];
    if let Some(parts) = load.lag_parts.filter(|_| load.schedule_lag_ms != Quantiles::default()) {
        all.push(("  of the timer", parts.timer_ms));
        all.push(("  for room", parts.room_ms));
        all.push(("  of the client", parts.client_ms));
    }
    all.extend([
        ("latency", load.latency_ms),
        ("service time", load.service_ms),
        ("first chunk", load.ttft_ms),
    ]);
    all.retain(|(_, quantiles)| *quantiles != Quantiles::default());
    all
}

/// The rate that was asked for beside the one achieved.
pub(super) fn rate(load: &Load) -> Option<String> {
    let rate = load.rate?;
    Some(format!(
        "{:.1} of {:.1} planned calls/s achieved ({})",
        rate.achieved_per_s,
        rate.planned_per_s,
        percent(rate.share())
    ))
}

/// Whether the busiest minute was carried.
pub(super) fn peak(load: &Load) -> Option<String> {
    let peak = load.peak_minute()?;
    let hour_and_minute = format!("{:02}:{:02}", peak.minute / 60, peak.minute % 60);
    let short = peak.planned.saturating_sub(peak.sent);
    let carried = if short == 0 {
        format!("{} sent in it: carried", grouped(peak.sent))
    } else {
        format!("{} sent in it: {} short", grouped(peak.sent), grouped(short))
    };
    Some(format!("{} due in minute {hour_and_minute}, {carried}", counted(peak.planned, "call")))
}

/// How answers ended, and with which errors calls did.
pub(super) fn ends(load: &Load) -> Option<String> {
    let LoadAnswers { stop_reasons, errors, .. } = &load.answers;
    let told = |ends: &BTreeMap<String, u64>| {
        let counts = counts(ends).into_iter();
        counts
            .map(|(name, count)| format!("{} {}", grouped(count), shortened(name, SHOWN_NAME)))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let parts = [(stop_reasons, ""), (errors, "errors: ")];
    let parts = parts.into_iter().filter(|(ends, _)| !ends.is_empty());
    let told: Vec<String> = parts.map(|(ends, what)| format!("{what}{}", told(ends))).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// What calls cost by model, going by what the client read.
pub(super) fn spend(load: &Load) -> Option<String> {
    let models = by_model(&load.answers);
    usd(&models)?;
    let told = models.iter().map(|Part { name, usd, .. }| {
        let name = shortened(name, SHOWN_NAME);
        usd.map_or_else(|| format!("no price of {name}"), |usd| format!("{} {name}", dollars(usd)))
    });
    Some(told.collect::<Vec<_>>().join(", "))
}

/// What the traces would take in a store.
pub(super) fn storage(load: &Load) -> Option<String> {
    let LoadStorage { retention_days, policies, .. } = load.storage.as_ref()?;
    let told = policies.iter().map(|PolicyStorage { policy, bytes_at_retention, .. }| {
        format!("{} with {}", bytes(*bytes_at_retention), shortened(policy, SHOWN_NAME))
    });
    let told = told.collect::<Vec<_>>().join(", ");
    Some(format!("{retention_days} days of traces take in Tempo, by content policy, {told}"))
}

/// What became of the client's spans, and who counted otherwise.
pub(super) fn books(load: &Load) -> Option<String> {
    let telemetry = load.telemetry.as_ref()?;
    let mut parts = Vec::new();
    if let Some(books) = telemetry.client {
        let mut text = format!(
            "{} created = {} exported + {} rejected + {} dropped + {} failed",
            counted(books.created, "span"),
            grouped(books.exported),
            grouped(books.rejected),
            grouped(books.dropped),
            grouped(books.failed),
        );
        let attempts =
            [(books.retried, "sent again"), (books.unanswered, "sent without an answer")];
        let told = attempts.iter().filter(|(count, _)| *count > 0);
        let told: Vec<String> =
            told.map(|(count, what)| format!("{} {what}", grouped(*count))).collect();
        if !told.is_empty() {
            let _ = write!(text, " ({})", told.join(", "));
        }
        parts.push(text);
    }
    for received in &telemetry.receivers {
        let name = shortened(&received.receiver, SHOWN_NAME);
        let mut text = format!("{name} took {}", grouped(received.accepted));
        if received.refused > 0 {
            let _ = write!(text, " and refused {}", grouped(received.refused));
        }
        parts.push(text);
    }
    for mismatch in &telemetry.mismatches {
        parts.push(format!("which does not fit: {}", shortened(mismatch, SHOWN_MISMATCH)));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// One gate.
pub(super) fn gate(gate: &Gate) -> String {
    let Gate { name, asked, seen, is_met, advice } = gate;
    let [name, asked, seen] = [name, asked, seen].map(|text| shortened(text, SHOWN_MISMATCH));
    let met = if *is_met { "met" } else { "missed" };
    let mut text = format!("{name} {met}: asked for {asked}, seen {seen}");
    if let Some(advice) = advice {
        text.push_str("; ");
        text.push_str(&shortened(advice, SHOWN_MISMATCH));
    }
    text
}

/// A share in percent, cut and not rounded: 100 % is all of it.
fn percent(share: f64) -> String {
    format!("{} %", (share * 1e4).floor() / 100.0)
}
