//! A guardrail looks at texts.

use super::assessment::{
    Assessment, ContentFinding, Details, Done, Filters, GroundingFinding, Metrics, TopicFinding,
    Topics, WordFinding, Words,
};
use super::compiled::{Compiled, Source};
use super::config::{Action, ContentFilterType, ManagedWordsType, Modality, Strength, Topic};
use super::content;
use super::grounding::Ground;
use super::resolve::Named;
use super::sensitive;
use super::units::{Coverage, Guarded, Units, text_units};
use super::words::{Folded, Phrase};
use crate::draw::{self, Fold, Purpose};
use crate::quirk::{Quirk, Quirks};
use crate::timing::log_normal;

/// The median time to look at one side, and its spread: those of the recorded assessments, which
/// took from 198 to 347 ms.
const MEDIAN_MS: f64 = 260.0;
const SIGMA: f64 = 0.2;

/// Letters of the words of an example that tell its topic.
const WORD_LETTERS: usize = 4;

/// The list that the service keeps, cut to a few words.
const PROFANITY: [&str; 6] = ["damn", "bullshit", "bastard", "shit", "crap", "asshole"];

/// What is looked at.
#[derive(Debug, Default)]
pub(crate) struct Looked<'t> {
    /// What the policies look at.
    pub(crate) texts: Vec<&'t str>,
    /// What an answer is measured against.
    pub(crate) ground: Ground<'t>,
    /// Characters of everything that could have been looked at.
    pub(crate) total_chars: u64,
    /// Images that content filters are to look at, if there is any.
    pub(crate) images: Option<Guarded>,
}

/// How a guardrail looks at texts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    pub(crate) source: Source,
    /// Whether what was not found is reported too.
    pub(crate) is_full: bool,
    /// Whether texts can be masked; one that streams ahead of its assessment cannot.
    pub(crate) masks: bool,
    pub(crate) quirks: Quirks,
    pub(crate) seed: u64,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) assessment: Assessment,
    pub(crate) done: Done,
    /// The texts with masks in place, as many as were looked at.
    pub(crate) masked: Vec<String>,
}

/// Looks at texts with a guardrail.
pub(crate) fn assess(named: &Named<'_>, looked: &Looked<'_>, how: How) -> Outcome {
    let guardrail = named.guardrail;
    let folded: Vec<Folded> = looked.texts.iter().map(|text| Folded::of(text)).collect();
    let topics = topics(guardrail, &folded, how);
    let filters = filters(guardrail, &folded, how);
    let words = words(guardrail, &folded, how);
    let grounding = grounding(guardrail, looked, &folded, how);
    let mut done = topics.iter().map(|topic| topic.action).max().unwrap_or_default();
    done = filters.iter().map(|filter| filter.action).fold(done, Done::max);
    done = words.iter().map(|word| word.action).fold(done, Done::max);
    done = grounding.iter().map(|filter| filter.action).fold(done, Done::max);
    let sensitive = sensitive::look(guardrail, &looked.texts, how, done == Done::Blocked);
    done = done.max(sensitive.done);
    let (managed, custom): (Vec<_>, Vec<_>) =
        words.into_iter().partition(|word| word.r#type.is_some());
    let omits = how.quirks.has(Quirk::GuardrailNoEmptyLists);
    let words = (!custom.is_empty() || !managed.is_empty()).then(|| Words {
        custom_words: (!omits || !custom.is_empty()).then_some(custom),
        managed_word_lists: (!omits || !managed.is_empty()).then_some(managed),
    });
    let (usage, guardrail_coverage) = measure(guardrail, looked, how);
    let assessment = Assessment {
        topic_policy: (!topics.is_empty()).then_some(Topics { topics }),
        content_policy: (!filters.is_empty()).then_some(Filters { filters }),
        word_policy: words,
        sensitive_information_policy: sensitive.stated(omits),
        contextual_grounding_policy: (!grounding.is_empty())
            .then_some(Filters { filters: grounding }),
        invocation_metrics: Metrics {
            guardrail_processing_latency: latency_ms(&looked.texts, how.seed),
            usage,
            guardrail_coverage,
        },
        applied_guardrail_details: Details {
            id: named.id.clone(),
            version: named.version.clone(),
            arn: named.arn.clone(),
            origin: ["REQUEST"],
            ownership: "SELF",
        },
    };
    Outcome { assessment, done, masked: sensitive.masked }
}

/// What a rule of these policies does: they mask nothing.
fn blocking(action: Action, is_detected: bool) -> Done {
    if is_detected && action != Action::None { Done::Blocked } else { Done::None }
}

fn topics(guardrail: &Compiled, texts: &[Folded], how: How) -> Vec<TopicFinding> {
    let policy = guardrail.config.topic_policy_config.iter();
    policy
        .flat_map(|policy| &policy.topics_config)
        .filter_map(|topic| {
            let action = topic.sides.of(how.source)?;
            let detected = texts.iter().any(|text| is_about(topic, text));
            (detected || how.is_full).then(|| TopicFinding {
                name: topic.name.clone(),
                r#type: "DENY",
                action: blocking(action, detected),
                detected,
            })
        })
        .collect()
}

/// Whether a text says a topic's name or a keyword, or every long word of an example.
fn is_about(topic: &Topic, text: &Folded) -> bool {
    let name = topic.name.replace(['-', '_'], " ");
    let says = |words: &str| text.has(&Phrase::of(words));
    says(&name)
        || says(&topic.name)
        || topic.keywords.iter().any(|keyword| says(keyword))
        || topic.examples.iter().any(|example| {
            let example = Folded::of(example);
            let mut words = example.long_words(WORD_LETTERS).peekable();
            words.peek().is_some() && words.all(says)
        })
}

fn filters(guardrail: &Compiled, texts: &[Folded], how: How) -> Vec<ContentFinding> {
    let policy = guardrail.config.content_policy_config.iter();
    policy
        .flat_map(|policy| &policy.filters_config)
        .filter(|filter| filter.looks_at(Modality::Text, how.source))
        .filter_map(|filter| {
            let action = filter.sides.of(how.source)?;
            let strength = filter.strength(how.source)?;
            let keywords: Vec<Phrase> =
                filter.keywords.iter().map(|keyword| Phrase::of(keyword)).collect();
            let confidence = content::confidence(filter.r#type, &keywords, texts);
            let detected = content::stops(strength, confidence);
            (detected || how.is_full).then(|| ContentFinding {
                r#type: filter.r#type,
                confidence,
                filter_strength: strength,
                action: blocking(action, detected),
                detected,
            })
        })
        .collect()
}

impl super::config::ContentFilter {
    /// How strict it is with texts of `source`, if it looks at them. Answers attack no prompt.
    fn strength(&self, source: Source) -> Option<Strength> {
        let strength = match source {
            Source::Input => self.input_strength,
            Source::Output if self.r#type == ContentFilterType::PromptAttack => Strength::None,
            Source::Output => self.output_strength,
        };
        (strength != Strength::None).then_some(strength)
    }

    fn looks_at(&self, modality: Modality, source: Source) -> bool {
        let modalities = match source {
            Source::Input => &self.input_modalities,
            Source::Output => &self.output_modalities,
        };
        modalities.contains(&modality)
    }
}

/// Words that were said; the full scope does not add those that were not.
fn words(guardrail: &Compiled, texts: &[Folded], how: How) -> Vec<WordFinding> {
    let is_said = |phrase: &Phrase| texts.iter().any(|text| text.has(phrase));
    let mut said = Vec::new();
    if let Some(policy) = &guardrail.config.word_policy_config {
        for (word, phrase) in policy.words_config.iter().zip(&guardrail.words) {
            if let Some(action) = word.sides.of(how.source)
                && is_said(phrase)
            {
                said.push(WordFinding {
                    r#match: word.text.clone(),
                    r#type: None,
                    action: blocking(action, true),
                    detected: true,
                });
            }
        }
        for list in &policy.managed_word_lists_config {
            let Some(action) = list.sides.of(how.source) else { continue };
            for word in PROFANITY.iter().filter(|word| is_said(&Phrase::of(word))) {
                said.push(WordFinding {
                    r#match: (*word).to_owned(),
                    r#type: Some(ManagedWordsType::Profanity),
                    action: blocking(action, true),
                    detected: true,
                });
            }
        }
    }
    said
}

/// Scores are stated whether or not they are too low, once there is a source and a question.
fn grounding(
    guardrail: &Compiled,
    looked: &Looked<'_>,
    texts: &[Folded],
    how: How,
) -> Vec<GroundingFinding> {
    if how.source == Source::Input || !looked.ground.is_given() {
        return Vec::new();
    }
    let policy = guardrail.config.contextual_grounding_policy_config.iter();
    policy
        .flat_map(|policy| &policy.filters_config)
        .filter(|filter| filter.enabled)
        .map(|filter| {
            let score = looked.ground.score(filter.r#type, texts);
            let detected = score < filter.threshold;
            GroundingFinding {
                r#type: filter.r#type,
                threshold: filter.threshold,
                score,
                action: blocking(filter.action, detected),
                detected,
            }
        })
        .collect()
}

fn measure(guardrail: &Compiled, looked: &Looked<'_>, how: How) -> (Units, Coverage) {
    let guarded: u64 = looked.texts.iter().map(|text| text.chars().count() as u64).sum();
    let units = text_units(guarded);
    let (config, source) = (&guardrail.config, how.source);
    let if_any = |is_any: bool, units: u64| if is_any { units } else { 0 };
    let topics = config.topic_policy_config.iter().flat_map(|policy| &policy.topics_config);
    let filters = config.content_policy_config.iter().flat_map(|policy| &policy.filters_config);
    let words = config.word_policy_config.iter();
    let mut word_sides = words.flat_map(|policy| {
        let own = policy.words_config.iter().map(|word| word.sides);
        own.chain(policy.managed_word_lists_config.iter().map(|list| list.sides))
    });
    let filters_any = |modality: Modality| {
        filters.clone().any(|filter| {
            filter.sides.of(source).is_some()
                && filter.strength(source).is_some()
                && filter.looks_at(modality, source)
        })
    };
    let is_grounded = source == Source::Output
        && looked.ground.is_given()
        && config
            .contextual_grounding_policy_config
            .iter()
            .any(|policy| policy.filters_config.iter().any(|filter| filter.enabled));
    let images = looked.images.map(|images| Guarded {
        guarded: if_any(filters_any(Modality::Image), images.guarded),
        ..images
    });
    let usage = Units {
        topic_policy: if_any(topics.clone().any(|topic| topic.sides.of(source).is_some()), units),
        content_policy: if_any(filters_any(Modality::Text), units),
        word_policy: if_any(word_sides.any(|sides| sides.of(source).is_some()), units),
        sensitive_information_policy: if_any(sensitive::looks(guardrail, source), units),
        sensitive_information_policy_free: if_any(
            guardrail.regexes(source).next().is_some(),
            units,
        ),
        contextual_grounding_policy: if_any(
            is_grounded,
            text_units(guarded + looked.ground.chars()),
        ),
        content_policy_image: images.map_or(0, |images| images.guarded),
        ..Units::default()
    };
    let text_characters = Guarded { guarded, total: looked.total_chars };
    (usage, Coverage { text_characters, images })
}

/// Milliseconds of simulated time that an assessment takes.
fn latency_ms(texts: &[&str], seed: u64) -> u64 {
    let mut key = Fold::new(seed);
    for text in texts {
        key.bytes(text.as_bytes());
    }
    let mut draws = draw::generator(key.finish(), Purpose::Guardrail);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to a few seconds"
    )]
    let milliseconds = log_normal(MEDIAN_MS, SIGMA, &mut draws).clamp(1.0, 5_000.0) as u64;
    milliseconds
}
