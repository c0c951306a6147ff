//! What was sent beside what the stack says of it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use serde_json::Value;
use spanproof_schemas::price::PriceTable;

use super::collector::Collector;
use super::http::Http;
use super::prometheus::{Prometheus, Sample};
use super::server::until;
use super::truth::{CUT_OFF, TokenLabels, Truth};

/// Since when is asked for: nothing was there before the test.
const SINCE: &str = "1h";

/// How far a block may be from what was foretold of it.
const MOST_SIZE_ERROR: f64 = 0.05;

/// By what part two sums of the same prices may differ.
const MOST_ROUNDING: f64 = 1e-9;

/// What was compared, and what was not the same.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    told: Vec<String>,
    differences: Vec<String>,
}

/// Returns when some of what was sent is counted: what comes after it is growth.
pub(super) fn wait_until_counted(http: &Http, prometheus: &Prometheus) -> Result<()> {
    until(|| {
        let counted = prometheus.number(http, "sum(genai_time_to_first_chunk_seconds_count)")?;
        ensure!(counted > 0.0, "no call is counted");
        Ok(())
    })
}

impl Comparison {
    pub(super) fn told(&self) -> &[String] {
        &self.told
    }

    pub(super) fn differences(&self) -> &[String] {
        &self.differences
    }

    pub(super) fn into_differences(self) -> Vec<String> {
        self.differences
    }

    /// What follows is about `what`.
    pub(super) fn begin(&mut self, what: String) {
        self.told.push(what);
    }

    pub(super) fn tell(&mut self, line: &str) {
        self.told.push(format!("  {line}"));
    }

    /// A count that must be what was sent.
    pub(super) fn same(&mut self, what: &str, counted: u64, sent: u64) {
        self.tell(&format!("{what}: {counted} of {sent}"));
        if counted != sent {
            self.differences.push(format!("{what}: {counted}, and {sent} were sent"));
        }
    }

    /// `count` things of which `missing` are not as they should be.
    pub(super) fn all(&mut self, what: &str, count: usize, missing: Vec<String>) {
        self.tell(&format!("{what}: {} of {count}", count - missing.len()));
        self.differences.extend(missing);
    }

    /// Spans: created, taken by the Collector, passed on, and counted.
    pub(super) fn spans(
        &mut self,
        http: &Http,
        prometheus: &Prometheus,
        collector: &Collector,
        created: u64,
    ) -> Result<()> {
        let asked = [
            ("spans accepted by the Collector", "sum(otelcol_receiver_accepted_spans_total)"),
            ("spans in span metrics", "sum(traces_span_metrics_calls_total)"),
            ("spans passed on", "sum(otelcol_exporter_sent_spans_total{exporter=\"file\"})"),
        ];
        for (what, query) in asked {
            let counted = settled(http, prometheus, query, created)?;
            self.same(what, counted, created);
        }
        // The end of the file may not be there yet.
        let written = until(|| {
            let spans = Truth::of_capture(&collector.written)?.spans;
            ensure!(spans == created, "{spans} of {created} spans are in the file");
            Ok(spans)
        })?;
        self.same("spans in the file that it writes", written, created);
        Ok(())
    }

    /// Tokens by model, tenant, feature and type, answers by why they ended, and what it costs.
    pub(super) fn usage(
        &mut self,
        http: &Http,
        prometheus: &Prometheus,
        truth: &Truth,
    ) -> Result<()> {
        let new = |what: &str| format!("sum_over_time(gen_ai:{what}:new[{SINCE}])");
        let all: u64 = truth.tokens.values().sum();
        let tokens = settled(http, prometheus, &format!("sum({})", new("tokens")), all)?;
        self.same("tokens", tokens, all);

        let labels = "gen_ai_request_model, app_tenant, app_feature, genai_token_type";
        let counted = prometheus.query(http, &format!("sum by ({labels}) ({})", new("tokens")))?;
        let of = |sample: &Sample| -> TokenLabels {
            ["gen_ai_request_model", "app_tenant", "app_feature", "genai_token_type"]
                .map(|label| sample.label(label))
        };
        let counted = counted.iter().map(|sample| (of(sample), sample.value)).collect();
        self.each("tokens by model, tenant, feature and type", counted, &truth.tokens);

        let ended = new("calls").replace('[', "{genai_finish_reason!=\"\"}[");
        let answers = truth.answers.values().sum();
        let counted = settled(http, prometheus, &format!("sum({ended})"), answers)?;
        self.same("answers", counted, answers);
        let counted = prometheus.query(http, &format!("sum by (genai_finish_reason) ({ended})"))?;
        let counted = counted
            .iter()
            .map(|sample| (sample.label("genai_finish_reason"), sample.value))
            .collect();
        self.each("answers by why they ended", counted, &truth.answers);

        let prices = PriceTable::built_in();
        let bill = truth.bill_usd(&prices);
        let cost = prometheus.number(http, &format!("sum({})", new("cost_usd")))?;
        let cut_off = truth.answers.get(CUT_OFF).copied().unwrap_or_default();
        self.tell(&format!("answers cut off: {cut_off}"));
        let apart = (cost - bill).abs();
        let how = if apart > bill * MOST_ROUNDING {
            self.differences.push(format!("the cost is {cost} US dollars, and the bill {bill}"));
            "which is more than rounding"
        } else if apart > 0.0 {
            "as sums of floating-point numbers in another order are"
        } else {
            "the same to the last bit"
        };
        self.tell(&format!(
            "cost: {cost:.6} US dollars, billed {bill:.6}, apart by {apart:.1e}: {how}"
        ));
        Ok(())
    }

    fn each<K: Ord + std::fmt::Debug>(
        &mut self,
        what: &str,
        counted: BTreeMap<K, f64>,
        sent: &BTreeMap<K, u64>,
    ) {
        let counted: BTreeMap<K, f64> =
            counted.into_iter().filter(|(_, count)| *count != 0.0).collect();
        let keys: BTreeSet<&K> = counted.keys().chain(sent.keys()).collect();
        let wrong: Vec<String> = keys
            .iter()
            .filter_map(|key| {
                let counted = counted.get(key).copied().unwrap_or_default();
                let sent = sent.get(key).copied().unwrap_or_default();
                (!same(counted, float(sent))).then(|| {
                    format!("{what}: {key:?}: {counted} are counted, and {sent} were sent")
                })
            })
            .collect();
        self.all(what, keys.len(), wrong);
    }

    /// What our own rules say of what the Collector passed on.
    pub(super) fn judged(&mut self, conforms: bool, report: &Value) {
        let join = &report["join"];
        self.tell(&format!(
            "passed on without content: {} spans, joined with {} of {} calls, {}",
            report["telemetry"]["spans"],
            join["matched"],
            join["calls"],
            if conforms { "no finding" } else { "with findings" }
        ));
        if !conforms {
            for group in report["findings"].as_array().into_iter().flatten() {
                self.differences.push(format!(
                    "what the Collector passed on: {} {} ({}×)",
                    group["rule"], group["message"], group["count"]
                ));
            }
        }
    }

    /// Blocks that Tempo wrote, and what `size` says of the same telemetry.
    #[expect(clippy::cast_precision_loss, reason = "bytes stay far below 2^52")]
    pub(super) fn size(&mut self, blocks: usize, real: u64, foretold: u64) {
        let error = foretold as f64 / real as f64 - 1.0;
        self.tell(&format!(
            "{blocks} blocks of {real} bytes; as one block, {foretold} are foretold ({:+.1} %)",
            error * 100.0
        ));
        // Several blocks have a dictionary and a footer each.
        if blocks == 1 && error.abs() > MOST_SIZE_ERROR {
            self.differences.push(format!("the block has {real} bytes, and not {foretold}"));
        }
    }
}

/// The count that `query` comes to, once it is `expected`, or when no more has come for a while.
fn settled(http: &Http, prometheus: &Prometheus, query: &str, expected: u64) -> Result<u64> {
    let mut last = prometheus.number(http, query)?;
    while !same(last, float(expected)) {
        let more = until(|| {
            let counted = prometheus.number(http, query)?;
            ensure!(!same(counted, last), "no more than {last}");
            Ok(counted)
        });
        let Ok(more) = more else { break };
        last = more;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a count")]
    Ok(last.round() as u64)
}

/// Counts are whole, and exact as floating-point numbers.
fn same(one: f64, other: f64) -> bool {
    (one - other).abs() < 0.5
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}
