//! What a request says of guardrails: which one is to look, at what, and whether to tell.

use http::HeaderMap;
use serde::Deserialize;

use super::units::Guarded;
use crate::error::ServiceError;
use crate::turn::{Guard, Image, Turn};

/// What a request asks of a guardrail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) identifier: String,
    pub(crate) version: String,
    pub(crate) trace: Trace,
    /// Whether a stream may run ahead of its assessment.
    pub(crate) is_async: bool,
    /// What ends the names of the tags around the parts of a native prompt.
    pub(crate) tag_suffix: Option<String>,
}

/// Whether the answer tells what the guardrail found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Trace {
    #[default]
    Disabled,
    Enabled,
    /// What was not found is told too.
    Full,
}

/// `guardrailConfig` of the Converse operations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConverseConfig {
    pub(crate) guardrail_identifier: Option<String>,
    guardrail_version: Option<String>,
    trace: Option<String>,
    stream_processing_mode: Option<String>,
}

/// `amazon-bedrock-guardrailConfig` of native bodies.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct NativeConfig {
    tag_suffix: Option<String>,
    stream_processing_mode: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NativeBody {
    #[serde(rename = "amazon-bedrock-guardrailConfig")]
    config: NativeConfig,
}

impl Asked {
    /// What a Converse body asks.
    ///
    /// # Errors
    ///
    /// A `ValidationException` for words that the service does not know, and for an identifier
    /// without a version.
    pub(crate) fn by_body(config: &ConverseConfig) -> Result<Option<Self>, ServiceError> {
        let modes = ["sync", "async"];
        one_of(config.stream_processing_mode.as_deref(), "streamProcessingMode", &modes)?;
        let traces = ["enabled", "disabled", "enabled_full"];
        one_of(config.trace.as_deref(), "trace", &traces)?;
        named(
            config.guardrail_identifier.as_deref(),
            config.guardrail_version.as_deref(),
            Asked {
                trace: Trace::named(config.trace.as_deref()),
                is_async: config.stream_processing_mode.as_deref() == Some("async"),
                ..Asked::default()
            },
        )
    }

    /// What the headers of a native request ask, and its body.
    ///
    /// # Errors
    ///
    /// As [`by_body`](Self::by_body).
    pub(crate) fn by_headers(
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Option<Self>, ServiceError> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let identifier = text("x-amzn-bedrock-guardrailidentifier");
        let trace = text("x-amzn-bedrock-trace");
        one_of(trace, "trace", &["ENABLED", "DISABLED", "ENABLED_FULL"])?;
        let asked = named(
            identifier,
            text("x-amzn-bedrock-guardrailversion"),
            Asked { trace: Trace::named(trace), ..Asked::default() },
        )?;
        let Some(asked) = asked else { return Ok(None) };
        let body: NativeBody = serde_json::from_slice(body).unwrap_or_default();
        let mode = body.config.stream_processing_mode.as_deref();
        one_of(mode, "streamProcessingMode", &["SYNCHRONOUS", "ASYNCHRONOUS"])?;
        Ok(Some(Asked {
            is_async: mode == Some("ASYNCHRONOUS"),
            tag_suffix: body.config.tag_suffix,
            ..asked
        }))
    }
}

/// An empty identifier names no guardrail. The service refuses one without a version; the text is a
/// guess.
fn named(
    identifier: Option<&str>,
    version: Option<&str>,
    asked: Asked,
) -> Result<Option<Asked>, ServiceError> {
    let Some(identifier) = identifier.filter(|identifier| !identifier.is_empty()) else {
        return Ok(None);
    };
    let Some(version) = version.filter(|version| !version.is_empty()) else {
        return Err(ServiceError::validation(
            "The guardrailVersion must be provided when the guardrailIdentifier is. Provide the guardrailVersion and try again.",
        ));
    };
    Ok(Some(Asked { identifier: identifier.to_owned(), version: version.to_owned(), ..asked }))
}

fn one_of(value: Option<&str>, name: &str, known: &[&str]) -> Result<(), ServiceError> {
    match value {
        Some(value) if !known.contains(&value) => Err(ServiceError::not_one_of(value, name, known)),
        _ => Ok(()),
    }
}

impl Trace {
    fn named(word: Option<&str>) -> Self {
        match word {
            Some("enabled" | "ENABLED") => Trace::Enabled,
            Some("enabled_full" | "ENABLED_FULL") => Trace::Full,
            _ => Trace::Disabled,
        }
    }
}

/// The texts of a prompt, by what a guardrail does with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    /// What its policies look at.
    pub(crate) content: Vec<String>,
    /// What an answer is to rest on.
    pub(crate) sources: Vec<String>,
    /// What was asked.
    pub(crate) queries: Vec<String>,
    pub(crate) total_chars: u64,
    /// The images of a Converse request, if it has any.
    pub(crate) images: Option<Guarded>,
}

impl Shown {
    /// What a Converse request shows: of the messages all, or the `guardContent` blocks alone, of
    /// text or images, if there is one; of the system prompt the `guardContent` blocks.
    pub(crate) fn by_blocks(turn: &Turn) -> Self {
        let mut shown = Shown::default();
        let marks = turn.texts.iter().any(|said| !said.is_system && said.guard.is_some())
            || turn.images.iter().any(|image| !image.is_system && image.is_marked);
        for said in &turn.texts {
            let text = &turn.prompt[said.range.clone()];
            let guard = match said.guard {
                Some(guard) => guard,
                None if said.is_system => continue,
                None => Guard { is_content: !marks, ..Guard::default() },
            };
            shown.add(text, guard);
        }
        if !turn.images.is_empty() {
            let is_shown = |image: &&Image| {
                image.is_guardable && image.is_marked == (marks || image.is_system)
            };
            shown.images = Some(Guarded {
                guarded: turn.images.iter().filter(is_shown).count() as u64,
                total: turn.images.len() as u64,
            });
        }
        shown
    }

    /// What a native request shows: the parts between tags that end in `tag_suffix`, or everything
    /// if there is none.
    pub(crate) fn by_tags(turn: &Turn, tag_suffix: Option<&str>) -> Self {
        let mut tagged = Shown::default();
        let mut plain = Shown::default();
        for said in &turn.texts {
            let text = &turn.prompt[said.range.clone()];
            plain.add(text, Guard { is_content: true, ..Guard::default() });
            let Some(suffix) = tag_suffix else { continue };
            for (tag, guard) in [
                ("guardContent", Guard { is_content: true, ..Guard::default() }),
                ("groundingSource", Guard { is_source: true, ..Guard::default() }),
                ("query", Guard { is_query: true, ..Guard::default() }),
            ] {
                let name = format!("amazon-bedrock-guardrails-{tag}_{suffix}");
                for part in between(text, &format!("<{name}>"), &format!("</{name}>")) {
                    tagged.add(part, guard);
                }
            }
        }
        if tagged.content.is_empty() && tagged.sources.is_empty() && tagged.queries.is_empty() {
            return plain;
        }
        Shown { total_chars: plain.total_chars, ..tagged }
    }

    fn add(&mut self, text: &str, guard: Guard) {
        self.total_chars += text.chars().count() as u64;
        for (is_it, texts) in [
            (guard.is_content, &mut self.content),
            (guard.is_source, &mut self.sources),
            (guard.is_query, &mut self.queries),
        ] {
            if is_it {
                texts.push(text.to_owned());
            }
        }
    }
}

/// The parts of `text` between `open` and the next `close`.
fn between<'t>(text: &'t str, open: &str, close: &str) -> Vec<&'t str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(open)
        && let Some((part, after)) = after.split_once(close)
    {
        parts.push(part);
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(qualifiers: &[&str]) -> Guard {
        Guard::of(qualifiers)
    }

    #[test]
    fn guard_content_leaves_the_other_messages_out() {
        let mut turn = Turn::new();
        turn.add_system("Be brief.");
        turn.begin_message("user");
        turn.add_text("Tokyo is large.");
        assert_eq!(Shown::by_blocks(&turn).content, ["Tokyo is large."]);
        turn.add_guarded("How large?", Some(guard(&["query", "guard_content"])));
        turn.add_guarded("Fourteen million live there.", Some(guard(&["grounding_source"])));
        turn.add_guarded("Please.", Some(guard(&[])));
        let shown = Shown::by_blocks(&turn);
        assert_eq!(shown.content, ["How large?", "Please."]);
        assert_eq!(shown.sources, ["Fourteen million live there."]);
        assert_eq!(shown.queries, ["How large?"]);
        assert_eq!(shown.total_chars, 15 + 10 + 28 + 7);
    }

    #[test]
    fn images_are_shown_as_texts_are() {
        let mut turn = Turn::new();
        turn.begin_message("user");
        turn.add_text("Tokyo is large.");
        assert_eq!(Shown::by_blocks(&turn).images, None);
        turn.add_image("{}", false, true);
        turn.add_image("{}", false, false);
        assert_eq!(Shown::by_blocks(&turn).images, Some(Guarded { guarded: 1, total: 2 }));
        turn.add_image("{}", true, true);
        let shown = Shown::by_blocks(&turn);
        assert_eq!(shown.images, Some(Guarded { guarded: 1, total: 3 }));
        assert!(shown.content.is_empty(), "what is not marked is not looked at");
    }

    #[test]
    fn tags_leave_the_rest_of_a_native_prompt_out() {
        let mut turn = Turn::new();
        turn.begin_message("user");
        let open = "<amazon-bedrock-guardrails-guardContent_x1>";
        let close = "</amazon-bedrock-guardrails-guardContent_x1>";
        turn.add_text(&format!("Rules. {open}one{close} and {open}two{close} {open}three"));
        assert_eq!(Shown::by_tags(&turn, Some("x1")).content, ["one", "two"]);
        assert_eq!(Shown::by_tags(&turn, Some("x2")).content.len(), 1);
        assert!(Shown::by_tags(&turn, None).content[0].starts_with("Rules."));
    }
}
