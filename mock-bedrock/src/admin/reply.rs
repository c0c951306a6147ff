//! Answers of the admin endpoints.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use serde::Serialize;
use tokio::sync::mpsc;

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum AdminBody {
    Whole(Option<Bytes>),
    /// Lines as they come.
    Lines(mpsc::Receiver<Bytes>),
}

impl Body for AdminBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = match self.get_mut() {
            AdminBody::Whole(bytes) => bytes.take(),
            AdminBody::Lines(lines) => std::task::ready!(lines.poll_recv(cx)),
        };
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, AdminBody::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            AdminBody::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            AdminBody::Lines(_) => SizeHint::default(),
        }
    }
}

/// An answer of `bytes`.
pub(super) fn whole(content_type: &'static str, bytes: impl Into<Bytes>) -> Response<AdminBody> {
    answer(content_type, AdminBody::Whole(Some(bytes.into())))
}

/// An answer of JSON.
pub(super) fn json(value: &impl Serialize) -> Response<AdminBody> {
    let mut bytes = crate::wire::json(value);
    bytes.push(b'\n');
    whole("application/json", bytes)
}

/// Nothing to say but that it is done.
pub(super) fn done() -> Response<AdminBody> {
    let mut response = Response::new(AdminBody::Whole(None));
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// An answer of lines of JSON as they come.
pub(super) fn lines(lines: mpsc::Receiver<Bytes>) -> Response<AdminBody> {
    answer("application/x-ndjson", AdminBody::Lines(lines))
}

fn answer(content_type: &'static str, body: AdminBody) -> Response<AdminBody> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Why a request was not answered as asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    status: StatusCode,
    error: String,
    allow: Option<&'static str>,
}

#[derive(Serialize)]
struct Told<'a> {
    error: &'a str,
}

impl Refused {
    /// What was asked makes no sense.
    pub(super) fn bad(error: impl Into<String>) -> Self {
        Refused { status: StatusCode::BAD_REQUEST, error: error.into(), allow: None }
    }

    /// There is nothing by that path.
    pub(super) fn unknown(error: impl Into<String>) -> Self {
        Refused { status: StatusCode::NOT_FOUND, error: error.into(), allow: None }
    }

    /// What is there takes only the methods `allow`.
    pub(super) fn method(allow: &'static str) -> Self {
        let error = format!("this endpoint takes {allow}");
        Refused { status: StatusCode::METHOD_NOT_ALLOWED, error, allow: Some(allow) }
    }
}

impl From<Refused> for Response<AdminBody> {
    fn from(refused: Refused) -> Self {
        let mut response = json(&Told { error: &refused.error });
        *response.status_mut() = refused.status;
        if let Some(allow) = refused.allow {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}
