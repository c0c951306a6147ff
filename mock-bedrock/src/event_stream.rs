//! The binary framing of `application/vnd.amazon.eventstream`.

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
