//! What a request asks of a model, in words that belong to no family.

use std::ops::Range;

use serde_json::Value;
use serde_json::value::RawValue;
use spanproof_schemas::ledger::{Conversation, Parameters};

use crate::draw::Fold;
use crate::error::ServiceError;
use crate::guardrail::ConverseConfig;
use crate::model::Model;
use crate::outline::Outline;
use crate::reasoning::Fields;

/// An image, a document, a video or a sound counts as much as this many characters.
const MEDIA_CHARS: u64 = 5_400;

/// One request, read: the text it charges for, and what it asks for.
///
/// Parts are added in the order in which the service caches prefixes: tools, system prompt,
/// messages.
#[derive(Debug)]
pub(crate) struct Turn {
    /// System prompt and messages, joined by newlines.
    pub(crate) prompt: String,
    /// Where the texts stand in the prompt, in its order.
    pub(crate) texts: Vec<Said>,
    /// Characters that are charged as input.
    pub(crate) chars: u64,
    /// Where prefixes may be cached.
    pub(crate) cache_points: Vec<CachePoint>,
    pub(crate) conversation: Conversation,
    /// Messages of the user, those that bring a tool's result included.
    pub(crate) user_messages: u32,
    /// Whether the last message brings the result of a tool.
    pub(crate) ends_with_tool_result: bool,
    pub(crate) parameters: Parameters,
    pub(crate) tools: Vec<Tool>,
    pub(crate) tool_choice: ToolChoice,
    /// What the conversation holds beside text, by Converse.
    pub(crate) media: Vec<Media>,
    /// Its images, as a guardrail sees them.
    pub(crate) images: Vec<Image>,
    pub(crate) wanted: Wanted,
    /// The texts that vectors or a ranking are wanted of, beside the prompt that holds them all.
    pub(crate) passages: Vec<String>,
    /// How the request asks for that, before the model's family made sense of it.
    pub(crate) reasoning_fields: Fields,
    /// How the model may reason before it answers.
    pub(crate) reasoning: Option<Reasoning>,
    /// The tools that the service itself runs, by name.
    pub(crate) server_tools: Vec<String>,
    /// The most tokens to generate when the request does not say: its family's default, else the
    /// model's limit.
    pub(crate) default_max_tokens: Option<u64>,
    /// The guardrail that a Converse body names; native requests name theirs in headers.
    pub(crate) guardrail: Option<ConverseConfig>,
    /// Members of the answer that the request asks for or fixes.
    pub(crate) echo: Echo,
    /// What the answer is to be like, where the request says it beside its body.
    pub(crate) outline: Option<Outline>,
    /// A planted value that the answer's text is to say, in a sentence.
    pub(crate) aside: Option<String>,
    fold: Fold,
}

/// One text of a prompt.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// Its bytes in [`Turn::prompt`].
    pub(crate) range: Range<usize>,
    /// Whether it is of the system prompt.
    pub(crate) is_system: bool,
    /// What the request says of it to a guardrail, when it says anything.
    pub(crate) guard: Option<Guard>,
}

/// What a `guardContent` block says of its text: at least one, since a block that says nothing is
/// there to be guarded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Guard {
    /// Its policies look at it.
    pub(crate) is_content: bool,
    /// Answers rest on it.
    pub(crate) is_source: bool,
    /// It is what was asked.
    pub(crate) is_query: bool,
}

impl Guard {
    /// What `qualifiers` say.
    pub(crate) fn of<T: AsRef<str>>(qualifiers: &[T]) -> Self {
        let has = |name: &str| qualifiers.iter().any(|qualifier| qualifier.as_ref() == name);
        let (is_source, is_query) = (has("grounding_source"), has("query"));
        let is_content = has("guard_content") || !is_source && !is_query;
        Guard { is_content, is_source, is_query }
    }
}

/// An image by Converse, as a guardrail sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    /// Whether it is of the system prompt.
    pub(crate) is_system: bool,
    /// Whether it stands in a `guardContent` block.
    pub(crate) is_marked: bool,
    /// Whether it has one of the formats that guardrails look at.
    pub(crate) is_guardable: bool,
}

/// The end of a prefix that the request wants cached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CachePoint {
    /// Characters before it.
    pub(crate) chars: u64,
    /// The hash of everything before it.
    pub(crate) prefix: u64,
    pub(crate) ttl: CacheTtl,
}

/// How long a cached prefix lives after its last use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CacheTtl {
    #[default]
    FiveMinutes,
    OneHour,
}

impl CacheTtl {
    /// The lifetime that `text` names; unnamed and unknown ones are the default.
    pub(crate) fn named(text: Option<&str>) -> Self {
        if text == Some("1h") { CacheTtl::OneHour } else { CacheTtl::FiveMinutes }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            CacheTtl::FiveMinutes => "5m",
            CacheTtl::OneHour => "1h",
        }
    }
}

/// What a content block holds that is not text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    Image,
    Document,
    Video,
    Audio,
}

impl Media {
    /// The name of the content block.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Media::Image => "image",
            Media::Document => "document",
            Media::Video => "video",
            Media::Audio => "audio",
        }
    }
}

/// A tool that the request offers.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) name: String,
    /// The JSON Schema of its arguments.
    pub(crate) schema: Box<RawValue>,
}

/// Whether the model may, must or must not call a tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum ToolChoice {
    #[default]
    Auto,
    Any,
    Tool(String),
    None,
}

/// What kind of answer a request asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A message, or the continuation of a text.
    #[default]
    Message,
    /// A vector for each of the turn's passages.
    Vectors(Embedding),
    /// The turn's passages but for the first, which is the query, by how relevant they are to it,
    /// cut to the best `top`.
    Ranking { top: usize },
}

/// How a model may reason before it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reasoning {
    /// The most tokens of reasoning.
    pub(crate) budget_tokens: u64,
    /// Whether the reasoning is told in encrypted form only.
    pub(crate) redacted: bool,
}

/// The vector that an embedding request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Embedding {
    pub(crate) dimensions: usize,
    pub(crate) normalized: bool,
    /// Whether the answer states the vector by type as well.
    pub(crate) by_type: bool,
}

/// What the answer repeats from the request.
#[derive(Debug, Default)]
pub(crate) struct Echo {
    /// `performanceConfig`, as JSON.
    pub(crate) performance_config: Option<Box<RawValue>>,
    /// `serviceTier`, as JSON.
    pub(crate) service_tier: Option<Box<RawValue>>,
    /// Whether `additionalModelResponseFieldPaths` asks for `/stop_sequence`.
    pub(crate) stop_sequence: bool,
    /// What the family repeats from a native request, in a form of its own.
    pub(crate) native: Value,
}

impl Turn {
    pub(crate) fn new() -> Self {
        Turn {
            prompt: String::new(),
            texts: Vec::new(),
            chars: 0,
            cache_points: Vec::new(),
            conversation: Conversation::default(),
            user_messages: 0,
            ends_with_tool_result: false,
            parameters: Parameters::default(),
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            media: Vec::new(),
            images: Vec::new(),
            wanted: Wanted::Message,
            passages: Vec::new(),
            reasoning_fields: Fields::default(),
            reasoning: None,
            server_tools: Vec::new(),
            default_max_tokens: None,
            guardrail: None,
            echo: Echo::default(),
            outline: None,
            aside: None,
            fold: Fold::new(0),
        }
    }

    pub(crate) fn add_tool(
        &mut self,
        name: String,
        description: Option<&str>,
        schema: Box<RawValue>,
    ) {
        let schema = canonical(schema.get()).unwrap_or(schema);
        self.count(&name);
        self.count(description.unwrap_or_default());
        self.count(schema.get());
        self.conversation.tools += 1;
        self.tools.push(Tool { name, schema });
    }

    pub(crate) fn add_system(&mut self, text: &str) {
        self.conversation.system_blocks += 1;
        self.add_text(text);
    }

    pub(crate) fn begin_message(&mut self, role: &str) {
        self.conversation.messages += 1;
        self.fold.bytes(role.as_bytes());
        self.user_messages += u32::from(role.eq_ignore_ascii_case("user"));
        self.ends_with_tool_result = false;
    }

    /// The message brings the result of a tool.
    pub(crate) fn note_tool_result(&mut self) {
        self.ends_with_tool_result = true;
    }

    pub(crate) fn add_text(&mut self, text: &str) {
        self.add_guarded(text, None);
    }

    /// A text of which the request says something to a guardrail.
    pub(crate) fn add_guarded(&mut self, text: &str, guard: Option<Guard>) {
        if !self.prompt.is_empty() {
            self.prompt.push('\n');
        }
        let start = self.prompt.len();
        self.prompt.push_str(text);
        let is_system = self.conversation.messages == 0;
        self.texts.push(Said { range: start..self.prompt.len(), is_system, guard });
        self.count(text);
    }

    /// A text that a vector or a place in a ranking is wanted of.
    pub(crate) fn add_passage(&mut self, text: &str) {
        self.add_text(text);
        self.passages.push(text.to_owned());
    }

    /// A part that is charged and tells requests apart, but is not text: a tool's use or result.
    pub(crate) fn add_structure(&mut self, json: &str) {
        match canonical(json) {
            Some(sorted) => self.count(sorted.get()),
            None => self.count(json),
        }
    }

    /// An image by Converse, perhaps marked for a guardrail, perhaps in a format that it looks at.
    pub(crate) fn add_image(&mut self, json: &str, is_marked: bool, is_guardable: bool) {
        let is_system = self.conversation.messages == 0;
        self.images.push(Image { is_system, is_marked, is_guardable });
        self.media.push(Media::Image);
        self.add_media(json);
    }

    /// An image, a document, a video or a sound.
    pub(crate) fn add_media(&mut self, json: &str) {
        self.fold.bytes(json.as_bytes());
        self.chars += MEDIA_CHARS;
    }

    pub(crate) fn add_cache_point(&mut self, ttl: CacheTtl) {
        self.cache_points.push(CachePoint { chars: self.chars, prefix: self.fold.finish(), ttl });
    }

    /// The system prompt and the messages, each joined as the prompt is.
    pub(crate) fn halves(&self) -> (&str, &str) {
        let end = self.texts.iter().rev().find(|said| said.is_system).map(|said| said.range.end);
        let (system, messages) = self.prompt.split_at(end.unwrap_or_default());
        (system, messages.strip_prefix('\n').unwrap_or(messages))
    }

    /// What `model` charges for the input, whether the prompt cache takes of it or not.
    pub(crate) fn input_tokens(&self, model: &Model) -> u64 {
        model.tokens(self.chars)
    }

    /// The hash of everything that the answer depends on but the model and the seed.
    pub(crate) fn identity(&self) -> u64 {
        let mut fold = self.fold;
        let parameters = &self.parameters;
        fold.word(parameters.max_tokens.unwrap_or(0));
        for number in [parameters.temperature, parameters.top_p, parameters.top_k] {
            fold.word(number.map_or(u64::MAX, f64::to_bits));
        }
        for sequence in &parameters.stop_sequences {
            fold.bytes(sequence.as_bytes());
        }
        match &self.tool_choice {
            ToolChoice::Auto => fold.word(0),
            ToolChoice::Any => fold.word(1),
            ToolChoice::None => fold.word(2),
            ToolChoice::Tool(name) => fold.bytes(name.as_bytes()),
        }
        match self.wanted {
            Wanted::Message => {}
            Wanted::Vectors(embedding) => {
                fold.word(embedding.dimensions as u64);
                fold.word(u64::from(embedding.normalized));
            }
            Wanted::Ranking { top } => fold.word(top as u64),
        }
        if let Some(reasoning) = self.reasoning {
            fold.word(reasoning.budget_tokens);
            fold.word(u64::from(reasoning.redacted));
        }
        for tool in &self.server_tools {
            fold.bytes(tool.as_bytes());
        }
        fold.finish()
    }

    /// What no model family lets pass.
    ///
    /// # Errors
    ///
    /// A `ValidationException` for a token limit beyond the model's, or a prompt beyond its window.
    pub(crate) fn validate(&self, model: &Model) -> Result<(), ServiceError> {
        let limit = model.max_output_tokens;
        if self.wanted == Wanted::Message
            && self.parameters.max_tokens.is_some_and(|max| max > limit)
        {
            return Err(ServiceError::validation(format!(
                "The maximum tokens you requested exceeds the model limit of {limit}. Try again with a maximum tokens value that is lower than {limit}."
            )));
        }
        // Passages are read one by one, and rerankers cut those that are too long.
        let chars = match self.wanted {
            Wanted::Message => self.chars,
            Wanted::Vectors(_) => {
                self.passages.iter().map(|text| text.chars().count() as u64).max().unwrap_or(0)
            }
            Wanted::Ranking { .. } => 0,
        };
        let (tokens, window) = (model.tokens(chars), model.context_window);
        if tokens <= window {
            return Ok(());
        }
        Err(ServiceError::validation(match model.family.as_str() {
            "claude" => format!(
                "The model returned the following errors: prompt is too long: {tokens} tokens > {window} maximum"
            ),
            _ => "Input is too long for requested model.".to_owned(),
        }))
    }

    fn count(&mut self, text: &str) {
        self.fold.bytes(text.as_bytes());
        self.chars += text.chars().count() as u64;
    }
}

/// `json` with the members of every object in the order of their names. The AWS SDK for Rust keeps
/// documents in hash maps and sends their members in another order each time; the request is still
/// the same. `None` for what is no JSON, or nests too deeply to be read: that stays as it was sent.
fn canonical(json: &str) -> Option<Box<RawValue>> {
    let mut value: Value = serde_json::from_str(json).ok()?;
    value.sort_all_objects();
    serde_json::value::to_raw_value(&value).ok()
}
