//! Amazon Nova Sonic: a spoken conversation, event by event, over one exchange.
//!
//! The grammar of the events is that of the service's documentation; no recording of it is
//! published. A turn of the user ends with its content, or when speech is followed by silence.

mod event;
mod speech;

use std::time::Duration;

use serde_json::value::RawValue;
use spanproof_schemas::ledger::{Parameters, Usage};

use crate::answer::{Answer, Block};
use crate::cache::Division;
use crate::draw::{self, Fold};
use crate::error::ServiceError;
use crate::model::Model;
use crate::script::Role as Tells;
use crate::turn::{ToolChoice, Turn};

pub(crate) use event::decode;
use event::{ContentStart, In, Out, Role, Speaker, Stage, Tokens};
use speech::{Ear, Voice};

/// A conversation.
#[derive(Debug)]
pub(crate) struct Session {
    seed: u64,
    stem: String,
    model: &'static Model,
    ids: Ids,
    parameters: Parameters,
    tools: Vec<event::ToolSpec>,
    prompt_name: Option<String>,
    voice: Option<Voice>,
    open: Vec<Open>,
    history: Vec<(Role, String)>,
    pending: Tokens,
    total: Tokens,
    begun: bool,
    replies: u64,
    markers: Vec<String>,
    completion: String,
}

/// An event to send, and when after the event that caused it, in simulated time.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) payload: Vec<u8>,
    pub(crate) after: Duration,
    /// What it tells, so that a fault can leave out what it is to leave out.
    pub(crate) tells: Tells,
}

/// What an event led to.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) replies: Vec<Reply>,
    /// Whether the session is over.
    pub(crate) is_over: bool,
}

/// A content that the client has begun and not ended.
#[derive(Debug)]
struct Open {
    name: String,
    start: ContentStart,
    text: String,
    ear: Option<Ear>,
}

#[derive(Debug)]
struct Ids {
    key: u64,
    session: String,
    completion: String,
}

impl Session {
    /// A session that has heard nothing. `key` tells sessions apart.
    pub(crate) fn new(seed: u64, stem: String, model: &'static Model, key: u64) -> Self {
        let ids = Ids { key, session: draw::uuid(key, 0), completion: draw::uuid(key, 1) };
        Session {
            seed,
            stem,
            model,
            ids,
            parameters: Parameters::default(),
            tools: Vec::new(),
            prompt_name: None,
            voice: None,
            open: Vec::new(),
            history: Vec::new(),
            pending: Tokens::default(),
            total: Tokens::default(),
            begun: false,
            replies: 0,
            markers: Vec::new(),
            completion: String::new(),
        }
    }

    /// Everything charged so far.
    pub(crate) fn usage(&self) -> Usage {
        Usage {
            input_tokens: self.total.input.all(),
            output_tokens: self.total.output.all(),
            ..Usage::default()
        }
    }

    /// What the client has said and typed, joined by newlines.
    pub(crate) fn prompt(&self) -> String {
        let said = self.history.iter().filter(|(role, _)| *role != Role::Assistant);
        said.map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// What the model has said.
    pub(crate) fn completion(&self) -> &str {
        &self.completion
    }

    pub(crate) fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The markers planted in what the model has said.
    pub(crate) fn markers(&self) -> &[String] {
        &self.markers
    }

    /// Takes one event of the client.
    ///
    /// # Errors
    ///
    /// A `ValidationException` for an event that cannot come where it came.
    pub(crate) fn take(&mut self, event: In) -> Result<Taken, ServiceError> {
        let mut replies = Vec::new();
        match event {
            In::SessionStart(start) => self.parameters = start.parameters(),
            In::PromptStart(mut start) => {
                self.voice = start.voice();
                self.tools = start.tools();
                self.prompt_name = Some(start.prompt_name);
            }
            In::ContentStart(start) => {
                self.prompt_of(&start.prompt_name)?;
                let ear = start.hears().map(Ear::new);
                self.open.push(Open {
                    name: start.content_name.clone(),
                    start,
                    text: String::new(),
                    ear,
                });
            }
            In::TextInput(input) | In::ToolResult(input) => {
                self.content(&input.content_name)?.text.push_str(&input.content);
            }
            In::AudioInput(input) => {
                let samples = speech::samples(&input.content)?;
                let heard =
                    self.content(&input.content_name)?.ear.as_mut().map(|ear| ear.hear(&samples));
                match heard {
                    Some(Some(seconds)) => self.heard(seconds, &mut replies),
                    Some(None) => {}
                    None => return Err(invalid("audioInput needs a content of the type AUDIO")),
                }
            }
            In::ContentEnd(end) => {
                let at = self.open.iter().position(|open| open.name == end.content_name);
                let Some(at) = at else { return Err(unknown_content(&end.content_name)) };
                let open = self.open.remove(at);
                self.ended(open, &mut replies);
            }
            In::PromptEnd(_) => {
                self.prompt_name = None;
                self.complete(&mut replies);
            }
            In::SessionEnd(_) => {
                self.complete(&mut replies);
                return Ok(Taken { replies, is_over: true });
            }
        }
        Ok(Taken { replies, is_over: false })
    }

    fn prompt_of(&self, name: &str) -> Result<(), ServiceError> {
        if self.prompt_name.as_deref() == Some(name) {
            return Ok(());
        }
        Err(invalid(&format!("there is no open prompt `{name}`: send promptStart first")))
    }

    fn content(&mut self, name: &str) -> Result<&mut Open, ServiceError> {
        self.open.iter_mut().find(|open| open.name == name).ok_or_else(|| unknown_content(name))
    }

    fn ended(&mut self, open: Open, replies: &mut Vec<Reply>) {
        if let Some(ear) = open.ear {
            if let Some(seconds) = ear.rest() {
                self.heard(seconds, replies);
            }
            return;
        }
        self.pending.input.text_tokens += self.model.tokens(open.text.chars().count() as u64);
        let role = open.start.role;
        self.history.push((role, open.text));
        match role {
            Role::User | Role::Tool => self.reply(replies),
            Role::System | Role::Assistant => {}
        }
    }

    /// The user has spoken for so many seconds.
    fn heard(&mut self, seconds: f64, replies: &mut Vec<Reply>) {
        let transcript = speech::transcript(seconds, self.ids.key.wrapping_add(self.replies));
        self.pending.input.speech_tokens += speech::tokens(seconds);
        self.begin(replies);
        self.say(replies, Speaker::User, Stage::Final, &transcript, "PARTIAL_TURN", Duration::ZERO);
        self.history.push((Role::User, transcript));
        self.reply(replies);
    }

    fn begin(&mut self, replies: &mut Vec<Reply>) {
        if !self.begun {
            self.begun = true;
            self.send(replies, Duration::ZERO, &Out::CompletionStart {});
        }
    }

    fn reply(&mut self, replies: &mut Vec<Reply>) {
        self.begin(replies);
        let answer = self.answer();
        self.replies += 1;
        let first = answer.timing.first;
        self.pending.output.text_tokens += answer.usage.output_tokens;
        self.markers.extend(answer.marker.clone());
        for (number, block) in answer.blocks.iter().enumerate() {
            match block {
                Block::Text(text) => {
                    self.say(
                        replies,
                        Speaker::Assistant,
                        Stage::Speculative,
                        text,
                        "PARTIAL_TURN",
                        first,
                    );
                    self.speak(replies, text, first);
                    self.say(
                        replies,
                        Speaker::Assistant,
                        Stage::Final,
                        text,
                        "END_TURN",
                        answer.timing.total,
                    );
                    self.completion.push_str(text);
                    self.history.push((Role::Assistant, text.clone()));
                }
                Block::ToolUse { name, input } => {
                    let content_id = self.next_id();
                    let tool_use_id = draw::uuid(answer.key, number as u64);
                    let at = answer.timing.total;
                    self.send(
                        replies,
                        at,
                        &Out::ContentStart {
                            content_id: &content_id,
                            r#type: "TOOL",
                            role: "TOOL",
                            additional_model_fields: None,
                        },
                    );
                    self.send(
                        replies,
                        at,
                        &Out::ToolUse {
                            content: input,
                            content_id: &content_id,
                            role: "TOOL",
                            tool_name: name,
                            tool_use_id: &tool_use_id,
                        },
                    );
                    self.send(
                        replies,
                        at,
                        &Out::ContentEnd {
                            content_id: &content_id,
                            stop_reason: "TOOL_USE",
                            r#type: "TOOL",
                        },
                    );
                    self.history.push((Role::Assistant, input.clone()));
                }
                _ => {}
            }
        }
        self.charge(replies, answer.timing.total);
    }

    /// The answer to everything said so far.
    fn answer(&self) -> Answer {
        let mut turn = Turn::new();
        for tool in &self.tools {
            let schema = RawValue::from_string(tool.schema.clone()).unwrap_or_default();
            turn.add_tool(tool.name.clone(), tool.description.as_deref(), schema);
        }
        // A result is spoken about, not answered by another call.
        if self.history.last().is_some_and(|(role, _)| *role == Role::Tool) {
            turn.tool_choice = ToolChoice::None;
        }
        for (role, text) in &self.history {
            match role {
                Role::System => turn.add_system(text),
                role => {
                    turn.begin_message(role.as_str());
                    turn.add_text(text);
                }
            }
        }
        turn.parameters = self.parameters.clone();
        Answer::compose(self.seed, &self.stem, self.model, turn, Division::default())
    }

    /// A text of one speaker: content start, text, content end.
    fn say(
        &mut self,
        replies: &mut Vec<Reply>,
        speaker: Speaker,
        stage: Stage,
        text: &str,
        stop_reason: &'static str,
        at: Duration,
    ) {
        let content_id = self.next_id();
        let role = speaker.as_str();
        self.send(
            replies,
            at,
            &Out::ContentStart {
                content_id: &content_id,
                r#type: "TEXT",
                role,
                additional_model_fields: Some(stage.fields()),
            },
        );
        self.send(replies, at, &Out::TextOutput { content: text, content_id: &content_id, role });
        self.send(
            replies,
            at,
            &Out::ContentEnd { content_id: &content_id, stop_reason, r#type: "TEXT" },
        );
    }

    /// The same text as sound, paced as it is spoken.
    fn speak(&mut self, replies: &mut Vec<Reply>, text: &str, from: Duration) {
        let Some(voice) = self.voice else { return };
        let content_id = self.next_id();
        self.send(
            replies,
            from,
            &Out::ContentStart {
                content_id: &content_id,
                r#type: "AUDIO",
                role: Speaker::Assistant.as_str(),
                additional_model_fields: None,
            },
        );
        let mut at = from;
        for (length, sound) in voice.sounds(text) {
            self.send(
                replies,
                at,
                &Out::AudioOutput {
                    content: &sound,
                    content_id: &content_id,
                    role: Speaker::Assistant.as_str(),
                },
            );
            at += length;
        }
        self.pending.output.speech_tokens += speech::tokens(at.saturating_sub(from).as_secs_f64());
        self.send(
            replies,
            at,
            &Out::ContentEnd {
                content_id: &content_id,
                stop_reason: "PARTIAL_TURN",
                r#type: "AUDIO",
            },
        );
    }

    /// States what was added since the last time, and all of it.
    fn charge(&mut self, replies: &mut Vec<Reply>, at: Duration) {
        let delta = std::mem::take(&mut self.pending);
        self.total += delta;
        let total = self.total;
        self.send(replies, at, &Out::Usage { delta, total });
    }

    fn complete(&mut self, replies: &mut Vec<Reply>) {
        if self.begun {
            self.begun = false;
            self.send(replies, Duration::ZERO, &Out::CompletionEnd { stop_reason: "END_TURN" });
        }
    }

    fn next_id(&mut self) -> String {
        let mut fold = Fold::new(self.ids.key);
        fold.word(self.replies);
        fold.word(self.total.output.all() + self.pending.output.all());
        self.ids.key = fold.finish();
        draw::uuid(self.ids.key, 2)
    }

    fn send(&self, replies: &mut Vec<Reply>, after: Duration, out: &Out<'_>) {
        let prompt = self.prompt_name.as_deref().unwrap_or_default();
        let payload = event::encode(out, &self.ids.session, &self.ids.completion, prompt);
        let tells = match out {
            Out::Usage { .. } => Tells::Usage,
            Out::CompletionEnd { .. } => Tells::Stop,
            _ => Tells::Content,
        };
        replies.push(Reply { payload, after, tells });
    }
}

fn invalid(message: &str) -> ServiceError {
    ServiceError::validation(message.to_owned())
}

fn unknown_content(name: &str) -> ServiceError {
    invalid(&format!("there is no open content `{name}`: send contentStart first"))
}

#[cfg(test)]
mod tests;
