//! The span of a call of a model.

use std::collections::BTreeMap;

use spanproof_schemas::ledger::{Task, Usage};
use spanproof_schemas::semconv::SpanKind;

use super::answer::Answer;
use super::ids::Ids;
use super::scope::Scope;
use super::span::Head;
use super::wire::{Key, Of};
use crate::capabilities::Family;
use crate::dialect::{Dialect, PROVIDER};
use crate::plan::shape::Shape;
use crate::scenario::{AttributeValue, SpanShape, Spread, Target};

/// The service, as it is called.
const SERVER: &str = "bedrock-runtime.us-east-1.amazonaws.com";

/// What spans of calls of one target always say, and the HTTP requests below them.
#[derive(Debug)]
pub(super) struct CallTemplate {
    pub(super) head: Head,
    pub(super) scope: Scope,
    constant: Vec<u8>,
    /// What an event with details says of the call.
    pub(super) event_attributes: Vec<u8>,
    task: Task,
    is_streamed: bool,
    /// The model's own name for itself, in bodies that have it.
    response_model: Option<String>,
    /// The HTTP request.
    pub(super) http: SpanShape,
}

impl CallTemplate {
    pub(super) fn new(dialect: &Dialect, target: &Target) -> CallTemplate {
        let family = target.family();
        let task = match family {
            Some(Family::TitanEmbeddings) => Task::Embeddings,
            _ => Task::Chat,
        };
        if task == Task::Embeddings && !dialect.lists_embeddings {
            return CallTemplate::unknown(target);
        }
        let operation = task.operation_name();
        let is_streamed = target.operation.is_streamed();
        let mut constant = Vec::new();
        let mut event_attributes = Vec::new();
        let mut text = |name: &str, value: &str| {
            Key::new(Of::Span, name).text(&mut constant, value);
            if !name.starts_with("server.") {
                Key::new(Of::Event, name).text(&mut event_attributes, value);
            }
        };
        text("gen_ai.operation.name", operation);
        text(dialect.provider_key, PROVIDER);
        text("gen_ai.request.model", &target.model);
        text("server.address", SERVER);
        Key::new(Of::Span, "server.port").int(&mut constant, 443);
        if is_streamed {
            let name = "gen_ai.request.stream";
            Key::known(Of::Span, name, dialect.has(task, name)).flag(&mut constant, true);
        }
        let is_native = !target.operation.name().starts_with("Converse");
        CallTemplate {
            head: Head::new(&format!("{operation} {}", target.model), SpanKind::Client),
            scope: Scope::GenAi,
            constant,
            event_attributes,
            task,
            is_streamed,
            response_model: (is_native && family == Some(Family::Claude))
                .then(|| own_name(&target.model)),
            http: http_request(target),
        }
    }

    /// Embeddings in a version that has no name for them: a span of the application's own.
    fn unknown(target: &Target) -> CallTemplate {
        let mut constant = Vec::new();
        Key::new(Of::Span, "app.embedding.model").text(&mut constant, &target.model);
        Key::new(Of::Span, "server.address").text(&mut constant, SERVER);
        Key::new(Of::Span, "server.port").int(&mut constant, 443);
        CallTemplate {
            head: Head::new("embed", SpanKind::Client),
            scope: Scope::Application,
            constant,
            event_attributes: Vec::new(),
            task: Task::Embeddings,
            is_streamed: false,
            response_model: None,
            http: http_request(target),
        }
    }

    /// Appends the attributes of one call.
    pub(super) fn append(
        &self,
        out: &mut Vec<u8>,
        words: &CallWords,
        shape: &Shape<'_>,
        answer: &Answer,
        conversation: Option<&str>,
        ids: &mut Ids,
    ) {
        out.extend(&self.constant);
        words.aws_request_id.text(out, &ids.uuid());
        if self.task == Task::Embeddings {
            if self.scope == Scope::GenAi
                && let Some(usage) = answer.usage
            {
                words.embedded_tokens.count(out, usage.input_tokens);
            }
            if let Some(error) = &answer.error {
                words.error_type.text(out, error);
            }
            return;
        }
        words.append_request(out, shape);
        if let Some(conversation) = conversation {
            words.conversation_id.text(out, conversation);
        }
        if let Some(error) = &answer.error {
            words.error_type.text(out, error);
        }
        if self.is_streamed
            && let Some(first) = answer.first_chunk_nanos
        {
            #[expect(clippy::cast_precision_loss, reason = "at most some minutes")]
            words.first_chunk.double(out, first as f64 / 1e9);
        }
        if answer.error.is_some() {
            return;
        }
        if let Some(model) = &self.response_model {
            words.response_model.text(out, model);
            words.response_id.text(out, &format!("msg_bdrk_01{}", ids.base58(22)));
        }
        if let Some(reason) = answer.stop_reason {
            words.finish_reasons.texts(out, [reason.name()]);
        }
        if let Some(usage) = answer.usage {
            words.append_usage(out, usage);
        }
    }
}

/// The model's own name for itself: without who offers it and the version of the offer.
fn own_name(model: &str) -> String {
    let name = model.rsplit_once("anthropic.").map_or(model, |(_, name)| name);
    name.rsplit_once("-v").map_or(name, |(name, _)| name).to_owned()
}

fn http_request(target: &Target) -> SpanShape {
    let path = match target.operation.name() {
        "Converse" => "converse",
        "ConverseStream" => "converse-stream",
        "InvokeModel" => "invoke",
        _ => "invoke-with-response-stream",
    };
    let text = |text: &str| AttributeValue::Text(text.to_owned());
    let url = format!("https://{SERVER}/model/{}/{path}", target.model.replace(':', "%3A"));
    SpanShape {
        name: "POST".to_owned(),
        kind: SpanKind::Client,
        seconds: Spread { median: 1.0, sigma: 0.0 },
        attributes: BTreeMap::from([
            ("http.request.method".to_owned(), text("POST")),
            ("url.full".to_owned(), text(&url)),
            ("server.address".to_owned(), text(SERVER)),
            ("server.port".to_owned(), AttributeValue::Int(443)),
            ("network.protocol.version".to_owned(), text("1.1")),
        ]),
    }
}

/// The attributes of calls that differ from one to the next.
#[derive(Debug)]
pub(super) struct CallWords {
    includes_cached: bool,
    top_k_is_int: bool,
    aws_request_id: Key,
    conversation_id: Key,
    error_type: Key,
    max_tokens: Key,
    temperature: Key,
    top_p: Key,
    top_k: Key,
    stop_sequences: Key,
    response_id: Key,
    response_model: Key,
    finish_reasons: Key,
    first_chunk: Key,
    input_tokens: Key,
    output_tokens: Key,
    cache_read: Key,
    cache_write: Key,
    embedded_tokens: Key,
}

impl CallWords {
    pub(super) fn new(dialect: &Dialect) -> CallWords {
        let key = |name: &str| Key::known(Of::Span, name, dialect.has(Task::Chat, name));
        let input_tokens = "gen_ai.usage.input_tokens";
        CallWords {
            includes_cached: dialect.input_includes_cached,
            top_k_is_int: dialect.top_k_is_int,
            aws_request_id: Key::new(Of::Span, "aws.request_id"),
            conversation_id: key("gen_ai.conversation.id"),
            error_type: Key::new(Of::Span, "error.type"),
            max_tokens: key("gen_ai.request.max_tokens"),
            temperature: key("gen_ai.request.temperature"),
            top_p: key("gen_ai.request.top_p"),
            top_k: key("gen_ai.request.top_k"),
            stop_sequences: key("gen_ai.request.stop_sequences"),
            response_id: key("gen_ai.response.id"),
            response_model: key("gen_ai.response.model"),
            finish_reasons: key("gen_ai.response.finish_reasons"),
            first_chunk: key("gen_ai.response.time_to_first_chunk"),
            input_tokens: key(input_tokens),
            output_tokens: key("gen_ai.usage.output_tokens"),
            cache_read: key("gen_ai.usage.cache_read.input_tokens"),
            cache_write: key(dialect.cache_write_key),
            embedded_tokens: Key::known(
                Of::Span,
                input_tokens,
                dialect.has(Task::Embeddings, input_tokens),
            ),
        }
    }

    /// Input tokens as the version counts them.
    pub(super) fn input(&self, usage: Usage) -> u64 {
        if self.includes_cached { usage.all_input_tokens() } else { usage.input_tokens }
    }

    fn append_request(&self, out: &mut Vec<u8>, shape: &Shape<'_>) {
        self.max_tokens.count(out, shape.max_tokens.into());
        if let Some(temperature) = shape.temperature {
            self.temperature.double(out, temperature);
        }
        if let Some(top_p) = shape.top_p {
            self.top_p.double(out, top_p);
        }
        match shape.top_k {
            Some(top_k) if self.top_k_is_int => self.top_k.count(out, top_k.into()),
            Some(top_k) => self.top_k.double(out, top_k.into()),
            None => {}
        }
        if let Some(sequences) = shape.stop_sequences {
            self.stop_sequences.texts(out, sequences.iter().map(String::as_str));
        }
    }

    fn append_usage(&self, out: &mut Vec<u8>, usage: Usage) {
        self.input_tokens.count(out, self.input(usage));
        self.output_tokens.count(out, usage.output_tokens);
        if usage.cache_read_input_tokens > 0 {
            self.cache_read.count(out, usage.cache_read_input_tokens);
        }
        if usage.cache_write_input_tokens > 0 {
            self.cache_write.count(out, usage.cache_write_input_tokens);
        }
    }
}
