//! The kinds of cassettes.

use serde_json::Value;

use super::CassetteError;
use super::interaction::{Interaction, bytes, path};

/// The interactions of a cassette, in their order.
pub(super) fn interactions(cassette: &Value) -> Result<Vec<Interaction>, CassetteError> {
    type Read = fn(&Value) -> Result<Interaction, String>;
    let (entries, read): (&Vec<Value>, Read) =
        if let Some(entries) = cassette["interactions"].as_array() {
            (entries, vcrpy)
        } else if let Some(entries) = cassette["log"]["entries"].as_array() {
            (entries, archive)
        } else if let Some(entries) = cassette.as_array()
            && entries.iter().all(|entry| entry["scope"].is_string())
        {
            (entries, nock)
        } else {
            return Err(CassetteError::Kind);
        };
    let read = |(n, entry): (usize, &Value)| {
        read(entry).map_err(|problem| CassetteError::Interaction { number: n + 1, problem })
    };
    entries.iter().enumerate().map(read).collect()
}

/// `request: {method, uri, body}`, `response: {status: {code}, headers: {name: [values]}, body:
/// {string}}`.
fn vcrpy(entry: &Value) -> Result<Interaction, String> {
    let (request, response) = (&entry["request"], &entry["response"]);
    let headers = response["headers"].as_object();
    let headers = headers.into_iter().flatten().filter_map(|(name, values)| {
        let value = values.as_array().map_or(Some(values), |values| values.first());
        Some((name.to_ascii_lowercase(), value?.as_str()?.to_owned()))
    });
    let body = &response["body"];
    Ok(Interaction {
        method: text(request, "method")?.to_owned(),
        path: path(text(request, "uri")?).to_owned(),
        request_body: content(&request["body"]),
        status: status(&response["status"]["code"])?,
        headers: headers.collect(),
        body: match body["base64_string"].as_str() {
            Some(encoded) => bytes(encoded),
            None => content(body),
        },
    })
}

/// An entry of an HTTP archive: `request: {method, url, postData: {text}}`, `response: {status,
/// headers: [{name, value}], content: {text, encoding}}`.
fn archive(entry: &Value) -> Result<Interaction, String> {
    let (request, response) = (&entry["request"], &entry["response"]);
    let headers = response["headers"].as_array().into_iter().flatten().filter_map(|header| {
        Some((header["name"].as_str()?.to_ascii_lowercase(), header["value"].as_str()?.to_owned()))
    });
    Ok(Interaction {
        method: text(request, "method")?.to_owned(),
        path: path(text(request, "url")?).to_owned(),
        request_body: content(&request["postData"]["text"]),
        status: status(&response["status"])?,
        headers: headers.collect(),
        body: content(&response["content"]["text"]),
    })
}

/// `scope, method, path, body, status, response, rawHeaders`; what is no text is in hex.
fn nock(entry: &Value) -> Result<Interaction, String> {
    let raw = &entry["rawHeaders"];
    let mut headers = Vec::new();
    if let Some(pairs) = raw.as_array() {
        for pair in pairs.chunks_exact(2) {
            if let (Some(name), Some(value)) = (pair[0].as_str(), pair[1].as_str()) {
                headers.push((name.to_ascii_lowercase(), value.to_owned()));
            }
        }
    }
    for (name, value) in raw.as_object().into_iter().flatten() {
        if let Some(value) = value.as_str() {
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
    }
    let response = &entry["response"];
    // Parts of a body that came in pieces.
    let pieces = response.as_array().filter(|parts| parts.iter().all(Value::is_string));
    let body = match (response.as_str(), pieces) {
        (Some(encoded), _) => hex(encoded).unwrap_or_else(|| bytes(encoded)),
        (None, Some(pieces)) => {
            let joined: String = pieces.iter().filter_map(Value::as_str).collect();
            hex(&joined).unwrap_or_else(|| bytes(&joined))
        }
        (None, None) => response.to_string().into_bytes(),
    };
    Ok(Interaction {
        method: text(entry, "method")?.to_owned(),
        path: path(text(entry, "path")?).to_owned(),
        request_body: content(&entry["body"]),
        status: status(&entry["status"])?,
        headers,
        body,
    })
}

fn text<'a>(of: &'a Value, member: &str) -> Result<&'a str, String> {
    of[member].as_str().ok_or_else(|| format!("it has no text under `{member}`"))
}

fn status(value: &Value) -> Result<u16, String> {
    let status = value.as_u64().and_then(|status| u16::try_from(status).ok());
    status.ok_or_else(|| "it has no status".to_owned())
}

/// A body: a text, a text under `string`, or JSON as it is.
fn content(value: &Value) -> Vec<u8> {
    match (value, &value["string"]) {
        (Value::Null, _) => Vec::new(),
        (Value::String(text), _) | (_, Value::String(text)) => bytes(text),
        (json, _) => json.to_string().into_bytes(),
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    if text.is_empty() || !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
        .collect()
}
