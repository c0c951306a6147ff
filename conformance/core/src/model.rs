//! What is kept of telemetry and ledger after ingest: compact facts, so that memory grows by a few
//! hundred bytes per call however large the spans were.

use spanproof_schemas::ledger::{Exchange, Operation, Task, ToolCall, Usage};
use spanproof_schemas::report::Subject;
use spanproof_schemas::time::UnixNanos;

use crate::attached::Arguments;
use crate::catalogue::{SpanType, VersionIndex};
use crate::expectation::Place;
use crate::field::FieldSet;
use crate::otlp::{SpanKind, StatusCode};
use crate::scan::Origin;
use crate::symbol::{Symbol, Symbols};
use crate::vocabulary::Vocabulary;
use crate::window::Came;

/// The id of a trace.
pub type TraceId = [u8; 16];

/// A span's identity: its trace and its own id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId {
    /// The trace.
    pub trace: TraceId,
    /// The span within it.
    pub span: [u8; 8],
}

impl SpanId {
    /// Reads the ids of the wire; ids of the wrong length are cut or padded with zeros.
    #[must_use]
    pub fn new(trace: &[u8], span: &[u8]) -> SpanId {
        SpanId { trace: fixed(trace), span: fixed(span) }
    }

    /// Reads ids in hexadecimal; nothing if they are not of the right length.
    #[must_use]
    pub fn from_hex(trace: &str, span: &str) -> Option<SpanId> {
        Some(SpanId { trace: unhex(trace)?, span: unhex(span)? })
    }

    /// The span with another id in the same trace.
    #[must_use]
    pub fn sibling(self, span: [u8; 8]) -> SpanId {
        SpanId { span, ..self }
    }
}

fn fixed<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    let length = bytes.len().min(N);
    out[..length].copy_from_slice(&bytes[..length]);
    out
}

/// Reads bytes in hexadecimal; nothing if it is not of the right length.
pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(out)
}

/// Bytes in lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

/// What a span is to the judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A call to a model: what the ledger's calls are joined with.
    ModelCall,
    /// Another GenAI operation: an agent, a tool, a workflow, a retrieval. Judged by its own span
    /// type, never joined with a call.
    Orchestration,
    /// A call to a model in the words of another vocabulary than the semantic conventions.
    Foreign(Vocabulary),
}

impl Role {
    /// Whether the span stands for a call to a model.
    #[must_use]
    pub fn is_model_call(self) -> bool {
        self != Role::Orchestration
    }
}

/// What is kept of a span that is not a GenAI span: enough to walk from a span to its ancestors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) id: SpanId,
    pub(crate) parent: [u8; 8],
    pub(crate) start: UnixNanos,
    /// That of the window when it came in.
    pub(crate) generation: u32,
}

/// What is kept of a GenAI span.
#[derive(Clone, Debug)]
pub struct SpanFacts {
    /// The span.
    pub id: SpanId,
    /// Its parent; zero for none.
    pub parent: [u8; 8],
    /// When it started.
    pub start: UnixNanos,
    /// When it ended.
    pub end: UnixNanos,
    /// Its name.
    pub name: Symbol,
    /// The name of its instrumentation scope.
    pub scope: Symbol,
    /// Its kind.
    pub kind: SpanKind,
    /// Its status.
    pub status: StatusCode,
    /// What it is to the judge.
    pub role: Role,
    /// The place of its scope in the list of scopes.
    pub(crate) scope_place: usize,
    /// What the version that it speaks says of such a span.
    pub(crate) span_type: Option<&'static SpanType>,
    /// The version it is judged by: from the end of the run on, that of its scope.
    pub semconv: VersionIndex,
    /// `gen_ai.operation.name`
    pub operation: Option<Symbol>,
    /// `gen_ai.request.model`
    pub model: Option<Symbol>,
    /// `gen_ai.provider.name`, else `gen_ai.system`
    pub provider: Option<Symbol>,
    /// `error.type`
    pub error_type: Option<Symbol>,
    /// `gen_ai.response.finish_reasons`
    pub finish_reasons: FinishReasons,
    /// Tokens.
    pub usage: ReportedUsage,
    /// `gen_ai.response.model`
    pub response_model: Option<Symbol>,
    /// Sampling parameters.
    pub sampling: Sampling,
    /// `gen_ai.response.time_to_first_chunk`, in nanoseconds.
    pub time_to_first_chunk: Option<u64>,
    /// `gen_ai.response.id`
    pub response_id: Option<Box<str>>,
    /// The service's request id.
    pub request_id: Option<Box<str>>,
    /// `spanproof.invocation_id`
    pub invocation_id: Option<Box<str>>,
    /// `gen_ai.request.stream`
    pub stream: Option<bool>,
    /// Whether `aws.bedrock.guardrail.id` is there.
    pub has_guardrail: bool,
    /// The ids of the rules that found something on the span itself, between spaces.
    pub(crate) found: Symbol,
    /// Which attributes that the engine reads are there.
    pub present: FieldSet,
    pub(crate) came: Came,
    /// Whether spans that may be within it had been settled when it came in.
    pub(crate) lacks_inner: bool,
}

impl SpanFacts {
    /// Makes facts of another table of symbols, and another list of scopes, facts of ours.
    pub(crate) fn move_to(&mut self, symbols: &[Symbol], places: &[usize]) {
        let moved = |symbol: &mut Symbol| *symbol = symbol.among(symbols);
        moved(&mut self.name);
        moved(&mut self.scope);
        moved(&mut self.found);
        self.scope_place = places.get(self.scope_place).copied().unwrap_or_default();
        let texts = [
            &mut self.operation,
            &mut self.model,
            &mut self.response_model,
            &mut self.provider,
            &mut self.error_type,
        ];
        texts.into_iter().flatten().for_each(moved);
        match &mut self.finish_reasons {
            FinishReasons::Absent => {}
            FinishReasons::NotArray(text) => moved(text),
            FinishReasons::Array(texts) => texts.iter_mut().flatten().for_each(moved),
        }
    }

    /// The span as expectations tell it from others.
    pub(crate) fn place<'a>(&self, symbols: &'a Symbols) -> Place<'a> {
        Place {
            subject: self.subject(symbols),
            span_type: self.span_type.map(|span_type| &*span_type.id),
            operations: [symbols.option(self.operation), None],
            models: [symbols.option(self.model), None],
        }
    }

    /// The span as findings point at it.
    #[must_use]
    pub fn subject(&self, symbols: &Symbols) -> Subject {
        Subject {
            trace_id: Some(hex(&self.id.trace)),
            span_id: Some(hex(&self.id.span)),
            span_name: Some(symbols.text(self.name).to_owned()),
            scope: Some(symbols.text(self.scope).to_owned()).filter(|scope| !scope.is_empty()),
            ..Subject::default()
        }
    }
}

/// The finish reasons of a span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FinishReasons {
    /// The attribute is not there.
    #[default]
    Absent,
    /// It is there, and is no array.
    NotArray(Symbol),
    /// One for each choice; nothing for an element that is no string.
    Array(Box<[Option<Symbol>]>),
}

/// Tokens as a span reports them, absent where it reports none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportedUsage {
    /// Input tokens, as the span's version counts them.
    pub input: Option<u64>,
    /// Output tokens.
    pub output: Option<u64>,
    /// Tokens read from the prompt cache.
    pub cache_read: Option<u64>,
    /// Tokens written to the prompt cache.
    pub cache_write: Option<u64>,
    /// Those of the output tokens that were reasoning.
    pub reasoning: Option<u64>,
}

/// Sampling parameters, as they were sent or as a span states them. Half of a double's digits are
/// enough to tell them apart, and what an SDK keeps of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sampling {
    /// The most tokens to generate.
    pub max_tokens: Option<u32>,
    /// Sampling temperature.
    pub temperature: Option<f32>,
    /// Nucleus sampling.
    pub top_p: Option<f32>,
    /// Top-k sampling.
    pub top_k: Option<f32>,
}

/// What is kept of an exchange of the ledger.
#[derive(Clone, Debug)]
pub struct ExchangeFacts {
    /// Order of arrival.
    pub sequence: u64,
    /// When the request's head had been read.
    pub arrived: UnixNanos,
    /// When the answer, or the connection, ended.
    pub finished: UnixNanos,
    /// The request id of the answer.
    pub request_id: Box<str>,
    /// The operation called.
    pub operation: Operation,
    /// What it did with the model.
    pub task: Task,
    /// The model id as sent.
    pub model: Symbol,
    /// The span that was current where the request was made.
    pub current_span: Option<SpanId>,
    /// Whether that span was sampled.
    pub sampled: bool,
    /// `amz-sdk-invocation-id`
    pub invocation_id: Option<Box<str>>,
    /// Tokens charged.
    pub usage: Usage,
    /// The most output tokens that a stream stated before its end.
    pub early_output_tokens: Option<u64>,
    /// The stop reason served.
    pub stop_reason: Option<Symbol>,
    /// The response id served in the body.
    pub response_id: Option<Box<str>>,
    /// The model's name served in the body.
    pub response_model: Option<Symbol>,
    /// Sampling parameters as they were sent.
    pub sampling: Sampling,
    /// The HTTP status; 0 for none.
    pub status: u16,
    /// The exception served.
    pub exception: Option<Symbol>,
    /// Whether everything meant to be sent was.
    pub delivered: bool,
    /// The fault injected.
    pub fault: Option<Symbol>,
    /// Whether the request named a guardrail.
    pub has_guardrail: bool,
    /// When the first chunk of a streamed answer was sent.
    pub first_chunk: Option<UnixNanos>,
    /// What the request and the answer had that a span may state.
    pub shown: FieldSet,
    pub(crate) came: Came,
    /// When the last chunk of a streamed answer was sent.
    pub last_chunk: Option<UnixNanos>,
    /// What telemetry may hold of its content, where the user lets it hold any.
    pub served: Option<Box<Served>>,
    /// The hashes of its content, where the user lets telemetry hold these.
    pub hashes: Option<Box<ServedHashes>>,
}

/// SHA-256 of the texts of an exchange, where the ledger states them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServedHashes {
    /// Of the normalized prompt.
    pub prompt: Option<[u8; 32]>,
    /// Of the system prompt alone; nothing where there was none.
    pub system: Option<[u8; 32]>,
    /// Of the messages alone, where there was a system prompt.
    pub messages: Option<[u8; 32]>,
    /// Of the completion.
    pub completion: Option<[u8; 32]>,
}

impl ServedHashes {
    pub(crate) fn of(exchange: &Exchange) -> ServedHashes {
        ServedHashes {
            prompt: unhex(&exchange.prompt_sha256),
            system: exchange.system_sha256.as_deref().and_then(unhex),
            messages: exchange.messages_sha256.as_deref().and_then(unhex),
            completion: unhex(&exchange.completion_sha256),
        }
    }
}

/// What the ledger tells of the content of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The hashes of the markers of the prompt.
    pub prompt_markers: Box<[u64]>,
    /// The hashes of the markers of the answer.
    pub answer_markers: Box<[u64]>,
    /// Whether the request had a system prompt.
    pub has_system: bool,
    /// What the answer held, where the ledger tells.
    pub answer: Option<ServedAnswer>,
}

/// What an answer held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedAnswer {
    /// Whether it had text.
    pub has_text: bool,
    /// Its tool calls.
    pub tool_calls: Box<[(Box<str>, Arguments)]>,
}

impl Served {
    pub(crate) fn of(exchange: &Exchange) -> Served {
        let markers = |of_answer| -> Box<[u64]> {
            let all = exchange.markers.iter();
            let all = all.filter(|marker| (Origin::of(marker) == Origin::Completion) == of_answer);
            all.map(crate::identity::of).collect()
        };
        let tool_call = |call: &ToolCall| {
            let hash = call.arguments_sha256.as_deref().and_then(unhex::<32>);
            (call.name.as_str().into(), hash.map_or(Arguments::Empty, Arguments::Sha256))
        };
        let answer = exchange.answer.as_ref().map(|answer| ServedAnswer {
            has_text: answer.texts > 0,
            tool_calls: answer.tool_calls.iter().map(tool_call).collect(),
        });
        Served {
            answer,
            prompt_markers: markers(false),
            answer_markers: markers(true),
            has_system: exchange.conversation.system_blocks > 0,
        }
    }
}
