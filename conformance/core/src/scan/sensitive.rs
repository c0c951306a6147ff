//! The kinds of credentials and personal data.

use spanproof_schemas::ledger::PlantedKind;

/// What a credential or personal data looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "`word` says what each is called")]
pub enum Sensitive {
    AccessKeyId,
    SecretKey,
    BedrockKey,
    SignedRequest,
    BearerToken,
    WebToken,
    PrivateKey,
    Email,
    Phone,
    Card,
    SocialSecurityNumber,
}

impl Sensitive {
    /// What it is called.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Sensitive::AccessKeyId => "an AWS access key id",
            Sensitive::SecretKey => "an AWS secret key",
            Sensitive::BedrockKey => "an API key of Bedrock",
            Sensitive::SignedRequest => "a part of a signed request",
            Sensitive::BearerToken => "a bearer token",
            Sensitive::WebToken => "a JSON web token",
            Sensitive::PrivateKey => "a private key",
            Sensitive::Email => "an e-mail address",
            Sensitive::Phone => "a telephone number",
            Sensitive::Card => "a payment card number",
            Sensitive::SocialSecurityNumber => "a social security number",
        }
    }

    /// Whether it tells of a person, and does not open anything.
    #[must_use]
    pub fn is_personal(self) -> bool {
        matches!(
            self,
            Sensitive::Email | Sensitive::Phone | Sensitive::Card | Sensitive::SocialSecurityNumber
        )
    }

    pub(super) fn of(planted: PlantedKind) -> Sensitive {
        match planted {
            PlantedKind::Email => Sensitive::Email,
            PlantedKind::Phone => Sensitive::Phone,
            PlantedKind::Card => Sensitive::Card,
            PlantedKind::SocialSecurityNumber => Sensitive::SocialSecurityNumber,
            PlantedKind::AccessKeyId => Sensitive::AccessKeyId,
            PlantedKind::SecretKey => Sensitive::SecretKey,
            PlantedKind::WebToken => Sensitive::WebToken,
            PlantedKind::PrivateKey => Sensitive::PrivateKey,
        }
    }
}
