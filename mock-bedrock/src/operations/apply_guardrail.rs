//! `ApplyGuardrail`: a guardrail looks at texts that no model is asked about.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use spanproof_schemas::ledger::{self, Content};

use super::{Operation, Written};
use crate::asked::{Asked, Subject};
use crate::draw;
use crate::error::ServiceError;
use crate::guardrail::{Done, Guarded, How, Looked, Source, assess, sorted};
use crate::route::Route;
use crate::turn::Guard;

/// `POST /guardrail/{guardrailIdentifier}/version/{guardrailVersion}/apply`
pub(crate) struct ApplyGuardrail;

impl Operation for ApplyGuardrail {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::ApplyGuardrail
    }

    fn route(&self) -> Route {
        Route::post("/guardrail/{guardrailIdentifier}/version/{guardrailVersion}/apply")
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        let identifier = asked.labels.get("guardrailIdentifier").to_owned();
        asked.exchange.parameters.guardrail_id = Some(identifier.clone());
        let request: Request<'_> = asked.json()?;
        let source = source(request.source)?;
        let is_full = is_full(request.output_scope)?;
        let Some(content) = request.content else { return Err(ServiceError::missing("content")) };
        let texts: Vec<(&str, Guard)> = content
            .iter()
            .enumerate()
            .filter_map(|(n, block)| block.shown(n).transpose())
            .collect::<Result<_, _>>()?;
        let prompt = texts.iter().map(|(text, _)| *text).collect::<Vec<_>>().join("\n");
        asked.exchange.prompt_sha256 = draw::sha256(&prompt);
        if asked.service.config.keep_content {
            asked.exchange.content =
                Some(Content { prompt: prompt.clone(), completion: String::new() });
        }
        let service = asked.service;
        let named = service.guardrails.find(&identifier, asked.labels.get("guardrailVersion"))?;
        asked.admit(&Subject { model: None, prompt: &prompt, quota_tokens: 0 })?;

        let images = content.iter().filter(|block| block.image.is_some()).count() as u64;
        let mut looked = Looked {
            total_chars: texts.iter().map(|(text, _)| text.chars().count() as u64).sum(),
            images: (images > 0).then_some(Guarded { guarded: images, total: images }),
            ..Looked::default()
        };
        for (text, guard) in texts {
            for (is_it, shown) in [
                (guard.is_content, &mut looked.texts),
                (guard.is_source, &mut looked.ground.sources),
                (guard.is_query, &mut looked.ground.queries),
            ] {
                if is_it {
                    shown.push(text);
                }
            }
        }
        let (seed, quirks) = (service.config.seed, service.quirks);
        let outcome = assess(&named, &looked, How { source, is_full, masks: true, quirks, seed });
        let config = &named.guardrail.config;
        let message = match source {
            Source::Input => &config.blocked_input_messaging,
            Source::Output => &config.blocked_outputs_messaging,
        };
        let outputs = match outcome.done {
            Done::None => Vec::new(),
            Done::Anonymized => outcome.masked.iter().map(|text| Output { text }).collect(),
            Done::Blocked => vec![Output { text: message }],
        };
        let action = if outcome.done == Done::None { "NONE" } else { "GUARDRAIL_INTERVENED" };
        asked.exchange.guardrail_action = Some(action.to_owned());
        let metrics = &outcome.assessment.invocation_metrics;
        let body = Body {
            action,
            action_reason: outcome.done.reason(),
            assessments: [outcome.assessment.sorted()],
            guardrail_coverage: sorted(&metrics.guardrail_coverage),
            outputs,
            usage: sorted(&metrics.usage),
        };
        let due = Duration::from_millis(metrics.guardrail_processing_latency);
        Ok(Written::json(&body, due))
    }
}

fn source(word: Option<&str>) -> Result<Source, ServiceError> {
    match word {
        Some("INPUT") => Ok(Source::Input),
        Some("OUTPUT") => Ok(Source::Output),
        Some(other) => Err(ServiceError::not_one_of(other, "source", &["INPUT", "OUTPUT"])),
        None => Err(ServiceError::missing("source")),
    }
}

fn is_full(word: Option<&str>) -> Result<bool, ServiceError> {
    match word {
        None | Some("INTERVENTIONS") => Ok(false),
        Some("FULL") => Ok(true),
        Some(other) => {
            Err(ServiceError::not_one_of(other, "outputScope", &["INTERVENTIONS", "FULL"]))
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(borrow)]
    source: Option<&'a str>,
    #[serde(borrow)]
    output_scope: Option<&'a str>,
    content: Option<Vec<Block>>,
}

/// A text or an image.
#[derive(Deserialize)]
struct Block {
    text: Option<Text>,
    image: Option<Image>,
}

#[derive(Deserialize)]
struct Text {
    text: String,
    #[serde(default)]
    qualifiers: Vec<String>,
}

#[derive(Deserialize)]
struct Image {
    format: String,
    source: ImageSource,
}

#[derive(Deserialize)]
struct ImageSource {
    /// In base64.
    bytes: String,
}

impl Block {
    /// Its text, if it is one, and what a guardrail does with it.
    fn shown(&self, n: usize) -> Result<Option<(&str, Guard)>, ServiceError> {
        match (&self.text, &self.image) {
            (Some(text), None) => {
                let known = ["grounding_source", "query", "guard_content"];
                for qualifier in &text.qualifiers {
                    if !known.contains(&qualifier.as_str()) {
                        let at = format!("content.{}.member.text.qualifiers", n + 1);
                        return Err(ServiceError::not_one_of(qualifier, &at, &known));
                    }
                }
                Ok(Some((&text.text, Guard::of(&text.qualifiers))))
            }
            (None, Some(image)) => match image.format.as_str() {
                "png" | "jpeg" => match STANDARD.decode(&image.source.bytes) {
                    Ok(bytes) if !bytes.is_empty() => Ok(None),
                    _ => Err(ServiceError::unreadable()),
                },
                other => {
                    let at = format!("content.{}.member.image.format", n + 1);
                    Err(ServiceError::not_one_of(other, &at, &["png", "jpeg"]))
                }
            },
            _ => Err(ServiceError::unreadable()),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    action: &'static str,
    action_reason: &'static str,
    assessments: [Value; 1],
    guardrail_coverage: Value,
    outputs: Vec<Output<'a>>,
    usage: Value,
}

#[derive(Serialize)]
struct Output<'a> {
    text: &'a str,
}
