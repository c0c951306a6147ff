//! Which guardrail an identifier and a version name.

use super::compiled::Compiled;
use super::config::{
    Action, Guardrail, ManagedWords, PiiEntity, SensitiveInformationPolicy, Sides, WordPolicy,
};
use super::pii::PiiType;
use crate::error::ServiceError;

/// Where guardrails live when the request names none but their id.
const ARN: &str = "arn:aws:bedrock:us-east-1:123456789012:guardrail/";

/// The guardrails of a server.
#[derive(Debug)]
pub(crate) struct Guardrails {
    known: Vec<Compiled>,
    /// Answers to every id when none is configured.
    default: Compiled,
}

/// A guardrail as a request named it.
#[derive(Debug)]
pub(crate) struct Named<'g> {
    pub(crate) guardrail: &'g Compiled,
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) arn: String,
}

impl Guardrails {
    pub(crate) fn of(configured: &[Guardrail]) -> Self {
        Guardrails {
            known: configured.iter().map(Compiled::of).collect(),
            default: Compiled::of(&default_guardrail()),
        }
    }

    /// The guardrail that `identifier`, an id or an ARN, and `version` name.
    ///
    /// # Errors
    ///
    /// A `ValidationException` for what has not the form of an identifier or a version, and for a
    /// guardrail that does not exist: its text is the same for a wrong id and a wrong version.
    pub(crate) fn find(&self, identifier: &str, version: &str) -> Result<Named<'_>, ServiceError> {
        let Some(id) = id_of(identifier) else {
            return Err(ServiceError::validation("The provided guardrail identifier is invalid."));
        };
        if !is_version(version) {
            return Err(ServiceError::validation(format!(
                "1 validation error detected: Value '{version}' at 'guardrailVersion' failed to satisfy constraint: Member must satisfy regular expression pattern: (|([1-9][0-9]{{0,7}})|(DRAFT))"
            )));
        }
        let is_named =
            |known: &&Compiled| known.config.guardrail_id == id && known.config.is_version(version);
        let guardrail = match self.known.iter().find(is_named) {
            Some(guardrail) => guardrail,
            None if self.known.is_empty() => &self.default,
            None => {
                return Err(ServiceError::validation(
                    "The guardrail identifier or version provided in the request does not exist.",
                ));
            }
        };
        let arn = if id == identifier { format!("{ARN}{id}") } else { identifier.to_owned() };
        Ok(Named { guardrail, id: id.to_owned(), version: version.to_owned(), arn })
    }
}

/// The id in an identifier: all of it, or the end of an ARN such as
/// `arn:aws:bedrock:us-east-1:123456789012:guardrail/gr1`.
fn id_of(identifier: &str) -> Option<&str> {
    let Some(arn) = identifier.strip_prefix("arn:aws") else {
        return is_id(identifier).then_some(identifier);
    };
    let mut fields = arn.splitn(5, ':');
    let partition = fields.next()?;
    let (service, region, account) = (fields.next()?, fields.next()?, fields.next()?);
    let id = fields.next()?.strip_prefix("guardrail/")?;
    let is_region = (1..=20).contains(&region.len())
        && region.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let is_partition = partition.is_empty() || partition.len() > 1 && partition.starts_with('-');
    (is_partition && service == "bedrock" && is_region && is_account && is_id(id)).then_some(id)
}

/// Whether `text` is lower-case letters and digits.
pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 2_048
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9'))
}

/// Whether `text` is `DRAFT` or a number from 1 of at most eight digits.
pub(super) fn is_version(text: &str) -> bool {
    text == "DRAFT"
        || (1..=8).contains(&text.len())
            && !text.starts_with('0')
            && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What answers to every id when no guardrail is configured: it masks addresses and phone numbers
/// on both sides, and blocks profanity, keys, card and social security numbers.
fn default_guardrail() -> Guardrail {
    let masks = [PiiType::Email, PiiType::Phone];
    let blocks =
        [PiiType::UsSocialSecurityNumber, PiiType::CreditDebitCardNumber, PiiType::AwsAccessKey];
    let entity = |r#type, action, input_action| PiiEntity {
        r#type,
        action,
        values: Vec::new(),
        sides: Sides { input_action, ..Sides::default() },
    };
    let entities = masks
        .map(|masked| entity(masked, Action::Anonymize, Some(Action::Anonymize)))
        .into_iter()
        .chain(blocks.map(|blocked| entity(blocked, Action::Block, None)))
        .collect();
    Guardrail {
        guardrail_id: "default".to_owned(),
        blocked_input_messaging: "Sorry, the model cannot answer this question.".to_owned(),
        blocked_outputs_messaging: "Sorry, the model cannot answer this question.".to_owned(),
        word_policy_config: Some(WordPolicy {
            managed_word_lists_config: vec![ManagedWords::default()],
            ..WordPolicy::default()
        }),
        sensitive_information_policy_config: Some(SensitiveInformationPolicy {
            pii_entities_config: entities,
            ..SensitiveInformationPolicy::default()
        }),
        ..Guardrail::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(id: &str, versions: &[&str]) -> Guardrail {
        Guardrail {
            guardrail_id: id.to_owned(),
            versions: versions.iter().map(|version| (*version).to_owned()).collect(),
            ..Guardrail::default()
        }
    }

    #[test]
    fn without_configuration_every_well_formed_id_is_known() {
        let guardrails = Guardrails::of(&[]);
        let named = guardrails.find("gr1", "3").unwrap();
        assert_eq!(named.arn, "arn:aws:bedrock:us-east-1:123456789012:guardrail/gr1");
        let arn = "arn:aws-us-gov:bedrock:us-gov-west-1:000000000001:guardrail/gr2";
        let named = guardrails.find(arn, "DRAFT").unwrap();
        assert_eq!((named.id.as_str(), named.arn.as_str()), ("gr2", arn));
    }

    #[test]
    fn with_configuration_the_others_do_not_exist() {
        let guardrails = Guardrails::of(&[known("gr1", &["DRAFT", "2"]), known("gr1", &["3"])]);
        for version in ["DRAFT", "2", "3"] {
            assert!(guardrails.find("gr1", version).is_ok(), "{version}");
        }
        for (id, version) in [("gr1", "4"), ("gr2", "2")] {
            let error = guardrails.find(id, version).unwrap_err();
            assert_eq!(
                error.message,
                "The guardrail identifier or version provided in the request does not exist."
            );
        }
    }

    #[test]
    fn what_has_not_the_form_is_refused() {
        let guardrails = Guardrails::of(&[]);
        for id in [
            "Gr1",
            "gr-1",
            "arn:aws:bedrock:us-east-1:1:guardrail/gr1",
            "arn:aws:bedrock:us-east-1:123456789012:guardrail/",
            "arn:aws:s3:us-east-1:123456789012:guardrail/gr1",
            "arn:aws",
        ] {
            let error = guardrails.find(id, "1").unwrap_err();
            assert_eq!(error.message, "The provided guardrail identifier is invalid.", "{id}");
        }
        for version in ["0", "latest", "123456789", "draft"] {
            assert!(guardrails.find("gr1", version).is_err(), "{version}");
        }
    }
}
