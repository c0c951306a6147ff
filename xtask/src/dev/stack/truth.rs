//! What was sent, counted without the Collector: from captured spans, or from the mock's ledger.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use conformance::capture::{Export, Reader, Source};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use spanproof_schemas::ledger::{Planted, Record, Usage};
use spanproof_schemas::price::PriceTable;

/// The labels by which tokens are counted: model, tenant, feature and type of token.
pub(super) type TokenLabels = [String; 4];

/// What was sent.
#[derive(Debug, Default)]
pub(super) struct Truth {
    /// All spans.
    pub(super) spans: u64,
    /// Tokens, which are never 0.
    pub(super) tokens: BTreeMap<TokenLabels, u64>,
    /// Answers by why they ended.
    pub(super) answers: BTreeMap<String, u64>,
    /// Traces with an answer that was cut off.
    pub(super) cut_off: u64,
}

impl Truth {
    /// Of the spans at `path`, which speak a version that counts cached tokens among the input.
    pub(super) fn of_capture(path: &Path) -> Result<Truth> {
        let mut truth = Truth::default();
        for export in Reader::new([Source::from(path)])? {
            if let Export::Traces(request) = export? {
                let scopes = request.resource_spans.into_iter().flat_map(|of| of.scope_spans);
                for span in scopes.flat_map(|scope| scope.spans) {
                    truth.span(&span);
                }
            }
        }
        Ok(truth)
    }

    /// Of the model calls in the ledger at `path`.
    pub(super) fn of_ledger(path: &Path) -> Result<Truth> {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut truth = Truth::default();
        for line in text.lines() {
            let Record::Exchange(exchange) = serde_json::from_str(line)? else { continue };
            let metadata = |key| exchange.request_metadata.get(key).map_or("", String::as_str);
            let of = [&exchange.model_id, metadata("tenant"), metadata("feature")];
            truth.usage(of, exchange.usage);
            if let Some(reason) = &exchange.stop_reason {
                *truth.answers.entry(reason.clone()).or_default() += 1;
            }
        }
        Ok(truth)
    }

    fn span(&mut self, span: &Span) {
        self.spans += 1;
        let text = |key| match value(&span.attributes, key) {
            Some(Value::StringValue(text)) => text.as_str(),
            _ => "",
        };
        let count = |key| match value(&span.attributes, key) {
            Some(Value::IntValue(count)) => u64::try_from(*count).unwrap_or_default(),
            _ => 0,
        };
        if !matches!(text("gen_ai.operation.name"), "chat" | "embeddings") {
            return;
        }
        let read = count("gen_ai.usage.cache_read.input_tokens");
        let written = count("gen_ai.usage.cache_creation.input_tokens");
        let usage = Usage {
            input_tokens: count("gen_ai.usage.input_tokens").saturating_sub(read + written),
            output_tokens: count("gen_ai.usage.output_tokens"),
            cache_read_input_tokens: read,
            cache_write_input_tokens: written,
            ..Usage::default()
        };
        self.usage(["gen_ai.request.model", "app.tenant", "app.feature"].map(text), usage);
        if let Some(Value::ArrayValue(reasons)) =
            value(&span.attributes, "gen_ai.response.finish_reasons")
            && let Some(AnyValue { value: Some(Value::StringValue(reason)) }) =
                reasons.values.first()
        {
            *self.answers.entry(reason.clone()).or_default() += 1;
            self.cut_off += u64::from(reason == CUT_OFF);
        }
    }

    fn usage(&mut self, of: [&str; 3], usage: Usage) {
        for (token_type, tokens) in by_type(usage) {
            if tokens > 0 {
                let [model, tenant, feature] = of.map(str::to_owned);
                let labels = [model, tenant, feature, token_type.to_owned()];
                *self.tokens.entry(labels).or_default() += tokens;
            }
        }
    }

    /// What they cost by the price table of bills, in US dollars.
    pub(super) fn bill_usd(&self, prices: &PriceTable) -> f64 {
        let mut by_model: BTreeMap<&str, Usage> = BTreeMap::new();
        for ([model, _, _, token_type], tokens) in &self.tokens {
            let usage = by_model.entry(model).or_default();
            match token_type.as_str() {
                "input" => usage.input_tokens += tokens,
                "output" => usage.output_tokens += tokens,
                "cache_read" => usage.cache_read_input_tokens += tokens,
                _ => usage.cache_write_input_tokens += tokens,
            }
        }
        let costs = by_model
            .into_iter()
            .filter_map(|(model, usage)| prices.price(model).map(|price| price.cost_usd(usage)));
        costs.sum()
    }
}

/// Why an answer ends that is cut off.
pub(super) const CUT_OFF: &str = "max_tokens";

/// What a run planted into prompts and answers, by the ledger at `path`.
pub(super) fn planted(path: &Path) -> Result<Vec<Planted>> {
    let text = fs::read_to_string(path).with_context(|| format!("no {}", path.display()))?;
    let first = text.lines().next().context("the ledger is empty")?;
    match serde_json::from_str(first)? {
        Record::Run(run) => Ok(run.planted),
        Record::Exchange(_) => bail!("the ledger does not begin with its run"),
    }
}

/// The part of a planted value that stands in JSON as it is: of a private key, its body.
pub(super) fn telling(planted: &Planted) -> &str {
    planted.value.lines().nth(1).unwrap_or(&planted.value)
}

fn by_type(usage: Usage) -> [(&'static str, u64); 4] {
    [
        ("input", usage.input_tokens),
        ("output", usage.output_tokens),
        ("cache_read", usage.cache_read_input_tokens),
        ("cache_write", usage.cache_write_input_tokens),
    ]
}

fn value<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Value> {
    attributes.iter().find(|attribute| attribute.key == key)?.value.as_ref()?.value.as_ref()
}
