//! A guardrail goes with a request to a model: it looks at the prompt, and at the answer.

use std::time::Duration;

use spanproof_schemas::ledger::{Operation, Usage};

use super::asked::{Asked, Shown, Trace};
use super::assess::{How, Looked, Outcome, assess};
use super::assessment::Done;
use super::compiled::Source;
use super::grounding::Ground;
use super::resolve::Named;
use super::told::{Account, Told};
use super::units::unit_chars;
use crate::answer::{Answer, Block, Stop};
use crate::asked;
use crate::error::ServiceError;
use crate::families::Family;
use crate::turn::{Turn, Wanted};

/// Characters of a token where no model counted: those of the recorded refusal, whose prompt of 30
/// characters counts 6 tokens and whose message of 13 counts 3.
const CHARS_PER_TOKEN: u64 = 5;

/// A guardrail that goes with a request.
#[derive(Debug)]
pub(crate) struct Guarding<'s> {
    named: Named<'s>,
    asked: Asked,
    operation: Operation,
    shown: Shown,
    how: How,
    prompt_chars: u64,
    input: Outcome,
}

impl<'s> Guarding<'s> {
    /// The guardrail that a request names, once it has looked at the prompt. The exchange gets to
    /// know it.
    ///
    /// # Errors
    ///
    /// What the service says of a guardrail that it does not know.
    pub(crate) fn of(
        request: &mut asked::Asked<'s>,
        turn: &Turn,
    ) -> Result<Option<Self>, ServiceError> {
        let operation = request.exchange.operation;
        let by_converse = matches!(operation, Operation::Converse | Operation::ConverseStream);
        let asked = if by_converse {
            turn.guardrail.as_ref().map_or(Ok(None), Asked::by_body)?
        } else {
            Asked::by_headers(&request.head.headers, request.body)?
        };
        request.exchange.parameters.guardrail_id =
            asked.as_ref().map(|asked| asked.identifier.clone());
        let Some(asked) = asked else { return Ok(None) };
        // What the service does with guardrails where no text is generated is not known; here they
        // look at nothing.
        if turn.wanted != Wanted::Message {
            return Ok(None);
        }
        let service = request.service;
        let named = service.guardrails.find(&asked.identifier, &asked.version)?;
        let shown = if by_converse {
            Shown::by_blocks(turn)
        } else {
            Shown::by_tags(turn, asked.tag_suffix.as_deref())
        };
        let how = How {
            source: Source::Input,
            is_full: asked.trace == Trace::Full,
            masks: true,
            quirks: service.quirks,
            seed: service.config.seed,
        };
        let looked = Looked {
            texts: borrowed(&shown.content),
            total_chars: shown.total_chars,
            images: shown.images,
            ..Looked::default()
        };
        let input = assess(&named, &looked, how);
        let prompt_chars = turn.chars;
        Ok(Some(Guarding { named, asked, operation, shown, how, prompt_chars, input }))
    }

    /// Whether the prompt goes no further.
    pub(crate) fn refuses(&self) -> bool {
        self.input.done == Done::Blocked
    }

    /// Puts the guardrail's message in the answer's place when the prompt was refused, else looks at
    /// the answer; and leaves in the answer what is to be told of it.
    pub(crate) fn apply(self, answer: &mut Answer, family: &dyn Family) {
        let told = if self.refuses() { self.refuse(answer) } else { self.review(answer, family) };
        if told.intervenes() && !told.is_native() {
            answer.stop = Stop::GuardrailIntervened;
        }
        let marker = answer.marker.take();
        answer.marker = marker.filter(|marker| answer.contains(marker));
        answer.guardrail = Some(Box::new(told));
    }

    /// No model ran, so none is charged for; a native body states counts all the same, as recorded
    /// for Titan.
    fn refuse(self, answer: &mut Answer) -> Told {
        let message = &self.named.guardrail.config.blocked_input_messaging;
        answer.put(vec![Block::Text(message.clone())], Stop::EndTurn);
        answer.usage = Usage::default();
        if self.is_native() {
            answer.usage.input_tokens = self.prompt_chars.div_ceil(CHARS_PER_TOKEN);
            answer.usage.output_tokens = (message.chars().count() as u64).div_ceil(CHARS_PER_TOKEN);
        }
        answer.timing.end_at(latency(&self.input));
        self.told(Vec::new(), None)
    }

    /// Usage and pace stay those of what the model generated: masks and messages cost no tokens.
    fn review(self, answer: &mut Answer, family: &dyn Family) -> Told {
        let texts: Vec<String> = answer.blocks.iter().filter_map(text).cloned().collect();
        let is_async = self.asked.is_async && self.operation.is_streamed();
        let how = How { source: Source::Output, masks: !is_async, ..self.how };
        let output = self.look(&texts, how);
        let model_output = match self.asked.trace {
            Trace::Disabled => Vec::new(),
            _ if self.operation.is_streamed() => vec![texts.concat()],
            _ => vec![String::from_utf8_lossy(&family.write(answer)).into_owned()],
        };
        match output.done {
            Done::Blocked => {
                let message = self.named.guardrail.config.blocked_outputs_messaging.clone();
                let mut blocks = Vec::new();
                if is_async {
                    blocks.push(Block::Text(self.sent_before(&texts.concat(), how)));
                }
                blocks.push(Block::Text(message));
                answer.blocks = blocks;
            }
            Done::Anonymized => {
                let texts = answer.blocks.iter_mut().filter_map(text_mut);
                for (text, masked) in texts.zip(&output.masked) {
                    text.clone_from(masked);
                }
            }
            Done::None => {}
        }
        answer.timing.delay(latency(&self.input));
        if !is_async {
            answer.timing.delay(latency(&output));
        }
        self.told(model_output, Some(output))
    }

    fn look(&self, texts: &[String], how: How) -> Outcome {
        let looked = Looked {
            texts: borrowed(texts),
            ground: Ground {
                sources: borrowed(&self.shown.sources),
                queries: borrowed(&self.shown.queries),
            },
            total_chars: texts.iter().map(|text| text.chars().count() as u64).sum(),
            images: None,
        };
        assess(&self.named, &looked, how)
    }

    /// What of a blocked text was sent before the assessment had come so far: it looks at one text
    /// unit after another. The service documents that chunks go out at once and that those after
    /// the finding are blocked; how far it lags is a guess.
    fn sent_before(&self, text: &str, how: How) -> String {
        let mut sent = String::new();
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.char_indices().nth(unit_chars()).map_or(rest.len(), |(at, _)| at);
            let (unit, after) = rest.split_at(end);
            sent.push_str(unit);
            rest = after;
            if self.look(std::slice::from_ref(&sent), how).done == Done::Blocked {
                break;
            }
        }
        sent
    }

    fn told(self, model_output: Vec<String>, output: Option<Outcome>) -> Told {
        let is_native = self.is_native();
        let account = Account {
            id: self.named.id,
            input: self.input,
            output,
            model_output,
            is_told: self.asked.trace != Trace::Disabled,
        };
        Told::of(&account, is_native, self.how.quirks)
    }

    fn is_native(&self) -> bool {
        !matches!(self.operation, Operation::Converse | Operation::ConverseStream)
    }
}

fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn latency(outcome: &Outcome) -> Duration {
    Duration::from_millis(outcome.assessment.invocation_metrics.guardrail_processing_latency)
}

/// What a guardrail looks at in an answer: its texts, not what the model reasoned nor its calls.
fn text(block: &Block) -> Option<&String> {
    match block {
        Block::Text(text) | Block::Cited { text, .. } => Some(text),
        _ => None,
    }
}

fn text_mut(block: &mut Block) -> Option<&mut String> {
    match block {
        Block::Text(text) | Block::Cited { text, .. } => Some(text),
        _ => None,
    }
}
