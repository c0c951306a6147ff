//! Writing chat completions, whole and in chunks.

use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::answer::{Answer, Block, Stop};
use crate::draw::{self, Purpose};
use crate::families::{Chunks, InvocationMetrics};
use crate::identifier;
use crate::script::{Pieces, deltas};
use crate::wire;

/// The id of a chat completion.
pub(crate) fn id(answer: &Answer) -> String {
    format!("chatcmpl-{}", draw::uuid(answer.key, u64::MAX))
}

/// OpenAI's word for why an answer ended.
pub(crate) fn stop_word(stop: &Stop) -> &str {
    match stop {
        Stop::EndTurn | Stop::Sequence(_) | Stop::MalformedModelOutput => "stop",
        Stop::MaxTokens | Stop::ContextWindowExceeded => "length",
        Stop::ToolUse | Stop::MalformedToolUse => "tool_calls",
        Stop::GuardrailIntervened | Stop::ContentFiltered => "content_filter",
        Stop::Other(word) => word,
    }
}

/// Whose chat completions they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// OpenAI's, with reasoning before the content, in tags, as gpt-oss on Bedrock gives it.
    OpenAi,
    /// That of AI21's Jamba: other members around the same choices.
    Jamba,
}

/// A `chat.completion`.
pub(super) fn write(answer: &Answer, dialect: Dialect) -> Vec<u8> {
    let mut content = String::new();
    let mut calls = Vec::new();
    for (number, block) in answer.blocks.iter().enumerate() {
        match block {
            Block::Reasoning { text, .. } => {
                content.push_str(REASONING.0);
                content.push_str(text);
                content.push_str(REASONING.1);
            }
            Block::Text(text) | Block::Cited { text, .. } => content.push_str(text),
            Block::ToolUse { name, input } => calls.push(Call {
                index: None,
                id: Some(identifier::openai_tool_call(answer, number)),
                r#type: Some("function"),
                function: Function { name: Some(name), arguments: input },
            }),
            _ => {}
        }
    }
    wire::json(&Completion {
        choices: [Choice {
            index: 0,
            message: Some(Message {
                role: Some("assistant"),
                content: Some(&content).filter(|content| !content.is_empty()).map(String::as_str),
                tool_calls: (!calls.is_empty()).then_some(calls),
            }),
            delta: None,
            finish_reason: Some(stop_word(&answer.stop)),
        }],
        usage: Some(Usage::of(answer)),
        ..Completion::begun(answer, dialect, "chat.completion", &id(answer))
            .with_ending(answer, dialect)
    })
}

/// The chunks of a stream up to the one that says why it ended.
///
/// A stream of the service's own states its invocation metrics there, and Jamba its usage.
pub(crate) fn stream(answer: &Answer, dialect: Dialect, chunks: &mut Chunks<'_>) {
    let mut writer = Writer { answer, dialect, id: id(answer), chunks };
    writer.add(Message { role: Some("assistant"), content: Some(""), tool_calls: None }, None);
    let mut calls = 0;
    for (number, block) in answer.blocks.iter().enumerate() {
        let mut pieces = draw::generator(answer.key.wrapping_add(number as u64), Purpose::Deltas);
        match block {
            Block::Reasoning { text, .. } => {
                writer.content(REASONING.0);
                writer.text(text, &mut pieces);
                writer.content(REASONING.1);
            }
            Block::Text(text) | Block::Cited { text, .. } => writer.text(text, &mut pieces),
            Block::ToolUse { name, input } => {
                let call = Call {
                    index: Some(calls),
                    id: Some(identifier::openai_tool_call(answer, number)),
                    r#type: Some("function"),
                    function: Function { name: Some(name), arguments: "" },
                };
                writer.call(call);
                for arguments in deltas(input, &mut pieces) {
                    writer.chunks.advance(arguments);
                    let function = Function { name: None, arguments };
                    writer.call(Call { index: Some(calls), id: None, r#type: None, function });
                }
                calls += 1;
            }
            _ => {}
        }
    }
    writer.chunks.finish();
    writer.end();
}

/// The chunk that states the usage of a stream, which has no choices.
pub(crate) fn stream_usage(answer: &Answer, chunks: &mut Chunks<'_>) {
    let id = id(answer);
    chunks.tell_usage();
    chunks.add(&Completion::<0> {
        choices: [],
        usage: Some(Usage::of(answer)),
        ..Completion::begun(answer, Dialect::OpenAi, CHUNK, &id)
    });
}

const CHUNK: &str = "chat.completion.chunk";

/// The tags around reasoning.
const REASONING: (&str, &str) = ("<reasoning>", "</reasoning>");

struct Writer<'w, 'c> {
    answer: &'w Answer,
    dialect: Dialect,
    id: String,
    chunks: &'w mut Chunks<'c>,
}

impl Writer<'_, '_> {
    fn text(&mut self, text: &str, pieces: &mut ChaCha8Rng) {
        for content in self.answer.pieces(Pieces::Drawn, text, pieces) {
            self.chunks.advance(content);
            self.content(content);
        }
    }

    fn content(&mut self, content: &str) {
        self.add(Message { content: Some(content), ..Message::default() }, None);
    }

    fn call(&mut self, call: Call<'_>) {
        self.add(Message { tool_calls: Some(vec![call]), ..Message::default() }, None);
    }

    fn add(&mut self, delta: Message<'_>, finish_reason: Option<&str>) {
        self.chunks.add(&Completion {
            choices: [Choice { index: 0, message: None, delta: Some(delta), finish_reason }],
            ..Completion::begun(self.answer, self.dialect, CHUNK, &self.id)
        });
    }

    fn end(&mut self) {
        let finish_reason = Some(stop_word(&self.answer.stop));
        let delta = Some(Message::default());
        let completion = Completion {
            choices: [Choice { index: 0, message: None, delta, finish_reason }],
            usage: (self.dialect == Dialect::Jamba).then(|| Usage::of(self.answer)),
            metrics: self.chunks.metrics(),
            ..Completion::begun(self.answer, self.dialect, CHUNK, &self.id)
        };
        self.chunks.add(&completion.with_ending(self.answer, self.dialect));
    }
}

/// OpenAI's members stand around the choices before their ends; Jamba's at the end.
#[derive(Serialize)]
struct Completion<'a, const CHOICES: usize> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    #[serde(serialize_with = "list")]
    choices: [Choice<'a>; CHOICES],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Meta>,
    #[serde(rename = "model", skip_serializing_if = "Option::is_none")]
    jamba_model: Option<String>,
    #[serde(rename = "amazon-bedrock-invocationMetrics", skip_serializing_if = "Option::is_none")]
    metrics: Option<InvocationMetrics>,
}

impl<'a, const CHOICES: usize> Completion<'a, CHOICES> {
    /// All but the choices and what only an end states.
    fn begun(
        answer: &'a Answer,
        dialect: Dialect,
        object: &'static str,
        id: &'a str,
    ) -> Completion<'a, CHOICES> {
        let is_openai = dialect == Dialect::OpenAi;
        Completion {
            id,
            object: is_openai.then_some(object),
            created: is_openai.then_some(answer.created_unix_seconds),
            model: is_openai.then_some(answer.model.id.as_str()),
            choices: std::array::from_fn(|_| Choice::default()),
            usage: None,
            meta: None,
            jamba_model: None,
            metrics: None,
        }
    }

    /// With the members that Jamba puts at the end.
    fn with_ending(mut self, answer: &Answer, dialect: Dialect) -> Self {
        if dialect == Dialect::Jamba {
            self.meta = Some(Meta { request_duration_millis: answer.timing.total_ms() });
            self.jamba_model = Some(model_name(answer, dialect));
        }
        self
    }
}

/// The model as an answer names it: by its id, or `jamba-1.5-large` for `ai21.jamba-1-5-large-v1:0`.
pub(super) fn model_name(answer: &Answer, dialect: Dialect) -> String {
    match dialect {
        Dialect::OpenAi => answer.model.id.clone(),
        Dialect::Jamba => answer.model.bare_name().replacen("1-5", "1.5", 1),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    request_duration_millis: u64,
}

fn list<S: serde::Serializer, T: Serialize, const LENGTH: usize>(
    items: &[T; LENGTH],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    items.as_slice().serialize(serializer)
}

#[derive(Default, Serialize)]
struct Choice<'a> {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<Message<'a>>,
    finish_reason: Option<&'a str>,
}

#[derive(Default, Serialize)]
struct Message<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<Vec<Call<'a>>>,
}

#[derive(Serialize)]
struct Call<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

/// OpenAI counts cached tokens among those of the prompt.
#[derive(Serialize)]
struct Usage {
    #[serde(rename = "prompt_tokens")]
    prompt: u64,
    #[serde(rename = "completion_tokens")]
    completion: u64,
    #[serde(rename = "total_tokens")]
    total: u64,
}

impl Usage {
    fn of(answer: &Answer) -> Self {
        Usage {
            prompt: answer.usage.all_input_tokens(),
            completion: answer.usage.output_tokens,
            total: answer.usage.total_tokens(),
        }
    }
}
