use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use proptest::collection::vec;
use proptest::prelude::*;

use super::arbitrary::export;
use super::*;

const FORMATS: [Format; 2] = [Format::Otlp, Format::JsonLines];

/// What a writer wrote, after it is gone.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn written(exports: &[Export], format: Format) -> Vec<u8> {
    let kept = Kept::default();
    let mut writer = Writer::new(kept.clone(), format).unwrap();
    for export in exports {
        let request = Request { signal: export.signal(), protobuf: export.encode().into() };
        writer.write(&request).unwrap();
    }
    writer.flush().unwrap();
    drop(writer);
    Arc::into_inner(kept.0).unwrap().into_inner().unwrap()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// What reading a file with these bytes gives, up to the first error.
fn read_bytes(bytes: &[u8]) -> (Vec<Export>, Option<ReadError>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("capture");
    fs::write(&path, bytes).unwrap();
    read_path(&path)
}

fn read_path(path: &Path) -> (Vec<Export>, Option<ReadError>) {
    let mut exports = Vec::new();
    let outcome = read(path, &mut |export| exports.push(export));
    (exports, outcome.err())
}

/// The message of the error that reading these bytes gives, without the path.
fn message(bytes: &[u8]) -> String {
    let error = read_bytes(bytes).1.unwrap();
    let text = error.to_string();
    let (before, after) = text.split_once('`').unwrap();
    let (_, after) = after.split_once('`').unwrap();
    format!("{before}`FILE`{after}")
}

fn span_named(name: &str) -> Export {
    let text = format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"name":"{name}",
            "traceId":"000102030405060708090a0b0c0d0e0f","spanId":"0001020304050607"}}]}}]}}]}}"#
    );
    crate::json::decode_export(text.as_bytes()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read(exports in vec(export(), 0..4), zipped: bool) {
        for format in FORMATS {
            let mut bytes = written(&exports, format);
            if zipped {
                bytes = gzipped(&bytes);
            }
            let (read, error) = read_bytes(&bytes);
            prop_assert!(error.is_none(), "{format}: {error:?}");
            prop_assert_eq!(&read, &exports);
        }
    }

    #[test]
    fn bytes_of_any_kind_never_panic(bytes in vec(any::<u8>(), 0..200), start in 0..5_usize) {
        let starts: [&[u8]; 5] = [b"", b"SPCAP1\n", b"{\"resourceSpans\":[", b"\x0a", b"\x1f\x8b"];
        let _ = read_bytes(&[starts[start], &bytes].concat());
    }
}

#[test]
fn a_capture_cut_anywhere_gives_its_whole_records() {
    let exports = [span_named("a"), span_named("ö"), span_named("c")];
    for format in FORMATS {
        let bytes = written(&exports, format);
        for length in 0..bytes.len() {
            let (read, error) = read_bytes(&bytes[..length]);
            assert!(exports.starts_with(&read), "{format} cut to {length}");
            match error {
                None => {}
                Some(ReadError::Truncated { whole, .. }) => assert_eq!(whole, read.len() as u64),
                Some(other) => panic!("{format} cut to {length}: {other}"),
            }
        }
        let zipped = gzipped(&bytes);
        for length in 2..zipped.len() {
            let (read, error) = read_bytes(&zipped[..length]);
            assert!(exports.starts_with(&read));
            assert!(matches!(error, Some(ReadError::Damaged { .. })), "{length}: {error:?}");
        }
    }
}

#[test]
fn errors_say_what_is_there_and_what_is_accepted() {
    let capture = written(&[span_named("a"), span_named("b")], Format::Otlp);
    insta::assert_snapshot!(message(&capture[..capture.len() - 1]), @"capture `FILE` is cut off: the record that starts at byte 49 does not end; whole records before it: 1; write or fetch it anew, or check the first 49 bytes of its content alone");
    insta::assert_snapshot!(message(b"SPCAP1\nX...."), @"`FILE` is no telemetry at byte 7: a record of unknown kind 0x58; accepted are captures of spanproof, OTLP in JSON or protobuf, the console output of the Python SDK, and Jaeger JSON, each also in gzip or zstd (docs/inputs.md)");
    insta::assert_snapshot!(message(b"SPCAP1\nT\x03\0\0\0abc"), @"`FILE` is no telemetry at byte 7: a record of traces that failed to decode Protobuf message: buffer underflow; accepted are captures of spanproof, OTLP in JSON or protobuf, the console output of the Python SDK, and Jaeger JSON, each also in gzip or zstd (docs/inputs.md)");
    insta::assert_snapshot!(message(b"sequence,arrived\n1,2\n"), @r#"`FILE` is no telemetry at line 1: a line that goes on with "sequence,arrived"; accepted are captures of spanproof, OTLP in JSON or protobuf, the console output of the Python SDK, and Jaeger JSON, each also in gzip or zstd (docs/inputs.md)"#);
    insta::assert_snapshot!(message(b"{\"resourceLogs\":[]}\n\n{\"record\":\"run\"}\n"), @"`FILE` is no telemetry at line 3: no `resourceSpans`, `resourceMetrics` or `resourceLogs` in an object with record; accepted are captures of spanproof, OTLP in JSON or protobuf, the console output of the Python SDK, and Jaeger JSON, each also in gzip or zstd (docs/inputs.md)");
    insta::assert_snapshot!(message(b"{\"resourceLogs\":[]}\n{\"resourceLogs\":"), @"capture `FILE` is cut off: the record that starts at byte 20 does not end; whole records before it: 1; write or fetch it anew, or check the first 20 bytes of its content alone");
    insta::assert_snapshot!(message(b"{\"resourceLogs\":{}}\n"), @"`FILE` is no telemetry at line 1: invalid type: map, expected a list (column 16); accepted are captures of spanproof, OTLP in JSON or protobuf, the console output of the Python SDK, and Jaeger JSON, each also in gzip or zstd (docs/inputs.md)");
    insta::assert_snapshot!(message(b"\x0a\x01x"), @r#"`FILE` is no telemetry at byte 0: it begins with "\n\x01x"; accepted are captures of spanproof, OTLP in JSON or protobuf, the console output of the Python SDK, and Jaeger JSON, each also in gzip or zstd (docs/inputs.md)"#);
    insta::assert_snapshot!(message(b"\xff\xfe{\0"), @"`FILE` is no telemetry at byte 0: it is UTF-16, as PowerShell redirects output; save it as UTF-8; accepted are captures of spanproof, OTLP in JSON or protobuf, the console output of the Python SDK, and Jaeger JSON, each also in gzip or zstd (docs/inputs.md)");
    insta::assert_snapshot!(read_path(Path::new("no/such/file")).1.unwrap(), @"no capture at `no/such/file`: the file or folder does not exist");
}

#[test]
fn an_empty_file_holds_nothing() {
    for bytes in [&b""[..], b"\n\n", b"SPCAP1\n", &[b' '; 100]] {
        let (exports, error) = read_bytes(bytes);
        assert!(exports.is_empty() && error.is_none());
    }
}

#[test]
fn an_empty_export_is_written_such_that_it_can_be_read() {
    for signal in Signal::ALL {
        let exports = [Export::decode(signal, &[]).unwrap(), span_named("a")];
        for format in FORMATS {
            let (read, error) = read_bytes(&written(&exports, format));
            assert!(error.is_none(), "{format}, {signal:?}: {error:?}");
            assert_eq!(read, exports);
        }
    }
}

#[test]
fn one_object_over_several_lines_is_read() {
    let text = "\n{\n  \"resourceLogs\": [\n  ]\n}\n\n";
    let logs = || Export::Logs(ExportLogsServiceRequest::default());
    assert_eq!(read_bytes(text.as_bytes()).0, [logs()]);
    let several = format!("\u{feff}{text}{text} {{\"resourceLogs\":[]}}");
    assert_eq!(read_bytes(several.as_bytes()).0, [logs(), logs(), logs()]);
    let list = format!("[{text},{text}]\n");
    let (read, error) = read_bytes(list.as_bytes());
    assert!(error.is_none(), "{error:?}");
    assert_eq!(read, [logs(), logs()]);
    let (_, error) = read_bytes(&list.as_bytes()[..list.len() - 2]);
    assert!(matches!(error, Some(ReadError::Truncated { .. })), "{error:?}");
}

#[test]
fn a_bare_message_is_read_as_the_one_signal_it_can_be() {
    let metrics = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
        {"name":"m","unit":"s","gauge":{"dataPoints":[{"asInt":"1"}]}}]}]}]}"#;
    let logs = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1"}]}]}]}"#;
    let decoded = |text: &str| crate::json::decode_export(text.as_bytes()).unwrap();
    for export in [span_named("a"), decoded(metrics), decoded(logs)] {
        let (read, error) = read_bytes(&export.encode());
        assert!(error.is_none(), "{error:?}");
        assert_eq!(read, [export]);
    }
}

#[test]
fn a_folder_is_read_in_the_order_of_names() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| -> PathBuf { folder.path().join(name) };
    fs::create_dir(file("b")).unwrap();
    for (name, span) in [("c.otlp", "3"), ("a.jsonl", "1"), ("b/x.otlp", "2")] {
        let mut writer = Writer::create(&file(name)).unwrap();
        writer.write_export(&span_named(span)).unwrap();
        writer.flush().unwrap();
    }
    let (read, error) = read_path(folder.path());
    assert!(error.is_none(), "{error:?}");
    assert_eq!(read, ["1", "2", "3"].map(span_named));

    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(read_path(empty.path()).1, Some(ReadError::EmptyFolder { .. })));
}

mod console;
mod hostile;
mod jaeger;
mod prefixed;

#[test]
fn a_capture_that_cannot_be_created_says_where() {
    let error = Writer::create(Path::new("no/such/folder/capture.otlp")).err().unwrap();
    insta::assert_snapshot!(error, @"cannot create capture `no/such/folder/capture.otlp`: No such file or directory (os error 2)");
}
