//! What no exporter writes: each is an error that says what it is, within bounds of memory and time.

use std::io::{Cursor, Read};

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use prost::Message as _;

use super::*;

/// Reads `bytes` without a file.
fn open(bytes: impl Read + Send + 'static) -> (usize, Option<String>) {
    let reader = match Reader::of_input(Path::new("capture"), bytes) {
        Ok(reader) => reader,
        Err(error) => return (0, Some(format!("{error:?}"))),
    };
    let mut read = 0;
    for export in reader {
        match export {
            Ok(_) => read += 1,
            Err(error) => return (read, Some(format!("{error:?}"))),
        }
    }
    (read, None)
}

#[track_caller]
fn refused(bytes: Vec<u8>, says: &str) {
    let (_, error) = open(Cursor::new(bytes));
    let error = error.expect("an error");
    assert!(error.contains(says), "{error}");
}

fn span_with_json(attribute: &str) -> String {
    format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"attributes":[{attribute}]}}]}}]}}]}}"#
    )
}

/// A request whose span has an attribute of arrays within arrays.
fn nested_protobuf(depth: usize) -> Vec<u8> {
    let field = |tag: u8, inside: &[u8]| {
        let mut field = vec![tag];
        prost::encode_length_delimiter(inside.len(), &mut field).unwrap();
        field.extend_from_slice(inside);
        field
    };
    // Written from the inside out, backwards, since each length follows from what is within it.
    let mut backwards: Vec<u8> = Vec::new();
    let wrap = |backwards: &mut Vec<u8>, tag: u8| {
        let mut head = vec![tag];
        prost::encode_length_delimiter(backwards.len(), &mut head).unwrap();
        backwards.extend(head.iter().rev());
    };
    for _ in 0..depth {
        wrap(&mut backwards, 0x0a);
        wrap(&mut backwards, 0x2a);
    }
    backwards.reverse();
    let key_value = [field(0x0a, b"k"), field(0x12, &backwards)].concat();
    let span = [field(0x0a, &[1; 16]), field(0x12, &[1; 8]), field(0x4a, &key_value)].concat();
    field(0x0a, &field(0x12, &field(0x12, &span)))
}

#[test]
fn nesting_has_an_end() {
    let arrays = format!(
        r#"{{"key":"k","value":{}{{}}{}}}"#,
        r#"{"arrayValue":{"values":["#.repeat(100_000),
        "]}}".repeat(100_000)
    );
    refused(span_with_json(&arrays).into_bytes(), "nest more than 256 deep");
    refused("[".repeat(100_000).into_bytes(), "a line that goes on with");
    refused("{\"a\":".repeat(100_000).into_bytes(), "nest more than 256 deep");
    assert_eq!(open(Cursor::new(nested_protobuf(10))), (1, None));
    refused(nested_protobuf(100_000), "NotOtlp");
    let mut framed = b"SPCAP1\nT".to_vec();
    let message = nested_protobuf(100_000);
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap().to_le_bytes());
    framed.extend_from_slice(&message);
    refused(framed, "recursion limit");
}

#[test]
fn a_value_of_a_hundred_megabytes_is_read_in_every_format() {
    let value = "x".repeat(100_000_000);
    let mut export = span_named("large");
    let Export::Traces(request) = &mut export else { panic!("spans") };
    let span = &mut request.resource_spans[0].scope_spans[0].spans[0];
    span.attributes.push(opentelemetry_proto::tonic::common::v1::KeyValue {
        key: "k".to_owned(),
        value: Some(opentelemetry_proto::tonic::common::v1::AnyValue {
            value: Some(Any::StringValue(value)),
        }),
        ..Default::default()
    });
    let mut delimited = Vec::new();
    request.encode_length_delimited(&mut delimited).unwrap();
    for bytes in [written(&[export.clone()], Format::Otlp), delimited, export.encode()] {
        assert_eq!(open(Cursor::new(bytes)), (1, None));
    }
    let json = written(&[export], Format::JsonLines);
    assert_eq!(open(Cursor::new(zstd::encode_all(&json[..], 1).unwrap())), (1, None));
}

#[test]
fn a_length_that_lies_is_not_believed() {
    let record = |length: u32| [b"SPCAP1\nT".as_slice(), &length.to_le_bytes(), b"abc"].concat();
    refused(record(u32::MAX), "the most is 268435456");
    refused(record(1 << 28), "Truncated");
    let message = span_named("a").encode();
    let length = u32::try_from(message.len()).unwrap();
    let good = [&length.to_be_bytes()[..], &message].concat();
    let lying = [&good[..], &u32::MAX.to_be_bytes(), b"abc"].concat();
    // What is beyond the beginning, by which the format is told.
    let far = [good.repeat(1_000), lying].concat();
    refused(far, "the most is 268435456");
}

#[test]
fn bombs_of_compression_are_given_up() {
    let noise = zstd::encode_all(std::io::repeat(b'a').take(100 << 20), 1).unwrap();
    refused(noise.repeat(6), "unfolds to more than 536870912 bytes without telemetry in them");

    // One line without end, and a record without end.
    let line = std::io::repeat(b'a').take(300 << 20);
    let start =
        Cursor::new(b"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"".to_vec());
    let bomb = zstd::encode_all(start.chain(line), 1).unwrap();
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    refused(bomb, "an object of more than 268435456 bytes");

    let frame = zstd::encode_all(std::io::repeat(0).take(300 << 20), 1).unwrap();
    let length = u32::try_from(frame.len()).unwrap();
    refused([&length.to_be_bytes()[..], &frame].concat(), "unfolds to more than 268435456 bytes");

    let mut layers = span_named("a").encode();
    for _ in 0..5 {
        layers = gzipped(&layers);
    }
    refused(layers, "compressed more than 4 times over");
}

#[test]
fn keys_that_come_twice_are_an_error() {
    for (text, says) in [
        (r#"{"resourceSpans":[],"resourceSpans":[]}"#.to_owned(), "`resourceSpans` is there twice"),
        (span_with_json(r#"{"key":"a","key":"b"}"#), "`key` is there twice"),
        (
            span_with_json(r#"{"key":"a","value":{"stringValue":"a","intValue":1}}"#),
            "`intValue` is there twice, or with another that excludes it",
        ),
    ] {
        refused(text.into_bytes(), says);
    }
}

#[test]
fn text_that_is_not_utf_8_is_an_error() {
    let mut text = span_with_json(r#"{"key":"KEY"}"#).into_bytes();
    let key = text.windows(3).position(|three| three == b"KEY").unwrap();
    text[key] = 0xff;
    refused(text, "invalid unicode code point");
    let mut message = span_named("NAME").encode();
    let name = message.windows(4).position(|four| four == b"NAME").unwrap();
    message[name] = 0xff;
    refused(written_raw(&message), "UTF-8");
}

/// A capture of one record, whatever its bytes.
fn written_raw(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_le_bytes();
    [b"SPCAP1\nT".as_slice(), &length, message].concat()
}

#[test]
fn ids_of_zeros_and_times_at_the_edges_are_read() {
    let text = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{
        "traceId":"00000000000000000000000000000000","spanId":"0000000000000000",
        "startTimeUnixNano":"18446744073709551615","endTimeUnixNano":0}]}]}]}"#;
    assert_eq!(open(Cursor::new(text.as_bytes())), (1, None));
    let beyond = text.replace("18446744073709551615", "18446744073709551616");
    refused(beyond.into_bytes(), "18446744073709551616 is out of range");
}

#[test]
fn a_cut_line_among_others_is_found_where_it_is() {
    let good = r#"{"resourceLogs":[]}"#;
    let text = format!("{good}\n{{\"resourceLogs\":[{{\"a\":\"b\n{good}\n");
    assert_eq!(
        message(text.as_bytes()).split(';').next().unwrap(),
        "`FILE` is no telemetry at line 2: a line ends within a string"
    );
}

#[cfg(unix)]
#[test]
fn a_folder_with_links_to_itself_is_read_once() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.otlp");
    fs::write(&file, written(&[span_named("a")], Format::Otlp)).unwrap();
    fs::create_dir(folder.path().join("below")).unwrap();
    symlink(folder.path(), folder.path().join("below/loop")).unwrap();
    symlink(&file, folder.path().join("z.otlp")).unwrap();
    let (read, error) = read_path(folder.path());
    assert!(error.is_none(), "{error:?}");
    assert_eq!(read, [span_named("a")]);

    symlink("itself", folder.path().join("itself")).unwrap();
    assert!(read_path(folder.path()).1.is_some());
}

#[cfg(unix)]
#[test]
fn what_a_folder_holds_besides_files_is_refused_without_waiting_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    let (_, error) = read_path(folder.path());
    assert!(matches!(error, Some(ReadError::NoFile { .. })), "{error:?}");
}

#[test]
fn an_object_larger_than_memory_should_hold_is_read_element_by_element() {
    let span = format!(r#"{{"name":"{}"}}"#, "x".repeat(1 << 20));
    let element = format!(r#"{{"scopeSpans":[{{"spans":[{span}]}}]}}"#);
    let head = "{\n\"resourceSpans\":[\n";
    let elements = vec![element.as_str(); 40].join(",\n");
    let whole = format!("{head}{elements}\n],\"other\":[1]}}\n{{\"resourceSpans\":[]}}\n");
    assert_eq!(open(Cursor::new(whole.clone().into_bytes())), (41, None));
    let (read, error) = open(Cursor::new(format!("{head}{elements}\n").into_bytes()));
    assert_eq!(read, 40);
    assert!(error.unwrap().contains("offset: 0"));
    let broken = format!("{head}{elements},\n{{\"scopeSpans\":7}}]}}");
    let (read, error) = open(Cursor::new(broken.into_bytes()));
    assert_eq!(read, 40);
    assert!(error.as_ref().unwrap().contains("Line(43)"), "{error:?}");
    let twice = whole.replace("\"other\":[1]", "\"resourceSpans\":[]");
    assert!(open(Cursor::new(twice.into_bytes())).1.unwrap().contains("twice"));
}
