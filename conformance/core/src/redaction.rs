//! What may stand for prompts and completions in telemetry.

use std::fmt;
use std::str::FromStr;

/// The user's policy for prompts and completions: what may stand in the attributes and bodies that
/// are kept for them. Nothing of them may stand anywhere else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redaction {
    /// Nothing; an empty value, a marker of redaction or a hash is none of it.
    #[default]
    NoContent,
    /// The SHA-256 of the normalized text in hexadecimal, which must be the true one.
    HashOnly,
    /// A marker of redaction, such as `[REDACTED]` or `***`.
    Marker,
    /// Texts of at most so many characters.
    Truncated(usize),
    /// Everything.
    ContentAllowed,
    /// Everything in log records of GenAI events, and nothing in spans.
    EventsOnly,
    /// A reference to where the content is kept.
    ExternalReference,
}

/// What may stand in one place that is kept for content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allowance {
    Nothing,
    Hash,
    Marker,
    Truncated(usize),
    Reference,
    Anything,
}

impl Redaction {
    /// The policies as they are written.
    pub const FORMS: [&str; 7] = [
        "no-content",
        "hash-only",
        "marker",
        "truncated(N)",
        "content-allowed",
        "events-only",
        "external-reference",
    ];

    /// What may stand in a place that is kept for content, of a log record of a GenAI event or of
    /// anything else.
    pub(crate) fn allowance(self, in_log_event: bool) -> Allowance {
        match self {
            Redaction::HashOnly => Allowance::Hash,
            Redaction::Marker => Allowance::Marker,
            Redaction::Truncated(chars) => Allowance::Truncated(chars),
            Redaction::ContentAllowed => Allowance::Anything,
            Redaction::EventsOnly if in_log_event => Allowance::Anything,
            Redaction::NoContent | Redaction::EventsOnly => Allowance::Nothing,
            Redaction::ExternalReference => Allowance::Reference,
        }
    }

    /// Whether content may stand somewhere as it was sent, so that it is compared with the truth.
    #[must_use]
    pub fn captures(self) -> bool {
        matches!(self, Redaction::ContentAllowed | Redaction::EventsOnly)
    }

    /// The policy in words, as the beginning of what is wrong.
    pub(crate) fn clause(self) -> &'static str {
        match self {
            Redaction::NoContent | Redaction::ContentAllowed => "content is off",
            Redaction::HashOnly => "only hashes may stand for content",
            Redaction::Marker => "only markers of redaction may stand for content",
            Redaction::Truncated(_) => "content may stand, cut, in its own attributes only",
            Redaction::EventsOnly => "content may stand in log events only",
            Redaction::ExternalReference => "only references may stand for content",
        }
    }

    /// What should have been there.
    pub(crate) fn expected(self) -> String {
        match self {
            Redaction::NoContent | Redaction::ContentAllowed | Redaction::EventsOnly => {
                "no content".to_owned()
            }
            Redaction::HashOnly => "the SHA-256 of the text, in hexadecimal".to_owned(),
            Redaction::Marker => "a marker such as [REDACTED]".to_owned(),
            Redaction::Truncated(chars) => format!("at most {chars} characters"),
            Redaction::ExternalReference => "a URI of where the content is kept".to_owned(),
        }
    }
}

impl fmt::Display for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Redaction::NoContent => "no-content",
            Redaction::HashOnly => "hash-only",
            Redaction::Marker => "marker",
            Redaction::Truncated(chars) => return write!(f, "truncated({chars})"),
            Redaction::ContentAllowed => "content-allowed",
            Redaction::EventsOnly => "events-only",
            Redaction::ExternalReference => "external-reference",
        };
        f.write_str(word)
    }
}

/// Text that names no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownRedaction {
    /// The word is none.
    #[error("unknown redaction policy `{0}`; known are {forms}", forms = Redaction::FORMS.join(", "))]
    Word(
        /// What was given.
        String,
    ),
    /// The length is none.
    #[error(
        "`{0}` does not say how long: write the most characters that a text may have, as in truncated(200)"
    )]
    Length(
        /// What was given.
        String,
    ),
}

impl FromStr for Redaction {
    type Err = UnknownRedaction;

    fn from_str(text: &str) -> Result<Redaction, UnknownRedaction> {
        Ok(match text {
            "no-content" => Redaction::NoContent,
            "hash-only" => Redaction::HashOnly,
            "marker" => Redaction::Marker,
            "content-allowed" => Redaction::ContentAllowed,
            "events-only" => Redaction::EventsOnly,
            "external-reference" => Redaction::ExternalReference,
            _ => {
                let Some(rest) = text.strip_prefix("truncated") else {
                    return Err(UnknownRedaction::Word(text.to_owned()));
                };
                let chars = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
                let chars = chars.and_then(|chars| chars.trim().parse().ok());
                let unclear = || UnknownRedaction::Length(text.to_owned());
                Redaction::Truncated(chars.filter(|chars| *chars > 0).ok_or_else(unclear)?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_reads_back_as_it_is_written() {
        for form in Redaction::FORMS {
            let text = form.replace('N', "200");
            let policy: Redaction = text.parse().unwrap();
            assert_eq!(policy.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_policy_says_what_is() {
        let error = "none".parse::<Redaction>().unwrap_err().to_string();
        assert!(error.contains("`none`") && error.contains("external-reference"), "{error}");
        for text in ["truncated", "truncated()", "truncated(0)", "truncated(-1)", "truncated(9"] {
            let error = text.parse::<Redaction>().unwrap_err().to_string();
            assert!(error.contains(text) && error.contains("truncated(200)"), "{error}");
        }
    }
}
