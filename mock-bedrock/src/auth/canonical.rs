//! The canonical form of a request, which is what a signature signs.
//!
//! The path is taken as it was sent and encoded once more, as every SDK of AWS does for every
//! service but S3: `%3A` becomes `%253A`, and a raw colon `%3A`.

use std::borrow::Cow;

use http::header::HOST;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use super::Sent;
use super::sigv4::{Form, hex_sha256};

/// What is encoded in names and values of the query.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What is encoded in the path.
const ENCODED_IN_PATH: &AsciiSet = &ENCODED.remove(b'/');

/// What HTTP/2 calls the host.
const AUTHORITY: &str = ":authority";

/// The canonical form of `sent`, of which `signed_headers` are signed.
pub(super) fn request(sent: Sent<'_>, form: Form, signed_headers: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(1_024);
    let line = |out: &mut Vec<u8>, text: &[u8]| {
        out.extend_from_slice(text);
        out.push(b'\n');
    };
    line(&mut out, sent.method.as_str().as_bytes());
    line(&mut out, path(sent.uri.path()).as_bytes());
    line(&mut out, query(sent.uri.query().unwrap_or_default(), form).as_bytes());
    for name in signed_headers.split(';') {
        header(&mut out, name, sent);
    }
    line(&mut out, b"");
    line(&mut out, signed_headers.as_bytes());
    out.extend_from_slice(payload_hash(sent).as_bytes());
    out
}

/// The hash of the body; or, where the header says that the body is signed in another way or not at
/// all, what the header says.
fn payload_hash(sent: Sent<'_>) -> Cow<'_, str> {
    let stated = sent.headers.get("x-amz-content-sha256").and_then(|value| value.to_str().ok());
    match stated {
        Some(stated) if stated == "UNSIGNED-PAYLOAD" || stated.starts_with("STREAMING-") => {
            stated.into()
        }
        _ => hex_sha256(sent.body).into(),
    }
}

/// Empty segments and dots are taken out, and what is left is encoded once more.
fn path(raw: &str) -> String {
    let is_normal = !raw.contains("//") && !raw.contains("/.");
    let normalized = if is_normal { raw.into() } else { normalize(raw) };
    percent_encode(normalized.as_bytes(), ENCODED_IN_PATH).to_string()
}

fn normalize(raw: &str) -> Cow<'_, str> {
    let mut kept = Vec::new();
    for segment in raw.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    let is_folder = raw.ends_with('/') || raw.ends_with("/.") || raw.ends_with("/..");
    let end = if is_folder && !kept.is_empty() { "/" } else { "" };
    format!("/{}{end}", kept.join("/")).into()
}

/// The parameters, each encoded in the one way, in the order of what that gives.
fn query(raw: &str, form: Form) -> String {
    let mut pairs: Vec<(String, String)> = raw
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(|(name, _)| form == Form::Header || *name != "X-Amz-Signature")
        .map(|(name, value)| (encoded_anew(name), encoded_anew(value)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> =
        pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

fn encoded_anew(text: &str) -> String {
    let spaced = text.replace('+', " ");
    let decoded: Vec<u8> = percent_decode_str(&spaced).collect();
    percent_encode(&decoded, ENCODED).to_string()
}

/// `name:value`, with the values of a header that is there several times after one another.
fn header(out: &mut Vec<u8>, name: &str, sent: Sent<'_>) {
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    let mut values = sent.headers.get_all(name).iter().peekable();
    if values.peek().is_none() && (name == HOST.as_str() || name == AUTHORITY) {
        // HTTP/2 has the host in the target. The SDK for JavaScript signs it under its name there.
        out.extend_from_slice(sent.uri.authority().map_or("", |it| it.as_str()).as_bytes());
    }
    for (number, value) in values.enumerate() {
        if number > 0 {
            out.push(b',');
        }
        let words = value.as_bytes().split(|byte| *byte == b' ').filter(|word| !word.is_empty());
        for (number, word) in words.enumerate() {
            if number > 0 {
                out.push(b' ');
            }
            out.extend_from_slice(word);
        }
    }
    out.push(b'\n');
}
