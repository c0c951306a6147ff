//! Telling credentials from what merely begins like one.

use super::Sensitive;

/// What a credential begins with or follows, in any case.
#[derive(Debug)]
pub(super) struct Sign {
    pub(super) text: &'static str,
    pub(super) kind: Sensitive,
}

const fn sign(text: &'static str, kind: Sensitive) -> Sign {
    Sign { text, kind }
}

/// All of them.
pub(super) static SIGNS: &[Sign] = &[
    sign("AKIA", Sensitive::AccessKeyId),
    sign("ASIA", Sensitive::AccessKeyId),
    sign("secret_access_key", Sensitive::SecretKey),
    sign("secretaccesskey", Sensitive::SecretKey),
    sign("ABSK", Sensitive::BedrockKey),
    sign("bedrock-api-key-", Sensitive::BedrockKey),
    sign("X-Amz-Signature=", Sensitive::SignedRequest),
    sign("X-Amz-Security-Token=", Sensitive::SignedRequest),
    sign("Signature=", Sensitive::SignedRequest),
    sign("Bearer ", Sensitive::BearerToken),
    sign("eyJ", Sensitive::WebToken),
    sign("PRIVATE KEY-----", Sensitive::PrivateKey),
];

impl Sign {
    /// How long the credential is that the sign at these bytes of a text announces, if it is one.
    pub(super) fn length(&self, text: &[u8], start: usize, end: usize) -> Option<usize> {
        let (seen, rest) = (&text[start..end], &text[end..]);
        let before = text[..start].last();
        length(self.kind, self.text, before, seen, rest)
    }
}

fn length(
    kind: Sensitive,
    sign: &str,
    before: Option<&u8>,
    seen: &[u8],
    rest: &[u8],
) -> Option<usize> {
    let begins_a_word = before.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let is_as_written = seen == sign.as_bytes();
    match kind {
        Sensitive::AccessKeyId => {
            let key = run(rest, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
            let is_key = is_as_written && begins_a_word && key == 16;
            let ends = rest.get(key).is_none_or(|byte| !byte.is_ascii_lowercase());
            (is_key && ends).then_some(20)
        }
        Sensitive::SecretKey => {
            let gap = run(rest, |byte| b"\"'=: ".contains(&byte));
            let key = run(&rest[gap..], is_base64);
            (gap > 0 && key == 40).then_some(key)
        }
        Sensitive::BedrockKey => {
            let key = run(rest, is_base64);
            (is_as_written && begins_a_word && key >= 60).then_some(seen.len() + key)
        }
        Sensitive::SignedRequest => {
            let value = run(rest, |byte| is_base64(byte) || byte == b'%');
            (value >= 40).then_some(value)
        }
        Sensitive::BearerToken => {
            let token = run(rest, |byte| is_base64(byte) || b"-._~".contains(&byte));
            let has_digit = rest[..token].iter().any(u8::is_ascii_digit);
            (begins_a_word && token >= 16 && has_digit).then_some(token)
        }
        Sensitive::WebToken => {
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            let head = run(rest, is_part);
            let body = rest.get(head..).and_then(|rest| rest.strip_prefix(b"."))?;
            let middle = run(body, is_part);
            let signature = body.get(middle..).and_then(|rest| rest.strip_prefix(b"."))?;
            let last = run(signature, is_part);
            let is_token = is_as_written && begins_a_word && body.starts_with(b"eyJ");
            (is_token && head >= 8 && last >= 16).then_some(head + middle + last + 5)
        }
        Sensitive::PrivateKey => Some(seen.len()),
        Sensitive::Email | Sensitive::Phone | Sensitive::Card | Sensitive::SocialSecurityNumber => {
            None
        }
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
    use super::super::{Hits, Plantings, Scanner};
    use super::Sensitive;

    fn found(text: &str) -> Option<Sensitive> {
        let mut hits = Hits::default();
        Scanner::new(&Plantings::default()).scan(text.as_bytes(), &mut hits);
        hits.suspects.first().map(|suspect| suspect.kind)
    }

    #[test]
    fn credentials_are_found_wherever_they_stand() {
        let id = concat!("AKIA", "IOSFODNN7EXAMPLE");
        let secret = concat!("wJalrXUtnFEMI/K7MDENG/", "bPxRfiCYEXAMPLEKEY");
        let token =
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P";
        let texts = [
            (format!("key={id}&x"), Sensitive::AccessKeyId),
            (format!("{{\"aws_secret_access_key\": \"{secret}\"}}"), Sensitive::SecretKey),
            (format!("ABSK{}", "QmVkcm9jaw0".repeat(8)), Sensitive::BedrockKey),
            (format!("GET /?X-Amz-Signature={}", "0f".repeat(32)), Sensitive::SignedRequest),
            ("authorization: bearer 4a7d1ed414474e40".to_owned(), Sensitive::BearerToken),
            (token.to_owned(), Sensitive::WebToken),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE".to_owned(), Sensitive::PrivateKey),
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
