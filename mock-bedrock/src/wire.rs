//! JSON as it is written to the wire.

use serde::Serialize;
use serde_json::value::RawValue;

/// `{"text":"…"}`, which Converse, Nova and their streams share.
#[derive(Debug, Serialize)]
pub(crate) struct Text<'a> {
    pub(crate) text: &'a str,
}

/// `value` as JSON.
pub(crate) fn json(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::with_capacity(1_024);
    json_into(&mut out, value);
    out
}

/// `value` as JSON, in place of what `out` held.
pub(crate) fn json_into(out: &mut Vec<u8>, value: &impl Serialize) {
    out.clear();
    serde_json::to_writer(out, value)
        .expect("wire types have text keys, and nothing else can fail");
}

/// Text that this crate serialized, as JSON within JSON.
pub(crate) fn raw(json: &str) -> &RawValue {
    serde_json::from_str(json).expect("arguments were serialized by serde_json")
}
