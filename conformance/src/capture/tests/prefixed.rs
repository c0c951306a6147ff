//! Messages with their length before them, and compression around them.

use super::*;

#[derive(Clone, Copy, Debug)]
enum Framing {
    BigEndian,
    LittleEndian,
    Varint,
    /// Each record compressed on its own, as the Collector's file exporter does.
    ZstdInBigEndian,
}

const FRAMINGS: [Framing; 4] =
    [Framing::BigEndian, Framing::LittleEndian, Framing::Varint, Framing::ZstdInBigEndian];

fn zipped(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn framed(message: &[u8], framing: Framing) -> Vec<u8> {
    let length = |message: &[u8]| u32::try_from(message.len()).unwrap();
    let prefix = match framing {
        Framing::BigEndian => length(message).to_be_bytes().to_vec(),
        Framing::LittleEndian => length(message).to_le_bytes().to_vec(),
        Framing::Varint => {
            let mut prefix = Vec::new();
            prost::encode_length_delimiter(message.len(), &mut prefix).unwrap();
            prefix
        }
        Framing::ZstdInBigEndian => return framed(&zipped(message), Framing::BigEndian),
    };
    [prefix, message.to_vec()].concat()
}

fn is_full(export: &Export) -> bool {
    export.items() != Items::default()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_framing_gives_back_what_was_framed(
        names in vec("[a-z{}\\[\\]ö]{0,20}", 1..5),
        sizes in vec(0..70_000_usize, 1..5),
    ) {
        let exports: Vec<Export> =
            names.iter().zip(sizes.iter().cycle()).map(|(name, size)| {
                span_named(&format!("{name}{}", "x".repeat(*size)))
            }).collect();
        for framing in FRAMINGS {
            let bytes: Vec<u8> =
                exports.iter().flat_map(|export| framed(&export.encode(), framing)).collect();
            for bytes in [bytes.clone(), gzipped(&bytes), zipped(&bytes), zipped(&gzipped(&bytes))] {
                let (read, error) = read_bytes(&bytes);
                prop_assert!(error.is_none(), "{framing:?}: {error:?}");
                prop_assert_eq!(&read, &exports, "{:?}", framing);
            }
        }
    }

    #[test]
    fn a_framing_is_told_whatever_is_framed(export in export().prop_filter("empty", is_full)) {
        for framing in FRAMINGS {
            let (read, error) = read_bytes(&framed(&export.encode(), framing));
            match error {
                None => prop_assert_eq!(&read, std::slice::from_ref(&export), "{:?}", framing),
                // Some have neither ids nor names nor times, so that they could be anything.
                Some(error) => {
                    let error = error.to_string();
                    prop_assert!(error.contains("more than one signal"), "{framing:?}: {error}");
                }
            }
        }
    }
}

#[test]
fn signals_may_alternate() {
    let logs = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1"}]}]}]}"#;
    let logs = crate::json::decode_export(logs.as_bytes()).unwrap();
    let exports = [span_named("a"), logs, span_named("b")];
    for framing in FRAMINGS {
        let bytes: Vec<u8> =
            exports.iter().flat_map(|export| framed(&export.encode(), framing)).collect();
        assert_eq!(read_bytes(&bytes).0, exports, "{framing:?}");
    }
}

#[test]
fn the_file_exporter_compresses_json_too() {
    let exports = [span_named("a"), span_named("b")];
    let json = |export: &Export| crate::json::encode_export(export).unwrap();
    let bytes: Vec<u8> =
        exports.iter().flat_map(|export| framed(&json(export), Framing::ZstdInBigEndian)).collect();
    assert_eq!(read_bytes(&bytes).0, exports);
}

#[test]
fn a_record_that_is_cut_off_is_an_error_after_those_before_it() {
    let exports = [span_named("a"), span_named("b")];
    for framing in FRAMINGS {
        let first = framed(&exports[0].encode(), framing);
        let second = framed(&exports[1].encode(), framing);
        let bytes = [first.clone(), second].concat();
        for length in first.len() + 1..bytes.len() {
            let (read, error) = read_bytes(&bytes[..length]);
            assert_eq!(read, exports[..1], "{framing:?} cut to {length}");
            let offset = first.len() as u64;
            assert!(
                matches!(error, Some(ReadError::Truncated { offset: at, whole: 1, .. }) if at == offset),
                "{framing:?} cut to {length}: {error:?}"
            );
        }
    }
}

#[test]
fn members_and_frames_follow_one_another() {
    let exports = [span_named("a"), span_named("b"), span_named("c")];
    for format in FORMATS {
        let bytes = written(&exports, format);
        let (first, second) = bytes.split_at(bytes.len() / 2);
        let members = [gzipped(first), gzipped(second)].concat();
        assert_eq!(read_bytes(&members).0, exports, "{format}");
        let frames = [zipped(first), zipped(second)].concat();
        assert_eq!(read_bytes(&frames).0, exports, "{format}");
        for length in 4..frames.len() {
            let (read, error) = read_bytes(&frames[..length]);
            assert!(exports.starts_with(&read), "{format} cut to {length}");
            let is_whole_frame = length == zipped(first).len();
            assert!(
                is_whole_frame || matches!(error, Some(ReadError::Damaged { .. })),
                "{format} cut to {length}: {error:?}"
            );
        }
    }
}

#[test]
fn compression_that_ends_too_early_or_otherwise_is_told_in_every_format() {
    /// What gzip ends with, and more than zstd does.
    const CHECKSUM_BYTES: usize = 8;
    let with_checksum = |bytes: &[u8]| {
        let mut zstd = zstd::Encoder::new(Vec::new(), 1).unwrap();
        zstd.include_checksum(true).unwrap();
        zstd.write_all(bytes).unwrap();
        zstd.finish().unwrap()
    };
    // Less than what the format is told by, and more.
    for size in [10, 100_000] {
        let exports = [span_named(&"x".repeat(size)), span_named("b")];
        let [otlp, lines] = FORMATS.map(|format| written(&exports, format));
        let framings = FRAMINGS.map(|framing| {
            exports.iter().flat_map(|export| framed(&export.encode(), framing)).collect()
        });
        let plain = [vec![exports[0].encode(), otlp, lines], framings.to_vec()].concat();
        for bytes in plain {
            let whole = read_bytes(&bytes).0;
            for zipped in [gzipped(&bytes), with_checksum(&bytes), gzipped(&with_checksum(&bytes))]
            {
                assert!(read_bytes(&zipped).1.is_none());
                for at in zipped.len() - CHECKSUM_BYTES..zipped.len() {
                    let mut flipped = zipped.clone();
                    flipped[at] ^= 1;
                    for damaged in [&zipped[..at], &flipped] {
                        let (read, error) = read_bytes(damaged);
                        assert!(whole.starts_with(&read));
                        let Some(ReadError::Damaged { whole, .. }) = error else {
                            panic!("{:?} at {at}: {error:?}", &bytes[..8]);
                        };
                        assert_eq!(whole, read.len() as u64);
                    }
                }
            }
        }
    }
}

#[test]
fn a_length_that_could_be_read_either_way_round_is_read_the_likely_way() {
    // More than is looked at, and few enough in the lowest byte to be a length the other way round.
    for size in (0x1_0ef0..0x1_0f20).step_by(3) {
        let export = span_named(&"x".repeat(size));
        for framing in FRAMINGS {
            let (read, error) = read_bytes(&framed(&export.encode(), framing));
            assert!(error.is_none(), "{framing:?}: {size}: {error:?}");
            assert!(read == [export.clone()], "{framing:?}: {size}");
        }
    }
}
