//! Answers of Converse and ConverseStream, read strictly: no member that the service does not send,
//! unions with one member, events in their order.

use serde_json::{Map, Value};

/// An answer, whichever way it came.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Message {
    pub(crate) text: Vec<String>,
    pub(crate) reasoning: String,
    pub(crate) signature: String,
    pub(crate) redacted: Vec<String>,
    pub(crate) tool_uses: Vec<ToolUse>,
    pub(crate) stop_reason: String,
    pub(crate) latency_ms: u64,
    pub(crate) additional: Value,
    pub(crate) echoed: [Value; 2],
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ToolUse {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) input: Value,
}

/// `usage` of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) input: u64,
    pub(crate) output: u64,
    pub(crate) total: u64,
    pub(crate) cache_read: u64,
    pub(crate) cache_write: u64,
}

const PADDING: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Reads a Converse response.
pub(crate) fn whole(body: &Value) -> (Message, Usage) {
    let echoed = ["additionalModelResponseFields", "performanceConfig", "serviceTier"];
    members(body, &["metrics", "output", "stopReason", "usage"], &echoed);
    members(&body["output"], &["message"], &[]);
    let message = &body["output"]["message"];
    members(message, &["content", "role"], &[]);
    assert_eq!(message["role"], "assistant");
    let mut read = Message::ended(&body["stopReason"], body);
    for block in message["content"].as_array().unwrap() {
        let (name, value) = member(block);
        match name {
            "text" => read.text.push(string(value)),
            "reasoningContent" => match member(value) {
                ("reasoningText", value) => {
                    members(value, &["text"], &["signature"]);
                    read.reasoning += &string(&value["text"]);
                    read.signature += value["signature"].as_str().unwrap_or_default();
                }
                ("redactedContent", value) => read.redacted.push(string(value)),
                (other, _) => panic!("reasoning has no `{other}`"),
            },
            "toolUse" => {
                members(value, &["input", "name", "toolUseId"], &["type"]);
                read.tool_uses.push(ToolUse {
                    id: string(&value["toolUseId"]),
                    name: string(&value["name"]),
                    input: value["input"].clone(),
                });
            }
            other => panic!("no request asks for `{other}`"),
        }
    }
    read.metrics(body);
    (read, usage(&body["usage"]))
}

/// Reads the events of a ConverseStream.
pub(crate) fn streamed(events: &[(String, Value)]) -> (Message, Usage) {
    let [(first, start), blocks @ .., (last_but_one, stop), (last, metadata)] = events else {
        panic!("too few events: {events:?}")
    };
    assert_eq!((first.as_str(), last_but_one.as_str()), ("messageStart", "messageStop"));
    assert_eq!(last, "metadata");
    members(start, &["p", "role"], &[]);
    members(stop, &["p", "stopReason"], &["additionalModelResponseFields"]);
    members(metadata, &["metrics", "p", "usage"], &["performanceConfig", "serviceTier"]);
    let mut read = Message::ended(&stop["stopReason"], stop);
    read.metrics(metadata);
    let mut blocks = blocks.iter().peekable();
    let mut index = 0;
    while let Some((name, event)) = blocks.next_if(|(name, _)| name != "messageStop") {
        let is_tool = name == "contentBlockStart";
        let mut block = Block::default();
        let mut event = Some((name, event));
        if is_tool {
            let (_, start) = event.take().unwrap();
            members(start, &["contentBlockIndex", "p", "start"], &[]);
            assert_eq!(start["contentBlockIndex"], index);
            let (kind, value) = member(&start["start"]);
            assert_eq!(kind, "toolUse", "only tools announce themselves");
            members(value, &["name", "toolUseId"], &["type"]);
            block.tool = Some((string(&value["toolUseId"]), string(&value["name"])));
        }
        loop {
            let (name, payload) =
                event.take().or_else(|| blocks.next().map(|(name, event)| (name, event))).unwrap();
            assert_eq!(payload["contentBlockIndex"], index, "{name}");
            match name.as_str() {
                "contentBlockDelta" => {
                    members(payload, &["contentBlockIndex", "delta", "p"], &[]);
                    block.delta(&payload["delta"]);
                }
                "contentBlockStop" => {
                    members(payload, &["contentBlockIndex", "p"], &[]);
                    break;
                }
                other => panic!("`{other}` within a block"),
            }
        }
        block.end(&mut read);
        index += 1;
    }
    for (_, event) in events {
        let padding = event["p"].as_str().unwrap();
        assert!(PADDING.starts_with(padding) && (2..=61).contains(&padding.len()), "{padding}");
    }
    (read, usage(&metadata["usage"]))
}

/// A block of a stream, as far as it came.
#[derive(Default)]
struct Block {
    deltas: usize,
    text: Option<String>,
    reasoning: String,
    signature: String,
    redacted: Option<String>,
    tool: Option<(String, String)>,
    input: String,
}

impl Block {
    fn delta(&mut self, delta: &Value) {
        self.deltas += 1;
        let (kind, value) = member(delta);
        match kind {
            "text" => self.text.get_or_insert_default().push_str(value.as_str().unwrap()),
            "reasoningContent" => match member(value) {
                ("text", text) => self.reasoning += text.as_str().unwrap(),
                ("signature", signature) => self.signature += signature.as_str().unwrap(),
                ("redactedContent", blob) => self.redacted = Some(string(blob)),
                (other, _) => panic!("reasoning has no `{other}`"),
            },
            "toolUse" => {
                members(value, &["input"], &[]);
                self.input += value["input"].as_str().unwrap();
            }
            other => panic!("no request asks for `{other}`"),
        }
    }

    fn end(self, read: &mut Message) {
        assert!(self.deltas > 0, "a block has a delta");
        // gpt-oss opens with an empty text that the whole answer does not have.
        read.text.extend(self.text.filter(|text| !text.is_empty()));
        read.reasoning += &self.reasoning;
        read.signature += &self.signature;
        read.redacted.extend(self.redacted);
        if let Some((id, name)) = self.tool {
            let input = serde_json::from_str(&self.input).unwrap();
            read.tool_uses.push(ToolUse { id, name, input });
        }
    }
}

impl Message {
    fn ended(stop_reason: &Value, holder: &Value) -> Self {
        let stop_reason = string(stop_reason);
        let known = ["end_turn", "max_tokens", "stop_sequence", "tool_use"];
        assert!(known.contains(&stop_reason.as_str()), "{stop_reason}");
        let additional = holder["additionalModelResponseFields"].clone();
        Message { stop_reason, additional, ..Message::default() }
    }

    fn metrics(&mut self, holder: &Value) {
        members(&holder["metrics"], &["latencyMs"], &[]);
        self.latency_ms = holder["metrics"]["latencyMs"].as_u64().unwrap();
        self.echoed = [holder["performanceConfig"].clone(), holder["serviceTier"].clone()];
    }
}

fn usage(usage: &Value) -> Usage {
    let cached = [
        "cacheReadInputTokens",
        "cacheReadInputTokenCount",
        "cacheWriteInputTokens",
        "cacheWriteInputTokenCount",
        "cacheDetails",
        "serverToolUsage",
    ];
    members(usage, &["inputTokens", "outputTokens", "totalTokens"], &cached);
    let tokens = |name: &str| usage.get(name).map_or(0, |tokens| tokens.as_u64().unwrap());
    assert_eq!(usage.get(cached[0]), usage.get(cached[1]), "the twin says the same");
    assert_eq!(usage.get(cached[2]), usage.get(cached[3]), "the twin says the same");
    for detail in usage["cacheDetails"].as_array().into_iter().flatten() {
        members(detail, &["inputTokens", "ttl"], &[]);
    }
    Usage {
        input: tokens("inputTokens"),
        output: tokens("outputTokens"),
        total: tokens("totalTokens"),
        cache_read: tokens("cacheReadInputTokens"),
        cache_write: tokens("cacheWriteInputTokens"),
    }
}

/// The only member of a union.
fn member(union: &Value) -> (&str, &Value) {
    let members = union.as_object().unwrap();
    assert_eq!(members.len(), 1, "a union has one member: {union}");
    let (name, value) = members.iter().next().unwrap();
    (name, value)
}

/// Checks that an object has all of `required`, and beside them nothing but `optional`.
pub(crate) fn members(value: &Value, required: &[&str], optional: &[&str]) {
    let object: &Map<String, Value> = value.as_object().unwrap_or_else(|| panic!("{value}"));
    for name in required {
        assert!(object.contains_key(*name), "`{name}` is missing in {value}");
    }
    for name in object.keys() {
        let known = required.iter().chain(optional).any(|known| known == name);
        assert!(known, "`{name}` is unknown in {value}");
    }
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
