//! What the user asks of the judge.

use spanproof_schemas::content::Kind;
use spanproof_schemas::report::Level;
use spanproof_schemas::semconv::Version;

use crate::catalogue::{Conventions, catalogue};
use crate::expectation::Expectations;
use crate::redaction::{Allowance, Redaction};
use crate::rules;

/// How to judge. The default: each span by the version it speaks, content off, AWS Bedrock.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which version of the semantic conventions to judge by.
    pub semconv: Choice,
    /// What may stand in telemetry for prompts and completions.
    pub redaction: Redaction,
    /// What `gen_ai.provider.name` (or `gen_ai.system`) must be on spans of served calls.
    pub provider: String,
    /// Whether the program under test reads every stream to its end. Where it may not, a span that
    /// tells nothing of the end is only an improvement: the program may have closed the stream.
    pub reads_streams_to_end: bool,
    /// What the user expects to be found.
    pub expectations: Expectations,
    levels: Vec<(&'static str, Option<Level>)>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            semconv: Choice::Auto,
            redaction: Redaction::NoContent,
            provider: "aws.bedrock".to_owned(),
            reads_streams_to_end: false,
            expectations: Expectations::default(),
            levels: Vec::new(),
        }
    }
}

/// Which version of the semantic conventions telemetry is judged by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// Each span by the version it speaks: that of its schema URL if the span uses no `gen_ai.*`
    /// name unknown to it, else the newest release of the dialect that its names show. The
    /// conventions in development are spoken by what states them, and by what states nothing and
    /// uses names that no release has.
    #[default]
    Auto,
    /// Everything by this one, but for what plainly speaks an older one: that is told once, and
    /// judged by what it speaks.
    Required(Version),
}

/// A rule id that no rule has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown rule `{0}`; `spanproof rules` lists the rules")]
pub struct UnknownRule(
    /// The id that was given.
    pub String,
);

impl Settings {
    /// Gives every finding of the rule `id` this level; `None` turns the rule off.
    ///
    /// # Errors
    ///
    /// If no rule has this id.
    pub fn set_level(&mut self, id: &str, level: Option<Level>) -> Result<(), UnknownRule> {
        let rule = rules::find(id).ok_or_else(|| UnknownRule(id.to_owned()))?;
        self.levels.retain(|(known, _)| *known != rule.id);
        self.levels.push((rule.id, level));
        Ok(())
    }

    /// Whether content of this kind is judged by its shape, in a log record or elsewhere. Where
    /// none may be, what is there is a leak whatever its shape; definitions, found documents and
    /// the bodies of events have a shape without any.
    #[must_use]
    pub fn judges(&self, kind: Kind, in_log: bool) -> bool {
        self.redaction.allowance(in_log) == Allowance::Anything
            || kind.is_body()
            || matches!(kind, Kind::ToolDefinitions | Kind::RetrievalDocuments)
    }

    /// The least version that telemetry has to speak: the required one, or any.
    #[must_use]
    pub fn least_version(&self) -> Version {
        match self.semconv {
            Choice::Required(version) => version,
            Choice::Auto => Version::OLDEST,
        }
    }

    /// The version for what has no span to tell: the required one, else the newest release.
    pub(crate) fn default_conventions(&self) -> &'static Conventions {
        match self.semconv {
            Choice::Required(version) => catalogue().of(version),
            Choice::Auto => catalogue().newest_release(),
        }
    }

    /// The level that the user set for the rule `id`: nothing set, off, or a level.
    #[must_use]
    pub fn level_override(&self, id: &str) -> Option<Option<Level>> {
        self.levels.iter().find(|(known, _)| *known == id).map(|(_, level)| *level)
    }
}
