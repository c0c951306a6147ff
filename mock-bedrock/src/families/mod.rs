//! The model families whose native bodies the mock reads and writes, one file each.

mod claude;
mod nova;
mod titan_embed;

use std::time::Duration;

use serde::Serialize;
use spanproof_schemas::ledger::Task;

use crate::answer::Answer;
use crate::error::ServiceError;
use crate::model::Model;
use crate::operations::Stated;
use crate::turn::Turn;
use crate::wire::json_into;

/// Every family. A new one is a file beside this one, and a line here.
pub(crate) static FAMILIES: &[&dyn Family] =
    &[&claude::Claude, &nova::Nova, &titan_embed::TitanEmbed];

/// How a family reads and writes its native bodies.
pub(crate) trait Family: Sync {
    /// Its name in the catalogue.
    fn name(&self) -> &'static str;

    /// What its models do.
    fn task(&self) -> Task {
        Task::Chat
    }

    /// Whether a tool's arguments stream in fragments, or whole.
    fn fragments_tool_input(&self) -> bool {
        true
    }

    /// Reads a native request.
    fn read(&self, body: &[u8], model: &Model) -> Result<Turn, ServiceError>;

    /// Writes a native answer.
    fn write(&self, answer: &Answer) -> Vec<u8>;

    /// Writes the chunks of a native stream. Only called for families that chat.
    fn stream(&self, answer: &Answer, chunks: &mut Chunks<'_>);

    /// The response id and the model name that native answers state.
    fn stated(&self, answer: &Answer) -> Stated {
        let _ = answer;
        Stated::default()
    }
}

/// The family of a model.
pub(crate) fn of(model: &Model) -> &'static dyn Family {
    *FAMILIES
        .iter()
        .find(|family| family.name() == model.family)
        .expect("a test checks that the catalogue names registered families")
}

/// Takes the chunks of a native stream one by one, and knows when each is due.
pub(crate) struct Chunks<'a> {
    answer: &'a Answer,
    chunk: Vec<u8>,
    chars: usize,
    due: Duration,
    take: Box<dyn FnMut(&[u8], Duration, usize) + 'a>,
}

impl<'a> Chunks<'a> {
    pub(crate) fn new(answer: &'a Answer, take: impl FnMut(&[u8], Duration, usize) + 'a) -> Self {
        let due = answer.timing.first;
        Chunks { answer, chunk: Vec::with_capacity(256), chars: 0, due, take: Box::new(take) }
    }

    /// Time passes: `generated` is generated before the next chunk.
    pub(crate) fn advance(&mut self, generated: &str) {
        self.chars += generated.chars().count();
        self.due = self.answer.timing.at(self.chars);
    }

    /// Time passes to the end of the answer.
    pub(crate) fn finish(&mut self) {
        self.due = self.answer.timing.total;
    }

    /// Adds one chunk.
    pub(crate) fn add(&mut self, chunk: &impl Serialize) {
        json_into(&mut self.chunk, chunk);
        (self.take)(&self.chunk, self.due, self.chars);
    }
}

/// `amazon-bedrock-invocationMetrics`, which the service adds to the last chunk of a native stream.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InvocationMetrics {
    input_token_count: u64,
    output_token_count: u64,
    invocation_latency: u64,
    first_byte_latency: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_read_input_token_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_input_token_count: Option<u64>,
}

impl InvocationMetrics {
    pub(crate) fn of(answer: &Answer) -> Self {
        let usage = answer.usage;
        InvocationMetrics {
            input_token_count: usage.input_tokens,
            output_token_count: usage.output_tokens,
            invocation_latency: answer.timing.total_ms(),
            first_byte_latency: answer.timing.first_ms(),
            cache_read_input_token_count: answer.cache.used.then_some(usage.cache_read_input_tokens),
            cache_write_input_token_count: answer
                .cache
                .used
                .then_some(usage.cache_write_input_tokens),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model;

    #[test]
    fn every_file_is_in_the_slice() {
        let mut files: Vec<String> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/families"))
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .filter(|stem| stem != "mod")
            .collect();
        files.sort();
        let mut registered: Vec<&str> = FAMILIES.iter().map(|family| family.name()).collect();
        registered.sort_unstable();
        assert_eq!(files, registered);
    }

    #[test]
    fn every_model_has_a_family() {
        for model in model::all() {
            assert_eq!(of(model).name(), model.family);
        }
    }
}
