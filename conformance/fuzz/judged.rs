//! What the targets share: whatever was read can be judged, and written and read again.

use conformance::capture::Export;
use conformance::json;
use conformance_core::{Judge, Settings};

/// Judges `exports` as `spanproof check` does.
pub fn judge<'e>(exports: impl IntoIterator<Item = &'e Export>) {
    let mut judge = Judge::new(Settings::default());
    for export in exports {
        match export {
            Export::Traces(request) => judge.traces(request),
            Export::Metrics(request) => judge.metrics(request),
            Export::Logs(request) => judge.logs(request),
        }
    }
    let judgement = judge.finish();
    assert!(judgement.findings.iter().all(|group| !group.message.is_empty()));
}

/// Holds that `export` is the same after a way through JSON.
pub fn survives_json(export: &Export) {
    let text = json::encode_export(export).expect("an export can be written");
    let again = json::decode_export(&text).expect("what was written can be read");
    // A number that is none equals nothing, itself included, but is written the same.
    let same = json::encode_export(&again).expect("an export can be written");
    assert_eq!(String::from_utf8_lossy(&text), String::from_utf8_lossy(&same));
    if !text.windows(3).any(|three| three == b"NaN") {
        assert_eq!(export, &again);
    }
}
