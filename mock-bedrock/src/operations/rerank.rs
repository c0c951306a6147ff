//! Rerank: documents in the order in which they fit a query.

use serde::Deserialize;
use serde_json::{Value, json};
use spanproof_schemas::ledger::{self, Conversation, Task};

use super::{Operation, Written};
use crate::agent_runtime::{self, Said};
use crate::answer::Block;
use crate::asked::{Asked, Subject};
use crate::constraint::{self, required};
use crate::draw::Fold;
use crate::error::ServiceError;
use crate::families;
use crate::model;
use crate::paging;
use crate::route::Route;
use crate::turn::{Turn, Wanted};
use crate::wire;

/// Results of a page. How many the service puts into one is not known.
const PAGE: usize = 100;

/// `POST /rerank`
pub(crate) struct Rerank;

impl Operation for Rerank {
    fn operation(&self) -> ledger::Operation {
        ledger::Operation::Rerank
    }

    fn route(&self) -> Route {
        Route::post("/rerank")
    }

    fn task(&self) -> Task {
        Task::Rerank
    }

    fn answer(&self, asked: &mut Asked<'_>) -> Result<Written, ServiceError> {
        let body: Body = asked.json()?;
        let query = body.query()?;
        let documents = body.documents()?;
        let conversation = Conversation { messages: 1, ..Conversation::default() };
        let prompt = query.to_owned();
        agent_runtime::record(asked, Said { prompt, conversation, ..Said::default() });
        let at = "rerankingConfiguration";
        let configuration = required(at, body.reranking_configuration.as_ref())?;
        let kind = required(&format!("{at}.type"), configuration.r#type.as_deref())?;
        constraint::one_of(&format!("{at}.type"), kind, &["BEDROCK_RERANKING_MODEL"])?;
        let at = format!("{at}.bedrockRerankingConfiguration");
        let bedrock = required(&at, configuration.bedrock.as_ref())?;
        let top = match bedrock.number_of_results {
            Some(count) => {
                constraint::number(&format!("{at}.numberOfResults"), count, &(1..=1_000))?
            }
            None => 1_000,
        };
        let model = bedrock.model.as_ref();
        let arn = model.and_then(|model| model.model_arn.as_deref());
        let arn = required(&format!("{at}.modelConfiguration.modelArn"), arn)?;
        arn.clone_into(&mut asked.exchange.model_id);
        let model = model::resolve(arn)?;
        asked.exchange.served_model = Some(model.id.clone());
        if families::of(model).task() != Task::Rerank {
            // The service's own text is not known.
            return Err(ServiceError::validation(
                "The provided model is not supported for this operation. Try again with a reranking model.",
            ));
        }

        let mut list = Fold::new(2);
        list.bytes(model.id.as_bytes());
        let mut turn = Turn::new();
        turn.begin_message("user");
        turn.add_passage(query);
        list.bytes(query.as_bytes());
        for document in &documents {
            turn.add_passage(document);
            list.bytes(document.as_bytes());
        }
        turn.wanted = Wanted::Ranking { top: usize::try_from(top).unwrap_or(usize::MAX) };
        let quota_tokens = model.tokens(turn.chars);
        asked.admit(&Subject { model: Some(model), prompt: query, quota_tokens })?;
        let answer = agent_runtime::compose(asked, model, turn);
        let (page, next_token) =
            paging::page(&answer.blocks, list.finish(), body.next_token.as_deref(), PAGE)?;
        let results: Vec<Value> = page
            .iter()
            .filter_map(|block| match block {
                Block::Ranked { index, score } => {
                    Some(json!({ "index": index, "relevanceScore": score }))
                }
                _ => None,
            })
            .collect();
        let mut body = json!({ "results": results });
        if let Some(token) = next_token {
            body["nextToken"] = token.into();
        }
        body.sort_all_objects();
        Ok(Written::whole(&answer, wire::json(&body)))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    queries: Option<Vec<Query>>,
    sources: Option<Vec<Source>>,
    reranking_configuration: Option<Configuration>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Query {
    r#type: Option<String>,
    text_query: Option<TextDocument>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    r#type: Option<String>,
    inline_document_source: Option<Document>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    r#type: Option<String>,
    #[serde(rename = "textDocument")]
    text: Option<TextDocument>,
    #[serde(rename = "jsonDocument")]
    json: Option<Value>,
}

#[derive(Deserialize)]
struct TextDocument {
    text: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    r#type: Option<String>,
    #[serde(rename = "bedrockRerankingConfiguration")]
    bedrock: Option<BedrockConfiguration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BedrockConfiguration {
    #[serde(rename = "modelConfiguration")]
    model: Option<ModelConfiguration>,
    number_of_results: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ModelConfiguration {
    model_arn: Option<String>,
}

impl Body {
    fn query(&self) -> Result<&str, ServiceError> {
        let queries = required("queries", self.queries.as_deref())?;
        constraint::count("queries", queries.len(), &(1..=1))?;
        let at = "queries.1.member";
        let query = required(at, queries.first())?;
        let kind = required(&format!("{at}.type"), query.r#type.as_deref())?;
        constraint::one_of(&format!("{at}.type"), kind, &["TEXT"])?;
        text(&format!("{at}.textQuery"), query.text_query.as_ref())
    }

    fn documents(&self) -> Result<Vec<String>, ServiceError> {
        let sources = required("sources", self.sources.as_deref())?;
        constraint::count("sources", sources.len(), &(1..=1_000))?;
        sources
            .iter()
            .enumerate()
            .map(|(n, source)| source.document(&format!("sources.{}.member", n + 1)))
            .collect()
    }
}

impl Source {
    fn document(&self, at: &str) -> Result<String, ServiceError> {
        let kind = required(&format!("{at}.type"), self.r#type.as_deref())?;
        constraint::one_of(&format!("{at}.type"), kind, &["INLINE"])?;
        let at = format!("{at}.inlineDocumentSource");
        let document = required(&at, self.inline_document_source.as_ref())?;
        let kind = required(&format!("{at}.type"), document.r#type.as_deref())?;
        constraint::one_of(&format!("{at}.type"), kind, &["TEXT", "JSON"])?;
        if kind == "TEXT" {
            let document = document.text.as_ref();
            return Ok(text(&format!("{at}.textDocument"), document)?.to_owned());
        }
        let document = required(&format!("{at}.jsonDocument"), document.json.as_ref())?;
        let mut document = document.clone();
        document.sort_all_objects();
        Ok(document.to_string())
    }
}

fn text<'d>(at: &str, document: Option<&'d TextDocument>) -> Result<&'d str, ServiceError> {
    let document = required(at, document)?;
    let at = format!("{at}.text");
    let text = required(&at, document.text.as_deref())?;
    constraint::length(&at, text, &(1..=32_000))?;
    Ok(text)
}
