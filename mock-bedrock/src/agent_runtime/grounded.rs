//! Answers that rest on passages: what RetrieveAndGenerate and its stream share.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use spanproof_schemas::ledger::{Conversation, Parameters};

use super::citation::{self, Citation};
use super::generation::{self, Said, chat_model};
use super::guard::{Guard, GuardrailConfiguration, Verdict};
use super::knowledge_base::{KnowledgeBase, Passage};
use super::session::{IDLE, Remembered, SessionKey};
use super::{MEDIAN_SEARCH_MS, RetrievalConfiguration, check_session};
use crate::answer::{Answer, Block, Stop};
use crate::asked::Asked;
use crate::constraint::{self, required};
use crate::draw;
use crate::error::ServiceError;
use crate::timing;
use crate::turn::Turn;

/// What stands for the passages and for the query in a template.
const RESULTS: &str = "$search_results$";
const QUERY: &str = "$query$";
/// What the model is told when the request has no template of its own.
const TEMPLATE: &str = "Answer the question with what these passages say, and cite them. Say so if they do not hold the answer.\n\n$search_results$";

/// What stands in place of an agent's id for the sessions of these operations.
const SESSIONS: &str = "RetrieveAndGenerate";

/// Characters of a document that the request brings which one passage holds.
const PASSAGE_CHARS: usize = 800;
/// The most passages that are read from such a document.
const MOST_PASSAGES: usize = 8;

/// The body of both operations.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    input: Option<Input>,
    retrieve_and_generate_configuration: Option<Configuration>,
    session_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Input {
    text: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    r#type: Option<String>,
    #[serde(rename = "knowledgeBaseConfiguration")]
    knowledge_base: Option<Grounds>,
    #[serde(rename = "externalSourcesConfiguration")]
    external_sources: Option<Grounds>,
}

/// A knowledge base, or documents that the request brings; each has its own of the members.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Grounds {
    knowledge_base_id: Option<String>,
    model_arn: Option<String>,
    retrieval_configuration: Option<RetrievalConfiguration>,
    sources: Option<Vec<Source>>,
    generation_configuration: Option<GenerationConfiguration>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    #[serde(rename = "sourceType")]
    kind: Option<String>,
    s3_location: Option<S3Location>,
    byte_content: Option<ByteContent>,
}

#[derive(Debug, Deserialize)]
struct S3Location {
    uri: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ByteContent {
    content_type: Option<String>,
    data: Option<String>,
    identifier: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GenerationConfiguration {
    guardrail_configuration: Option<GuardrailConfiguration>,
    inference_config: Option<InferenceConfig>,
    prompt_template: Option<PromptTemplate>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InferenceConfig {
    text_inference_config: Option<TextInferenceConfig>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TextInferenceConfig {
    max_tokens: Option<i64>,
    stop_sequences: Option<Vec<String>>,
    temperature: Option<f64>,
    top_p: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromptTemplate {
    text_prompt_template: Option<String>,
}

/// An answer that rests on passages.
#[derive(Debug)]
pub(crate) struct Grounded {
    pub(crate) answer: Answer,
    pub(crate) text: String,
    pub(crate) citations: Vec<Citation>,
    pub(crate) session_id: String,
    /// What the guardrail did, if the request names one.
    pub(crate) guardrail_action: Option<&'static str>,
}

impl Request {
    /// Answers the request.
    ///
    /// # Errors
    ///
    /// A `ValidationException` in the service's words for what it refuses, the service's exceptions
    /// for models that it does not know, and whatever is served in place of an answer.
    pub(crate) fn answer(self, asked: &mut Asked<'_>) -> Result<Grounded, ServiceError> {
        let query = required("input.text", self.input.and_then(|input| input.text))?;
        constraint::length("input.text", &query, &(0..=1_000))?;
        if let Some(id) = &self.session_id {
            check_session("sessionId", id)?;
        }
        let at = "retrieveAndGenerateConfiguration";
        let configuration = required(at, self.retrieve_and_generate_configuration)?;
        let (grounds, at, is_base) = configuration.grounds(at)?;
        let generation = grounds.generation_configuration.as_ref();
        let parameters = parameters(generation, &format!("{at}.generationConfiguration"))?;
        let conversation = Conversation { messages: 1, ..Conversation::default() };
        generation::record(
            asked,
            Said { prompt: query.clone(), conversation, parameters: parameters.clone() },
        );
        let arn = required(&format!("{at}.modelArn"), grounds.model_arn.as_deref())?;
        arn.clone_into(&mut asked.exchange.model_id);
        let model = chat_model(asked, arn)?;
        let passages = if is_base {
            grounds.search(asked.service.config.seed, &at, &query)?
        } else {
            grounds.sources(&at)?
        };
        let guardrail = generation.and_then(|all| all.guardrail_configuration.as_ref());
        let guard = Guard::of(asked, guardrail)?;
        let seen = guard.as_ref().map(|guard| guard.input(&query));

        let sessions = &asked.service.sessions;
        let known = self.session_id.as_deref().map(|id| session(asked, id));
        let mut turn = Turn::new();
        turn.add_system(&instruct(generation, &passages, &query));
        for said in known.as_ref().map(|known| sessions.recall(known)).unwrap_or_default() {
            turn.begin_message(said.role);
            turn.add_text(&said.text);
        }
        turn.begin_message("user");
        turn.add_text(&query);
        turn.parameters = parameters;
        generation::admit(asked, model, &query, &turn)?;
        let mut answer = generation::compose(asked, model, turn);
        answer.timing.delay(timing::latency(MEDIAN_SEARCH_MS, answer.key));
        if seen.as_ref().is_some_and(Verdict::blocks) {
            // No model runs.
            answer.put(Vec::new(), Stop::GuardrailIntervened);
            answer.usage = spanproof_schemas::ledger::Usage::default();
            answer.timing.end_at(seen.as_ref().map_or(Duration::ZERO, |seen| seen.took));
        }
        let told = match (&guard, &seen) {
            (_, Some(seen)) if seen.blocks() => Some(seen.text.clone()),
            (Some(guard), _) => {
                let verdict = guard.output(&answer.text());
                answer.timing.delay(verdict.took);
                let is_quiet = verdict.action() == "NONE"
                    && seen.as_ref().is_none_or(|seen| seen.action() == "NONE");
                (!is_quiet).then_some(verdict.text)
            }
            _ => None,
        };
        let guardrail_action =
            guard.as_ref().map(|_| if told.is_some() { "INTERVENED" } else { "NONE" });
        asked.exchange.guardrail_action = guardrail_action.map(|action| {
            if action == "NONE" { "NONE" } else { "GUARDRAIL_INTERVENED" }.to_owned()
        });
        let text = told.unwrap_or_else(|| answer.text().into_owned());
        let citations = if answer.blocks.iter().any(|block| matches!(block, Block::Text(_))) {
            citation::cite(&text, &passages, answer.key)
        } else {
            Vec::new()
        };
        generation::complete(asked, &text);
        let marker = answer.marker.clone().filter(|marker| text.contains(marker.as_str()));
        asked.exchange.markers.extend(marker);
        let session_id = self.session_id.unwrap_or_else(|| draw::uuid(answer.key, 1));
        let session = session(asked, &session_id);
        if known.is_none() {
            // One request asked twice is given the same id, and begins anew.
            sessions.end(&session);
        }
        sessions.remember(
            session,
            vec![Remembered::user(query), Remembered::assistant(text.as_str())],
            IDLE,
        );
        Ok(Grounded { answer, text, citations, session_id, guardrail_action })
    }
}

/// The key of a session of these operations.
fn session(asked: &Asked<'_>, id: &str) -> SessionKey {
    SessionKey {
        test: asked.exchange.test_id.clone(),
        agent: SESSIONS.to_owned(),
        alias: String::new(),
        session: id.to_owned(),
    }
}

impl Configuration {
    /// What the answer is to rest on, where that stands, and whether it is a knowledge base.
    fn grounds(self, at: &str) -> Result<(Grounds, String, bool), ServiceError> {
        let kind = required(&format!("{at}.type"), self.r#type)?;
        constraint::one_of(&format!("{at}.type"), &kind, &["KNOWLEDGE_BASE", "EXTERNAL_SOURCES"])?;
        let is_base = kind == "KNOWLEDGE_BASE";
        let (name, grounds) = if is_base {
            ("knowledgeBaseConfiguration", self.knowledge_base)
        } else {
            ("externalSourcesConfiguration", self.external_sources)
        };
        let at = format!("{at}.{name}");
        Ok((required(&at, grounds)?, at, is_base))
    }
}

impl Grounds {
    fn search(&self, seed: u64, at: &str, query: &str) -> Result<Vec<Passage>, ServiceError> {
        let id = self.knowledge_base_id.as_deref();
        let id = required(&format!("{at}.knowledgeBaseId"), id)?;
        let at_id = format!("{at}.knowledgeBaseId");
        constraint::length(&at_id, id, &(0..=10))?;
        constraint::pattern(&at_id, id, "[0-9a-zA-Z]+", constraint::is_alphanumeric(id))?;
        let at = format!("{at}.retrievalConfiguration");
        let default = RetrievalConfiguration::default();
        let wanted = self.retrieval_configuration.as_ref().unwrap_or(&default).wanted(&at)?;
        let mut passages =
            KnowledgeBase::new(seed, id).search(query, wanted.kind, wanted.filter.as_ref());
        passages.truncate(wanted.results);
        Ok(passages)
    }

    /// The passages of the document that the request brings. What stands in S3 is not read: it is
    /// drawn from its place.
    fn sources(&self, at: &str) -> Result<Vec<Passage>, ServiceError> {
        let sources = required(&format!("{at}.sources"), self.sources.as_deref())?;
        constraint::count(&format!("{at}.sources"), sources.len(), &(1..=1))?;
        let mut passages = Vec::new();
        for source in sources {
            let at = format!("{at}.sources.1.member");
            let kind = required(&format!("{at}.sourceType"), source.kind.as_deref())?;
            constraint::one_of(&format!("{at}.sourceType"), kind, &["S3", "BYTE_CONTENT"])?;
            if kind == "S3" {
                let place = source.s3_location.as_ref().and_then(|place| place.uri.as_deref());
                let uri = required(&format!("{at}.s3Location.uri"), place)?;
                let drawn = KnowledgeBase::new(0, uri).search(uri, 0, None);
                let texts = drawn.into_iter().take(MOST_PASSAGES).map(|passage| passage.text);
                passages.extend(texts.map(|text| Passage::of_request(text, Some(uri))));
            } else {
                let content = required(&format!("{at}.byteContent"), source.byte_content.as_ref())?;
                passages.extend(content.passages(&format!("{at}.byteContent"))?);
            }
        }
        Ok(passages)
    }
}

impl ByteContent {
    fn passages(&self, at: &str) -> Result<Vec<Passage>, ServiceError> {
        required(&format!("{at}.identifier"), self.identifier.as_deref())?;
        required(&format!("{at}.contentType"), self.content_type.as_deref())?;
        let data = required(&format!("{at}.data"), self.data.as_deref())?;
        let bytes = STANDARD.decode(data).map_err(|_| ServiceError::unreadable())?;
        let letters: Vec<char> = String::from_utf8_lossy(&bytes).chars().collect();
        let passages = letters.chunks(PASSAGE_CHARS).take(MOST_PASSAGES);
        Ok(passages.map(|chars| Passage::of_request(chars.iter().collect(), None)).collect())
    }
}

/// What the model is told: the template, with the passages in their place.
fn instruct(
    generation: Option<&GenerationConfiguration>,
    passages: &[Passage],
    query: &str,
) -> String {
    let template = generation
        .and_then(|all| all.prompt_template.as_ref()?.text_prompt_template.as_deref())
        .unwrap_or(TEMPLATE);
    let results: Vec<&str> = passages.iter().map(|passage| passage.text.as_str()).collect();
    template.replace(QUERY, query).replace(RESULTS, &results.join("\n\n"))
}

fn parameters(
    generation: Option<&GenerationConfiguration>,
    at: &str,
) -> Result<Parameters, ServiceError> {
    let Some(generation) = generation else { return Ok(Parameters::default()) };
    if let Some(template) = &generation.prompt_template
        && let Some(text) = &template.text_prompt_template
    {
        let at = format!("{at}.promptTemplate.textPromptTemplate");
        constraint::length(&at, text, &(1..=4_000))?;
    }
    let config = generation.inference_config.as_ref();
    let Some(config) = config.and_then(|config| config.text_inference_config.as_ref()) else {
        return Ok(Parameters::default());
    };
    let at = format!("{at}.inferenceConfig.textInferenceConfig");
    if let Some(max) = config.max_tokens {
        constraint::number(&format!("{at}.maxTokens"), max, &(0..=65_536))?;
    }
    for (name, value) in [("temperature", config.temperature), ("topP", config.top_p)] {
        if let Some(value) = value {
            constraint::number(&format!("{at}.{name}"), value, &(0.0..=1.0))?;
        }
    }
    let stop_sequences = config.stop_sequences.clone().unwrap_or_default();
    constraint::count(&format!("{at}.stopSequences"), stop_sequences.len(), &(0..=4))?;
    for (n, sequence) in stop_sequences.iter().enumerate() {
        constraint::length(
            &format!("{at}.stopSequences.{}.member", n + 1),
            sequence,
            &(1..=1_000),
        )?;
    }
    Ok(Parameters {
        max_tokens: config.max_tokens.and_then(|max| u64::try_from(max).ok()),
        temperature: config.temperature,
        top_p: config.top_p,
        stop_sequences,
        ..Parameters::default()
    })
}
