//! Signatures of the events of a request: each covers the one before it, and the first one that of
//! the request.

use std::time::{Duration, UNIX_EPOCH};

use super::clock;
use super::refusal::Refusal;
use super::sigv4::{SERVICE, hex_sha256, hmac, signing_key};
use crate::draw;
use crate::event_stream::{Frame, HeaderValue};

const ALGORITHM: &str = "AWS4-HMAC-SHA256-PAYLOAD";
/// What comes before the milliseconds in the header that is signed: the length of its name, the
/// name, and the type of a timestamp.
const DATE_HEADER: &[u8; 7] = b"\x05:date\x08";

/// The signatures of a request's events so far.
#[derive(Clone)]
pub(crate) struct EventSignatures {
    secret: String,
    region: String,
    /// The last one, in hexadecimal digits.
    last: String,
}

impl EventSignatures {
    /// Those that follow the signature of a request.
    pub(super) fn after(signature: String, secret: String, region: String) -> Self {
        EventSignatures { secret, region, last: signature }
    }

    /// Checks the envelope of the next event: `:date` and `:chunk-signature` around the event's own
    /// frame, or around nothing where the events end. When it was signed is not judged.
    ///
    /// # Errors
    ///
    /// For an event without an envelope, of another key, or not the next of its request.
    pub(crate) fn check(&mut self, envelope: &Frame) -> Result<(), Refusal> {
        let (Some(HeaderValue::Bytes(signature)), Some(HeaderValue::Timestamp(milliseconds))) =
            (envelope.header(":chunk-signature"), envelope.header(":date"))
        else {
            return Err(Refusal::mismatch());
        };
        let since_1970 = Duration::from_millis(u64::try_from(*milliseconds).unwrap_or_default());
        let date = clock::write(UNIX_EPOCH + since_1970);
        let day = date.get(..8).unwrap_or_default();
        let scope = format!("{day}/{}/{SERVICE}/aws4_request", self.region);
        let date_header = [&DATE_HEADER[..], &milliseconds.to_be_bytes()].concat();
        let to_sign = format!(
            "{ALGORITHM}\n{date}\n{scope}\n{}\n{}\n{}",
            self.last,
            hex_sha256(&date_header),
            hex_sha256(&envelope.payload),
        );
        let expected = hmac(&signing_key(&self.secret, &scope), to_sign.as_bytes());
        if expected[..] != signature[..] {
            return Err(Refusal::mismatch());
        }
        self.last = draw::hex(&expected);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aws_credential_types::Credentials;
    use aws_sigv4::event_stream::{sign_empty_message, sign_message};
    use aws_sigv4::sign::v4;
    use aws_smithy_eventstream::frame::write_message_to;
    use aws_smithy_types::event_stream::Message;
    use proptest::prelude::*;

    use super::*;
    use crate::event_stream::Decoder;

    const SEED: &str = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";

    /// What the SDK's signer makes of `payloads`, and of nothing at the end.
    fn signed(payloads: &[Vec<u8>], secret: &str, seconds: u64) -> Vec<Frame> {
        let identity = Credentials::new("AKID", secret, None, None, "tests").into();
        let time = UNIX_EPOCH + Duration::from_secs(seconds);
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region("eu-west-1")
            .name("bedrock")
            .time(time)
            .settings(())
            .build()
            .unwrap();
        let mut last = SEED.to_owned();
        let mut decoder = Decoder::default();
        let mut put = |message: &Message| {
            let mut bytes = Vec::new();
            write_message_to(message, &mut bytes).unwrap();
            decoder.push(&bytes);
        };
        for payload in payloads {
            let message = Message::new(payload.clone());
            let (message, signature) =
                sign_message(&message, &last, &parameters).unwrap().into_parts();
            last = signature;
            put(&message);
        }
        put(&sign_empty_message(&last, &parameters).unwrap().into_parts().0);
        std::iter::from_fn(|| decoder.take().unwrap()).collect()
    }

    fn signatures(secret: &str) -> EventSignatures {
        EventSignatures::after(SEED.to_owned(), secret.to_owned(), "eu-west-1".to_owned())
    }

    proptest! {
        #[test]
        fn what_the_sdk_signs_is_verified_and_nothing_else(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 1..5),
            secret in "[a-zA-Z0-9/+]{1,40}",
            seconds in 0..4_102_444_800_u64,
            at in any::<prop::sample::Index>(),
        ) {
            let frames = signed(&payloads, &secret, seconds);
            let mut good = signatures(&secret);
            for frame in &frames {
                prop_assert_eq!(good.check(frame), Ok(()));
            }
            // Another secret, or another beginning, is noticed at once.
            let other = secret.clone() + "x";
            prop_assert!(signatures(&other).check(&frames[0]).is_err());
            let mut elsewhere = signatures(&secret);
            elsewhere.last = SEED.replace('5', "6");
            prop_assert!(elsewhere.check(&frames[0]).is_err());
            // So is an event that was changed, or left out.
            let at = at.index(payloads.len());
            let mut kept = signatures(&secret);
            for frame in &frames[..at] {
                prop_assert_eq!(kept.check(frame), Ok(()));
            }
            let mut changed = frames[at].clone();
            changed.payload = [&changed.payload[..], b"x"].concat().into();
            prop_assert!(kept.clone().check(&changed).is_err());
            prop_assert!(kept.check(&frames[at + 1]).is_err());
        }
    }

    #[test]
    fn an_event_without_an_envelope_is_refused() {
        let mut bytes = Vec::new();
        write_message_to(&Message::new(b"{}".to_vec()), &mut bytes).unwrap();
        let mut decoder = Decoder::default();
        decoder.push(&bytes);
        assert!(signatures("secret").check(&decoder.take().unwrap().unwrap()).is_err());
    }
}
