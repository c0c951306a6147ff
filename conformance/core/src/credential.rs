//! Finding credentials in text.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// A kind of credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credential {
    AccessKeyId,
    SecretKey,
    BedrockKey,
    SignedRequest,
    BearerToken,
    WebToken,
    PrivateKey,
}

impl Credential {
    /// What it is called.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Credential::AccessKeyId => "an AWS access key id",
            Credential::SecretKey => "an AWS secret key",
            Credential::BedrockKey => "an API key of Bedrock",
            Credential::SignedRequest => "a part of a signed request",
            Credential::BearerToken => "a bearer token",
            Credential::WebToken => "a JSON web token",
            Credential::PrivateKey => "a private key",
        }
    }
}

/// What a credential begins with or follows, in any case, and which it is.
const SIGNS: &[(&str, Credential)] = &[
    ("AKIA", Credential::AccessKeyId),
    ("ASIA", Credential::AccessKeyId),
    ("secret_access_key", Credential::SecretKey),
    ("secretaccesskey", Credential::SecretKey),
    ("ABSK", Credential::BedrockKey),
    ("bedrock-api-key-", Credential::BedrockKey),
    ("X-Amz-Signature=", Credential::SignedRequest),
    ("X-Amz-Security-Token=", Credential::SignedRequest),
    ("Signature=", Credential::SignedRequest),
    ("Bearer ", Credential::BearerToken),
    ("eyJ", Credential::WebToken),
    ("PRIVATE KEY-----", Credential::PrivateKey),
];

static AUTOMATON: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::DFA))
        .ascii_case_insensitive(true)
        .build(SIGNS.iter().map(|(sign, _)| sign))
        .expect("a few short signs make an automaton")
});

/// The shortest text that can hold a credential.
const SHORTEST: usize = 16;

/// The first credential in a text, with its length in bytes.
pub(crate) fn find(text: &[u8]) -> Option<(Credential, usize)> {
    if text.len() < SHORTEST {
        return None;
    }
    AUTOMATON.find_overlapping_iter(text).find_map(|found| {
        let (sign, credential) = SIGNS[found.pattern()];
        let before = text[..found.start()].last();
        length(credential, sign, before, &text[found.start()..found.end()], &text[found.end()..])
            .map(|length| (credential, length))
    })
}

/// How long the credential is that a sign announces, if it is one.
fn length(
    credential: Credential,
    sign: &str,
    before: Option<&u8>,
    seen: &[u8],
    rest: &[u8],
) -> Option<usize> {
    let begins_a_word = before.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let is_as_written = seen == sign.as_bytes();
    match credential {
        Credential::AccessKeyId => {
            let key = run(rest, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
            let is_key = is_as_written && begins_a_word && key == 16;
            let ends = rest.get(key).is_none_or(|byte| !byte.is_ascii_lowercase());
            (is_key && ends).then_some(20)
        }
        Credential::SecretKey => {
            let gap = run(rest, |byte| b"\"'=: ".contains(&byte));
            let key = run(&rest[gap..], is_base64);
            (gap > 0 && key == 40).then_some(key)
        }
        Credential::BedrockKey => {
            let key = run(rest, is_base64);
            (is_as_written && begins_a_word && key >= 60).then_some(seen.len() + key)
        }
        Credential::SignedRequest => {
            let value = run(rest, |byte| is_base64(byte) || byte == b'%');
            (value >= 40).then_some(value)
        }
        Credential::BearerToken => {
            let token = run(rest, |byte| is_base64(byte) || b"-._~".contains(&byte));
            let has_digit = rest[..token].iter().any(u8::is_ascii_digit);
            (begins_a_word && token >= 16 && has_digit).then_some(token)
        }
        Credential::WebToken => {
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            let head = run(rest, is_part);
            let body = rest.get(head..).and_then(|rest| rest.strip_prefix(b"."))?;
            let middle = run(body, is_part);
            let signature = body.get(middle..).and_then(|rest| rest.strip_prefix(b"."))?;
            let last = run(signature, is_part);
            let is_token = is_as_written && begins_a_word && body.starts_with(b"eyJ");
            (is_token && head >= 8 && last >= 16).then_some(head + middle + last + 5)
        }
        Credential::PrivateKey => Some(seen.len()),
    }
}

/// How many bytes a text begins with that are of a kind.
fn run(text: &[u8], is_of_kind: impl Fn(u8) -> bool) -> usize {
    text.iter().take_while(|byte| is_of_kind(**byte)).count()
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::{Credential, find};

    fn found(text: &str) -> Option<Credential> {
        find(text.as_bytes()).map(|(credential, _)| credential)
    }

    #[test]
    fn credentials_are_found_wherever_they_stand() {
        let id = concat!("AKIA", "IOSFODNN7EXAMPLE");
        let secret = concat!("wJalrXUtnFEMI/K7MDENG/", "bPxRfiCYEXAMPLEKEY");
        let token =
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P";
        let texts = [
            (format!("key={id}&x"), Credential::AccessKeyId),
            (format!("{{\"aws_secret_access_key\": \"{secret}\"}}"), Credential::SecretKey),
            (format!("ABSK{}", "QmVkcm9jaw0".repeat(8)), Credential::BedrockKey),
            (format!("GET /?X-Amz-Signature={}", "0f".repeat(32)), Credential::SignedRequest),
            ("authorization: bearer 4a7d1ed414474e40".to_owned(), Credential::BearerToken),
            (token.to_owned(), Credential::WebToken),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE".to_owned(), Credential::PrivateKey),
        ];
        for (text, credential) in texts {
            assert_eq!(found(&text), Some(credential), "{text}");
        }
    }

    #[test]
    fn what_merely_looks_like_one_is_left_alone() {
        for text in [
            "arn:aws:iam::123456789012:role/AKIANAMED",
            "the bearer of this letter is known to us",
            "Asia-Pacific (Tokyo) is in ap-northeast-1",
            "Euclidean and eyJust words.with dots.in them",
            "anthropic.claude-3-7-sonnet-20250219-v1:0",
            "secret_access_key is not set, see the guide to the SDK",
            "Signature=invalid: the request has expired",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
