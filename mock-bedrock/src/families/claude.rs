//! Anthropic Claude: the messages body.

use rand_chacha::ChaCha8Rng;

use super::{Chunks, Family};
use crate::answer::{Answer, Block, Stop};
use crate::claude_body::{Citation, Content, Delta, Ending, Event, Message};
use crate::claude_request;
use crate::claude_usage::OutputUsage;
use crate::draw::{self, Purpose};
use crate::error::ServiceError;
use crate::identifier;
use crate::model::Model;
use crate::operations::Stated;
use crate::script::{Pieces, deltas};
use crate::turn::Turn;
use crate::wire::{self, raw};

/// `anthropic.claude-*`
pub(crate) struct Claude;

impl Family for Claude {
    fn name(&self) -> &'static str {
        "claude"
    }

    fn read(&self, body: &[u8], model: &Model) -> Result<Turn, ServiceError> {
        claude_request::read(body, model)
    }

    fn write(&self, answer: &Answer) -> Vec<u8> {
        let mut content = Vec::with_capacity(answer.blocks.len());
        for (number, block) in answer.blocks.iter().enumerate() {
            Content::add(answer, number, block, &mut content);
        }
        wire::json(&Message::whole(answer, content, self.stop_word(&answer.stop)))
    }

    fn stream(&self, answer: &Answer, chunks: &mut Chunks<'_>) {
        let message = Message::begun(answer, first_output_tokens(answer));
        chunks.add(&Event::MessageStart { message });
        let mut writer = Writer { answer, chunks, index: 0 };
        for (number, block) in answer.blocks.iter().enumerate() {
            writer.block(number, block);
        }
        chunks.finish();
        chunks.add(&Event::MessageDelta {
            delta: Ending {
                stop_reason: self.stop_word(&answer.stop),
                stop_sequence: answer.stop.sequence(),
            },
            usage: OutputUsage::of(answer),
        });
        chunks.add(&Event::MessageStop { metrics: chunks.metrics() });
    }

    fn stop_word<'s>(&self, stop: &'s Stop) -> &'s str {
        match stop {
            Stop::ContentFiltered => "refusal",
            other => other.as_str(),
        }
    }

    fn stated(&self, answer: &Answer) -> Stated {
        Stated {
            response_id: Some(identifier::claude_message(answer)),
            response_model: Some(answer.model.bare_name().to_owned()),
            early_output_tokens: Some(first_output_tokens(answer)),
        }
    }
}

/// What the first event of a stream states of the output.
fn first_output_tokens(answer: &Answer) -> u64 {
    answer.usage.output_tokens.min(1)
}

/// Writes the events of blocks, some of which take several of the stream's.
struct Writer<'w, 'c> {
    answer: &'w Answer,
    chunks: &'w mut Chunks<'c>,
    index: usize,
}

impl Writer<'_, '_> {
    fn block(&mut self, number: usize, block: &Block) {
        let mut pieces = draw::generator(self.answer.key, Purpose::Deltas);
        match block {
            Block::Reasoning { text, signature } => {
                self.start(Content::Thinking { thinking: "", signature: "" });
                for thinking in deltas(text, &mut pieces) {
                    self.chunks.advance(thinking);
                    self.delta(Delta::Thinking { thinking });
                }
                self.delta(Delta::Signature { signature });
            }
            Block::Redacted { data, chars } => {
                self.chunks.advance_chars(*chars);
                self.start(Content::RedactedThinking { data });
            }
            Block::Text(text) => {
                self.start(Content::Text { text: "", citations: None });
                self.text(text, &mut pieces);
            }
            Block::Cited { text, title, url } => {
                self.start(Content::Text { text: "", citations: Some(Vec::new()) });
                self.delta(Delta::Citations { citation: Citation::of(text, title, url) });
                self.text(text, &mut pieces);
            }
            Block::ToolUse { name, input } => {
                let id = identifier::claude_tool_use(self.answer, number);
                self.start(Content::ToolUse { id, name, input: raw("{}") });
                self.input(input, &mut pieces);
            }
            Block::ServerTool { name, input, .. } => {
                let id = identifier::claude_server_tool_use(self.answer, number);
                self.start(Content::ServerToolUse { id, name, input: raw("{}") });
                self.input(input, &mut pieces);
                self.stop();
                let mut content = Vec::with_capacity(2);
                Content::add(self.answer, number, block, &mut content);
                content.drain(1..).for_each(|result| self.start(result));
            }
            Block::Vector { .. } | Block::Ranked { .. } => return,
        }
        self.stop();
    }

    fn text(&mut self, text: &str, pieces: &mut ChaCha8Rng) {
        for text in self.answer.pieces(Pieces::Drawn, text, pieces) {
            self.chunks.advance(text);
            self.delta(Delta::Text { text });
        }
    }

    fn input(&mut self, input: &str, pieces: &mut ChaCha8Rng) {
        self.delta(Delta::InputJson { partial_json: "" });
        for partial_json in deltas(input, pieces) {
            self.chunks.advance(partial_json);
            self.delta(Delta::InputJson { partial_json });
        }
    }

    fn start(&mut self, content_block: Content<'_>) {
        self.chunks.add(&Event::ContentBlockStart { index: self.index, content_block });
    }

    fn delta(&mut self, delta: Delta<'_>) {
        self.chunks.add(&Event::ContentBlockDelta { index: self.index, delta });
    }

    fn stop(&mut self) {
        self.chunks.add(&Event::ContentBlockStop { index: self.index });
        self.index += 1;
    }
}
