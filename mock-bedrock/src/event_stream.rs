//! The binary framing of `application/vnd.amazon.eventstream`.

mod decode;

pub use decode::{DecodeError, Decoder, Frame, Header, HeaderFault, HeaderValue};

use bytes::{BufMut, BytesMut};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// The letters that padding is a prefix of.
const PADDING: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/// The type tag of a header value that is text.
const TEXT: u8 = 7;

/// Appends an event frame.
pub(crate) fn put_event(out: &mut BytesMut, event_type: &str, payload: &[u8]) {
    put_frame(
        out,
        &[
            (":event-type", event_type),
            (":content-type", "application/json"),
            (":message-type", "event"),
        ],
        payload,
    );
}

/// Appends an exception frame. `name` is the member's name, such as `throttlingException`: clients
/// cannot type an exception named otherwise.
pub(crate) fn put_exception(out: &mut BytesMut, name: &str, payload: &[u8]) {
    put_frame(
        out,
        &[
            (":exception-type", name),
            (":content-type", "application/json"),
            (":message-type", "exception"),
        ],
        payload,
    );
}

/// Appends an error frame, which is neither an event nor an exception and has no payload.
pub(crate) fn put_error(out: &mut BytesMut, code: &str, message: &str) {
    put_frame(
        out,
        &[(":error-code", code), (":error-message", message), (":message-type", "error")],
        &[],
    );
}

/// Padding for one payload's `p`: its length is uniform from 2 to 61, so that the size of a frame
/// does not tell the size of what it carries.
pub(crate) fn padding(draws: &mut ChaCha8Rng) -> &'static str {
    &PADDING[..draws.random_range(2..=61_usize)]
}

/// `total length | headers length | CRC of both | headers | payload | CRC of everything before`,
/// big-endian, CRC-32 as in IEEE 802.3.
fn put_frame(out: &mut BytesMut, headers: &[(&str, &str)], payload: &[u8]) {
    let headers_length: usize =
        headers.iter().map(|(name, value)| 4 + name.len() + value.len()).sum();
    let total_length = 12 + headers_length + payload.len() + 4;
    let start = out.len();
    out.reserve(total_length);
    out.put_u32(length(total_length));
    out.put_u32(length(headers_length));
    out.put_u32(crc32fast::hash(&out[start..start + 8]));
    for (name, value) in headers {
        out.put_u8(u8::try_from(name.len()).expect("header names are constants of a few letters"));
        out.put_slice(name.as_bytes());
        out.put_u8(TEXT);
        out.put_u16(
            u16::try_from(value.len()).expect("header values are constants of a few letters"),
        );
        out.put_slice(value.as_bytes());
    }
    out.put_slice(payload);
    out.put_u32(crc32fast::hash(&out[start..]));
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("a payload is a delta or a tool's arguments, far below 4 GiB")
}

#[cfg(test)]
mod tests {
    use aws_smithy_eventstream::frame::read_message_from;
    use proptest::prelude::*;

    use super::*;
    use crate::draw::{Purpose, generator};

    proptest! {
        #[test]
        fn the_sdk_s_own_decoder_reads_every_frame(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..5),
        ) {
            let mut out = BytesMut::new();
            for payload in &payloads {
                put_event(&mut out, "contentBlockDelta", payload);
            }
            let mut frames = out.freeze();
            for payload in payloads {
                let message = read_message_from(&mut frames).unwrap();
                prop_assert_eq!(&message.payload()[..], &payload[..]);
                let headers: Vec<_> = message
                    .headers()
                    .iter()
                    .map(|header| (header.name().as_str().to_owned(), header.value().as_string().unwrap().as_str().to_owned()))
                    .collect();
                prop_assert_eq!(headers[0].clone(), (":event-type".to_owned(), "contentBlockDelta".to_owned()));
                prop_assert_eq!(headers[1].clone(), (":content-type".to_owned(), "application/json".to_owned()));
                prop_assert_eq!(headers[2].clone(), (":message-type".to_owned(), "event".to_owned()));
            }
            prop_assert!(frames.is_empty());
        }

        #[test]
        fn a_flipped_bit_is_noticed(payload in prop::collection::vec(any::<u8>(), 0..60), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let mut out = BytesMut::new();
            put_event(&mut out, "chunk", &payload);
            let at = at.index(out.len());
            out[at] ^= 1 << bit;
            prop_assert!(read_message_from(&mut out.freeze()).is_err());
        }
    }

    #[test]
    fn the_first_recorded_frame_s_head_comes_out_byte_for_byte() {
        let mut out = BytesMut::new();
        // The recorded frame has 178 bytes, 82 of them headers, so 80 of payload.
        put_event(&mut out, "messageStart", &[b' '; 80]);
        assert_eq!(out[..12], 0x0000_00b2_0000_0052_8a40_b4c5_u128.to_be_bytes()[4..]);
        assert_eq!(out[12..28], 0x0b3a_6576_656e_742d_7479_7065_0700_0c6d_u128.to_be_bytes());
    }

    #[test]
    fn padding_has_2_to_61_letters() {
        let mut draws = generator(1, Purpose::Padding);
        let mut lengths: Vec<usize> = (0..5_000).map(|_| padding(&mut draws).len()).collect();
        lengths.sort_unstable();
        lengths.dedup();
        assert_eq!(lengths, (2..=61).collect::<Vec<_>>());
    }
}
