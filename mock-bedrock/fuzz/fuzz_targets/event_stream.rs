//! Any bytes, cut anywhere: the decoder gives frames or an error, the same however they are cut,
//! and agrees with the SDK's own decoder.
//!
//! The first byte of the input tells how the rest becomes a stream, the second how it is cut: what
//! a fuzzer cannot guess, checksums, is put right for it.

#![no_main]

use aws_smithy_eventstream::frame::read_message_from;
use bytes::Bytes;
use libfuzzer_sys::{Corpus, fuzz_target};
use mock_bedrock::event_stream::{DecodeError, Decoder, Frame};

/// Short, so that frames over the limit come up.
const LIMIT: usize = 4_096;

fuzz_target!(|input: &[u8]| -> Corpus {
    let [how, cut, bytes @ ..] = input else { return Corpus::Reject };
    let stream = match how % 4 {
        0 => bytes.to_vec(),
        1 => with_checksums(bytes),
        2 => as_headers(bytes),
        _ => {
            [as_headers(&bytes[..bytes.len() / 2]), as_headers(&bytes[bytes.len() / 2..])].concat()
        }
    };
    let (frames, error) = decode(&stream, stream.len().max(1));
    assert_eq!((frames.clone(), error.clone()), decode(&stream, usize::from(*cut) + 1));
    let agreed = the_sdk_s(&stream);
    for (frame, message) in frames.iter().zip(&agreed) {
        assert_eq!(&frame.payload, message.payload());
        assert_eq!(frame.headers.len(), message.headers().len());
        for (ours, theirs) in frame.headers.iter().zip(message.headers()) {
            assert_eq!(ours.name, theirs.name().as_str());
        }
    }
    // The SDK knows no limits, and refuses empty texts where nothing follows them.
    let refused_for_its_length =
        matches!(error, Some(DecodeError::TooLong { .. } | DecodeError::HeadersTooLong { .. }));
    assert!(frames.len() >= agreed.len() || refused_for_its_length, "{error:?}");
    if let Some(error) = error {
        assert!(!error.to_string().is_empty());
    }
    Corpus::Keep
});

/// Every frame, and what ended them, when the stream arrives `step` bytes at a time.
fn decode(stream: &[u8], step: usize) -> (Vec<Frame>, Option<DecodeError>) {
    let mut decoder = Decoder::with_limit(LIMIT);
    let mut frames = Vec::new();
    for part in stream.chunks(step) {
        decoder.push(part);
        loop {
            match decoder.take() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, decoder.finish().err())
}

fn the_sdk_s(stream: &[u8]) -> Vec<aws_smithy_types::event_stream::Message> {
    let mut rest = Bytes::copy_from_slice(stream);
    let mut messages = Vec::new();
    while !rest.is_empty() {
        let Ok(message) = read_message_from(&mut rest) else { break };
        messages.push(message);
    }
    messages
}

/// Lengths as they are, checksums put right.
fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut stream = bytes.to_vec();
    if let Some(prelude) = stream.first_chunk::<8>() {
        let checksum = crc32fast::hash(prelude).to_be_bytes();
        if let Some(place) = stream.get_mut(8..12) {
            place.copy_from_slice(&checksum);
        }
        let stated = stream.first_chunk::<4>().map_or(0, |length| u32::from_be_bytes(*length));
        let end = (stated as usize).clamp(16, stream.len().max(16));
        if stream.len() >= end {
            let checksum = crc32fast::hash(&stream[..end - 4]).to_be_bytes();
            stream[end - 4..end].copy_from_slice(&checksum);
        }
    }
    stream
}

/// A frame with these bytes for headers and a short payload.
fn as_headers(bytes: &[u8]) -> Vec<u8> {
    const PAYLOAD: &[u8] = b"{}{}";
    let headers = u32::try_from(bytes.len()).unwrap();
    let mut stream = (headers + 20).to_be_bytes().to_vec();
    stream.extend(headers.to_be_bytes());
    stream.extend(crc32fast::hash(&stream).to_be_bytes());
    stream.extend(bytes);
    stream.extend(PAYLOAD);
    stream.extend(crc32fast::hash(&stream).to_be_bytes());
    stream
}
