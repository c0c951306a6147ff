//! Retrieve: the passages of a knowledge base that fit a query.

use serde::Deserialize;
use serde_json::{Value, json};
use spanproof_schemas::ledger::{self, Conversation};

use super::{Operation, Written};
use crate::agent_runtime::{
    self, Guard, GuardrailConfiguration, KnowledgeBase, MEDIAN_SEARCH_MS, RetrievalConfiguration,
    Said,
};
use crate::asked::{Asked, Subject};
use crate::constraint;
use crate::draw::{self, Fold};
use crate::error::ServiceError;
use crate::paging;
use crate::route::Route;
use crate::timing;

/// `POST /knowledgebases/{knowledgeBaseId}/retrieve`
pub(crate) struct Retrieve;

impl Operation for Retrieve {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::Retrieve
    }

    fn route(&self) -> Route {
        Route::post("/knowledgebases/{knowledgeBaseId}/retrieve")
    }

    fn task(&self) -> ledger::Task {
        ledger::Task::Retrieval
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        let body: Body = asked.json()?;
        let id = knowledge_base(asked.labels.get("knowledgeBaseId"))?.to_owned();
        let query = constraint::required("retrievalQuery", body.retrieval_query)?.text()?;
        let conversation = Conversation { messages: 1, ..Conversation::default() };
        let prompt = query.clone();
        agent_runtime::record(asked, Said { prompt, conversation, ..Said::default() });
        let configuration = body.retrieval_configuration.unwrap_or_default();
        let wanted = configuration.wanted("retrievalConfiguration")?;
        let guard = Guard::of(asked, body.guardrail_configuration.as_ref())?;
        asked.admit(&Subject { prompt: &query, ..Subject::default() })?;

        let service = asked.service;
        let mut list = Fold::new(service.config.seed);
        list.bytes(id.as_bytes());
        list.bytes(query.as_bytes());
        list.word(wanted.kind);
        if let Some(filter) = &wanted.filter {
            list.bytes(filter.text().as_bytes());
        }
        let list = list.finish();
        let base = KnowledgeBase::new(service.config.seed, &id);
        let mut passages = base.search(&query, wanted.kind, wanted.filter.as_ref());
        let marker = format!("{}{}", service.completion_stem, draw::base36(list));
        if let Some(best) = passages.first_mut() {
            best.text.push_str(" Reference ");
            best.text.push_str(&marker);
            best.text.push('.');
        }
        let verdict = guard.as_ref().map(|guard| guard.input(&query));
        if verdict.as_ref().is_some_and(agent_runtime::Verdict::blocks) {
            passages.clear();
        }
        let (page, next_token) =
            paging::page(&passages, list, body.next_token.as_deref(), wanted.results)?;
        let results: Vec<Value> = page.iter().map(agent_runtime::Passage::result).collect();
        if page.first().is_some_and(|passage| passage.text.contains(&marker)) {
            asked.exchange.markers.push(marker);
        }
        let mut answer = json!({ "retrievalResults": results });
        if let Some(verdict) = &verdict {
            answer["guardrailAction"] = verdict.action().into();
        }
        if let Some(token) = next_token {
            answer["nextToken"] = token.into();
        }
        answer.sort_all_objects();
        Ok(Written::json(&answer, timing::latency(MEDIAN_SEARCH_MS, list)))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    retrieval_query: Option<Query>,
    retrieval_configuration: Option<RetrievalConfiguration>,
    guardrail_configuration: Option<GuardrailConfiguration>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Query {
    text: Option<String>,
    r#type: Option<String>,
    image: Option<Image>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Image {
    format: Option<String>,
    inline_content: Option<String>,
}

impl Query {
    /// What is searched for: the text, or the bytes of the image that stands for it.
    fn text(self) -> Result<String, ServiceError> {
        if let Some(kind) = &self.r#type {
            constraint::one_of("retrievalQuery.type", kind, &["TEXT", "IMAGE"])?;
        }
        let Some(image) = self.image else {
            let text = constraint::required("retrievalQuery.text", self.text)?;
            constraint::length("retrievalQuery.text", &text, &(0..=20_000))?;
            return Ok(text);
        };
        let format = constraint::required("retrievalQuery.image.format", image.format)?;
        let formats = ["png", "jpeg", "gif", "webp"];
        constraint::one_of("retrievalQuery.image.format", &format, &formats)?;
        constraint::required("retrievalQuery.image.inlineContent", image.inline_content)
    }
}

/// The id in `name`, which is one or an ARN that ends in one.
fn knowledge_base(name: &str) -> Result<&str, ServiceError> {
    constraint::length("knowledgeBaseId", name, &(10..=2_048))?;
    let id = if name.starts_with("arn:aws") {
        name.rsplit_once(":knowledge-base/").map_or("", |(_, id)| id)
    } else {
        name
    };
    let is_id = id.len() == 10 && constraint::is_alphanumeric(id);
    let pattern = "^[0-9a-zA-Z]{10}$|^arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:knowledge-base/[0-9a-zA-Z]{10}$";
    constraint::pattern("knowledgeBaseId", name, pattern, is_id)?;
    Ok(id)
}
