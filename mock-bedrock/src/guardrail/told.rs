//! What an answer tells of its guardrail: one set of names for the Converse operations, another for
//! native bodies.

use serde_json::{Value, json};

use super::assess::Outcome;
use super::assessment::{Assessment, Done, sorted};
use crate::quirk::{Quirk, Quirks};

/// Everything that there is to tell.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) input: Outcome,
    /// Absent when the prompt was refused.
    pub(super) output: Option<Outcome>,
    /// What the model said before the guardrail changed it.
    pub(super) model_output: Vec<String>,
    /// Whether the request wants the assessments.
    pub(super) is_told: bool,
}

/// What an answer tells.
#[derive(Debug)]
pub(crate) struct Told {
    intervenes: bool,
    /// Whether the prompt was refused, so that no model ran.
    refuses: bool,
    names: Names,
    quirks: Quirks,
}

#[derive(Debug)]
enum Names {
    /// `trace`, when the request wants it.
    Converse(Option<Value>),
    /// `amazon-bedrock-trace` as JSON, when the request wants it.
    Native(Option<String>),
}

const METRICS: &str = ",\"amazon-bedrock-invocationMetrics\":";

impl Told {
    pub(super) fn of(account: &Account, is_native: bool, quirks: Quirks) -> Self {
        let output = account.output.as_ref().map(|output| output.done);
        Told {
            intervenes: output.unwrap_or_default().max(account.input.done) != Done::None,
            refuses: account.output.is_none(),
            names: match (is_native, account.is_told) {
                (false, is_told) => Names::Converse(is_told.then(|| account.by_converse())),
                (true, is_told) => Names::Native(is_told.then(|| account.by_native())),
            },
            quirks,
        }
    }

    /// Whether the guardrail changed anything.
    pub(crate) fn intervenes(&self) -> bool {
        self.intervenes
    }

    /// What the ledger calls that.
    pub(crate) fn action(&self) -> &'static str {
        if self.intervenes { "GUARDRAIL_INTERVENED" } else { "NONE" }
    }

    pub(super) fn is_native(&self) -> bool {
        matches!(self.names, Names::Native(_))
    }

    /// `trace` of a Converse answer, or of the metadata of its stream.
    pub(crate) fn trace(&self) -> Option<&Value> {
        match &self.names {
            Names::Converse(trace) => trace.as_ref(),
            Names::Native(_) => None,
        }
    }

    /// A native body with the members that the service adds to it.
    pub(crate) fn whole(&self, body: Vec<u8>) -> Vec<u8> {
        let Names::Native(trace) = &self.names else { return body };
        let trace = trace.as_ref().map(|trace| format!("\"amazon-bedrock-trace\":{trace}"));
        let members: Vec<String> = trace.into_iter().chain([self.native_action()]).collect();
        self.with(body, &members)
    }

    /// A chunk of a native stream with the members that the service adds to it: the trace stands on
    /// the last.
    pub(crate) fn chunk(&self, chunk: Vec<u8>, is_last: bool) -> Vec<u8> {
        let Names::Native(trace) = &self.names else { return chunk };
        let mut members = vec![self.native_action()];
        if let Some(trace) = trace
            && is_last
        {
            members.push(format!("\"amazon-bedrock-trace\":{trace}"));
        }
        self.with(chunk, &members)
    }

    fn native_action(&self) -> String {
        let action = if self.intervenes { "INTERVENED" } else { "NONE" };
        format!("\"amazon-bedrock-guardrailAction\":\"{action}\"")
    }

    /// `body` with `members` at its end, but before the metrics of the invocation; a refused prompt
    /// has none.
    fn with(&self, body: Vec<u8>, members: &[String]) -> Vec<u8> {
        let Ok(mut text) = String::from_utf8(body) else { return Vec::new() };
        let end = text.len().saturating_sub(1);
        if !text.ends_with('}') {
            return text.into_bytes();
        }
        let at = text.rfind(METRICS).unwrap_or(end);
        let metrics = text.split_off(at);
        let tail = if self.refuses { "}" } else { &metrics };
        let mut text = oddities(text, self.quirks);
        for member in members {
            if !text.ends_with('{') {
                text.push(',');
            }
            text.push_str(member);
        }
        text.push_str(tail);
        text.into_bytes()
    }
}

/// What a guardrail does to the counts of Titan and Nova besides, where the quirks ask for it.
///
/// The members are looked for as they stand between quotes: within a text their quotes are escaped.
fn oddities(mut text: String, quirks: Quirks) -> String {
    if quirks.has(Quirk::GuardrailTitanFloats) && text.contains("\"inputTextTokenCount\":") {
        for name in ["inputTextTokenCount", "tokenCount", "totalOutputTextTokenCount", "index"] {
            let key = format!("\"{name}\":");
            let mut from = 0;
            while let Some(at) = text[from..].find(&key) {
                let start = from + at + key.len();
                let digits = text[start..].bytes().take_while(u8::is_ascii_digit).count();
                from = start + digits;
                if digits > 0 {
                    text.insert_str(from, ".0");
                }
            }
        }
    }
    let usage = "\"usage\":{\"inputTokens\":";
    if quirks.has(Quirk::GuardrailNovaUsage)
        && let Some(at) = text.find(usage)
    {
        let start = at + usage.len();
        let digits = text[start..].bytes().take_while(u8::is_ascii_digit).count();
        if let Some(end) = text[start..].find('}') {
            text.replace_range(start + digits..start + end, "");
        }
    }
    text
}

impl Account {
    /// `{"guardrail":{…}}`, members in alphabetical order.
    fn by_converse(&self) -> Value {
        let mut guardrail = json!({
            "actionReason": self.reason(),
            "inputAssessment": { self.id.as_str(): self.input.assessment },
        });
        if let Some(output) = &self.output {
            guardrail["modelOutput"] = json!(self.model_output);
            guardrail["outputAssessments"] = json!({ self.id.as_str(): [output.assessment] });
        }
        sorted(&json!({ "guardrail": guardrail }))
    }

    /// `{"guardrail":{…}}` in the order of native bodies.
    fn by_native(&self) -> String {
        let json = |assessment: &Assessment| serde_json::to_string(assessment).unwrap_or_default();
        let id = &self.id;
        let input = json(&self.input.assessment);
        let mut members = vec![format!("\"input\":{{\"{id}\":{input}}}")];
        if let Some(output) = &self.output {
            let output = json(&output.assessment);
            members.insert(0, format!("\"modelOutput\":{}", json!(self.model_output)));
            members.push(format!("\"outputs\":[{{\"{id}\":{output}}}]"));
        }
        members.push(format!("\"actionReason\":{}", json!(self.reason())));
        format!("{{\"guardrail\":{{{}}}}}", members.join(","))
    }

    /// Why the guardrail did what it did, side by side; two sides that agree are told once.
    fn reason(&self) -> String {
        let input = self.input.done.reason();
        match self.output.as_ref().map(|output| output.done.reason()) {
            Some(output) if output != input => format!("{input}\n{output}"),
            _ => input.to_owned(),
        }
    }
}
