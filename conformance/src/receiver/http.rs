//! OTLP/HTTP: `POST /v1/{traces,metrics,logs}` in protobuf or JSON, plain or gzipped.

use std::io::Read as _;
use std::sync::Arc;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use tonic::Code;

use super::answer::{self, Encoding, RpcStatus};
use super::intake::{BUSY, Intake, Refusal};
use crate::capture::Signal;

#[derive(Clone)]
pub(super) struct Service {
    pub(super) intake: Arc<Intake>,
    pub(super) max_bytes: usize,
}

pub(super) async fn answer(service: Service, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (signal, encoding) = match route(&request) {
        Ok(route) => route,
        Err(refusal) => {
            service.intake.refused();
            return *refusal;
        }
    };
    let intake = &service.intake;
    let taken = match intake.turn().await {
        Ok(_turn) => match body(request, service.max_bytes).await {
            Ok(body) => match encoding {
                Encoding::Protobuf => intake.protobuf(signal, body).await,
                Encoding::Json => intake.json(signal, &body).await,
            },
            Err((status, why)) => {
                intake.refused();
                return error(status, Code::InvalidArgument, why, encoding);
            }
        },
        Err(refusal) => Err(refusal),
    };
    match taken {
        Ok(taken) => with_type(StatusCode::OK, answer::response(signal, taken, encoding), encoding),
        Err(refusal) => refused(refusal, encoding),
    }
}

fn refused(refusal: Refusal, encoding: Encoding) -> Response<Full<Bytes>> {
    match refusal {
        Refusal::Undecodable(why) => {
            error(StatusCode::BAD_REQUEST, Code::InvalidArgument, why, encoding)
        }
        Refusal::Broken(why) => {
            error(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, why, encoding)
        }
        Refusal::Busy => {
            let why = BUSY.to_owned();
            let mut response =
                error(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, why, encoding);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            response
        }
        Refusal::Behind(behind) => {
            // What a sender may try again over gRPC, it may over HTTP.
            let status = match behind.code() {
                Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
                Code::Unavailable
                | Code::Cancelled
                | Code::DeadlineExceeded
                | Code::Aborted
                | Code::OutOfRange
                | Code::DataLoss => StatusCode::SERVICE_UNAVAILABLE,
                Code::InvalidArgument => StatusCode::BAD_REQUEST,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            };
            error(status, behind.code(), behind.message().to_owned(), encoding)
        }
    }
}

/// What the head of a request asks for, or the answer to one that asks for nothing known.
fn route(request: &Request<Incoming>) -> Result<(Signal, Encoding), Box<Response<Full<Bytes>>>> {
    let path = request.uri().path();
    let signal = Signal::ALL
        .into_iter()
        .find(|signal| path.strip_prefix("/v1/") == Some(signal.as_str()))
        .ok_or_else(|| {
            let known = "known are /v1/traces, /v1/metrics, /v1/logs";
            text(StatusCode::NOT_FOUND, format!("no OTLP at {path}; {known}\n"))
        })?;
    if request.method() != Method::POST {
        let method = request.method();
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not POST\n"));
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return Err(response);
    }
    let encoding = encoding(request.headers()).map_err(|given| {
        let known = "known are application/x-protobuf, application/json";
        text(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("content type {given}; {known}\n"))
    })?;
    Ok((signal, encoding))
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, String> {
    let given = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let media_type = given.split(|byte| *byte == b';').next().unwrap_or_default();
    [Encoding::Protobuf, Encoding::Json]
        .into_iter()
        .find(|known| media_type.trim_ascii().eq_ignore_ascii_case(known.media_type().as_bytes()))
        .ok_or_else(|| format!("`{}`", given.escape_ascii()))
}

/// Reads the body, and unzips it, to at most `max_bytes`.
async fn body(request: Request<Incoming>, max_bytes: usize) -> Result<Bytes, (StatusCode, String)> {
    let content_encoding = request.headers().get(CONTENT_ENCODING).cloned();
    let too_large =
        || (StatusCode::PAYLOAD_TOO_LARGE, format!("more than {max_bytes} bytes in one request"));
    let read = Limited::new(request.into_body(), max_bytes).collect().await;
    let body = read.map(http_body_util::Collected::to_bytes).map_err(|error| {
        if error.is::<LengthLimitError>() {
            too_large()
        } else {
            (StatusCode::BAD_REQUEST, format!("the body could not be read: {error}"))
        }
    })?;
    match content_encoding.as_ref().map_or(&b"identity"[..], HeaderValue::as_bytes) {
        b"identity" | b"" => Ok(body),
        b"gzip" => {
            let mut unzipped = Vec::new();
            MultiGzDecoder::new(&body[..])
                .take(max_bytes as u64 + 1)
                .read_to_end(&mut unzipped)
                .map_err(|error| (StatusCode::BAD_REQUEST, format!("not gzip: {error}")))?;
            if unzipped.len() > max_bytes { Err(too_large()) } else { Ok(unzipped.into()) }
        }
        other => Err((
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("content encoding `{}`; known are gzip, identity", other.escape_ascii()),
        )),
    }
}

fn error(
    status: StatusCode,
    code: Code,
    message: String,
    encoding: Encoding,
) -> Response<Full<Bytes>> {
    with_type(status, RpcStatus { code: code.into(), message }.encode_as(encoding), encoding)
}

fn with_type(status: StatusCode, body: Vec<u8>, encoding: Encoding) -> Response<Full<Bytes>> {
    respond(status, body.into(), encoding.media_type())
}

/// For requests that state no encoding to answer in.
fn text(status: StatusCode, text: String) -> Box<Response<Full<Bytes>>> {
    Box::new(respond(status, text.into(), "text/plain"))
}

fn respond(status: StatusCode, body: Bytes, media_type: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
