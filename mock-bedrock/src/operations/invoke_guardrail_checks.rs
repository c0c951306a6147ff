//! `InvokeGuardrailChecks`: scores for checks that the request itself brings, without a guardrail.
//!
//! The scores come from the same words and forms as the guardrails' findings.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use spanproof_schemas::ledger::{self, Content};

use super::{Operation, Written};
use crate::asked::{Asked, Subject};
use crate::draw;
use crate::error::ServiceError;
use crate::guardrail::{
    ContentFilterType, Folded, PiiType, PromptAttack, attack, confidence, find_all, severity,
    text_units,
};
use crate::route::Route;

/// `POST /guardrail-checks/invoke`
pub(crate) struct InvokeGuardrailChecks;

/// The most entities that an answer lists, as public measurements of the service have it.
const MOST_ENTITIES: usize = 1_000;
/// How long the checks take: the recorded guardrails' median, since these were not measured.
const DUE: Duration = Duration::from_millis(260);

impl Operation for InvokeGuardrailChecks {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::InvokeGuardrailChecks
    }

    fn route(&self) -> Route {
        Route::post("/guardrail-checks/invoke")
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        let request: Request = asked.json()?;
        let Some(messages) = request.messages else {
            return Err(ServiceError::missing("messages"));
        };
        let Some(checks) = request.checks else { return Err(ServiceError::missing("checks")) };
        validate(&messages, &checks)?;
        let texts: Vec<&str> = messages
            .iter()
            .flat_map(|message| &message.content)
            .map(|block| block.text.as_str())
            .collect();
        let prompt = texts.join("\n");
        asked.exchange.prompt_sha256 = draw::sha256(&prompt);
        asked.exchange.conversation.messages = u32::try_from(messages.len()).unwrap_or(u32::MAX);
        if asked.service.config.keep_content {
            asked.exchange.content =
                Some(Content { prompt: prompt.clone(), completion: String::new() });
        }
        asked.admit(&Subject { model: None, prompt: &prompt, quota_tokens: 0 })?;

        let folded: Vec<Folded> = texts.iter().map(|text| Folded::of(text)).collect();
        let chars: u64 = texts.iter().map(|text| text.chars().count() as u64).sum();
        let units = Units { text_units: text_units(chars) };
        let results = Results {
            content_filter: checks.content_filter.as_ref().map(|check| Scores {
                results: check
                    .categories
                    .iter()
                    .map(|wanted| Score {
                        category: wanted.category,
                        severity_score: severity(confidence(
                            wanted.category.filter(),
                            &[],
                            &folded,
                        )),
                    })
                    .collect(),
            }),
            prompt_attack: checks.prompt_attack.as_ref().map(|check| Scores {
                results: check
                    .categories
                    .iter()
                    .map(|wanted| Score {
                        category: wanted.category,
                        severity_score: severity(attack(wanted.category, &folded)),
                    })
                    .collect(),
            }),
            sensitive_information: checks
                .sensitive_information
                .as_ref()
                .map(|check| entities(&messages, &check.entities)),
        };
        let usage = Usage {
            content_filter: checks.content_filter.is_some().then_some(units),
            prompt_attack: checks.prompt_attack.is_some().then_some(units),
            sensitive_information: checks.sensitive_information.is_some().then_some(units),
        };
        Ok(Written::json(&Body { results, usage }, DUE))
    }
}

/// The entities of the wanted kinds, block by block.
fn entities(messages: &[Message], wanted: &[WantedEntity]) -> Entities {
    let kinds: Vec<PiiType> = wanted.iter().map(|wanted| wanted.r#type).collect();
    let mut results = Vec::new();
    for (message_index, message) in messages.iter().enumerate() {
        for (content_index, block) in message.content.iter().enumerate() {
            let (mut at, mut chars) = (0, 0);
            for found in find_all(&kinds, &block.text) {
                let mut chars_to = |byte: usize| {
                    chars += block.text[at..byte].chars().count();
                    at = byte;
                    chars
                };
                results.push(Entity {
                    begin_offset: chars_to(found.range.start),
                    confidence_score: found.confidence,
                    content_index,
                    end_offset: chars_to(found.range.end),
                    message_index,
                    r#type: found.kind,
                });
            }
        }
    }
    let truncated = results.len() > MOST_ENTITIES;
    results.truncate(MOST_ENTITIES);
    Entities { results, truncated }
}

fn validate(messages: &[Message], checks: &Checks) -> Result<(), ServiceError> {
    let roles = ["user", "assistant", "system"];
    sized("messages", messages.len(), usize::MAX)?;
    for (n, message) in messages.iter().enumerate() {
        let at = format!("messages.{}.member", n + 1);
        if !roles.contains(&message.role.as_str()) {
            return Err(ServiceError::not_one_of(&message.role, &format!("{at}.role"), &roles));
        }
        sized(&format!("{at}.content"), message.content.len(), usize::MAX)?;
        for (m, block) in message.content.iter().enumerate() {
            sized(&format!("{at}.content.{}.member.text", m + 1), block.text.len(), usize::MAX)?;
        }
    }
    if let Some(check) = &checks.content_filter {
        sized("checks.contentFilter.categories", check.categories.len(), 5)?;
    }
    if let Some(check) = &checks.prompt_attack {
        sized("checks.promptAttack.categories", check.categories.len(), 3)?;
    }
    if let Some(check) = &checks.sensitive_information {
        sized("checks.sensitiveInformation.entities", check.entities.len(), 31)?;
    }
    Ok(())
}

fn sized(at: &str, length: usize, most: usize) -> Result<(), ServiceError> {
    let bound = if length == 0 {
        "greater than or equal to 1".to_owned()
    } else if length > most {
        format!("less than or equal to {most}")
    } else {
        return Ok(());
    };
    Err(ServiceError::validation(format!(
        "1 validation error detected: Value at '{at}' failed to satisfy constraint: Member must have length {bound}"
    )))
}

#[derive(Deserialize)]
struct Request {
    messages: Option<Vec<Message>>,
    checks: Option<Checks>,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    content: Vec<Block>,
}

#[derive(Deserialize)]
struct Block {
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Checks {
    content_filter: Option<Wanted<Category>>,
    prompt_attack: Option<Wanted<PromptAttack>>,
    sensitive_information: Option<WantedEntities>,
}

#[derive(Deserialize)]
struct Wanted<C> {
    categories: Vec<WantedCategory<C>>,
}

#[derive(Deserialize)]
struct WantedCategory<C> {
    category: C,
}

#[derive(Deserialize)]
struct WantedEntities {
    entities: Vec<WantedEntity>,
}

#[derive(Deserialize)]
struct WantedEntity {
    r#type: PiiType,
}

/// What the content check tells apart: a guardrail's content filters but for prompt attacks.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Category {
    Violence,
    Hate,
    Sexual,
    Misconduct,
    Insults,
}

impl Category {
    fn filter(self) -> ContentFilterType {
        match self {
            Category::Violence => ContentFilterType::Violence,
            Category::Hate => ContentFilterType::Hate,
            Category::Sexual => ContentFilterType::Sexual,
            Category::Misconduct => ContentFilterType::Misconduct,
            Category::Insults => ContentFilterType::Insults,
        }
    }
}

#[derive(Serialize)]
struct Body {
    results: Results,
    usage: Usage,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Results {
    #[serde(skip_serializing_if = "Option::is_none")]
    content_filter: Option<Scores<Category>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_attack: Option<Scores<PromptAttack>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sensitive_information: Option<Entities>,
}

#[derive(Serialize)]
struct Scores<C> {
    results: Vec<Score<C>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Score<C> {
    category: C,
    severity_score: f64,
}

#[derive(Serialize)]
struct Entities {
    results: Vec<Entity>,
    truncated: bool,
}

/// Offsets count characters within the block; the end is the first character after the entity.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entity {
    begin_offset: usize,
    confidence_score: f64,
    content_index: usize,
    end_offset: usize,
    message_index: usize,
    r#type: PiiType,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    #[serde(skip_serializing_if = "Option::is_none")]
    content_filter: Option<Units>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_attack: Option<Units>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sensitive_information: Option<Units>,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
struct Units {
    text_units: u64,
}
