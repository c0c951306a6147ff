//! What the load generator planned and did, in figures and charts.

use std::collections::BTreeMap;

use maud::{Markup, html};
use spanproof_schemas::report::{
    Gate, Load, LoadSlice, LoadStorage, PolicyStorage, Quantiles, TelemetryBooks,
};

use super::chart::{Bar, Curve, Form, Slice, Unit, bars, curves};
use crate::report::answers::{self, Part, by_feature, by_model, by_tenant, counts};
use crate::report::load;
use crate::report::number::{
    bytes, counted, dollars, grouped, milliseconds, milliseconds_beside, percent, short,
};
use crate::report::text::visible;

/// Milliseconds, and counts.
const TIME: Unit = Unit { told: milliseconds, beside: milliseconds_beside };
const COUNT: Unit = Unit { told: short, beside: |count, _| short(count) };

/// Everything about a load.
pub(super) fn section(load: &Load) -> Markup {
    html! {
        section aria-labelledby="load" {
            h2 id="load" { "Load" }
            p.summary { (visible(&load::calls(load))) "." }
            @if !load.gates.is_empty() { (gates(&load.gates)) }
            div.beside {
                (measured(load))
                @if let Some(books) = &load.telemetry { (told_books(books)) }
            }
            div.charts { (over_time(load)) (answered(load)) @if let Some(storage) = &load.storage { (stored(storage)) } }
        }
    }
}

fn gates(gates: &[Gate]) -> Markup {
    html! {
        div.scroll {
            table.gates {
                caption { "What had to be reached" }
                thead { tr { th scope="col" { "gate" } th scope="col" { "asked for" } th scope="col" { "seen" } } }
                tbody {
                    @for gate in gates {
                        tr class=(if gate.is_met { "good" } else { "bad" }) {
                            th scope="row" {
                                span.sign aria-hidden="true" { (if gate.is_met { "✓" } else { "✗" }) } " "
                                code { (visible(&gate.name)) } " " (if gate.is_met { "met" } else { "missed" })
                            }
                            td { (visible(&gate.asked)) }
                            td {
                                (visible(&gate.seen))
                                @if let Some(advice) = &gate.advice { span.says { (visible(advice)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn measured(load: &Load) -> Markup {
    let told: Vec<String> = [load::rate(load), load::peak(load)].into_iter().flatten().collect();
    html! {
        div {
            div.scroll {
                table.figures {
                    caption { "Times of calls" }
                    thead { tr { th scope="col" { span.unseen { "measured" } } th scope="col" { "p50" }
                        th scope="col" { "p99" } th scope="col" { "max" } } }
                    tbody {
                        @for (name, quantiles) in load::measured(load) {
                            tr { th scope="row" { (name.trim_start()) } td { (milliseconds(quantiles.p50)) }
                                td { (milliseconds(quantiles.p99)) } td { (milliseconds(quantiles.max)) } }
                        }
                    }
                }
            }
            @if !told.is_empty() {
                ul { @for text in &told { li { (visible(text)) } } }
            }
        }
    }
}

/// The books as a sum, and what others counted.
fn told_books(books: &TelemetryBooks) -> Markup {
    html! {
        div.scroll {
            table.figures {
                caption { "The books of spans" }
                tbody {
                    @if let Some(client) = books.client {
                        tr { th scope="row" { "created" } td { (grouped(client.created)) } }
                        @for (sign, what, spans) in [
                            ("= ", "exported", client.exported),
                            ("+ ", "rejected", client.rejected),
                            ("+ ", "dropped", client.dropped),
                            ("+ ", "failed", client.failed),
                        ] {
                            tr class=[(spans > 0 && what != "exported").then_some("differs")] {
                                th scope="row" { (sign) (what) } td { (grouped(spans)) }
                            }
                        }
                        @for (what, spans) in [("sent again", client.retried), ("sent without an answer", client.unanswered)] {
                            @if spans > 0 { tr { th scope="row" { (what) } td { (grouped(spans)) } } }
                        }
                    }
                    @for received in &books.receivers {
                        tr { th scope="row" { "taken by " (visible(&received.receiver)) } td { (grouped(received.accepted)) } }
                        @if received.refused > 0 {
                            tr.differs { th scope="row" { "refused by " (visible(&received.receiver)) } td { (grouped(received.refused)) } }
                        }
                    }
                    @for mismatch in &books.mismatches {
                        tr.differs { th scope="row" colspan="2" { "does not fit: " (visible(mismatch)) } }
                    }
                }
            }
        }
    }
}

/// What changed as simulated time went by; nothing where calls have no times.
fn over_time(load: &Load) -> Markup {
    let slices: Vec<Slice> = load.slices.iter().map(slice).collect();
    let quantiles = |of: fn(&LoadSlice) -> Quantiles| {
        let measured = |value: fn(Quantiles) -> f64| {
            load.slices.iter().map(|it| known(of(it)).map(value)).collect()
        };
        [
            Curve { name: "p99", form: Form::Second, values: measured(|it| it.p99) },
            Curve { name: "p50", form: Form::First, values: measured(|it| it.p50) },
        ]
    };
    let tokens = |name, form, of: fn(&LoadSlice) -> u64| Curve {
        name,
        form,
        values: load
            .slices
            .iter()
            .map(|slice| Some(per_minute(of(slice), slice.minutes)))
            .collect(),
    };
    let streams = load.slices.iter().any(|slice| known(slice.ttft_ms).is_some());
    html! {
        @if !slices.is_empty() {
            (rates(load))
            (curves("Latency, from planned start to end", &slices, &quantiles(|it| it.latency_ms), TIME))
            @if streams {
                (curves("Time to first chunk of streams", &slices, &quantiles(|it| it.ttft_ms), TIME))
            }
            (curves("Schedule lag", &slices, &quantiles(|it| it.schedule_lag_ms), TIME))
            (curves("Tokens a minute of simulated time", &slices, &[
                tokens("input", Form::First, |it| it.tokens.input_tokens),
                tokens("output", Form::Second, |it| it.tokens.output_tokens),
                tokens("read from the cache", Form::Third, |it| it.tokens.cache_read_input_tokens),
            ], COUNT))
        }
    }
}

/// The planned rate and the one that calls were sent at. Calls that were sent late go beyond the end
/// of the plan.
fn rates(load: &Load) -> Markup {
    let length = load.slices.first().map_or(1, |slice| slice.minutes.max(1));
    let mut sums: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for minute in &load.minutes {
        let (planned, sent) = sums.entry(minute.minute / length).or_default();
        *planned = planned.saturating_add(minute.planned);
        *sent = sent.saturating_add(minute.sent);
    }
    let slices: Vec<Slice> = sums
        .keys()
        .map(|index| Slice { minute: index.saturating_mul(length), minutes: length })
        .collect();
    let rate = |of: fn(&(u64, u64)) -> u64| {
        sums.values().map(|calls| Some(per_minute(of(calls), length))).collect()
    };
    let planned =
        Curve { name: "planned", form: Form::Filled, values: rate(|(planned, _)| *planned) };
    let sent = Curve { name: "sent", form: Form::First, values: rate(|(_, sent)| *sent) };
    curves("Calls a minute of simulated time", &slices, &[planned, sent], COUNT)
}

/// What answers held and cost.
fn answered(load: &Load) -> Markup {
    let calls: u64 = load.answers.shares.iter().map(|share| share.calls).sum();
    let ends = |by_name| {
        let bar = |(name, count): (&str, u64)| Bar {
            name: visible(name),
            value: value(count),
            range: None,
            told: grouped(count),
            note: percent(count, calls),
        };
        counts(by_name).into_iter().map(bar).collect::<Vec<_>>()
    };
    let (reasons, errors) = (ends(&load.answers.stop_reasons), ends(&load.answers.errors));
    let (models, features) = (by_model(&load.answers), by_feature(&load.answers));
    let tenants = by_tenant(&load.answers);
    html! {
        @if !reasons.is_empty() { (bars("Stop reasons", &reasons)) }
        @if !errors.is_empty() { (bars("Errors that calls ended with, planned ones included", &errors)) }
        @if answers::usd(&models).is_some() {
            (bars("Cost by model", &costs(&models)))
            @for (title, parts) in [("Cost by feature", &features), ("Cost by tenant", &tenants)] {
                @if !parts.is_empty() { (bars(title, &costs(parts))) }
            }
        }
    }
}

fn costs(parts: &[Part]) -> Vec<Bar> {
    let bar = |part: &Part| Bar {
        name: visible(&part.name),
        value: part.usd.unwrap_or_default(),
        range: None,
        told: part.usd.map_or_else(|| "no price known".to_owned(), dollars),
        note: counted(part.calls, "call"),
    };
    parts.iter().map(bar).collect()
}

/// What the traces would take in a store.
fn stored(storage: &LoadStorage) -> Markup {
    let bar = |policy: &PolicyStorage| Bar {
        name: visible(&policy.policy),
        value: policy.bytes_at_retention,
        range: Some((policy.least_bytes_at_retention, policy.greatest_bytes_at_retention)),
        told: bytes(policy.bytes_at_retention),
        note: format!(
            "{} a day, {} a month",
            bytes(policy.bytes_per_day),
            dollars(policy.usd_per_month)
        ),
    };
    let title = format!(
        "Storage in Tempo by content policy, {} days of it, with its range",
        storage.retention_days
    );
    bars(&title, &storage.policies.iter().map(bar).collect::<Vec<_>>())
}

fn slice(slice: &LoadSlice) -> Slice {
    Slice { minute: slice.minute, minutes: slice.minutes }
}

/// Nothing where nothing was measured.
fn known(quantiles: Quantiles) -> Option<Quantiles> {
    (quantiles != Quantiles::default()).then_some(quantiles)
}

fn per_minute(count: u64, minutes: u32) -> f64 {
    value(count) / f64::from(minutes.max(1))
}

#[expect(clippy::cast_precision_loss, reason = "it becomes a length in a chart")]
fn value(count: u64) -> f64 {
    count as f64
}
