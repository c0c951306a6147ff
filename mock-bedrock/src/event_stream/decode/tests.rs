use aws_smithy_eventstream::frame::{read_message_from, write_message_to};
use aws_smithy_types::DateTime;
use aws_smithy_types::event_stream as sdk;
use bytes::BufMut as _;
use proptest::prelude::*;

use super::super::{put_event, put_exception};
use super::*;

/// Timestamps that the SDK can write: it keeps seconds and nanoseconds.
const MILLISECONDS: std::ops::Range<i64> = -(1 << 52)..1 << 52;

fn header_value() -> impl Strategy<Value = HeaderValue> {
    prop_oneof![
        any::<bool>().prop_map(HeaderValue::Bool),
        any::<i8>().prop_map(HeaderValue::Byte),
        any::<i16>().prop_map(HeaderValue::Int16),
        any::<i32>().prop_map(HeaderValue::Int32),
        any::<i64>().prop_map(HeaderValue::Int64),
        prop::collection::vec(any::<u8>(), 1..40)
            .prop_map(|bytes| HeaderValue::Bytes(bytes.into())),
        ".{1,20}".prop_map(HeaderValue::Text),
        MILLISECONDS.prop_map(HeaderValue::Timestamp),
        any::<[u8; 16]>().prop_map(HeaderValue::Uuid),
    ]
}

fn frame() -> impl Strategy<Value = Frame> {
    let header =
        ("[:a-zé-]{0,20}", header_value()).prop_map(|(name, value)| Header { name, value });
    let payload = prop::collection::vec(any::<u8>(), 0..300);
    (prop::collection::vec(header, 0..6), payload)
        .prop_map(|(headers, payload)| Frame { headers, payload: payload.into() })
}

/// The frame as the SDK's own encoder writes it.
fn written_by_the_sdk(frame: &Frame) -> Vec<u8> {
    let mut message = sdk::Message::new(frame.payload.clone());
    for Header { name, value } in &frame.headers {
        let value = match value.clone() {
            HeaderValue::Bool(value) => sdk::HeaderValue::Bool(value),
            HeaderValue::Byte(value) => sdk::HeaderValue::Byte(value),
            HeaderValue::Int16(value) => sdk::HeaderValue::Int16(value),
            HeaderValue::Int32(value) => sdk::HeaderValue::Int32(value),
            HeaderValue::Int64(value) => sdk::HeaderValue::Int64(value),
            HeaderValue::Bytes(value) => sdk::HeaderValue::ByteArray(value),
            HeaderValue::Text(value) => sdk::HeaderValue::String(value.into()),
            HeaderValue::Timestamp(value) => {
                sdk::HeaderValue::Timestamp(DateTime::from_millis(value))
            }
            HeaderValue::Uuid(value) => sdk::HeaderValue::Uuid(u128::from_be_bytes(value)),
        };
        message = message.add_header(sdk::Header::new(name.clone(), value));
    }
    let mut out = Vec::new();
    write_message_to(&message, &mut out).unwrap();
    out
}

fn decode(bytes: &[u8]) -> Result<Vec<Frame>, DecodeError> {
    let mut decoder = Decoder::default();
    decoder.push(bytes);
    let mut frames = Vec::new();
    while let Some(frame) = decoder.take()? {
        frames.push(frame);
    }
    decoder.finish()?;
    Ok(frames)
}

/// A frame with right checksums around whatever headers and lengths.
fn sealed(length: u32, headers_length: u32, rest: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_u32(length);
    out.put_u32(headers_length);
    out.put_u32(crc32fast::hash(&out));
    out.put_slice(rest);
    out.put_u32(crc32fast::hash(&out));
    out
}

fn with_headers(headers: &[u8]) -> Vec<u8> {
    let length = u32::try_from(headers.len()).unwrap();
    sealed(16 + length, length, headers)
}

proptest! {
    #[test]
    fn frames_come_out_as_the_sdk_wrote_them_however_they_are_cut(
        frames in prop::collection::vec(frame(), 0..6),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let bytes: Vec<u8> = frames.iter().flat_map(written_by_the_sdk).collect();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.push(bytes.len());
        cuts.sort_unstable();
        let mut decoder = Decoder::default();
        let (mut decoded, mut pushed) = (Vec::new(), 0);
        for cut in cuts {
            decoder.push(&bytes[pushed..cut]);
            pushed = cut;
            while let Some(frame) = decoder.take().unwrap() {
                decoded.push(frame);
            }
        }
        prop_assert_eq!(decoder.finish(), Ok(()));
        prop_assert_eq!(decoded, frames);
    }

    #[test]
    fn what_is_encoded_here_is_decoded_here(
        event_type in "[a-zA-Z]{1,30}", payload in prop::collection::vec(any::<u8>(), 0..300)
    ) {
        let mut out = BytesMut::new();
        put_event(&mut out, &event_type, &payload);
        put_exception(&mut out, &event_type, &payload);
        let frames = decode(&out).unwrap();
        prop_assert_eq!(frames.len(), 2);
        prop_assert_eq!(frames[0].event_type(), Some(&event_type[..]));
        prop_assert_eq!(frames[0].message_type(), Some("event"));
        prop_assert_eq!(frames[0].header(":content-type").unwrap().as_text(), Some("application/json"));
        prop_assert_eq!(frames[1].exception_type(), Some(&event_type[..]));
        prop_assert_eq!(frames[1].message_type(), Some("exception"));
        prop_assert!(frames.iter().all(|frame| frame.payload == payload));
    }

    #[test]
    fn a_flipped_bit_is_never_decoded(
        frame in frame(), at in any::<prop::sample::Index>(), bit in 0..8_u8
    ) {
        let mut bytes = written_by_the_sdk(&frame);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(decode(&bytes).is_err());
    }

    #[test]
    fn headers_are_read_exactly_where_the_sdk_reads_them(headers in prop::collection::vec(any::<u8>(), 0..40)) {
        // The SDK refuses an empty text or byte array at the very end of a frame without payload,
        // which the format allows: a payload keeps that out of the comparison.
        let length = u32::try_from(headers.len()).unwrap();
        let bytes = sealed(20 + length, length, &[&headers[..], b"{}{}"].concat());
        let ours = decode(&bytes);
        let theirs = read_message_from(&mut &bytes[..]);
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?} {:?}", ours, theirs);
    }

    #[test]
    fn any_bytes_end_in_frames_or_an_error_that_stays(
        bytes in prop::collection::vec(any::<u8>(), 0..200), seal in any::<bool>()
    ) {
        let bytes = if seal { with_headers(&bytes) } else { bytes };
        let mut decoder = Decoder::with_limit(100);
        decoder.push(&bytes);
        loop {
            match decoder.take() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(first) => {
                    decoder.push(&with_headers(b""));
                    prop_assert_eq!(decoder.take(), Err(first.clone()));
                    prop_assert_eq!(decoder.finish(), Err(first));
                    break;
                }
            }
        }
    }
}

#[test]
fn a_stream_that_ends_within_a_frame_says_where() {
    let mut bytes = with_headers(b"");
    bytes.extend_from_slice(&with_headers(b"")[..9]);
    let error = decode(&bytes).unwrap_err();
    assert_eq!(error, DecodeError::Truncated { offset: 16, received: 9 });
    assert_eq!(error.to_string(), "the stream ends within the frame at byte 16, 9 bytes into it");
}

#[test]
fn a_frame_over_the_limit_is_refused_by_its_prelude_alone() {
    let mut decoder = Decoder::with_limit(1_000);
    decoder.push(&sealed(1_001, 0, b"")[..PRELUDE]);
    let refused = DecodeError::TooLong { offset: 0, length: 1_001, limit: 1_000 };
    assert_eq!(decoder.take(), Err(refused));
}

#[test]
fn lengths_that_cannot_be_are_refused() {
    let second = |length, headers| {
        decode(&[with_headers(b""), sealed(length, headers, b"")].concat()).unwrap_err()
    };
    assert_eq!(second(15, 0), DecodeError::TooShort { offset: 16, length: 15 });
    assert_eq!(second(16, 1), DecodeError::HeadersTooLong { offset: 16, length: 1, limit: 0 });
    assert_eq!(
        second(1_000_000, 200_000),
        DecodeError::HeadersTooLong { offset: 16, length: 200_000, limit: 131_072 }
    );
    let longest = u32::MAX;
    assert!(matches!(second(longest, 0), DecodeError::TooLong { length, .. } if length == longest));
}

#[test]
fn each_fault_of_a_header_says_where_and_what() {
    let said = |second: &[u8]| {
        let first = b"\x01a\x00";
        decode(&with_headers(&[first, second].concat())).unwrap_err().to_string()
    };
    assert_eq!(
        said(b"\x05ab"),
        "the header at byte 15 goes on past the end of the frame's headers"
    );
    assert_eq!(
        said(b"\x01b\x07\x00\x09ab"),
        "the header at byte 15 goes on past the end of the frame's headers"
    );
    assert_eq!(
        said(b"\x01b\x0a"),
        "the header at byte 15 has a value of type 10, and the types are 0 to 9"
    );
    assert_eq!(said(b"\x01\xff\x00"), "the header at byte 15 has a name that is not UTF-8");
    assert_eq!(
        said(b"\x01b\x07\x00\x01\xff"),
        "the header at byte 15 has a text value that is not UTF-8"
    );
}
