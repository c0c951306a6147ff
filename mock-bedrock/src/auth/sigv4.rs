//! AWS Signature Version 4, in a header or in the query.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderValue};
use percent_encoding::percent_decode_str;
use sha2::{Digest as _, Sha256};

use super::events::EventSignatures;
use super::keys::Keys;
use super::refusal::Refusal;
use super::{Sent, canonical, clock};
use crate::draw;

/// What the runtime, the agent runtime and the control plane all sign for.
pub(super) const SERVICE: &str = "bedrock";
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// How far the clocks of client and service may be apart.
const SKEW: Duration = Duration::from_mins(5);

/// A signature and what it says of itself.
#[derive(Debug)]
pub(super) struct Signing<'a> {
    form: Form,
    access_key: String,
    day: String,
    region: String,
    service: String,
    terminator: String,
    signed_headers: String,
    signature: String,
    date: String,
    /// How long a signature in the query is good for.
    good_for: Duration,
    /// The session token in the query.
    query_token: Option<Cow<'a, str>>,
}

/// Where a signature stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Header,
    Query,
}

impl<'a> Signing<'a> {
    /// Reads an `Authorization` header.
    pub(super) fn in_header(
        header: &HeaderValue,
        headers: &HeaderMap,
    ) -> Result<Signing<'a>, Refusal> {
        let text = String::from_utf8_lossy(header.as_bytes());
        let (algorithm, rest) = text.split_once(' ').unwrap_or((&text, ""));
        if algorithm != ALGORITHM && algorithm.starts_with("AWS") {
            return Err(Refusal::unsupported_algorithm(algorithm));
        }
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for part in rest.split([',', ' ']).filter(|part| !part.is_empty()) {
            let Some((name, value)) = part.split_once('=') else {
                return Err(Refusal::not_a_pair(part, &text));
            };
            match name {
                "Credential" => credential = Some(value),
                "SignedHeaders" => signed_headers = Some(value),
                "Signature" => signature = Some(value),
                _ => {}
            }
        }
        let date = header_text(headers, "x-amz-date").or_else(|| header_text(headers, "date"));
        let (Some(credential), Some(signed_headers), Some(signature), Some(date)) =
            (credential, signed_headers, signature, date)
        else {
            let missing: Vec<&str> = [
                ("Credential", credential),
                ("Signature", signature),
                ("SignedHeaders", signed_headers),
            ]
            .into_iter()
            .filter_map(|(name, found)| found.is_none().then_some(name))
            .collect();
            return Err(Refusal::incomplete_header(&missing, date.is_none(), &text));
        };
        Signing {
            form: Form::Header,
            signed_headers: signed_headers.to_owned(),
            signature: signature.to_owned(),
            date: date.to_owned(),
            good_for: SKEW,
            query_token: None,
            ..Signing::by(credential)?
        }
        .checked()
    }

    /// Reads the parameters of `query`, which is not signed if it has none of them.
    pub(super) fn in_query(query: &'a str) -> Result<Option<Signing<'a>>, Refusal> {
        let parameter = |wanted: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let (_, value) = pairs.into_iter().find(|(name, _)| *name == wanted)?;
            Some(percent_decode_str(value).decode_utf8_lossy())
        };
        let names = [
            "X-Amz-Algorithm",
            "X-Amz-Credential",
            "X-Amz-Signature",
            "X-Amz-SignedHeaders",
            "X-Amz-Date",
        ];
        let found = names.map(parameter);
        if found[0].is_none() && found[2].is_none() {
            return Ok(None);
        }
        let [Some(algorithm), Some(credential), Some(signature), Some(signed_headers), Some(date)] =
            found
        else {
            let missing: Vec<&str> =
                names.into_iter().filter(|name| parameter(name).is_none()).collect();
            return Err(Refusal::incomplete_query(&missing));
        };
        if algorithm != ALGORITHM {
            return Err(Refusal::unsupported_algorithm(&algorithm));
        }
        let good_for = match parameter("X-Amz-Expires") {
            None => SKEW,
            Some(seconds) => match seconds.parse() {
                Ok(seconds) => Duration::from_secs(seconds),
                Err(_) => return Err(Refusal::incomplete_query(&["X-Amz-Expires"])),
            },
        };
        Signing {
            form: Form::Query,
            signed_headers: signed_headers.into_owned(),
            signature: signature.into_owned(),
            date: date.into_owned(),
            good_for,
            query_token: parameter("X-Amz-Security-Token"),
            ..Signing::by(&credential)?
        }
        .checked()
        .map(Some)
    }

    /// The parts of `credential`.
    fn by(credential: &str) -> Result<Signing<'a>, Refusal> {
        let mut parts = credential.split('/').map(str::to_owned);
        let five = (parts.next(), parts.next(), parts.next(), parts.next(), parts.next());
        let (Some(access_key), Some(day), Some(region), Some(service), Some(terminator)) = five
        else {
            return Err(Refusal::bad_credential(credential));
        };
        if parts.next().is_some() || access_key.is_empty() {
            return Err(Refusal::bad_credential(credential));
        }
        Ok(Signing {
            form: Form::Header,
            access_key,
            day,
            region,
            service,
            terminator,
            signed_headers: String::new(),
            signature: String::new(),
            date: String::new(),
            good_for: SKEW,
            query_token: None,
        })
    }

    fn checked(self) -> Result<Self, Refusal> {
        if clock::read(&self.date).is_none() {
            return Err(Refusal::bad_date(&self.date));
        }
        Ok(self)
    }

    /// Checks what can be checked without a key.
    pub(super) fn check_scope(&self) -> Result<(), Refusal> {
        if self.service != SERVICE {
            return Err(Refusal::wrong_service());
        }
        if self.terminator != "aws4_request" {
            return Err(Refusal::wrong_terminator(&self.terminator));
        }
        let day = self.date.get(..8).unwrap_or_default();
        if self.day != day {
            return Err(Refusal::wrong_day(&self.day, day, &self.date));
        }
        if !self.signed_headers.split(';').any(|name| name == "host" || name == ":authority") {
            return Err(Refusal::host_not_signed());
        }
        let is_hex = self.signature.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
        if self.signature.len() != 64 || !is_hex {
            return Err(Refusal::mismatch());
        }
        Ok(())
    }

    /// Checks the signature itself.
    pub(super) fn verify(
        &self,
        sent: Sent<'_>,
        keys: &Keys,
        now: SystemTime,
    ) -> Result<(), Refusal> {
        let Some(key) = keys.access.iter().find(|key| key.id == self.access_key) else {
            return Err(Refusal::unknown_key());
        };
        let token = match self.form {
            Form::Header => header_text(sent.headers, "x-amz-security-token"),
            Form::Query => self.query_token.as_deref(),
        };
        if token != key.session_token.as_deref() {
            return Err(Refusal::unknown_key());
        }
        if key.expires.is_some_and(|expires| expires <= now) {
            return Err(Refusal::expired());
        }
        self.check_clock(now)?;
        let scope = format!("{}/{}/{SERVICE}/aws4_request", self.day, self.region);
        let request = canonical::request(sent, self.form, &self.signed_headers);
        let to_sign = format!("{ALGORITHM}\n{}\n{scope}\n{}", self.date, hex_sha256(&request));
        let signing_key = signing_key(&key.secret, &scope);
        if draw::hex(&hmac(&signing_key, to_sign.as_bytes())) == self.signature {
            Ok(())
        } else {
            Err(Refusal::mismatch())
        }
    }

    /// The signatures of the events that follow, if it is by one of `keys`.
    pub(super) fn events(self, keys: &Keys) -> Option<EventSignatures> {
        let key = keys.access.iter().find(|key| key.id == self.access_key)?;
        Some(EventSignatures::after(self.signature, key.secret.clone(), self.region))
    }

    fn check_clock(&self, now: SystemTime) -> Result<(), Refusal> {
        // What cannot be read was refused before.
        let signed = clock::read(&self.date).unwrap_or(now);
        let minutes = |length: Duration| length.as_secs() / 60;
        // A length that reaches beyond all times is good at all times.
        let oldest = now.checked_sub(self.good_for).filter(|oldest| signed < *oldest);
        if let Some(oldest) = oldest {
            let (oldest, now) = (clock::write(oldest), clock::write(now));
            return Err(Refusal::too_early(&self.date, &oldest, &now, minutes(self.good_for)));
        }
        if signed > now + SKEW {
            let (newest, now) = (clock::write(now + SKEW), clock::write(now));
            return Err(Refusal::too_late(&self.date, &newest, &now, minutes(SKEW)));
        }
        Ok(())
    }
}

fn header_text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// The key of `secret` for `scope`: a day, a region, a service and the terminator.
pub(super) fn signing_key(secret: &str, scope: &str) -> [u8; 32] {
    let mut parts = scope.split('/');
    let secret = format!("AWS4{secret}");
    let day_key = hmac(secret.as_bytes(), parts.next().unwrap_or_default().as_bytes());
    parts.fold(day_key, |key, part| hmac(&key, part.as_bytes()))
}

pub(super) fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// The SHA-256 of `bytes` in lower-case hexadecimal digits.
pub(super) fn hex_sha256(bytes: &[u8]) -> String {
    draw::hex(&Sha256::digest(bytes).into())
}
